"""What was asked of other systems: each once, as far as anybody can know."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.store.database import Connection
from cybercoop.store.response_tables import effects


async def begin(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Note that something is about to be asked; say whether it still has to be.

    What began and never ended, since the process died, is asked again, under the same key.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(effects).values(**row).on_conflict_do_nothing())
    query = select(effects.c.ended_at).where(effects.c.key == row["key"])
    return await connection.scalar(query) is None


async def end(connection: Connection, key: str, now: int, status: int, reason: str | None) -> None:
    """Note what was answered; ``status`` is HTTP's, 0 where no answer came."""
    values = {"ended_at": now, "status": status, "reason": reason}
    await connection.execute(update(effects).where(effects.c.key == key).values(**values))
