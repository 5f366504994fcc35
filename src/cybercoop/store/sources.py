"""Sources: what the center collects from, how far it has come, and what each portion lists.

A contribution of a source carries the name of the portion that lists it as its ``push_id``. A
value that several portions list has a version of each, and is withdrawn with the last of them.
"""

import fcntl
import os
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import ColumnElement, and_, false, func, insert, select, text, true, update
from sqlalchemy.engine import make_url

from cybercoop.errors import Misused
from cybercoop.store.database import Connection, Database
from cybercoop.store.service_tables import sources
from cybercoop.store.tables import contributions, organisations

_LOCKS = 1_668_247_155
"""The first half of the numbers of our advisory locks in PostgreSQL; the second names a source."""


class Row(msgspec.Struct, frozen=True):
    """Hold what is remembered of one source; ``memory`` is JSON that the collector reads.

    A source whose organisation has left is not ``enabled``.
    """

    name: str
    org_id: str
    enabled: bool
    memory: str
    tried_at: int | None
    succeeded_at: int | None
    next_at: int | None
    failures: int
    failure: str | None
    objects: int


class Version(msgspec.Struct, frozen=True, gc=False):
    """Hold one version of an object that a source gave, and which portion lists it."""

    stix_id: str
    modified: str
    version: str
    effective_until: int | None
    bytes: bytes
    lock: str
    push_id: str | None
    date_added: int


_s, _c = sources.c, contributions.c
_ROW = (
    _s.name,
    _s.org_id,
    and_(_s.enabled, organisations.c.left_at.is_(None)),
    *(_s.cursor, _s.tried_at, _s.succeeded_at, _s.next_at, _s.failures, _s.failure, _s.objects),
)
_VERSION = tuple(_c[name] for name in Version.__struct_fields__)


async def add(connection: Connection, name: str, org_id: str, now: int) -> None:
    """Remember a source that is due at once; raise ``Misused`` when it is there."""
    if any(row.name == name for row in await every(connection)):
        msg = f"The source {name} is there already."
        raise Misused(msg)
    row = {"name": name, "org_id": org_id, "enabled": True, "cursor": "{}", "next_at": now}
    await connection.execute(insert(sources), row | {"failures": 0, "objects": 0})


async def every(connection: Connection) -> list[Row]:
    """Return every source that was ever added, by name."""
    query = select(*_ROW).join(organisations, organisations.c.id == _s.org_id).order_by(_s.name)
    return [Row(row[0], row[1], bool(row[2]), *row[3:]) for row in await connection.execute(query)]


async def find(connection: Connection, name: str, *, hold: bool = False) -> Row:
    """Return one source; raise ``Misused`` when it was never added.

    ``hold`` keeps others from changing it until commit.
    """
    if hold and connection.dialect.name != "sqlite":
        await connection.execute(select(_s.name).where(_s.name == name).with_for_update())
    for row in await every(connection):
        if row.name == name:
            return row
    msg = f"The source {name} is not collected; `cybercoop source add {name}` adds it."
    raise Misused(msg)


async def switch(connection: Connection, name: str, now: int, *, on: bool) -> None:
    """Let a source be collected from now on, or no longer."""
    await connection.execute(
        update(sources).where(_s.name == name).values(enabled=on, next_at=now if on else None)
    )


async def claim(connection: Connection, name: str, due: int, next_at: int) -> bool:
    """Take what was due at ``due``, once; say whether it was still there to take."""
    taken = await connection.execute(
        update(sources)
        .where(_s.name == name, _s.next_at == due, _s.enabled == true())
        .values(next_at=next_at)
    )
    return taken.rowcount == 1


async def begin(connection: Connection, name: str, now: int, next_at: int) -> None:
    """Note that a collection begins; it is due again at ``next_at`` should its worker die."""
    await connection.execute(
        update(sources).where(_s.name == name).values(tried_at=now, next_at=next_at)
    )


async def remember(connection: Connection, name: str, memory: str) -> None:
    """Keep how far a source has come."""
    await connection.execute(update(sources).where(_s.name == name).values(cursor=memory))


