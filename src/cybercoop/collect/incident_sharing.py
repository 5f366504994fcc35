"""Sharing an incident: as contributions of its organisation, under the locks of all others.

Nothing of an incident goes out by any other way. What was shared is what was shown in the preview;
what changes in the incident afterwards stays at home until it is shared again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from cybercoop.collect import intake
from cybercoop.collect.checking import REFUSED, Verdict
from cybercoop.collect.incidents import Acting, found, note
from cybercoop.collect.indicating import indicator
from cybercoop.collect.reading import Value
from cybercoop.errors import NotFound, Refused
from cybercoop.incidents import bundle
from cybercoop.incidents.cases import Incident
from cybercoop.sharing import UNSAID, Addressed, locks
from cybercoop.sharing.audience import audience
from cybercoop.store import contributions, incident_parts, incidents, members, pushes
from cybercoop.store.database import Connection, Database
from cybercoop.store.incident_parts import Linked
from cybercoop.store.incidents import Shared
from cybercoop.store.members import Center

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Way:
    """Hold how something is given: to whom, reduced or with title and text, named or not.

    ``indicators`` gives the values of the incident along.
    """

    addressed: Addressed
    reduced: bool = True
    named: bool = False
    indicators: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """Hold what would be given: the objects as others' centers would take them, and to whom."""

    objects: Sequence[dict[str, Any]]
    lock: str
    names: Sequence[str]


async def preview(
    database: Database, center: Center, by: Acting, incident_id: str, way: Way
) -> Preview:
    """Return what sharing would give to whom, and change nothing; raise as ``share`` does."""
    async with database.read() as connection:
        incident = await incidents.find(connection, by.org.id, incident_id)
        modified = await _moment(connection, incident, by)
        objects = await _objects(connection, incident, way, modified)
        everybody = await members.all_organisations(connection)
    push = _push(way, None, dry_run=True)
    body = _encode({"objects": objects})
    verdicts = await intake.accept(database, center, by.org, body, push, by.now)
    lock = _lock(verdicts)
    names = [name for name in audience(lock, everybody) if name != by.org.name]
    return Preview(objects, lock, names)


async def share(
    connection: Connection, center: Center, by: Acting, incident_id: str, way: Way
) -> Shared:
    """Give an incident, as it is now, to the holders of a lock.

    Raises ``Refused`` where nobody was named, for TLP:RED, and ``Misused`` for a group that the
    organisation cannot address; nothing is given then.
    """
    incident = await found(connection, by, incident_id)
    modified = await _moment(connection, incident, by)
    objects = await _objects(connection, incident, way, modified)
    push_id = by.around.uuid()
    push = _push(way, push_id)
    body = _encode({"objects": objects})
    verdicts = await intake.accept_within(connection, center, by.org, body, push, by.now)
    lock, before = _lock(verdicts), await incidents.share_of(connection, incident.id)
    given = Shared(
        incident.id,
        by.org.id,
        bundle.stix_id(incident),
        lock,
        incident.category,
        incident.type,
        incident.severity,
        incident.state,
        way.reduced,
        withdrawn=False,
        first_at=before.first_at if before else by.now,
        stamp=modified,
    )
    await incidents.share(connection, given)
    if way.indicators:
        values = await incident_parts.linked(connection, incident.id)
        await incident_parts.mark_given(connection, incident.id, values, push_id)
    said = f"{lock}, {'reduced' if way.reduced else 'with text'}"
    await note(connection, by, incident, "shared", said)
    return given


