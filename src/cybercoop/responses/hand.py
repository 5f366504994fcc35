"""The hand that carries the steps of one run out for real, each as a step of a workflow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cybercoop.playbooks.steps import Action, AnyStep, Call, Playbook
from cybercoop.responses import carrying, pausing, summing
from cybercoop.responses.carrying import Came, Passed, Stopped
from cybercoop.responses.starting import called, handed_in
from cybercoop.responses.walking import CALLED, Failed, Limit, TimedOut, Values
from cybercoop.store import responses

if TYPE_CHECKING:
    from cybercoop.responses.engine import Engine

_DEEPEST_CALLS = 8
_APART = 1_000
"""Between the numbers of steps of branches; they only say what came first."""


class Hand:
    """Carry the steps of one run out for real; see ``walking.Hand``."""

    def __init__(
        self, engine: "Engine", run_id: str, playbook: Playbook, path: str, seq: int = 0
    ) -> None:
        self._engine = engine
        self._run_id = run_id
        self._playbook = playbook
        self._path = path
        self._seq = seq
        self._passed: list[Passed] = []

    def turned_to(self, playbook: Playbook) -> "Hand":
        """Return this hand, which carries steps of another playbook out from now on."""
        self._playbook = playbook
        return self

    def passed_by(self) -> list[dict[str, Any]]:
        """Return the steps that only decided and stand nowhere yet."""
        left, self._passed = self._passed, []
        return [dict(msgspec.to_builtins(one)) for one in left]

    async def act(self, place: str, step: Action, values: Values, limit: Limit | None) -> Values:  # noqa: ARG002 - found again by its place
        """Carry out an action; ``walking.Hand`` says how."""
        self._seq += 1
        passed, self._passed = self._passed, []
        said = await self._engine.durable.step(
            place, self._act, place, self._seq, dict(values), limit, passed
        )
        return values_of(msgspec.convert(said, Came))

    async def _act(self, *words: Any) -> dict[str, Any]:
        place, seq, values, limit, passed = words
        came = await carrying.act(
            self._engine.house, self._run_id, self._playbook, place, seq, values, limit, passed
        )
        return dict(msgspec.to_builtins(came))

    async def call(self, place: str, step: Call, values: Values, limit: Limit | None) -> Values:
        """Carry out another playbook; ``walking.Hand`` says how."""
        if place.count(CALLED) >= _DEEPEST_CALLS:
            raise Failed(f"Playbooks call each other deeper than {_DEEPEST_CALLS}.")
        book = await self._engine.durable.step(f"{place} version", self._version, step)
        modified = "" if book is None else f" {book['modified']}"
        await self.passed(place, step, f"{step.playbook}{modified}")
        if book is None:
            raise Failed(f"The playbook {step.playbook} is not there, or is revoked.")
        given = handed_in(await self._engine.book(book), step, values)
        (gave,) = await self._side_by_side([(f"{place}{CALLED}", "")], book, given, limit)
        return {name: gave[name] for name in step.out_args if name in gave}

    async def _version(self, step: Call) -> dict[str, Any] | None:
        async with self._engine.house.database.read() as connection:
            run = await responses.run(connection, self._run_id)
            response = await responses.response(connection, run.response_id)
            kept = await called(connection, step, response.lock)
        return None if kept is None else {"playbook": kept.id, "modified": kept.modified}

    async def branches(
        self,
        playbook: Playbook,
        heads: Sequence[tuple[str, str]],
        values: Values,
        limit: Limit | None,
    ) -> list[Values]:
        """Run branches side by side; ``walking.Hand`` says how."""
        book = {"playbook": playbook.id, "modified": playbook.modified}
        return await self._side_by_side(heads, book, values, limit)

    async def _side_by_side(
        self,
        heads: Sequence[tuple[str, str]],
        book: Mapping[str, Any],
        values: Values,
        limit: Limit | None,
    ) -> list[Values]:
        durable, bound = self._engine.durable, None
        if limit is not None:
            bound = {"until": limit.until, "place": limit.place}
        names = [f"branch {self._run_id} {path}" for path, _ in heads]
        for number, (name, (path, head)) in enumerate(zip(names, heads, strict=True)):
            seq = self._seq + number * _APART
            words = (self._run_id, dict(book), head, path, seq, dict(values), bound)
            await durable.start(self._engine.queue, self._engine.branch_workflow, name, *words)
        came = [msgspec.convert(await durable.result(name), Came) for name in names]
        self._seq += _APART * len(heads)
        return [values_of(one) for one in came]

    async def sums(self, place: str, step: AnyStep) -> Values:
        """Return the sums that a step decides by; ``walking.Hand`` says how."""
        said = await self._engine.durable.step(f"{place} sums", self._sums, place, step)
        return values_of(msgspec.convert(said, Came))

    async def _sums(self, place: str, step: AnyStep) -> dict[str, Any]:
        house = self._engine.house
        came = await summing.summed(house, self._run_id, self._playbook, place, step)
        return dict(msgspec.to_builtins(came))

    async def passed(self, place: str, step: AnyStep, taken: str) -> None:
        """Note a step that only decides, for the next one that does something."""
        self._seq += 1
        self._passed.append(
            Passed(place, self._seq, step.id, str(type(step).__struct_config__.tag), taken)
        )

    async def paused(self, place: str, step: AnyStep) -> int:
        """Wait for the delay of a step that only decides; return when it began."""
        said = await self._engine.durable.step(
            f"{place} delay", pausing.pause, self._engine.house, self._run_id, place, step.delay
        )
        if said is None:
            raise Stopped
        return int(said)


def values_of(came: Came) -> Values:
    """Return the values that came, or raise what came instead."""
    if came.stopped:
        raise Stopped
    if came.timed_out:
        raise TimedOut(came.timed_out)
    if came.failed:
        raise Failed(came.failed)
    return came.values
