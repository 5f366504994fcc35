"""The floors: the same rows written and read by the database driver alone."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Any, Protocol

import asyncpg
import msgspec

from cybercoop.store.database import Database
from filling import CONTRIBUTION, RELEASE
from stores import Row, insertion, named, opened

_PRAGMAS = ("journal_mode", "synchronous", "cache_size", "wal_autocheckpoint", "foreign_keys")
_COLUMNS = CONTRIBUTION[1:]
"""All but ``seq``, which the database gives."""


class Floor(Protocol):
    """One plain connection to a database."""

    async def write(self, rows: Sequence[Row]) -> float:
        """Parse and insert contributions in one transaction; return the seconds."""

    async def contributions(self, limit: int) -> list[Row]:
        """Return the newest contributions, oldest first, without ``seq``."""

    async def release(self, rows: Sequence[Row]) -> float:
        """Insert releases in one transaction, those before them outdated; return the seconds."""

    async def releases(self, limit: int) -> list[Row]:
        """Return the newest releases, oldest first."""

    async def between(self, first: int, last: int) -> tuple[float, list[bytes]]:
        """Read the bytes of releases by a range of the primary key; return the seconds too."""

    async def chosen(self, stamps: Sequence[int]) -> tuple[float, list[bytes]]:
        """Read the bytes of releases by their primary keys; return the seconds too."""

    async def stamps(self, lock: str | None = None) -> list[int]:
        """Return the ``date_added`` of all releases, or of those under a lock, in order."""


def _parse(rows: Sequence[Row]) -> None:
    at = _COLUMNS.index("bytes")
    for row in rows:
        msgspec.json.decode(row[at])


_RANGE = "SELECT bytes FROM releases WHERE date_added BETWEEN {} AND {} ORDER BY date_added"
_CHOSEN = "SELECT bytes FROM releases WHERE date_added {} ORDER BY date_added"
# Migrations put new columns last, so they are named.
_NEWEST = f"SELECT {named(_COLUMNS)} FROM contributions ORDER BY seq DESC LIMIT {{}}"  # noqa: S608
_RELEASED = f"SELECT {named(RELEASE)} FROM releases ORDER BY date_added DESC LIMIT {{}}"  # noqa: S608
_OUTDATED = "UPDATE releases SET head = FALSE, latest = FALSE WHERE key = {} AND lock = {} AND {}"
_PLACE = itemgetter(RELEASE.index("key"), RELEASE.index("lock"))
_STAMPS = "SELECT date_added FROM releases"


class _Sqlite:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def write(self, rows: Sequence[Row]) -> float:
        start = time.perf_counter()
        _parse(rows)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(insertion("contributions", _COLUMNS), rows)
        self._connection.execute("COMMIT")
        return time.perf_counter() - start

    async def contributions(self, limit: int) -> list[Row]:
        found = self._connection.execute(_NEWEST.format("?"), (limit,)).fetchall()
        return found[::-1]

    async def release(self, rows: Sequence[Row]) -> float:
        start = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        outdated = _OUTDATED.format("?", "?", "head = 1")  # as the condition of the index says it
        self._connection.executemany(outdated, map(_PLACE, rows))
        self._connection.executemany(insertion("releases", RELEASE), rows)
        self._connection.execute("COMMIT")
        return time.perf_counter() - start

    async def releases(self, limit: int) -> list[Row]:
        found = self._connection.execute(_RELEASED.format("?"), (limit,)).fetchall()
        return found[::-1]

    async def between(self, first: int, last: int) -> tuple[float, list[bytes]]:
        return self._timed(_RANGE.format("?", "?"), (first, last))

    async def chosen(self, stamps: Sequence[int]) -> tuple[float, list[bytes]]:
        asked = _CHOSEN.format("IN (SELECT value FROM json_each(?))")
        return self._timed(asked, (json.dumps(stamps),))

    async def stamps(self, lock: str | None = None) -> list[int]:
        where, values = (" WHERE lock = ?", (lock,)) if lock else ("", ())
        rows = self._connection.execute(_STAMPS + where + " ORDER BY date_added", values)
        return [row[0] for row in rows]

    def _timed(self, statement: str, values: tuple[Any, ...]) -> tuple[float, list[bytes]]:
        start = time.perf_counter()
        rows = self._connection.execute(statement, values).fetchall()
        return time.perf_counter() - start, [row[0] for row in rows]


class _Postgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def write(self, rows: Sequence[Row]) -> float:
        start = time.perf_counter()
        _parse(rows)
        async with self._connection.transaction():
            await self._connection.executemany(_inserted("contributions", _COLUMNS), rows)
        return time.perf_counter() - start

    async def contributions(self, limit: int) -> list[Row]:
        found = await self._connection.fetch(_NEWEST.format("$1"), limit)
        return [tuple(row.values()) for row in reversed(found)]

    async def release(self, rows: Sequence[Row]) -> float:
        start = time.perf_counter()
        async with self._connection.transaction():
            outdated = _OUTDATED.format("$1", "$2", "head")
            await self._connection.executemany(outdated, map(_PLACE, rows))
            await self._connection.executemany(_inserted("releases", RELEASE), rows)
        return time.perf_counter() - start

    async def releases(self, limit: int) -> list[Row]:
        found = await self._connection.fetch(_RELEASED.format("$1"), limit)
        return [tuple(row.values()) for row in reversed(found)]

    async def between(self, first: int, last: int) -> tuple[float, list[bytes]]:
        return await self._timed(_RANGE.format("$1", "$2"), first, last)

    async def chosen(self, stamps: Sequence[int]) -> tuple[float, list[bytes]]:
        return await self._timed(_CHOSEN.format("= ANY($1::bigint[])"), list(stamps))

    async def stamps(self, lock: str | None = None) -> list[int]:
        where, values = (" WHERE lock = $1", (lock,)) if lock else ("", ())
        rows = await self._connection.fetch(_STAMPS + where + " ORDER BY date_added", *values)
        return [row[0] for row in rows]

    async def _timed(self, statement: str, *values: Any) -> tuple[float, list[bytes]]:
        start = time.perf_counter()
        rows = await self._connection.fetch(statement, *values)
        return time.perf_counter() - start, [row[0] for row in rows]


def _inserted(table: str, columns: Sequence[str]) -> str:
    """Return an INSERT as PostgreSQL numbers its values; names come from the schema."""
    marks = ", ".join(f"${number + 1}" for number in range(len(columns)))
    return f"INSERT INTO {table} ({named(columns)}) VALUES ({marks})"  # noqa: S608 - see above


@asynccontextmanager
async def floor(url: str) -> AsyncIterator[Floor]:
    """Lend a plain connection; for SQLite with the pragmas that the product sets."""
    if url.startswith("sqlite"):
        connection = opened(url)
        for name, value in (await _pragmas(url)).items():
            connection.execute(f"PRAGMA {name} = {value}")
        try:
            yield _Sqlite(connection)
        finally:
            connection.close()
        return
    plain = await asyncpg.connect(url)
    try:
        yield _Postgres(plain)
    finally:
        await plain.close()


async def _pragmas(url: str) -> dict[str, Any]:
    database = Database(url)
    try:
        async with database.read() as connection:
            return {
                name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
                for name in _PRAGMAS
            }
    finally:
        await database.close()
