"""Carrying out one action of a run: its record, its waiting, its commands, and what came of it.

Everything stands in our own tables before and after: whoever carries the same place out again finds
what was done, and does not do it again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from cybercoop.collect.guarding import Guard, Keeper
from cybercoop.config import Settings
from cybercoop.errors import CoopError
from cybercoop.playbooks import checking, templates, variables
from cybercoop.playbooks.progress import GOING, Response, Run, Step, Task
from cybercoop.playbooks.steps import Action, Playbook
from cybercoop.playbooks.variables import Value
from cybercoop.responses import asking
from cybercoop.responses.commands import Doing, kinds, name_of
from cybercoop.responses.recording import Recorder
from cybercoop.responses.walking import TIMED_OUT, Failed, Limit, TimedOut, Values
from cybercoop.responses.watching import Watch
from cybercoop.store import playbooks, responses
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

ENGINE = "engine"
"""Who did it, where no person did."""

WAY_BACK = "~/"
"""In the place of every step that takes another one back."""


Look = Callable[[Connection, Response, Run], Awaitable[Any]]


class Stopped(Exception):
    """Say that nothing more of a run is to be carried out."""


class Came(Struct, frozen=True, kw_only=True):
    """Hold what came of a place: values, or why there are none."""

    values: Mapping[str, Value] = {}
    failed: str = ""
    timed_out: str = ""
    stopped: bool = False


class Passed(Struct, frozen=True):
    """Hold a step that only decided, to be written down with the next one that does something."""

    place: str
    seq: int
    step_id: str
    kind: str
    taken: str


@dataclass(frozen=True, slots=True)
class Carrying:
    """Hold what responses are carried out with; it lives on the loop of the process."""

    database: Database
    center: Center
    settings: Settings
    around: Surroundings
    record: Recorder
    watch: Watch
    keeper: Keeper
    books: dict[tuple[str, int], Playbook]

    async def book(self, playbook_id: str, modified: int) -> Playbook:
        """Return a version of a playbook; it was checked when it was imported."""
        known = self.books.get((playbook_id, modified))
        if known is None:
            async with self.database.read() as connection:
                raw = await playbooks.content(connection, playbook_id, modified)
            known = checking.check(raw).playbook
            if known is None:
                raise Failed("The playbook of this response would not be imported any more.")
            self.books[playbook_id, modified] = known
        return known


def carrying(
    database: Database,
    center: Center,
    settings: Settings,
    around: Surroundings,
    guard: Guard | None = None,
) -> Carrying:
    """Return what responses are carried out with."""
    watch = Watch(database, around.now)
    return Carrying(
        database, center, settings, around, Recorder(database), watch, Keeper(guard), {}
    )


async def act(
    house: Carrying,
    run_id: str,
    playbook: Playbook,
    place: str,
    seq: int,
    values: Values,
    limit: Limit | None,
    passed: Sequence[Passed],
) -> Came:
    """Carry out the action at a place, unless it was, and return what came of it."""
    step = playbook.steps[place.rpartition("/")[2]]
    if not isinstance(step, Action):
        raise TypeError(step)
    beginning = _begin(run_id, place, seq, step, passed, house.around.now())
    begun, response, run = await house.record.do(beginning)
    if begun.state != "began":
        return _known(begun)
    one = _Carried(house, run_id, playbook, place, step, values, limit, begun.began_at)
    try:
        gave = await one.whole(response, run)
        came = Came(values=gave)
    except Failed as failure:
        came = Came(failed=failure.reason)
    except CoopError as error:  # refused by the guard, say: the reason belongs to the county
        came = Came(failed=str(error))
    except TimedOut as late:
        came = Came(timed_out=late.place)
    except Stopped:
        came = Came(stopped=True)
    await house.record.do(_end(run_id, place, came, house.around.now()))
    return came


def _known(step: Step) -> Came:
    if step.state == "done":
        return Came(values=step.results or {})
    if step.state == "timed-out":
        return Came(timed_out=step.reason or "")
    return Came(failed=step.reason or "", stopped=step.state == "stopped")


def _begin(
    run_id: str, place: str, seq: int, step: Action, passed: Sequence[Passed], now: int
) -> Callable[[Connection], Awaitable[tuple[Step, Response, Run]]]:
    new = Step(
        run_id=run_id,
        place=place,
        seq=seq,
        step_id=step.id,
        kind="action",
        state="began",
        began_at=now,
        ended_at=None,
        results=None,
        reason=None,
    )

    async def begin(connection: Connection) -> tuple[Step, Response, Run]:
        await note_passed(connection, run_id, passed, now)
        begun: Step | None = new
        if not await responses.add_steps(connection, [new]):
            begun = await responses.step(connection, run_id, place)
        run = await responses.run(connection, run_id)
        return begun or new, await responses.response(connection, run.response_id), run

    return begin


async def note_passed(
    connection: Connection, run_id: str, passed: Sequence[Passed], now: int
) -> None:
    """Write down steps that only decided."""
    decided = [
        Step(
            run_id=run_id,
            place=one.place,
            seq=one.seq,
            step_id=one.step_id,
            kind=one.kind,
            state="done",
            began_at=now,
            ended_at=now,
            results=None,
            reason=one.taken or None,
        )
        for one in passed
    ]
    await responses.add_steps(connection, decided)


def _end(run_id: str, place: str, came: Came, now: int) -> Callable[[Connection], Awaitable[None]]:
    state, reason = "done", None
    if came.stopped:
        state = "stopped"
    elif came.timed_out:
        state, reason = "timed-out", came.timed_out
    elif came.failed:
        state, reason = "failed", came.failed

    async def end(connection: Connection) -> None:
        results = dict(came.values) if state == "done" else None
        await responses.end_step(
            connection, run_id, place, now, state, results=results, reason=reason
        )
        if state in {"failed", "timed-out"}:
            run = await responses.run(connection, run_id)
            why = came.failed or TIMED_OUT
            told = {"place": place, "reason": why}
            await responses.note(
                connection, run.response_id, now, ENGINE, "step-failed", run.org_id, **told
            )
        if state != "done":
            await responses.close_tasks_at(connection, run_id, place, now, reason or "stopped")

    return end


def given_to(step: Action, values: Values) -> Values:
    """Return the values that an action works with: those of ``in_args``, or all without them.

    What the arguments of our own commands name comes along.
    """
    if not step.in_args:
        return values
    said = [str(one) for one in step.duty.arguments.values()]
    names = {*step.in_args, *(name for one in said for name in templates.names(one))}
    return {name: value for name, value in values.items() if name in names}


@dataclass(frozen=True, slots=True)
class _Carried:
    house: Carrying
    run_id: str
    playbook: Playbook
    place: str
    step: Action
    values: Values
    limit: Limit | None
    began_at: int

    async def whole(self, response: Response, run: Run) -> Values:
        """Wait for what has to come first, carry out all commands, and return what they gave."""
        self._require_going(run, response)
        has_effect = any(kinds()[one.kind].is_effect for one in self.step.commands)
        waits = response.paused or self.step.delay or self.step.duty.approvals or has_effect
        if self.step.delay:
            await self._until(self.began_at + self.step.delay * 1_000)
        if self.step.duty.approvals:
            doing = self._doing(response, run, 0, self.values)
            await self.answered(
                asking.approval(doing, name_of(self.run_id, self.place, "approval"))
            )
        if has_effect:
            await self.wait(self._accepted)
        gave: dict[str, Value] = {}
        for number, command in enumerate(self.step.commands):
            if waits or number:
                response, run = await self.go_on()
            doing = self._doing(response, run, number, {**self.values, **gave})
            gave |= await kinds()[command.kind].carry_out(doing)
        return self._taken(gave)

    def _doing(self, response: Response, run: Run, number: int, values: Values) -> Doing:
        return Doing(
            house=self.house,
            playbook=self.playbook,
            response=response,
            run=run,
            place=self.place,
            step=self.step,
            command=self.step.commands[number],
            number=number,
            key=name_of(self.run_id, self.place, number),
            values=given_to(self.step, values),
            began_at=self.began_at,
            answered=self.answered,
        )

    def _taken(self, gave: Values) -> Values:
        """Return the values that the step may give; raise Failed for one of another type."""
        declared = {**self.playbook.variables, **self.step.variables}
        try:
            return {
                name: variables.value(declared[name].kind, value)
                for name, value in gave.items()
                if name in self.step.out_args
                and name in declared
                and not declared[name].is_constant
            }
        except CoopError as refused:
            raise Failed(str(refused)) from None

    async def go_on(self) -> tuple[Response, Run]:
        """Return response and run once nothing stands in the way; raise Stopped or TimedOut."""
        found: tuple[Response, Run] = await self.wait(_unpaused)
        return found

    async def wait(self, look: Look) -> Any:
        """Return what ``look`` finds, as soon as it finds something."""
        while True:
            with self.house.watch.listening(self.run_id) as changed:
                async with self.house.database.read() as connection:
                    run = await responses.run(connection, self.run_id)
                    response = await responses.response(connection, run.response_id)
                    self._require_going(run, response)
                    found = await look(connection, response, run)
                if found is not None:
                    return found
                await changed(self._seconds_left())

    def _require_going(self, run: Run, response: Response) -> None:
        if is_stopped(run, response, self.place):
            raise Stopped
        late = self._late()
        if late is not None and self.house.around.now() >= late.until:
            raise TimedOut(late.place)

    def _late(self) -> Limit | None:
        """Return which time-out passes first, the step's own or one of those around it."""
        if not self.step.timeout:
            return self.limit
        own = Limit(self.began_at + (self.step.delay + self.step.timeout) * 1_000, self.place)
        return own if self.limit is None or own.until < self.limit.until else self.limit

    def _seconds_left(self) -> float | None:
        late = self._late()
        return (
            None if late is None else max(0.0, (late.until - self.house.around.now()) / 1e6) + 0.001
        )

    async def _until(self, moment: int) -> None:
        while (left := moment - self.house.around.now()) > 0:
            with self.house.watch.listening(self.run_id) as changed:
                await self.go_on()
                await changed(min(left / 1e6, self._seconds_left() or left / 1e6))

    async def _accepted(self, _: Connection, response: Response, run: Run) -> Run | None:
        return run if run.accepted_at is not None and not response.paused else None

    async def answered(self, task: Task) -> Values:
        """Put a task to people, unless it was, and return its answers; raise Failed for a no."""

        async def put(connection: Connection) -> None:
            if await responses.add_task(connection, task):
                await asking.announce(connection, task)

        await self.house.record.do(put)

        async def look(connection: Connection, *_: object) -> Task | None:
            found = await responses.task(connection, task.id)
            return found if found.ended_at is not None else None

        ended: Task = await self.wait(look)
        if ended.state != "done":
            raise Failed(ended.reason or "The task was not done.")
        return ended.answers or {}


async def _unpaused(_: Connection, response: Response, run: Run) -> tuple[Response, Run] | None:
    return None if response.paused else (response, run)


def is_stopped(run: Run, response: Response, place: str) -> bool:
    """Say whether nothing more of a run is to be carried out; a way back goes on."""
    return WAY_BACK not in place and bool(run.state not in GOING or run.wanted or response.wanted)