async def succeed(connection: Connection, row: Row) -> None:
    """Note that a collection came to its end; a reason may stand for a part of it."""
    live = select(func.count()).where(
        _c.org_id == row.org_id, _c.latest == true(), _c.deleted == false()
    )
    await connection.execute(
        update(sources)
        .where(_s.name == row.name)
        .values(
            succeeded_at=row.succeeded_at,
            next_at=row.next_at,
            failures=0,
            failure=row.failure,
            objects=live.scalar_subquery(),
        )
    )


async def fail(connection: Connection, row: Row) -> None:
    """Note why a collection failed, and when it is tried again."""
    await connection.execute(
        update(sources)
        .where(_s.name == row.name)
        .values(next_at=row.next_at, failures=row.failures, failure=row.failure)
    )


async def versions(connection: Connection, org_id: str, ids: Sequence[str]) -> list[Version]:
    """Return every version of these objects that a source gave and did not withdraw."""
    query = select(*_VERSION).where(_c.org_id == org_id, _c.stix_id.in_(ids), _not_deleted())
    return [Version(*row) for row in await connection.execute(query)]


async def listed(
    connection: Connection, org_id: str, push_id: str, after: int, limit: int
) -> list[tuple[int, str]]:
    """Return numbers and ids of what a portion lists, in the order of their numbers."""
    query = (
        select(_c.seq, _c.stix_id)
        .where(_c.push_id == push_id, _c.org_id == org_id, _not_deleted(), _c.seq > after)
        .order_by(_c.seq)
        .limit(limit)
    )
    return [(row.seq, row.stix_id) for row in await connection.execute(query)]


async def unlist(
    connection: Connection, org_id: str, push_id: str, ids: Sequence[str]
) -> list[str]:
    """Note that a portion no longer lists these objects; return those that no other lists."""
    mine = and_(_c.org_id == org_id, _c.stix_id.in_(ids), _not_deleted())
    await connection.execute(
        update(contributions).where(mine, _c.push_id == push_id).values(push_id=None)
    )
    kept = select(_c.stix_id).where(mine, _c.push_id.is_not(None))
    others = frozenset((await connection.execute(kept)).scalars())
    return [one for one in ids if one not in others]


async def let_go(connection: Connection, org_id: str, push_id: str, ids: Sequence[str]) -> None:
    """Take these objects out of the lists of other portions than this one."""
    await connection.execute(
        update(contributions)
        .where(_c.org_id == org_id, _c.stix_id.in_(ids), _not_deleted(), _c.push_id != push_id)
        .values(push_id=None)
    )


async def ageing(
    connection: Connection, org_id: str, since: int, before: int, limit: int
) -> list[Version]:
    """Return what is listed and was given after ``since`` and before ``before``, oldest first."""
    query = (
        select(*_VERSION)
        .where(
            *(_c.org_id == org_id, _c.latest == true(), _not_deleted(), _c.revoked == false()),
            *(_c.push_id.is_not(None), _c.date_added > since, _c.date_added < before),
        )
        .order_by(_c.date_added)
        .limit(limit)
    )
    return [Version(*row) for row in await connection.execute(query)]


@asynccontextmanager
async def alone(database: Database, name: str) -> AsyncIterator[None]:
    """Keep a source to oneself, in every process; raise ``Misused`` while somebody else does.

    The lock ends with the process, however that ends.
    """
    taken = _file_lock if database.is_sqlite else _advisory_lock
    async with taken(database, name) as ours:
        if not ours:
            msg = f"The source {name} is being collected right now; try again when that is done."
            raise Misused(msg)
        yield


@asynccontextmanager
async def _advisory_lock(database: Database, name: str) -> AsyncIterator[bool]:
    number = {"group": _LOCKS, "name": zlib.crc32(name.encode()) - 2**31}
    async with database.read() as connection:
        asked = text("SELECT pg_try_advisory_lock(:group, :name)")
        ours = bool((await connection.execute(asked, number)).scalar())
        try:
            yield ours
        finally:
            if ours:
                await connection.execute(text("SELECT pg_advisory_unlock(:group, :name)"), number)


@asynccontextmanager
async def _file_lock(database: Database, name: str) -> AsyncIterator[bool]:
    folder = Path(make_url(database.url).database or "").parent / "collecting"
    folder.mkdir(mode=0o700, exist_ok=True)
    # The file stays: whoever removed it could take it from under somebody who just opened it.
    number = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        yield False
        return
    try:
        yield True
    finally:
        os.close(number)


def _not_deleted() -> ColumnElement[bool]:
    return _c.deleted == false()
