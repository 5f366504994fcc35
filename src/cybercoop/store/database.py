"""The database: how it is opened, read and written."""

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cybercoop.errors import Misused
from cybercoop.store import hops
from cybercoop.store.turns import WORKER, Turn, alone

Connection = AsyncConnection

T = TypeVar("T")

_SQLITE_READERS = 6
"""Connections to one SQLite file; more would only share the same two or four cores."""

_NULL = "22021"
"""PostgreSQL's character_not_in_repertoire: its texts cannot hold U+0000."""

_NO_RIGHT = "42501"
"""PostgreSQL's insufficient_privilege: the user may connect, but do nothing."""

_GIVEN = ("22", "23", "42")
"""PostgreSQL's classes of errors for data, constraints, and statements that do not fit."""

_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""What libpq and asyncpg both know; PGSSLROOTCERT names the authority for the last two."""

_LAST_PORT = 65535

_WRITER_CACHE = "PRAGMA cache_size = -65536"

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",
    # Per connection; the operating system caches the file anyway.
    "PRAGMA cache_size = -8192",
    # 128 MiB: keys are hashes, so every row touches pages all over the file; a checkpoint that
    # comes rarely writes each of them once instead of over and over.
    "PRAGMA wal_autocheckpoint = 32000",
)


class Database:
    """Hold the engine of one database and hand out connections.

    SQLite has one writer at a time: writers queue here (see ``turns``) instead of polling the
    file's lock. With ``patience``, a PostgreSQL that is connected but silent is given up after so
    many seconds with each statement; whoever may take longer (migrations, cycles) has none.
    """

    def __init__(self, url: str, concurrency: int = 8, patience: float | None = None) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite:")
        self.engine = _engine(url, concurrency, patience)
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self.engine if self.is_sqlite else autocommit
        self._turn = Turn(f"{make_url(url).database}-turn") if self.is_sqlite else None
        self._glances: sqlite3.Connection | None = None
        self._writer: Connection | None = None

    def glance(self, sql: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """Return all rows of a look-up by key in SQLite, asked in this thread.

        A hop to another thread and back costs ten times as much as such a look-up.
        """
        if self._glances is None:
            file = make_url(self.url).database or ""
            self._glances = sqlite3.connect(file, timeout=1, isolation_level=None)
        return self._glances.execute(sql, values).fetchall()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Lend a connection whose every statement sees one committed state."""
        async with self._reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction that commits at the end, or leaves no trace."""
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._turn or nullcontext():
            connection = await self._writing()
            try:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    if not connection.invalidated:
                        await connection.exec_driver_sql("ROLLBACK")
                    raise
                await connection.exec_driver_sql("COMMIT")
            finally:
                # Broken off within a statement: its thread closes it after that, without a trace.
                if connection.invalidated:
                    self._writer = None
                    await connection.close()

    async def _writing(self) -> Connection:
        """Return the one connection that writes to SQLite.

        Keys are hashes, so a transaction touches pages all over the file. What this connection has
        read stays good from one to the next as long as no other process has written meanwhile.
        """
        if self._writer is None:
            self._writer = await self.engine.connect()
            await self._writer.exec_driver_sql(_WRITER_CACHE)
        return self._writer

    async def close(self) -> None:
        """Close every connection."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._glances is not None:
            self._glances.close()
            self._glances = None
        if self._turn is not None:
            self._turn.close()
        await self.engine.dispose()


@contextmanager
def sole_worker(url: str) -> Iterator[None]:
    """Be the one who works on a SQLite database, beyond this process in those that it forks.

    Two would project and carry out everything twice; workers of PostgreSQL know of each other.
    Raises ``Misused`` where another one does.
    """
    if not url.startswith("sqlite:"):
        yield
        return
    file = Path(make_url(url).database or "")
    _require_usable(file)
    with alone(f"{file}{WORKER}"):
        yield


async def unbroken(work: Awaitable[T]) -> T:
    """Return what comes of ``work``; whoever cancels, however often, waits until it is through.

    A transaction that is broken off within a statement costs its connection.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # nobody is left to hear of it
        raise


def is_away(error: Exception) -> bool:
    """Say whether the database is at fault (gone, busy, full), and not what it was given."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | PoolTimeoutError)
    # asyncpg calls a text that is too long an error of no certain kind.
    given = isinstance(error, DataError | IntegrityError | ProgrammingError)
    return not given and not str(getattr(error.orig, "sqlstate", "")).startswith(_GIVEN)


