"""The guard as it is now, for whoever is told what it says about a value."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from cybercoop.collect import guarding
from cybercoop.collect.guarding import Guard
from cybercoop.door import CENTER, DATABASE, SETTINGS, SURROUNDINGS
from cybercoop.store import guarding as remembered

_FIRST: web.AppKey["asyncio.Task[Guard]"] = web.AppKey("first_guard")
_HELD: web.AppKey[list[Guard]] = web.AppKey("held_guard")


def keep_guard(app: web.Application) -> None:
    """Begin to build the guard when ``app`` starts, in a thread; until then nothing waits."""
    app[_HELD] = []
    app.cleanup_ctx.append(_building)


async def _building(app: web.Application) -> AsyncIterator[None]:
    work = asyncio.to_thread(guarding.starting, app[SETTINGS].warninglists)
    app[_FIRST] = asyncio.create_task(work)
    yield
    await asyncio.gather(app[_FIRST], return_exceptions=True)


async def guard_now(app: web.Application) -> Guard:
    """Return the guard as the database has it now; it is read anew where something changed."""
    held = app[_HELD][0] if app[_HELD] else await asyncio.shield(app[_FIRST])
    async with app[DATABASE].read() as connection:
        if held.version != await remembered.version(connection):
            now = app[SURROUNDINGS].now()
            held = await guarding.load(connection, app[CENTER].org_id, now, held.extra)
    app[_HELD][:] = [held]
    return held
