"""Transactions that somebody breaks off: they leave no trace, and the next one goes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cybercoop.store.database import Database, unbroken

SLOWLY = (
    "INSERT INTO said SELECT count(*) FROM (WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n)"
)
"""A statement that both databases take their time for."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    async with database.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE said (what BIGINT)")
    yield database
    await database.close()


async def say(database: Database, numbers: list[int], begun: asyncio.Event) -> None:
    async with database.write() as connection:
        begun.set()
        for number in numbers:
            await connection.exec_driver_sql(SLOWLY.format(number))


async def said(database: Database) -> list[int]:
    async with database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT what FROM said ORDER BY what")
        return [row.what for row in rows]


async def test_a_write_broken_off_within_a_statement_costs_nothing_but_itself(
    database: Database,
) -> None:
    for _ in range(2):
        begun = asyncio.Event()
        broken = asyncio.create_task(say(database, [1, 400_000, 2], begun))
        behind = asyncio.create_task(say(database, [3], asyncio.Event()))
        await begun.wait()
        await asyncio.sleep(0.02)
        broken.cancel()
        with pytest.raises(asyncio.CancelledError):
            await broken
        await behind
    assert await said(database) == [3, 3]


async def test_unbroken_work_is_through_however_often_it_is_cancelled(database: Database) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(unbroken(say(database, [1, 400_000, 2], begun)))
    await begun.wait()
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await said(database) == [1, 2, 400_000]
