"""Organisations, groups and people in the database."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, insert, or_, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from cybercoop.errors import Misused
from cybercoop.members.organisations import Group, Kind, Organisation, Person, checked_tags
from cybercoop.store.database import Connection
from cybercoop.store.tables import center, group_members, groups, organisations, people


@dataclass(frozen=True, slots=True)
class Center:
    """Hold what the center signs with: its organisation, STIX identity and secret."""

    org_id: str
    identity_id: str
    secret: bytes


def organisation(
    row: Mapping[str, Any], own: Iterable[str], parents: Iterable[str]
) -> Organisation:
    """Return the organisation of a row of the table, in the groups given."""
    return Organisation(
        id=row["id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        community=bool(row["community"]),
        contributions_id=row["contributions_id"],
        parent_id=row["parent_id"],
        default_tlp=row["default_tlp"],
        default_group=row["default_group"],
        named=bool(row["named"]),
        catalogue=bool(row["catalogue"]),
        groups=frozenset(own),
        parent_groups=frozenset(parents),
        tags=frozenset(row["tags"].split()),
    )


async def the_center(connection: Connection) -> Center:
    """Return the center; raise ``Misused`` before ``init``."""
    row = (await connection.execute(select(center))).mappings().first()
    if row is None:
        raise Misused("There is no center yet; run `cybercoop init --name NAME` first.")
    return Center(row["org_id"], row["identity_id"], row["secret"])


async def add_center(connection: Connection, new: Center, now: int) -> None:
    """Remember the center; raise ``Misused`` when there is one.

    Nobody founds another one until commit.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE center IN EXCLUSIVE MODE"))
    if (await connection.execute(select(center.c.org_id))).first() is not None:
        raise Misused("This database already has a center.")
    row = {"org_id": new.org_id, "identity_id": new.identity_id, "secret": new.secret}
    await connection.execute(insert(center), {**row, "created_at": now})


async def add(connection: Connection, new: Organisation, now: int) -> None:
    """Remember an organisation; raise ``Misused`` when its name is taken."""
    row = {
        "id": new.id,
        "name": new.name,
        "kind": new.kind.value,
        "parent_id": new.parent_id,
        "community": new.community,
        "contributions_id": new.contributions_id,
        "default_tlp": new.default_tlp,
        "default_group": new.default_group,
        "named": new.named,
        "catalogue": new.catalogue,
        "tags": _spaced(new.tags),
        "created_at": now,
    }
    msg = f"The name {new.name!r} is taken, perhaps by an organisation that has left."
    await _add_unique(connection, organisations, row, msg)


async def change_tags(
    connection: Connection, org_id: str, add: frozenset[str], remove: frozenset[str]
) -> None:
    """Give tags to an organisation and take others away; what it has is not given twice."""
    c = organisations.c
    # Held until the commit, so that two who tag at once lose nothing of each other.
    query = select(c.tags).where(c.id == org_id).with_for_update()
    had = frozenset((await connection.execute(query)).scalar_one().split())
    tags = checked_tags((had - remove) | add)
    changed = update(organisations).where(c.id == org_id).values(tags=_spaced(tags))
    await connection.execute(changed)


def _spaced(tags: Iterable[str]) -> str:
    return " ".join(sorted(tags))


async def all_organisations(connection: Connection) -> list[Organisation]:
    """Return every organisation that has not left, by name."""
    return await _organisations(connection, true())


async def names_ever(connection: Connection) -> dict[str, tuple[str, bool]]:
    """Return name and whether it is a catalogue, for every organisation that ever was."""
    c = organisations.c
    rows = await connection.execute(select(c.id, c.name, c.catalogue))
    return {row.id: (row.name, row.catalogue) for row in rows}


async def find(connection: Connection, name_or_id: str, *, changing: bool = False) -> Organisation:
    """Return the organisation of that name or id; raise ``Misused`` when there is none.

    With ``changing`` nobody else changes its groups, or lets it leave, until commit.
    """
    c = organisations.c
    named = or_(c.id == name_or_id, c.name == name_or_id)
    found = await _organisations(connection, named, changing=changing)
    if not found:
        msg = f"There is no organisation {name_or_id!r}; `cybercoop org list` shows them."
        raise Misused(msg)
    return found[0]


async def _organisations(
    connection: Connection, where: ColumnElement[bool], *, changing: bool = False
) -> list[Organisation]:
    c = organisations.c
    query = select(organisations).where(c.left_at.is_(None), where).order_by(c.name)
    if changing:  # what refers to it may be added meanwhile
        query = query.with_for_update(key_share=True)
    rows = (await connection.execute(query)).mappings().all()
    joined = defaultdict(set)
    memberships = select(group_members.c.group_id, group_members.c.org_id)
    if len(rows) == 1:
        own = [rows[0]["id"], rows[0]["parent_id"]]
        memberships = memberships.where(group_members.c.org_id.in_(own))
    for group_id, org_id in await connection.execute(memberships):
        joined[org_id].add(group_id)
    return [organisation(dict(row), joined[row["id"]], joined[row["parent_id"]]) for row in rows]