def holds_null(error: Exception) -> bool:
    """Say whether PostgreSQL refused a text for a null character, which it cannot keep."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") == _NULL


@contextmanager
def explained() -> Iterator[None]:
    """Raise ``Misused`` with what the driver says where a database cannot be worked on.

    Meant for commands and for the start of a server. A server of databases that does not answer
    at all stays an ``OSError``.
    """
    try:
        yield
    except (ConnectionError, socket.gaierror) as error:
        msg = (
            f"The database does not answer ({error.strerror or error}). Look at CYBERCOOP_DATABASE."
        )
        raise ConnectionError(error.errno, msg) from error
    except DBAPIError as error:
        if not is_away(error) and getattr(error.orig, "sqlstate", "") != _NO_RIGHT:
            raise
        msg = f"The database cannot be used: {error.orig}. Look at CYBERCOOP_DATABASE."
        raise Misused(msg) from error


def _engine(url: str, concurrency: int, patience: float | None) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        msg = (
            f"CYBERCOOP_DATABASE {url!r} is not an address; write sqlite:///PATH or postgresql://…"
        )
        raise Misused(msg) from error
    # The pool is as large as the number of requests served at once: a smaller one makes them wait.
    options: dict[str, Any] = {"pool_size": concurrency, "max_overflow": concurrency}
    if parsed.drivername == "sqlite":
        _require_usable(Path(parsed.database or ""))
        # BEGIN and COMMIT are said in ``write``; a connection comes back with nothing open.
        options |= {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        options |= {"pool_size": _SQLITE_READERS, "max_overflow": 0, "pool_use_lifo": True}
        options["connect_args"] = {"async_creator_fn": hops.connect}
        engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), **options)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    if parsed.drivername in {"postgresql", "postgres"}:
        return _postgresql(parsed, options, patience)
    msg = f"CYBERCOOP_DATABASE: {parsed.drivername} is not supported; write sqlite:///PATH or postgresql://…"
    raise Misused(msg)


def _postgresql(url: URL, options: Mapping[str, Any], patience: float | None) -> AsyncEngine:
    """Return the engine for a libpq address; raise ``Misused`` for what asyncpg trips over.

    Asked here, since it answers a name or a port that it does not know with a traceback.
    """
    unknown = sorted(set(url.query) - {"host", "port", "sslmode"})
    if unknown:
        raise Misused(
            f"CYBERCOOP_DATABASE: {unknown[0]} is not known; write sslmode, host or port."
        )
    mode = url.query.get("sslmode")
    if mode is not None and mode not in _TLS_MODES:
        raise Misused(f"CYBERCOOP_DATABASE: sslmode is one of {', '.join(_TLS_MODES)}.")
    place = url.set(drivername="postgresql+asyncpg").difference_update_query(("sslmode",))
    if mode is not None:
        place = place.update_query_dict({"ssl": mode})
    try:
        told: dict[str, Any] = {"server_settings": {"plan_cache_mode": "force_generic_plan"}}
        limits = {}
        if patience is not None:
            told |= {"timeout": patience, "command_timeout": patience}
            limits = {"pool_timeout": patience}
        engine = create_async_engine(place, connect_args=told, **options, **limits)
        event.listen(engine.sync_engine, "handle_error", _end_if_silent)
        said = engine.dialect.create_connect_args(place)[1].get("port")
    except (ArgumentError, ValueError) as error:
        raise Misused(f"CYBERCOOP_DATABASE: {error}.") from error
    for port in said if isinstance(said, list) else [said]:
        if port is not None and not 0 < int(port) <= _LAST_PORT:
            raise Misused(f"CYBERCOOP_DATABASE: {port} is no port; write 1 to {_LAST_PORT}.")
    return engine


def _end_if_silent(context: ExceptionContext) -> None:
    """Close a connection whose statement was given up: it would let the next one wait, too."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def make_own(file: Path) -> None:
    """Make an empty file where there is none, that its owner alone may read.

    SQLite would let everybody read it, as far as the folder lets them, and takes the same rights
    for what it keeps beside.
    """
    if not file.exists():
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _require_usable(file: Path) -> None:
    """Make the folder of a SQLite file, for its owner alone; raise ``Misused`` in its way.

    Asked here, since a connection that fails leaves a thread which complains after the refusal.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_own(file)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as error:
        msg = (
            f"The database {file} cannot be opened: {error}. Look at CYBERCOOP_DATA and _DATABASE."
        )
        raise Misused(msg) from error
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        msg = f"The database {file} and its folder have to be writable."
        raise Misused(msg)


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
