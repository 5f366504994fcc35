"""Schedules: sources are collected when they are due, by one worker of several.

A workflow of DBOS looks every half minute which sources are due, and starts one workflow for each.
Its id is made of the source and of the time for which it was due, so that workers who look at the
same moment start it once; claiming that time in our own database decides. The run of a worker
that died is taken over at the latest when the source is due again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog

from cybercoop.collect import collecting, definitions
from cybercoop.collect.collecting import House
from cybercoop.collect.definitions import Source
from cybercoop.errors import CoopError, Misused
from cybercoop.store import workflows
from cybercoop.store.database import explained

T = TypeVar("T")
Look = Callable[[object, object], Coroutine[Any, Any, None]]
EVERY_HALF_MINUTE = "*/30 * * * * *"
_PAUSE = 30
_HOUR = 3600
_KEPT = timedelta(days=3)
_QUEUE = "sources"
_AT_ONCE = 4
_THREADS = 8
# Pinned: what waits under one version of the program is done by the next one, too.
_VERSION = "1"

_log = structlog.get_logger("schedules")


@dataclass(frozen=True, slots=True)
class Schedules:
    """Hold what the workflows work with: all of it lives on the loop of the whole process."""

    house: House
    feeds: Path
    data: Path
    wake: Callable[[], None]
    going_on: set[asyncio.Task[Any]] = field(default_factory=set)
    defined: dict[str, Source] = field(default_factory=dict)

    async def known(self) -> dict[str, Source]:
        """Return the definitions as they are on the disk, or were before somebody broke one."""
        try:
            found = await asyncio.to_thread(definitions.read, self.feeds)
        except Misused as error:
            _log.error("definitions cannot be read", reason=str(error))
            return dict(self.defined)
        self.defined.clear()
        self.defined.update({source.name: source for source in found})
        return dict(self.defined)

    async def look(self) -> dict[str, int]:
        """Return which sources are due and since when; log those whose state has changed."""
        now, known = self.house.around.now(), await self.known()
        await collecting.add_enabled(self.house.database, known.values(), self.house.around)
        await collecting.tell_changes(self.house.database, known.values(), now)
        return await collecting.due(self.house.database, known.values(), now)

    async def claim(self, name: str, since: int) -> bool:
        """Take the time for which a source was due; say whether nobody else had taken it."""
        source = (await self.known()).get(name)
        now = self.house.around.now()
        return source is not None and await collecting.claim(
            self.house.database, source, since, now
        )

    async def collect(self, name: str) -> str:
        """Collect from a source and return why that failed, or nothing."""
        known = await self.known()
        if name not in known:
            return "There is no definition of this name any more."
        try:
            run = await collecting.collect(self.house, known[name], lambda *_: None)
        except Misused as error:  # it was turned off, or a person is collecting from it
            return str(error)
        self.wake()
        now = self.house.around.now()
        await collecting.tell_changes(self.house.database, [known[name]], now)
        return run.reason


async def keep(schedules: Schedules) -> None:
    """Collect what is due until cancelled; a center without sources pays nothing for it."""
    while not await _is_needed(schedules):  # noqa: ASYNC110 - other processes add sources, too
        await asyncio.sleep(_PAUSE)
    # Importing DBOS takes longer than all else at the start, and nobody waits for it.
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(asyncio.to_thread(_started, schedules, loop))
    try:
        clock = await asyncio.shield(starting)
        while True:
            await asyncio.sleep(_HOUR)
            await asyncio.to_thread(clock.forget)
    except Exception as error:
        _log.error("schedules have stopped", error=repr(error))
        raise
    finally:
        await asyncio.to_thread((await starting).stop)
        for task in schedules.going_on:
            task.cancel()
        await asyncio.gather(*schedules.going_on, return_exceptions=True)


async def _is_needed(schedules: Schedules) -> bool:
    try:
        with explained():
            await schedules.look()
            return await collecting.any_on(schedules.house.database)
    except (CoopError, OSError) as error:
        _log.error("sources cannot be looked at", reason=str(error))
        return False


class _Clock:
    """DBOS while it runs; there is one in a process."""

    def __init__(self, dbos: Any) -> None:
        self._dbos = dbos

    def forget(self) -> None:
        """Forget workflows that ended days ago."""
        before = (datetime.now(UTC) - _KEPT).isoformat()
        old = self._dbos.list_workflows(completed_before=before, load_input=False, limit=10_000)
        self._dbos.delete_workflows([one.workflow_id for one in old])

    def stop(self) -> None:
        """End all threads; what was going on is cut off between two transactions."""
        self._dbos.destroy(destroy_registry=True)


def _started(schedules: Schedules, loop: asyncio.AbstractEventLoop) -> _Clock:
    from dbos import DBOS, DBOSPortableJSONSerializer  # noqa: PLC0415 - see ``keep``

    is_sqlite = schedules.house.database.is_sqlite
    DBOS(
        config={
            "name": "cybercoop",
            "system_database_url": workflows.place(schedules.house.database.url, schedules.data),
            "dbos_system_schema": workflows.SCHEMA,
            "sys_db_pool_size": 5,
            "application_version": _VERSION,
            # Alone on its file it takes up what it left; of several workers each is another.
            "executor_id": "center" if is_sqlite else schedules.house.around.uuid(),
            "max_executor_threads": _THREADS,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }
    )
    look = _workflows(DBOS, schedules, loop)
    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=_AT_ONCE)
    DBOS.apply_schedules(
        [{"schedule_name": "look", "workflow_fn": look, "schedule": EVERY_HALF_MINUTE}]
    )
    DBOS.enqueue_workflow(_QUEUE, look, None, None)
    return _Clock(DBOS)


def _workflows(dbos: Any, schedules: Schedules, loop: asyncio.AbstractEventLoop) -> Look:
    """Register the workflows and return the one that looks; their steps run on ``loop``."""
    from dbos import SetWorkflowID  # noqa: PLC0415 - see ``keep``

    async def step(name: str, call: Callable[..., Awaitable[T]], *words: object) -> T:
        async def there() -> T:
            task = asyncio.ensure_future(call(*words))
            schedules.going_on.add(task)
            task.add_done_callback(schedules.going_on.discard)
            return await task

        async def here() -> T:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), loop))

        done: T = await dbos.run_step_async({"name": name}, here)
        return done

    async def collect(name: str, since: int) -> str:
        if not await step("claim", schedules.claim, name, since):
            return "Somebody else took it."
        return await step("collect", schedules.collect, name)

    collect_workflow = dbos.workflow(name="collect")(collect)

    async def look(_at: object, _context: object) -> None:
        for name, since in (await step("look", schedules.look)).items():
            # By the hour: a start that failed before it could claim does not stand in the way.
            hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
            with SetWorkflowID(f"{name} {since} {hour}"):
                await dbos.enqueue_workflow_async(_QUEUE, collect_workflow, name, since)

    registered: Look = dbos.workflow(name="look")(look)
    return registered