async def withdraw(connection: Connection, by: Acting, incident_id: str) -> Shared:
    """Take back what was given of an incident; raise ``NotFound`` where nothing was.

    The values that were given along go, too, as if they had never been given: what stood before
    stands again, and what was pushed in a step of its own stays.
    """
    incident = await found(connection, by, incident_id)
    held = await incidents.share_of(connection, incident.id)
    if held is None or held.withdrawn:
        raise NotFound("Nothing of this incident is shared.")
    await contributions.stamps(connection, by.org.id, by.now, 0)
    values = await incident_parts.linked(connection, incident.id)
    ids = {_indicator_id(incident, one): one for one in values}
    shares = await pushes.with_object(connection, by.org.id, held.stix_id)
    await pushes.take_back(connection, by.org.id, shares, list(ids))
    stand = await pushes.of_objects(connection, by.org.id, list(ids))
    for one_id, value in ids.items():
        push_id = stand.get(one_id)
        if push_id != value.push_id:
            await incident_parts.mark_given(connection, incident.id, [value], push_id)
    ties = bundle.relations(incident, ids, by.now)
    gone_too = [held.stix_id, *(one["id"] for one in ties)]
    await contributions.withdraw(connection, by.org.id, gone_too)
    gone = replace(held, withdrawn=True, stamp=max(by.now, held.stamp + 1))
    await incidents.share(connection, gone)
    await note(connection, by, incident, "withdrawn", held.lock)
    return gone


async def give_indicators(
    connection: Connection, center: Center, by: Acting, incident_id: str, way: Way
) -> tuple[str, list[Verdict]]:
    """Push the values of an incident in one step; return the id of the push, and the verdicts.

    Others learn of no incident by it. Raises as ``share`` does, and ``Refused`` without values.
    """
    incident = await found(connection, by, incident_id)
    values = await incident_parts.linked(connection, incident.id)
    if not values:
        raise Refused("No value belongs to this incident yet.", "values")
    objects = indicators_of(incident, values, by.now)
    push_id = by.around.uuid()
    body = _encode({"objects": objects})
    push = _push(way, push_id)
    verdicts = await intake.accept_within(connection, center, by.org, body, push, by.now)
    lock = _lock(verdicts)
    await incident_parts.mark_given(connection, incident.id, values, push_id)
    await note(connection, by, incident, "given", f"{len(values)}, {lock}")
    return push_id, verdicts


def _push(way: Way, push_id: str | None, *, dry_run: bool = False) -> intake.Push:
    if way.addressed == UNSAID:
        raise Refused("Say who may see it: a level, a group, or both.", "tlp")
    # The reduced version has no words but those of the taxonomy; the other was looked at.
    return intake.Push(
        way.addressed, named=way.named, with_text=True, dry_run=dry_run, push_id=push_id
    )


def _lock(verdicts: Sequence[Verdict]) -> str:
    for one in verdicts:
        if one.outcome == REFUSED:
            field = "tlp" if one.field == "object_marking_refs" else one.field
            raise Refused(one.reason, field)
    lock = verdicts[0].lock
    if locks.is_own(lock):
        raise Refused("That would stay with you; say who may see it.", "tlp")
    return lock


async def _moment(connection: Connection, incident: Incident, by: Acting) -> int:
    """Return a time that is newer than the version that others have."""
    held = await incidents.share_of(connection, incident.id)
    return by.now if held is None else max(by.now, held.stamp + 1)


async def _objects(
    connection: Connection, incident: Incident, way: Way, modified: int
) -> list[dict[str, Any]]:
    """Return what is given of an incident: itself, its values, and that they belong together."""
    case = bundle.incident_object(incident, modified, reduced=way.reduced)
    if not way.indicators:
        return [case]
    values = await incident_parts.linked(connection, incident.id)
    objects = indicators_of(incident, values, modified)
    ties = bundle.relations(incident, [one["id"] for one in objects], modified)
    return [case, *objects, *ties]


def indicators_of(
    incident: Incident, values: Sequence[Linked], moment: int
) -> list[dict[str, Any]]:
    """Return indicators of the values of an incident; their ids are the incident's own.

    Those of lists are made of the pattern: to give one again under another lock would move what
    the organisation had pushed before.
    """
    found: list[dict[str, Any]] = []
    for one in values:
        body = msgspec.json.decode(indicator(Value("", one.kind, one.value), moment))
        found.append(body | {"id": _indicator_id(incident, one)})
    return found


def _indicator_id(incident: Incident, one: Linked) -> str:
    return bundle.own_id(incident, "indicator", f"{one.kind} {one.value}")
