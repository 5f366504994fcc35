"""Device feeds and their tokens in the database, and the one look-up behind every fetch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Select,
    String,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from cybercoop.errors import Misused
from cybercoop.members.device_feeds import Cut, DeviceFeed, DeviceToken
from cybercoop.members.organisations import Organisation
from cybercoop.store import members, prepared
from cybercoop.store.database import Connection, Database
from cybercoop.store.service_tables import device_feeds, device_tokens, exceptions
from cybercoop.store.tables import group_members, organisations

_COLUMNS = tuple(device_feeds.c.keys())
_PATH, _HEADER, _ORGANISATION = "path", "header", "organisation"

Version = tuple[Any, ...]
"""What changes whenever an organisation's exceptions in force do."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Hold which feed somebody may fetch, whose it is, and the version of its exceptions."""

    feed: DeviceFeed
    org: Organisation
    excepted: Version


async def by_path(database: Database, digest: bytes, now: int) -> Asker | None:
    """Return the feed that a good device token opens, or None."""
    return await _asker(database, _PATH, {"digest": digest, "now": now})


async def by_header(database: Database, feed_id: str, digest: bytes, now: int) -> Asker | None:
    """Return the feed of that id if this good device token opens it, or None."""
    values = {"digest": digest, "feed_id": feed_id, "now": now}
    return await _asker(database, _HEADER, values)


async def of_organisation(database: Database, feed_id: str, org_id: str, now: int) -> Asker | None:
    """Return the feed of that id if it is this organisation's and has not ended, or None."""
    values = {"org_id": org_id, "feed_id": feed_id, "now": now}
    return await _asker(database, _ORGANISATION, values)


async def _asker(database: Database, shape: str, values: Mapping[str, Any]) -> Asker | None:
    rows = await prepared.glance(database, _asking, shape, values)
    if not rows:
        return None
    first, width = rows[0], len(_COLUMNS)
    feed = feed_of(dict(zip(_COLUMNS, first, strict=False)))
    row = dict(zip(organisations.c.keys(), first[width:], strict=False))
    joined = {one[-2:] for one in rows}
    own = {group for group, of in joined if of == feed.org_id}
    parents = {group for group, of in joined if of not in {feed.org_id, None}}
    return Asker(feed, members.organisation(row, own, parents), tuple(first[-5:-2]))


def _asking(shape: str) -> Select[Any]:
    feeds, now = device_feeds.c, bindparam("now", 0, type_=BigInteger())
    memberships = or_(
        group_members.c.org_id == organisations.c.id,
        group_members.c.org_id == organisations.c.parent_id,
    )
    query = (
        select(device_feeds, organisations, *_versions(now), group_members.c.group_id)
        .add_columns(group_members.c.org_id)
        .join(organisations, organisations.c.id == feeds.org_id)
        .outerjoin(group_members, memberships)
        .where(feeds.ended_at.is_(None), organisations.c.left_at.is_(None))
    )
    if shape != _PATH:
        query = query.where(feeds.id == bindparam("feed_id", "", type_=String()))
    if shape == _ORGANISATION:
        return query.where(feeds.org_id == bindparam("org_id", "", type_=String()))
    return query.join(device_tokens, device_tokens.c.feed_id == feeds.id).where(
        device_tokens.c.hash == bindparam("digest", b"", type_=LargeBinary()),
        device_tokens.c.revoked_at.is_(None),
        or_(device_tokens.c.expires_at.is_(None), device_tokens.c.expires_at > now),
    )


def _versions(now: Any) -> list[Any]:
    """Return what tells of exceptions made, ended, and ended by themselves."""
    own = exceptions.c.org_id == device_feeds.c.org_id
    in_force = (
        own,
        exceptions.c.ended_at.is_(None),
        or_(exceptions.c.until.is_(None), exceptions.c.until > now),
    )
    told = (
        select(func.count()).where(*in_force),
        select(func.max(exceptions.c.created_at)).where(own),
        select(func.max(exceptions.c.ended_at)).where(own),
    )
    return [one.scalar_subquery() for one in told]


