"""The house put together for work: what goes on whether or not anybody asks.

A worker projects contributions into releases, collects from sources, carries responses out and
delivers notices. One runs beside the process that serves, or several share PostgreSQL.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from cybercoop import durable, notices
from cybercoop.beside import Listen
from cybercoop.collect import guarding, schedules
from cybercoop.collect.collecting import House
from cybercoop.collect.projector import Projector
from cybercoop.collect.schedules import Schedules
from cybercoop.config import Settings
from cybercoop.responses import engine, firing, tending
from cybercoop.responses.carrying import carrying
from cybercoop.store import upgrade
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

_PAUSE = 10
"""Seconds until a part that failed begins anew."""

_log = structlog.get_logger("worker")


async def work(settings: Settings, listen: Listen | None = None) -> None:
    """Do all that a worker does until SIGINT or SIGTERM.

    Of several workers one at a time projects, and one collects what is due. ``listen`` gets what
    tells this one that there is something to release; without it, it looks by itself. Raises
    ``Misused`` where the database has no center or another schema.
    """
    database, around = Database(settings.database_url), Surroundings()
    try:
        center, _ = await upgrade.founded(database)
        guard = await asyncio.to_thread(guarding.starting, settings.warninglists)
        projector = Projector(database, center, around, guard)
        if listen:
            listen(projector.wake)
        house = carrying(database, center, settings, around, guard)
        sources = House(database, around, os.environ)
        parts = [
            schedules.part(Schedules(sources, settings.feeds, projector.wake)),
            engine.part(house),
            notices.part(notices.post_of(database, settings, around)),
        ]
        everything = (
            projector.run,
            partial(tending.tend, house),
            partial(firing.tend, house),
            partial(durable.keep, parts, database, settings.data, around),
        )
        await _until_stopped([asyncio.create_task(kept_up(one)) for one in everything])
        await house.watch.stop()
    finally:
        await database.close()


async def _until_stopped(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Let tasks go on until a signal."""

    def stop() -> None:
        for one in tasks:
            if not one.cancelling():  # who is told twice still ends in good order
                one.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*tasks, return_exceptions=True)


async def kept_up(part: Callable[[], Awaitable[None]]) -> None:
    """Let a part go on until cancelled; where it fails that is told, and it begins anew."""
    while True:
        try:
            await part()
        except Exception as error:  # noqa: BLE001 - the top of whatever a worker does
            _log.error("a part of the worker failed", error=repr(error))
        await asyncio.sleep(_PAUSE)
