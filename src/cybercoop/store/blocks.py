"""What the devices of counties are to block for responses."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.store.database import Connection
from cybercoop.store.response_tables import blocks


async def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Remember a block; one that was put at the same place of the same run stays as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(blocks).values(**row).on_conflict_do_nothing())


async def end_value(connection: Connection, run_id: str, value: str, now: int, reason: str) -> int:
    """End the blocks of a value that a run has put; return how many."""
    return await _end(
        connection, and_(blocks.c.run_id == run_id, blocks.c.value == value), now, reason
    )


async def end_of_run(connection: Connection, run_id: str, now: int, reason: str) -> int:
    """End all blocks that a run has put; return how many."""
    return await _end(connection, blocks.c.run_id == run_id, now, reason)


async def end_of_response(connection: Connection, response_id: str, now: int, reason: str) -> int:
    """End all blocks that a response has put; return how many."""
    return await _end(connection, blocks.c.response_id == response_id, now, reason)


async def confirm(connection: Connection, run_id: str, who: str, now: int) -> int:
    """Note a person's word that the blocks of a run are in force; return how many."""
    c = blocks.c
    where = and_(c.run_id == run_id, c.ended_at.is_(None), c.confirmed_at.is_(None))
    done = await connection.execute(
        update(blocks).where(where).values(confirmed_at=now, confirmed_by=who)
    )
    return done.rowcount


async def in_force_count(connection: Connection, org_id: str, now: int) -> int:
    """Return how many blocks of an organisation are in force."""
    c = blocks.c
    where = and_(c.org_id == org_id, c.ended_at.is_(None), c.until > now)
    return int(await connection.scalar(select(func.count()).where(where)) or 0)


async def of_response(connection: Connection, response_id: str) -> list[Any]:
    """Return all blocks of a response, oldest first."""
    query = select(blocks).where(blocks.c.response_id == response_id)
    return list((await connection.execute(query.order_by(blocks.c.since, blocks.c.id))).all())


async def _end(connection: Connection, where: ColumnElement[bool], now: int, reason: str) -> int:
    still = and_(where, blocks.c.ended_at.is_(None))
    done = await connection.execute(update(blocks).where(still).values(ended_at=now, reason=reason))
    return done.rowcount