async def mark_left(connection: Connection, org_id: str, now: int) -> None:
    """Let an organisation leave: it is in no group and in no list any more."""
    await connection.execute(delete(group_members).where(group_members.c.org_id == org_id))
    await connection.execute(
        update(organisations)
        .where(organisations.c.id == org_id)
        .values(left_at=now, community=False)
    )


async def has_left(connection: Connection, org_id: str, *, staying: bool = False) -> bool:
    """Say whether an organisation takes part no longer.

    With ``staying`` one that takes part does so until commit: whoever leaves waits.
    """
    query = select(organisations.c.left_at).where(organisations.c.id == org_id)
    if staying:
        query = query.with_for_update(read=True)
    return (await connection.execute(query)).scalar() is not None


async def clients_of(connection: Connection, org_id: str) -> Sequence[str]:
    """Return the ids of the clients of a county, in order."""
    query = select(organisations.c.id).where(
        organisations.c.parent_id == org_id, organisations.c.left_at.is_(None)
    )
    return (await connection.execute(query.order_by(organisations.c.id))).scalars().all()


async def add_group(connection: Connection, new: Group, now: int) -> None:
    """Remember a group; raise ``Misused`` when its name is taken."""
    row = {
        "id": new.id,
        "title": new.title,
        "marking_id": new.marking_id,
        "lane": new.lane,
        "created_at": now,
    }
    if any(new.id == group.id for group in await all_groups(connection)):
        msg = f"There is already a group {new.id!r}."
        raise Misused(msg)
    await connection.execute(insert(groups), row)


async def all_groups(connection: Connection) -> list[Group]:
    """Return every group, oldest first."""
    query = select(groups.c.id, groups.c.title, groups.c.marking_id, groups.c.lane)
    return [Group(*row) for row in await connection.execute(query.order_by(groups.c.lane))]


async def join(connection: Connection, group_id: str, org_id: str) -> None:
    """Put an organisation into a group; raise ``Misused`` when it is in already."""
    try:
        await connection.execute(insert(group_members), {"group_id": group_id, "org_id": org_id})
    except IntegrityError as error:
        raise Misused("The organisation is in this group already.") from error


async def leave(connection: Connection, group_id: str, org_id: str) -> None:
    """Take an organisation out of a group; raise ``Misused`` when it is not in it."""
    gone = await connection.execute(
        delete(group_members).where(
            group_members.c.group_id == group_id, group_members.c.org_id == org_id
        )
    )
    if not gone.rowcount:
        raise Misused("The organisation is not in this group.")


async def add_person(connection: Connection, new: Person, now: int) -> None:
    """Remember a person; raise ``Misused`` when the address is known there, in any letter case."""
    row: dict[str, Any] = {"id": new.id, "org_id": new.org_id, "name": new.name, "mail": new.mail}
    row |= {"phones": json.dumps(new.phones), "roles": json.dumps(new.roles), "created_at": now}
    row["deputy_id"] = new.deputy_id
    await require_own_mail(connection, new)
    msg = f"{new.mail} is already known in this organisation."
    await _add_unique(connection, people, row, msg)


async def require_own_mail(connection: Connection, person: Person) -> None:
    """Raise ``Misused`` when a colleague has the address, in whatever letter case."""
    c = people.c
    colleague = select(c.mail).where(c.org_id == person.org_id, c.id != person.id)
    taken = await connection.scalar(colleague.where(_has_mail(person.mail)).limit(1))
    if taken is not None:
        msg = f"{taken} is already known in this organisation."
        raise Misused(msg)


def _has_mail(mail: str) -> ColumnElement[bool]:
    return func.lower(people.c.mail) == func.lower(mail)


async def _add_unique(
    connection: Connection, table: Table, row: Mapping[str, Any], taken: str
) -> None:
    """Insert a row; raise ``Misused`` where what it is known by is taken, be it at this moment."""
    insert_one = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    done = await connection.execute(insert_one(table).values(**row).on_conflict_do_nothing())
    if not done.rowcount:
        raise Misused(taken)


async def find_person(connection: Connection, mail_or_id: str) -> Person:
    """Return the person of that mail address, in any letter case, or id; raise ``Misused``."""
    query = (
        select(people)
        .join(organisations, organisations.c.id == people.c.org_id)
        .where(or_(people.c.id == mail_or_id, _has_mail(mail_or_id)))
        .where(organisations.c.left_at.is_(None))
        .order_by(people.c.id)
    )
    found = (await connection.execute(query)).mappings().all()
    rows = [row for row in found if mail_or_id in {row["id"], row["mail"]}] or found
    if not rows:
        msg = f"Nobody is known as {mail_or_id!r}; look at the address."
        raise Misused(msg)
    if len(rows) > 1:
        ids = ", ".join(row["id"] for row in rows)
        msg = f"{len(rows)} people are known as {mail_or_id!r}; name one by id: {ids}."
        raise Misused(msg)
    row = rows[0]
    phones, roles = tuple(json.loads(row["phones"])), tuple(json.loads(row["roles"]))
    who = (row["id"], row["org_id"], row["name"], row["mail"])
    return Person(*who, phones, roles, row["deputy_id"])
