"""Where durable work is remembered: a file beside SQLite's, or a schema of the same PostgreSQL."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import make_url

from cybercoop.store.database import Connection, make_own
from cybercoop.store.response_tables import workers

SCHEMA = "workflows"


def place(database_url: str, data: Path) -> str:
    """Return the address for DBOS; a SQLite file is made ready for readers beside its writer."""
    url = make_url(database_url)
    if url.drivername != "sqlite":
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    file = data / "workflows.sqlite"
    make_own(file)
    with closing(sqlite3.connect(file)) as connection:
        # Set once, for ever: several threads could not agree on it once they have begun.
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{file.absolute()}"


async def beat(connection: Connection, worker: str, now: int) -> dict[str, int]:
    """Note that a worker lives, and return what each of the others has said last."""
    seen = update(workers).where(workers.c.id == worker).values(seen_at=now)
    if not (await connection.execute(seen)).rowcount:
        await connection.execute(insert(workers), {"id": worker, "seen_at": now})
    others = select(workers.c.id, workers.c.seen_at).where(workers.c.id != worker)
    return {row.id: row.seen_at for row in await connection.execute(others)}


async def bury(connection: Connection, silent: Mapping[str, int]) -> None:
    """Forget workers whose work others have taken over, but for those that live after all.

    ``silent`` are the last words of each.
    """
    for worker, said in silent.items():
        last = workers.c.id == worker, workers.c.seen_at == said
        await connection.execute(delete(workers).where(*last))