def feed_of(row: Mapping[str, Any]) -> DeviceFeed:
    """Return the feed that a row of the table holds."""
    said = {name: row[name] for name in DeviceFeed.__slots__ if name in row}
    said["responses"] = bool(row["responses"])
    cut = Cut(
        tuple(json.loads(row["kinds"])), row["least"], row["lock"], row["age_days"], row["most"]
    )
    said["addresses"] = tuple(map(ip_network, json.loads(row["addresses"])))
    return DeviceFeed(cut=cut, **said)


async def add(connection: Connection, new: DeviceFeed) -> None:
    """Remember a feed."""
    row = {name: getattr(new, name) for name in _COLUMNS if hasattr(new, name)}
    row |= {name: getattr(new.cut, name) for name in ("lock", "least", "age_days", "most")}
    row |= {"kinds": json.dumps(new.cut.kinds), "addresses": json.dumps([*map(str, new.addresses)])}
    await connection.execute(insert(device_feeds), row)


async def add_token(connection: Connection, new: DeviceToken, digest: bytes) -> None:
    """Remember a device token by the digest of its text."""
    row = {name: getattr(new, name) for name in DeviceToken.__slots__}
    await connection.execute(insert(device_tokens), {**row, "hash": digest})


async def find(connection: Connection, feed_id: str, *, changing: bool = False) -> DeviceFeed:
    """Return a feed that has not ended; raise ``Misused`` where there is none of that id.

    With ``changing`` nobody else gives it tokens, or ends it, until commit.
    """
    query = select(device_feeds).where(
        device_feeds.c.id == feed_id, device_feeds.c.ended_at.is_(None)
    )
    if changing:
        query = query.with_for_update(key_share=True)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise Misused(f"There is no feed {feed_id!r}; `cybercoop feed list` shows ids.")
    return feed_of(dict(row))


async def all_feeds(connection: Connection, org_id: str | None = None) -> list[DeviceFeed]:
    """Return the feeds that have not ended and whose owners take part, oldest first."""
    query = (
        select(device_feeds)
        .join(organisations, organisations.c.id == device_feeds.c.org_id)
        .where(device_feeds.c.ended_at.is_(None), organisations.c.left_at.is_(None))
        .order_by(device_feeds.c.created_at, device_feeds.c.id)
    )
    if org_id is not None:
        query = query.where(device_feeds.c.org_id == org_id)
    return [feed_of(dict(row)) for row in (await connection.execute(query)).mappings()]


async def end(connection: Connection, feed_id: str, now: int) -> None:
    """End a feed at once; its tokens open nothing any more."""
    ended = update(device_feeds).where(device_feeds.c.id == feed_id)
    await connection.execute(ended.values(ended_at=now))


async def expire_tokens(connection: Connection, feed_id: str, at: int) -> None:
    """Let every token of a feed end at ``at``, or earlier where it would have ended earlier."""
    c = device_tokens.c
    await connection.execute(
        update(device_tokens)
        .where(c.feed_id == feed_id, or_(c.expires_at.is_(None), c.expires_at > at))
        .values(expires_at=at)
    )


@dataclass(frozen=True, slots=True)
class Fetch:
    """Hold the last fetch of a feed: when, by whom, and of which version.

    ``as_of`` is up to when that version follows responses; None where no device fetched it.
    """

    feed_id: str
    at: int
    by: str
    version: str
    as_of: int | None = None


async def note_fetches(connection: Connection, fetches: Iterable[Fetch]) -> None:
    """Remember the last fetch of each feed; what another process noted of a later one stays.

    Row by row in one order, so that two processes never wait for each other.
    """
    rows: Sequence[dict[str, Any]] = [
        {
            "b_id": one.feed_id,
            "b_at": one.at,
            "b_by": one.by,
            "b_version": one.version,
            "b_as_of": one.as_of,
        }
        for one in sorted(fetches, key=lambda one: one.feed_id)
    ]
    known = device_feeds.c.fetched_as_of
    proved = func.coalesce(bindparam("b_as_of", type_=BigInteger()), known)
    if rows:
        await connection.execute(
            update(device_feeds)
            .where(device_feeds.c.id == bindparam("b_id"))
            .where(func.coalesce(device_feeds.c.fetched_at, 0) <= bindparam("b_at"))
            .values(
                fetched_at=bindparam("b_at"),
                fetched_by=bindparam("b_by"),
                fetched_version=bindparam("b_version"),
                fetched_as_of=case((known > proved, known), else_=proved),
            ),
            list(rows),
        )
