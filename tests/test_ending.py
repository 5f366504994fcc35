"""How durable work ends while there is more of it waiting."""

import asyncio
import gc
import logging
from pathlib import Path

import pytest

from cybercoop.durable import Durable, Part, keep
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

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
