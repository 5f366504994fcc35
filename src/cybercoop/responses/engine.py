"""The engine: one workflow for a response, one for each county's run, one for each branch.

DBOS remembers how far they have come; what happened stands in our own tables. A workflow only
decides, and everything that it decides by came out of a step: carried on by another process, it
decides alike.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import structlog

from cybercoop.durable import Durable, Part
from cybercoop.errors import CoopError, NotFound
from cybercoop.playbooks.progress import GOING, Run
from cybercoop.playbooks.steps import Playbook
from cybercoop.responses import carrying, reverting
from cybercoop.responses.carrying import Came, Carrying, Passed, Stopped
from cybercoop.responses.hand import Hand
from cybercoop.responses.walking import Failed, Limit, TimedOut, Walk
from cybercoop.store import responses
from cybercoop.store.database import Connection, explained

_EVERY = 0.5
_QUEUE_EVERY = 0.25

_log = structlog.get_logger("responses")


def part(house: Carrying) -> Part:
    """Return what a worker has to do for responses."""
    engine = Engine(house)
    return Part(engine.needed, engine.register, tend=engine.tend)


class Engine:
    """Hold the workflows, once they are registered."""

    def __init__(self, house: Carrying) -> None:
        self.house = house
        self.started: set[str] = set()

    async def needed(self) -> bool:
        """Say whether a response is to be carried on."""
        async with self.house.database.read() as connection:
            return bool(await responses.running(connection))

    def register(self, durable: Durable) -> None:
        """Register the workflows under names that stay the same for ever."""
        self.durable = durable
        self.queue = durable.queue("responses", every=_QUEUE_EVERY)
        self.response_workflow = durable.workflow("response", self._response)
        self.run_workflow = durable.workflow("run", self._run)
        self.revert_workflow = durable.workflow("revert", self._revert)
        self.branch_workflow = durable.workflow("branch", self._branch)

    async def tend(self) -> None:
        """Start the workflow of every response that is running, until cancelled."""
        while True:
            with suppress(CoopError, OSError), explained():
                async with self.house.database.read() as connection:
                    found = await responses.rounds(connection)
                for response_id, turn in found:
                    name = f"response {response_id} {turn}"
                    if name not in self.started:
                        await self.durable.begin(
                            self.queue, self.response_workflow, name, response_id
                        )
                        self.started.add(name)
            await asyncio.sleep(_EVERY)

    async def _response(self, response_id: str) -> None:
        """Start the runs of a response and their ways back as they are asked for."""
        seen: list[str] = []
        while True:
            todo = await self.durable.step("look", self._look, response_id, list(seen))
            for run_id in todo["start"]:
                await self.durable.start(
                    self.queue, self.run_workflow, f"run {run_id}", run_id, None
                )
            for run_id in todo["revert"]:
                await self.durable.start(
                    self.queue, self.revert_workflow, f"revert {run_id}", run_id
                )
            seen += [*todo["start"], *(f"revert {one}" for one in todo["revert"])]
            if todo["over"]:
                return

    async def _look(self, response_id: str, seen: list[str]) -> dict[str, Any]:
        """Wait for something to do, and return it."""
        known, before = frozenset(seen), None
        while True:
            with suppress(OSError), explained():
                async with self.house.database.read() as connection:
                    now = await responses.fingerprint(connection, response_id)
                    if now != before:
                        response = await responses.response(connection, response_id)
                        runs = await responses.runs_of(connection, response_id)
                        _, open_tasks = await responses.open_counts(connection, response_id)
                if now == before:
                    await asyncio.sleep(_EVERY)
                    continue
                before = now
                start = [one.id for one in runs if one.id not in known and one.state in GOING]
                revert = [one.id for one in runs if _wants_back(one, known)]
                over = response.state != "running"
                if not (over or start or revert or open_tasks) and all(map(_has_ended, runs)):
                    ending = partial(
                        end_if_over, response_id=response_id, now=self.house.around.now()
                    )
                    over = await self.house.record.do(ending)
                if start or revert or over:
                    return {"start": start, "revert": revert, "over": over}
            await asyncio.sleep(_EVERY)

    async def _run(self, run_id: str, _: object) -> str:
        """Walk one county through the playbook and return in which state that ended."""
        facts = await self.durable.step("begin", self._begin, run_id)
        if facts is None:
            return "gone"
        playbook = await self.book(facts)
        hand = Hand(self, run_id, playbook, "")
        state, reason = "done", ""
        try:
            await Walk(playbook, hand).whole("", facts["values"], None)
        except Failed as failure:
            state, reason = "failed", failure.reason
        except Stopped:
            state = "cancelled"
        await self.durable.step("end", self._end, run_id, state, reason, hand.passed_by())
        return state

    async def _begin(self, run_id: str) -> dict[str, Any] | None:
        now = self.house.around.now()

        async def begin(connection: Connection) -> dict[str, Any] | None:
            try:
                run = await responses.run(connection, run_id)
            except NotFound:
                return None
            response = await responses.response(connection, run.response_id)
            if run.began_at is None:
                await responses.change_run(connection, run_id, now, began_at=now)
            return {
                "values": dict(response.variables),
                "playbook": response.playbook_id,
                "modified": response.playbook_modified,
            }

        return await self.house.record.do(begin)

    async def _end(
        self, run_id: str, state: str, reason: str, passed: Sequence[Mapping[str, Any]]
    ) -> None:
        now = self.house.around.now()
        decided = [msgspec.convert(one, Passed) for one in passed]

        async def end(connection: Connection) -> None:
            run = await responses.run(connection, run_id)
            await carrying.note_passed(connection, run_id, decided, now)
            if await responses.end_run(connection, run_id, now, state, reason or None):
                await responses.note(
                    connection, run.response_id, now, carrying.ENGINE, f"run-{state}", run.org_id
                )
            await responses.close_steps_of(connection, run_id, now)
            await responses.close_tasks_of(connection, run_id, now, "The run has ended.")

        await self.house.record.do(end)

    async def book(self, facts: Mapping[str, Any]) -> Playbook:
        """Return a playbook on the loop of the workflow: it never changes, so it is no step."""
        reading = self.house.book(facts["playbook"], facts["modified"])
        return await self.durable.here(reading)

    async def _revert(self, run_id: str) -> None:
        """Take the steps of a run back, the last one first."""
        with suppress(CoopError):
            await self.durable.ended(f"run {run_id}")
        facts = await self.durable.step("done", self._done, run_id)
        hand = Hand(self, run_id, await self.book(facts), "", seq=facts["seq"])
        reason = ""
        for place in facts["places"]:
            scope = facts.get("scopes", {}).get(reverting.around(place), facts)
            playbook = await self.book(scope)
            head = playbook.steps[place.rpartition("/")[2]].duty.revert
            try:
                walk = Walk(playbook, hand.turned_to(playbook))
                await walk.branch(head, f"{place}{carrying.WAY_BACK}", scope["values"], None)
            except (Failed, Stopped) as failure:
                reason = reason or str(failure)
        await self.durable.step("end", self._reverted, run_id, reason, hand.passed_by())

    async def _done(self, run_id: str) -> dict[str, Any]:
        """Return what is to be taken back, as ``reverting.done`` does."""
        async with self.house.database.read() as connection:
            run = await responses.run(connection, run_id)
            response = await responses.response(connection, run.response_id)
            steps = await responses.steps_of(connection, [run_id])
            return await reverting.done(self.house, connection, response, steps)

    async def _reverted(
        self, run_id: str, reason: str, passed: Sequence[Mapping[str, Any]]
    ) -> None:
        now = self.house.around.now()
        decided = [msgspec.convert(one, Passed) for one in passed]

        async def end(connection: Connection) -> None:
            run = await responses.run(connection, run_id)
            await carrying.note_passed(connection, run_id, decided, now)
            state = "failed" if reason else "reverted"
            await responses.change_run(
                connection, run_id, now, state=state, wanted="", reason=reason or None
            )
            await responses.note(
                connection, run.response_id, now, carrying.ENGINE, f"run-{state}", run.org_id
            )

        await self.house.record.do(end)

    async def _branch(
        self,
        run_id: str,
        book: Mapping[str, Any],
        head: str,
        path: str,
        seq: int,
        values: dict[str, Any],
        limit: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        """Walk one branch, or another playbook, and return what came of it, as ``Came``."""
        playbook = await self.book(book)
        hand = Hand(self, run_id, playbook, path, seq=seq)
        walk = Walk(playbook, hand)
        until = None if limit is None else Limit(**limit)
        try:
            if head:
                found = await walk.branch(head, path, values, until)
            else:
                found = await walk.whole(path, values, until)
            came = Came(values=found)
        except Failed as failure:
            came = Came(failed=failure.reason or "It failed.")
        except TimedOut as late:
            came = Came(timed_out=late.place)
        except Stopped:
            came = Came(stopped=True)
        if left := hand.passed_by():
            await self.durable.step("passed", self._note_passed, run_id, left)
        return dict(msgspec.to_builtins(came))

    async def _note_passed(self, run_id: str, passed: Sequence[Mapping[str, Any]]) -> None:
        decided = [msgspec.convert(one, Passed) for one in passed]
        now = self.house.around.now()
        await self.house.record.do(
            partial(carrying.note_passed, run_id=run_id, passed=decided, now=now)
        )


def _wants_back(run: Run, known: frozenset[str]) -> bool:
    return run.wanted == "revert" and f"revert {run.id}" not in known and run.began_at is not None


def _has_ended(run: Run) -> bool:
    return run.state not in GOING and run.wanted != "revert"


async def end_if_over(connection: Connection, response_id: str, now: int) -> bool:
    """End a response of which nothing goes on, and say whether it has ended.

    All is looked at once more while nobody else changes it: whoever takes it back, runs it again or
    asks for more at this moment comes before that, or finds a response that has ended.
    """
    response = await responses.response(connection, response_id, changing=True)
    if response.state != "running":
        return True
    runs = await responses.runs_of(connection, response_id)
    _, open_tasks = await responses.open_counts(connection, response_id)
    if open_tasks or not all(map(_has_ended, runs)):
        return False
    states = {one.state for one in runs if one.latest}
    state = response.wanted and {"cancel": "cancelled", "revert": "reverted"}[response.wanted]
    if not state:
        state = "failed" if states and states <= {"failed", "declined", "cancelled"} else "done"
    await responses.change(connection, response_id, now, state=state, ended_at=now)
    await responses.note(connection, response_id, now, carrying.ENGINE, f"response-{state}")
    return True
