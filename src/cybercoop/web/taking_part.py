"""Taking part in responses: as whom a request reads and acts, and that a county was reached."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from functools import partial

from aiohttp import web

from cybercoop.door import RESPONSES
from cybercoop.errors import CoopError
from cybercoop.members.organisations import Organisation
from cybercoop.playbooks.progress import Run, Task
from cybercoop.responses import doing
from cybercoop.sharing.keys import keys_of
from cybercoop.store import members, people, responses
from cybercoop.store.database import Connection, explained
from cybercoop.store.members import Center
from cybercoop.store.runs import Reader

_NOTING: web.AppKey[set[asyncio.Task[None]]] = web.AppKey("noting")


def reader_for(org: Organisation, center: Center) -> Reader:
    """Return as whom an organisation reads responses."""
    return Reader(org.id, keys_of(org), is_center=org.id == center.org_id)


async def names_for(connection: Connection, org: Organisation, center: Center) -> Mapping[str, str]:
    """Return the names of organisations, and of the people whom an organisation may know, by id.

    Only the center knows everybody's people; for all others somebody else is who he acts for.
    """
    found = {one.id: one.name for one in await members.all_organisations(connection)}
    known = await people.all_of(connection, None if org.id == center.org_id else org.id)
    return found | {one.id: one.name for one in known}


def keep_track(app: web.Application) -> None:
    """Let ``app`` note after its answers that counties were reached."""
    app[_NOTING] = set()
    app.cleanup_ctx.append(_finish)


async def _finish(app: web.Application) -> AsyncIterator[None]:
    yield
    await asyncio.gather(*app[_NOTING])


def note_reached(app: web.Application, org_id: str, runs: Iterable[Run]) -> None:
    """Note that somebody of an organisation has seen its runs; the answer does not wait for it."""
    _note(app, {run.id for run in runs if run.org_id == org_id and run.reached_at is None})


def note_tasks_reached(app: web.Application, org_id: str, tasks: Iterable[Task]) -> None:
    """Note that somebody of an organisation has seen its tasks."""
    _note(app, {task.run_id for task in tasks if task.org_id == org_id}, org_id)


def _note(app: web.Application, run_ids: set[str], org_id: str = "") -> None:
    for run_id in run_ids:
        noting = asyncio.create_task(_reached(app, run_id, org_id))
        app[_NOTING].add(noting)
        noting.add_done_callback(app[_NOTING].discard)


async def _reached(app: web.Application, run_id: str, org_id: str) -> None:
    house = app[RESPONSES]
    # Who reads again is noted then; what was read has been answered.
    with suppress(CoopError, OSError), explained():
        async with house.database.read() as connection:
            run = await responses.run(connection, run_id)
        if run.reached_at is None and org_id in {"", run.org_id}:
            await house.record.do(partial(_note_run, run_id=run_id, now=house.around.now()))


async def _note_run(connection: Connection, run_id: str, now: int) -> None:
    await doing.reached(connection, await responses.run(connection, run_id), now)
