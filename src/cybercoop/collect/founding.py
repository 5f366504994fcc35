"""Founding: what has to be there before anybody can push."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cybercoop.collect.intake import Push, accept_within
from cybercoop.errors import Misused
from cybercoop.members.organisations import (
    MEMBERS,
    Group,
    Kind,
    Organisation,
    checked_tags,
    slug,
)
from cybercoop.sharing import Addressed, keys_of, marking, stamps
from cybercoop.stix import times
from cybercoop.store import contributions, feeds, members
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

_LONGEST_NAME = 200


def checked_name(name: str) -> str:
    """Return the name, trimmed; raise ``Misused`` unless it is one line of 1 to 200 characters."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > _LONGEST_NAME or not trimmed.isprintable():
        msg = f"{trimmed[:40]!r} is no name; write one line of 1 to {_LONGEST_NAME} characters."
        raise Misused(msg)
    return trimmed


async def found_center(database: Database, name: str, around: Surroundings) -> Organisation:
    """Make the center, its group ``members`` and the definitions that releases refer to."""
    name, now = checked_name(name), around.now()
    identity_id = f"identity--{around.uuid()}"
    org_id, contributions_id = around.uuid(), around.uuid()
    center = Center(org_id, identity_id, around.secret())
    org = Organisation(org_id, name, Kind.CENTER, community=True, contributions_id=contributions_id)
    identity = {
        "type": "identity",
        "spec_version": "2.1",
        "id": identity_id,
        "created": times.text(now),
        "modified": times.text(now),
        "name": name,
        "identity_class": "organization",
    }
    # One transaction: a center without its definitions could neither go on nor be founded again.
    async with database.write() as connection:
        await members.add_center(connection, center, now)
        await contributions.start_clock(connection, "projector")
        await _enrol(connection, center, org, now)
        objects = [identity, *marking.tlp_definitions()]
        await _publish(connection, center, org, objects, Addressed("clear"), now)
        await _add_group(connection, center, "members", around)
    return org


async def add_organisation(
    database: Database, new: Organisation, around: Surroundings
) -> Organisation:
    """Enrol an organisation: its clock, and its first ``feed``; it joins its default group."""
    if new.kind is Kind.CENTER:
        raise Misused("There is one center; choose member, client or partner.")
    if (new.kind is Kind.CLIENT) != (new.parent_id is not None):
        raise Misused("A client, and only a client, names the county it belongs to with --of.")
    async with database.write() as connection:
        center = await members.the_center(connection)
        await _require_county(connection, new.parent_id)
        await _enrol(connection, center, new, around.now())
        if new.default_group not in {None, MEMBERS}:
            await _change(connection, center, str(new.default_group), new, joins=True)
        return await members.find(connection, new.id)


async def _require_county(connection: Connection, parent_id: str | None) -> None:
    """Raise ``Misused`` unless the parent is a member; clients read what their county reads.

    It neither joins groups nor leaves until commit: the client would not follow.
    """
    if parent_id is None:
        return
    parent = await members.find(connection, parent_id, changing=True)
    if parent.kind is not Kind.MEMBER:
        raise Misused(f"{parent.name} is a {parent.kind.value}; only members have clients.")


async def _enrol(connection: Connection, center: Center, org: Organisation, now: int) -> None:
    await members.add(connection, org, now)
    await contributions.start_clock(connection, f"org:{org.id}")
    known = await members.find(connection, org.id)
    await feeds.note_keys(connection, org.id, keys_of(known), center.secret)


async def add_group(database: Database, title: str, around: Surroundings) -> Group:
    """Make a group and publish its marking-definition to whoever is in it."""
    async with database.write() as connection:
        center = await members.the_center(connection)
        return await _add_group(connection, center, checked_name(title), around)


async def _add_group(
    connection: Connection, center: Center, title: str, around: Surroundings
) -> Group:
    name, now = slug(title), around.now()
    # Its clock is held until commit: of two groups made at once each gets a lane of its own.
    await contributions.stamps(connection, center.org_id, now, 0)
    taken = [group.lane for group in await members.all_groups(connection)]
    lane = -1 if name == MEMBERS else stamps.next_lane(taken)
    new = Group(name, title, f"marking-definition--{around.uuid()}", lane)
    await members.add_group(connection, new, now)
    org = await members.find(connection, center.org_id)
    definition = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": new.marking_id,
        "created_by_ref": center.identity_id,
        "created": times.text(now),
        "name": title,
        "definition_type": "statement",
        "definition": {"statement": f"Nur für den Verteiler {title} / only for the group {title}"},
    }
    await _publish(connection, center, org, [definition], Addressed(group=new.id), now)
    return new


async def _publish(
    connection: Connection,
    center: Center,
    org: Organisation,
    objects: Sequence[Mapping[str, Any]],
    addressed: Addressed,
    now: int,
) -> None:
    body = msgspec.json.encode({"objects": objects})
    verdicts = await accept_within(connection, center, org, body, Push(addressed), now)
    if refused := [one for one in verdicts if one.outcome == "refused"]:
        raise Misused(f"The center's own definitions were refused: {refused[0].reason}")


async def change_tags(
    database: Database, org_name: str, add: Iterable[str], remove: Iterable[str]
) -> Organisation:
    """Give tags to an organisation and take others away; raise ``Misused`` for what is no tag."""
    given, taken = checked_tags(add), checked_tags(remove)
    async with database.write() as connection:
        org = await members.find(connection, org_name)
        await members.change_tags(connection, org.id, given, taken)
        return await members.find(connection, org.id)


async def change_membership(
    database: Database, group_id: str, org_name: str, *, joins: bool
) -> Organisation:
    """Let an organisation join or leave a group, and follow the change of keys at once."""
    async with database.write() as connection:
        center = await members.the_center(connection)
        org = await members.find(connection, org_name, changing=True)
        await _change(connection, center, group_id, org, joins=joins)
        return await members.find(connection, org.id)


async def _change(
    connection: Connection, center: Center, group_id: str, org: Organisation, *, joins: bool
) -> None:
    if group_id == MEMBERS:
        raise Misused("Members and the center are in `members`, and only they; make another group.")
    if group_id not in {group.id for group in await members.all_groups(connection)}:
        raise Misused(f"There is no group {group_id!r}; `cybercoop group list` shows them.")
    if not org.community:
        raise Misused(f"{org.name} is not part of the community and cannot join a group.")
    await (members.join if joins else members.leave)(connection, group_id, org.id)
    await follow_keys(connection, center, org.id)


async def follow_keys(connection: Connection, center: Center, org_id: str) -> None:
    """Bring the feeds of an organisation and of its clients in line with their keys."""
    for one in (org_id, *await members.clients_of(connection, org_id)):
        org = await members.find(connection, one, changing=True)
        await feeds.note_keys(connection, one, keys_of(org), center.secret)


async def lose_keys(connection: Connection, center: Center, org_id: str) -> None:
    """End every key of an organisation that leaves."""
    await feeds.note_keys(connection, org_id, frozenset(), center.secret)
