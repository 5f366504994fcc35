"""Planning a response: what somebody asks for, as a plan that can be checked and proposed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cybercoop.errors import NotFound, Refused
from cybercoop.members.assets import AssetKind
from cybercoop.members.organisations import MEMBERS, Kind, Organisation
from cybercoop.responses.starting import Plan
from cybercoop.sharing import Addressed, keys_of, locks, locks_for
from cybercoop.store import assets, incidents, members
from cybercoop.store.database import Connection
from cybercoop.store.members import Center
from cybercoop.web.api._common import Moment, micros
from cybercoop.web.api.push import Level, Text
from cybercoop.web.endpoints import Asked

Name = Annotated[str, Field(min_length=1, max_length=200)]
Given = str | int | float | bool | dict[str, str]
Counties = Annotated[
    tuple[Name, ...], Field(max_length=20_000, description="organisations, by name or id")
]


class Planned(Asked):
    """Say what is to be carried out, where, with which values, and who may see it.

    ``of_group``, ``tag``, ``software`` and ``everybody`` choose among all who may see it, and
    narrow each other; ``counties`` come on top.
    """

    playbook: Name
    version: Annotated[str, Field(max_length=40, description="else the newest")] = ""
    counties: Counties = ()
    of_group: Annotated[Text, Field(description="all organisations of a group")] = None
    tag: Annotated[Text, Field(description="all that carry a tag of the center")] = None
    software: Annotated[Text, Field(description="all that said that they have it")] = None
    everybody: Annotated[bool, Field(description="all that may see it")] = False
    values: Annotated[
        dict[Name, Given],
        Field(max_length=200, default_factory=dict, description="by variable of the playbook"),
    ]
    title: Annotated[str, Field(max_length=200)] = ""
    tlp: Annotated[Level, Field(description="who may see the response")] = None
    group: Annotated[Text, Field(description="group that the response is meant for")] = None
    exercise: Annotated[bool, Field(description="marked so everywhere")] = False
    known: Annotated[Moment | None, Field(description="when one came to know of the case")] = None
    incident: Annotated[str | None, Field(max_length=36)] = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold a plan, and who was meant by its choice but may not see what is marked so."""

    plan: Plan
    left_out: Sequence[Organisation]


async def chosen(
    connection: Connection, org: Organisation, center: Center, said: Planned, now: int
) -> Chosen:
    """Return what somebody asks for as a plan; raise Refused for what is not there."""
    lock = await _lock(connection, org, said)
    known = micros(said.known)
    if known is not None and known > now:
        raise Refused("Nobody can know of it before it is so late.", "known")
    if not said.title.isprintable():
        raise Refused("A title is one line.", "title")
    if said.incident is not None:
        await _require_incident(connection, org, said.incident)
    some = await others(connection, center)
    meant = await _meant(connection, some, said)
    may = [one.id for one in meant if lock in keys_of(one)]
    plan = Plan(
        said.playbook,
        [*named(some, said.counties), *may],
        lock,
        said.version,
        said.values,
        said.title.strip(),
        exercise=said.exercise,
        known_at=known,
        incident_id=said.incident,
    )
    return Chosen(plan, [one for one in meant if one.id not in set(may)])


async def others(connection: Connection, center: Center) -> list[Organisation]:
    """Return the organisations that can be asked to do something."""
    everybody = await members.all_organisations(connection)
    return [one for one in everybody if one.id != center.org_id and one.kind is not Kind.SOURCE]


def named(some: Sequence[Organisation], names: Sequence[str]) -> list[str]:
    """Return the ids of organisations that are named by name or id; raise Refused."""
    known = {one.name: one.id for one in some} | {one.id: one.id for one in some}
    for name in names:
        if name not in known:
            raise Refused("No organisation has this name or id.", "counties")
    return [known[name] for name in names]


async def _require_incident(connection: Connection, org: Organisation, incident_id: str) -> None:
    """Raise Refused where the organisation has no such incident, whoever else has one."""
    try:
        await incidents.find(connection, org.id, incident_id)
    except NotFound as missing:
        raise Refused(str(missing), "incident") from None


async def _lock(connection: Connection, org: Organisation, said: Planned) -> str:
    groups = {group.id for group in await members.all_groups(connection)} | {MEMBERS}
    if said.group is not None and said.group not in groups:
        raise Refused("There is no group of this name.", "group")
    try:
        lock = locks_for({}, org, Addressed(said.tlp, said.group), {}, frozenset())
    except Refused as refused:
        raise Refused(refused.reason, "tlp") from None
    if locks.is_own(lock):
        raise Refused("Say who may see it: a level, or a group.", "tlp")
    return lock


async def _meant(
    connection: Connection, some: Sequence[Organisation], said: Planned
) -> list[Organisation]:
    if not (said.everybody or said.of_group or said.tag or said.software):
        return []
    found = list(some)
    if said.of_group is not None:
        found = [one for one in found if _is_in(one, said.of_group)]
    if said.tag is not None:
        found = [one for one in found if said.tag.lower() in one.tags]
    if said.software is not None:
        wanted = said.software.casefold()
        owners = {
            one.org_id
            for one in await assets.all_of(connection, None)
            if one.kind is AssetKind.SOFTWARE
            and wanted in f"{one.vendor or ''} {one.value}".casefold()
        }
        found = [one for one in found if one.id in owners]
    return found


def _is_in(org: Organisation, group: str) -> bool:
    return group in org.groups or (group == MEMBERS and org.kind is Kind.MEMBER)
