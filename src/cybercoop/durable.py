"""Durable work: DBOS as this house uses it; what was begun goes on after the process died.

Rooms hand in what they have to do as a ``Part``. DBOS remembers how far a workflow has come, and
nothing else: what a room knows stands in its own tables. Workflows run on a loop of DBOS; their
steps run on the loop of the whole process, where database and doors live.

A worker says every few seconds that it lives. What a silent one had begun is taken over by the
others; on SQLite there is one worker, which takes up at its start what it left.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import structlog

from cybercoop.errors import CoopError
from cybercoop.store import workflows
from cybercoop.store.database import Database, explained
from cybercoop.surroundings import Surroundings

T = TypeVar("T")

_BEAT_SECONDS = 5
_SILENT_BEATS = 4
_KEPT = timedelta(days=3)
_FORGET_SECONDS = 3600
_THREADS = 8
_HANDS_OUT = "queue-worker-"
"""How DBOS begins the names of the threads that hand workflows out, one for each queue."""

_LONGEST_END = 10
"""Seconds that one of them is waited for."""

# Pinned: what waits under one version of the program is done by the next one, too.
_VERSION = "1"

_log = structlog.get_logger("durable")


class Durable:
    """DBOS while it runs; there is one in a process."""

    def __init__(self, dbos: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._dbos = dbos
        self._loop = loop
        self._going_on: set[asyncio.Task[Any]] = set()
        self._queues: dict[str, dict[str, Any]] = {}
        self._schedules: list[dict[str, Any]] = []
        self._at_once: list[tuple[str, Any, tuple[Any, ...]]] = []

    def workflow(self, name: str, deed: Callable[..., Awaitable[T]]) -> Any:
        """Register a workflow under a name that stays the same for ever."""

        async def called(*words: Any) -> T:  # DBOS writes on what it registers
            return await deed(*words)

        return self._dbos.workflow(name=name)(called)

    def queue(self, name: str, at_once: int | None = None, every: float = 1) -> str:
        """Name a queue of which a worker carries out so many at once, and return its name.

        Each worker looks into it ``every`` so many seconds, which takes 5 ms of a processor.
        """
        self._queues[name] = {"worker_concurrency": at_once, "polling_interval_sec": every}
        return name

    def every(self, name: str, cron: str, workflow: Any) -> None:
        """Have a workflow started by the clock; it is called with the time and nothing."""
        self._schedules.append(
            {"schedule_name": name, "workflow_fn": workflow, "schedule": cron, "context": None}
        )

    def at_once(self, queue: str, workflow: Any, *words: Any) -> None:
        """Have a workflow started as soon as this process is ready."""
        self._at_once.append((queue, workflow, words))

    async def begin(self, queue: str, workflow: Any, workflow_id: str, *words: Any) -> None:
        """Start a workflow from the loop of the process, as ``start`` does from a workflow.

        In a thread: DBOS would make its own threads those of whichever loop calls it.
        """
        await asyncio.to_thread(self._begin, queue, workflow, workflow_id, words)

    def _begin(self, queue: str, workflow: Any, workflow_id: str, words: tuple[Any, ...]) -> None:
        from dbos import SetWorkflowID  # noqa: PLC0415 - see ``keep``

        with SetWorkflowID(workflow_id):
            self._dbos.enqueue_workflow(queue, workflow, *words)

    async def start(self, queue: str, workflow: Any, workflow_id: str, *words: Any) -> None:
        """Start a workflow under an id; a second start under the same id changes nothing."""
        from dbos import SetWorkflowID  # noqa: PLC0415 - see ``keep``

        with SetWorkflowID(workflow_id):
            await self._dbos.enqueue_workflow_async(queue, workflow, *words)

    async def result(self, workflow_id: str) -> Any:
        """Wait for a workflow to end, and return what it returned."""
        handle = await self._dbos.retrieve_workflow_async(workflow_id, existing_workflow=False)
        return await handle.get_result()

    async def step(self, name: str, call: Callable[..., Awaitable[T]], *words: Any) -> T:
        """Do something on the loop of the process and remember what it returned.

        It is done at least once: whatever it does outside carries a key of its own.
        """

        async def there() -> T:
            task = asyncio.ensure_future(call(*words))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)
            return await task

        async def here() -> T:
            return await self.here(there())

        done: T = await self._dbos.run_step_async({"name": name}, here)
        return done

    def launch(self) -> None:
        """Begin, with all that was registered."""
        self._dbos.launch()
        for name, settings in self._queues.items():
            self._dbos.register_queue(name, **settings)
        if self._schedules:
            self._dbos.apply_schedules(self._schedules)
        for queue, workflow, words in self._at_once:
            self._dbos.enqueue_workflow(queue, workflow, *words)

    async def ended(self, workflow_id: str) -> None:
        """Wait for a workflow to end, however that goes."""
        from dbos import error  # noqa: PLC0415 - see ``keep``

        with suppress(error.DBOSException):
            await self.result(workflow_id)

    async def here(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine finds on the loop of the process; it is not remembered."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._loop))

    def tend(self, some: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Let these go on until everything stops."""
        self._going_on |= {asyncio.ensure_future(one()) for one in some}

    def take_over(self, silent: Sequence[str]) -> int:
        """Have others go on with what these workers had begun; return how many workflows."""
        if not silent:
            return 0
        left = self._dbos.list_workflows(
            status="PENDING", executor_id=list(silent), load_input=False, load_output=False
        )
        if left:
            self._dbos.resume_workflows([one.workflow_id for one in left])
        return len(left)

    def forget(self) -> None:
        """Forget workflows that ended days ago."""
        before = (datetime.now(UTC) - _KEPT).isoformat()
        old = self._dbos.list_workflows(completed_before=before, load_input=False, limit=10_000)
        self._dbos.delete_workflows([one.workflow_id for one in old])

    async def stop(self) -> None:
        """End all threads; what was going on is cut off between two transactions."""
        await asyncio.to_thread(self._end)
        for task in self._going_on:
            task.cancel()
        await asyncio.gather(*self._going_on, return_exceptions=True)

    def _end(self) -> None:
        """End what hands workflows out before the loop that they run on, which DBOS ends first.

        What is handed out after that is told as an error, or waits ten seconds for the loop.
        """
        for ended in self._dbos.background_thread_stop_events:
            ended.set()
        for thread in threading.enumerate():
            if thread.name.startswith(_HANDS_OUT):
                thread.join(_LONGEST_END)
        self._dbos.destroy(destroy_registry=True)


