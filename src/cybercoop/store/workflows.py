"""Where durable work is remembered: a file beside SQLite's, or a schema of the same PostgreSQL."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.engine import make_url

from cybercoop.store.database import Connection
from cybercoop.store.response_tables import workers

SCHEMA = "workflows"


def place(database_url: str, data: Path) -> str:
    """Return the address for DBOS; a SQLite file is made ready for readers beside its writer."""
    url = make_url(database_url)
    if url.drivername != "sqlite":
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    file = data / "workflows.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        # Set once, for ever: several threads could not agree on it once they have begun.
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{file.absolute()}"


async def beat(connection: Connection, worker: str, now: int, silence: int) -> list[str]:
    """Note that a worker lives, and return those that have said nothing for so long."""
    seen = update(workers).where(workers.c.id == worker).values(seen_at=now)
    if not (await connection.execute(seen)).rowcount:
        await connection.execute(insert(workers), {"id": worker, "seen_at": now})
    silent = select(workers.c.id).where(_is_silent(now, silence))
    return list((await connection.scalars(silent)).all())


async def bury(connection: Connection, silent: Sequence[str], now: int, silence: int) -> None:
    """Forget workers whose work others have taken over, but for those that live after all."""
    gone = delete(workers).where(workers.c.id.in_(silent), _is_silent(now, silence))
    await connection.execute(gone)


def _is_silent(now: int, silence: int) -> ColumnElement[bool]:
    return workers.c.seen_at < now - silence
