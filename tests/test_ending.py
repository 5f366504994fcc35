"""How durable work ends while there is more of it waiting, and begins again where it broke off."""

import asyncio
import gc
import logging
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cybercoop import worker
from cybercoop.durable import Durable, Part, keep
from cybercoop.store import upgrade
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from postgres_server import PostgresServer

MANY = 200


async def test_who_stops_while_much_waits_is_told_of_no_errors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def needed() -> bool:
        return True

    async def deed(_: str) -> None:
        loop.call_soon_threadsafe(begun.set)

    def register(durable: Durable) -> None:
        queue, workflow = durable.queue("waiting", every=0.1), durable.workflow("deed", deed)
        for number in range(MANY):
            durable.at_once(queue, workflow, str(number))

    database = Database(f"sqlite:///{tmp_path / 'coop.sqlite'}")
    working = asyncio.ensure_future(
        keep([Part(needed, register)], database, tmp_path, Surroundings())
    )
    logging.getLogger("dbos").addHandler(caplog.handler)
    try:
        await begun.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    finally:
        logging.getLogger("dbos").removeHandler(caplog.handler)
        await database.close()
    gc.collect()  # what was begun and never awaited complains only then
    assert [one.message for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_durable_work_that_found_no_database_begins_anew(
    durable_postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_PAUSE", 0.5)
    url, tries, done = durable_postgres.start(), list[int](), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def needed() -> bool:
        tries.append(1)
        if len(tries) == 1:
            durable_postgres.crash()
        else:
            durable_postgres.start()
        return True

    async def deed(_: str) -> None:
        loop.call_soon_threadsafe(done.set)

    def register(durable: Durable) -> None:
        queue, workflow = durable.queue("waiting", every=0.1), durable.workflow("deed", deed)
        durable.at_once(queue, workflow, "one")

    database = Database(url)
    await upgrade.upgrade(database)
    parts = [Part(needed, register)]
    with capture_logs() as told:
        working = asyncio.ensure_future(
            worker.kept_up(partial(keep, parts, database, tmp_path, Surroundings()))
        )
        await asyncio.wait_for(done.wait(), 60)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    await database.close()
    assert [one["event"] for one in told] == ["a part of the worker failed"]
