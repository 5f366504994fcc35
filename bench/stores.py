"""The two kinds of database: made, copied and filled in bulk, past the product."""

import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import asyncpg

Row = tuple[Any, ...]


class Bulk(Protocol):
    """Takes rows many at a time.

    Indexes stay meanwhile: built in the end their pages would be full, and each of the first
    writes after that would split one, as in no store that has grown row by row.
    """

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Append rows to a table."""


class Store(Protocol):
    """One kind of database; databases on it have names."""

    name: str

    async def fresh(self, name: str) -> str:
        """Return the URL of a new empty database; one of that name goes."""

    async def copy(self, name: str, new: str) -> str:
        """Return the URL of a copy that is on the disk."""

    async def keep(self, name: str, new: str) -> None:
        """Give a database its lasting name."""

    async def names(self) -> list[str]:
        """Return the names of the databases."""

    async def remove(self, name: str) -> None:
        """Delete a database; there may be none of that name."""

    async def schema(self, url: str) -> str:
        """Return how tables and indexes were made."""

    async def about(self) -> str:
        """Return version and durability, for the table."""

    def filling(self, url: str) -> Any:
        """Lend a ``Bulk`` for the tables contributions and releases."""


class Sqlite:
    """SQLite: each database is a file of a folder."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"

    def _url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    async def fresh(self, name: str) -> str:
        """Return the URL of a database that the first connection makes."""
        await self.remove(name)
        return self._url(name)

    async def copy(self, name: str, new: str) -> str:
        """Copy the file and wait for the disk, so that no write-back disturbs what is measured."""
        await self.remove(new)
        shutil.copyfile(self._file(name), self._file(new))
        os.sync()
        return self._url(new)

    async def keep(self, name: str, new: str) -> None:
        """Rename the file; nothing is open, so there is no log beside it."""
        self._file(name).rename(self._file(new))

    async def names(self) -> list[str]:
        """Return the names of the files."""
        return sorted(file.stem for file in self._folder.glob("*.sqlite"))

    async def remove(self, name: str) -> None:
        """Delete the file and its logs."""
        for ending in ("", "-wal", "-shm"):
            self._file(name).with_name(f"{name}.sqlite{ending}").unlink(missing_ok=True)

    async def schema(self, url: str) -> str:
        """Return the statements that made it."""
        with closing(opened(url)) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name")
            return "\n".join(row[0] for row in rows)

    async def about(self) -> str:
        """Return the version; the server sets WAL and synchronous FULL itself."""
        return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous FULL"

    @asynccontextmanager
    async def filling(self, url: str) -> AsyncIterator[Bulk]:
        """Lend a connection without journal: a file that is half filled is thrown away."""
        with closing(opened(url)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA cache_size = -1000000")
            yield _SqliteBulk(connection)
            connection.execute("PRAGMA journal_mode = WAL")


class _SqliteBulk:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert in one transaction."""
        self._connection.execute("BEGIN")
        self._connection.executemany(insertion(table, columns), rows)
        self._connection.execute("COMMIT")


def opened(url: str) -> sqlite3.Connection:
    """Return a plain connection to the file of a URL; transactions are begun by hand."""
    return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)


def insertion(table: str, columns: Sequence[str]) -> str:
    """Return an INSERT with a question mark for every column; names come from the schema."""
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({named(columns)}) VALUES ({marks})"  # noqa: S608 - see above


def named(columns: Iterable[str]) -> str:
    """Return columns as a statement lists them; names come from the schema."""
    return ", ".join(f'"{column}"' for column in columns)


class Postgres:
    """PostgreSQL: databases of one server, which writes through to the disk."""

    name = "PostgreSQL"

    def __init__(self, server_url: str) -> None:
        self._server = server_url

    def _url(self, name: str) -> str:
        return urlsplit(self._server)._replace(path=f"/{name}").geturl()

    async def _run(self, statement: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self._server)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def fresh(self, name: str) -> str:
        """Return the URL of an empty database."""
        await self.remove(name)
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self._url(name)

    async def copy(self, name: str, new: str) -> str:
        """Copy with the server's own means, and write everything down."""
        await self.remove(new)
        await self._run(f'CREATE DATABASE "{new}" TEMPLATE "{name}" STRATEGY FILE_COPY')
        await self._run("CHECKPOINT")
        os.sync()
        return self._url(new)

    async def keep(self, name: str, new: str) -> None:
        """Rename it."""
        await self._run(f'ALTER DATABASE "{name}" RENAME TO "{new}"')

    async def names(self) -> list[str]:
        """Return the names of all databases of the server."""
        return sorted(row[0] for row in await self._run("SELECT datname FROM pg_database"))

    async def remove(self, name: str) -> None:
        """Drop it with whoever is in it."""
        await self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def schema(self, url: str) -> str:
        """Return columns and indexes."""
        columns = (
            "SELECT table_name || ' ' || column_name || ' ' || data_type FROM"
            " information_schema.columns WHERE table_schema = 'public' ORDER BY 1"
        )
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch(columns)
            rows += await connection.fetch(_INDEXES + " ORDER BY 1")
        finally:
            await connection.close()
        return "\n".join(row[0] for row in rows)

    async def about(self) -> str:
        """Return version and durability as the server says them."""
        row = (
            await self._run(
                "SELECT current_setting('server_version'), current_setting('fsync'),"
                " current_setting('synchronous_commit'), current_setting('shared_buffers')"
            )
        )[0]
        return (
            f"PostgreSQL {row[0]}, fsync {row[1]}, synchronous_commit {row[2]},"
            f" shared_buffers {row[3]}"
        )

    @asynccontextmanager
    async def filling(self, url: str) -> AsyncIterator[Bulk]:
        """Lend a connection that copies rows in; in the end the planner learns of them."""
        connection = await asyncpg.connect(url, command_timeout=1800)
        try:
            yield _PostgresBulk(connection)
            serial = "pg_get_serial_sequence('contributions', 'seq')"
            await connection.execute(
                f"SELECT setval({serial}, (SELECT max(seq) FROM contributions))"  # noqa: S608 - all fixed
            )
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()


_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"


class _PostgresBulk:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Copy them in."""
        await self._connection.copy_records_to_table(table, records=rows, columns=columns)


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Lend the URL of CYBERCOOP_TEST_PG, or of a durable server with its data in ``folder``.

    Started as root the server opens the folders above its data to all users.
    """
    if url := os.environ.get("CYBERCOOP_TEST_PG"):
        yield url
        return
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    from postgres_server import PostgresServer  # noqa: PLC0415 - it stands beside the tests

    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(folder, durable=True)
    url = server.start()
    try:
        yield url
    finally:
        # There is no gentler way to end it; the next start recovers from its log.
        server.crash()