@dataclass(frozen=True, slots=True)
class Part:
    """Hold what one room does durably: whether there is anything to do, and its workflows.

    As long as nothing is begun, it is asked every ``pause`` seconds; ``tend`` goes on beside the
    workflows from then on.
    """

    needed: Callable[[], Awaitable[bool]]
    register: Callable[[Durable], None]
    pause: int = 1
    tend: Callable[[], Coroutine[Any, Any, None]] | None = None


class Others:
    """Hold what the other workers have said last, and at which of our own beats that was new.

    Their clocks may be wrong by hours, and ours may jump: only that they go on saying something
    new counts, while we ourselves have spoken several times.
    """

    def __init__(self) -> None:
        self._beats = 0
        self._heard: dict[str, tuple[int, int]] = {}

    def silent(self, said: Mapping[str, int]) -> dict[str, int]:
        """Return the last words of those who have said nothing new for so many beats of ours."""
        self._beats += 1
        new = {one: at for one, at in said.items() if self._heard.get(one, (None,))[0] != at}
        kept = {one: self._heard[one] for one in said.keys() - new.keys()}
        self._heard = kept | {one: (at, self._beats) for one, at in new.items()}
        over = self._beats - _SILENT_BEATS
        return {one: at for one, (at, since) in kept.items() if since <= over}


async def keep(parts: Sequence[Part], database: Database, data: Path, around: Surroundings) -> None:
    """Do durable work until cancelled; a center that has none to do pays nothing for it."""
    for second in count():
        if await _is_needed([part for part in parts if second % part.pause == 0]):
            break
        await asyncio.sleep(1)  # other processes make work, too
    worker = "center" if database.is_sqlite else around.uuid()
    # Importing DBOS takes longer than all else at the start, and nobody waits for it.
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(
        asyncio.to_thread(_started, parts, database, data, worker, loop)
    )
    try:
        durable = await asyncio.shield(starting)
        durable.tend([part.tend for part in parts if part.tend is not None])
        beats, others = 0, Others()
        while True:
            with suppress(CoopError, OSError), explained():
                await _beat(durable, database, worker, others, around.now())
            beats += 1
            if beats % (_FORGET_SECONDS // _BEAT_SECONDS) == 0:
                await asyncio.to_thread(durable.forget)
            await asyncio.sleep(_BEAT_SECONDS)
    finally:
        await asyncio.wait([starting])
        if starting.exception() is None:
            await starting.result().stop()


async def _beat(
    durable: Durable, database: Database, worker: str, others: Others, now: int
) -> None:
    """Say that this worker lives, and take over from those that do not."""
    if database.is_sqlite:
        return
    async with database.write() as connection:
        said = await workflows.beat(connection, worker, now)
    silent = others.silent(said)
    if taken := await asyncio.to_thread(durable.take_over, list(silent)):
        _log.warning("took over from workers that are silent", workflows=taken)
    if silent:
        async with database.write() as connection:
            await workflows.bury(connection, silent)


async def _is_needed(parts: Sequence[Part]) -> bool:
    try:
        with explained():
            return any([await part.needed() for part in parts])
    except (CoopError, OSError) as error:
        _log.error("nobody can say what there is to do", reason=str(error))
        return False


def _started(
    parts: Sequence[Part],
    database: Database,
    data: Path,
    worker: str,
    loop: asyncio.AbstractEventLoop,
) -> Durable:
    from dbos import DBOS, DBOSPortableJSONSerializer  # noqa: PLC0415 - see ``keep``

    dbos = DBOS(
        config={
            "name": "cybercoop",
            "system_database_url": workflows.place(database.url, data),
            "dbos_system_schema": workflows.SCHEMA,
            "sys_db_pool_size": 5,
            "application_version": _VERSION,
            "executor_id": worker,
            "max_executor_threads": _THREADS,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",  # it warns of whatever is cut off when a process stops
        }
    )
    durable = Durable(dbos, loop)
    try:
        for part in parts:
            part.register(durable)
        durable.launch()
    except BaseException:  # or it could not be begun anew
        dbos.destroy(destroy_registry=True)
        raise
    return durable
