"""Walking through a playbook: which step comes next, whatever the steps do.

The standard leaves some things open. Here: a step that fails takes its ``on_failure``; without one
its branch has failed, and so has the step that the branch hangs on, up to the playbook, whose
``workflow_exception`` then runs before the playbook counts as failed. Parallel branches each have
the values of the moment when they began; what they changed is put together in the order in which
the branches are named. A time-out of a step that branches holds for all that it carries out.

A *place* names a step on its way: ``ID``, behind ``ID[1]/`` in the second parallel branch,
``ID?/`` in a branch that a condition or case took, ``ID#3/`` in the third round of a while,
``ID~/`` on a way back, ``ID>/`` in another playbook, ``!/`` on the playbook's exception.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from cybercoop import errors
from cybercoop.playbooks import conditions, variables
from cybercoop.playbooks.steps import (
    Action,
    AnyStep,
    Call,
    End,
    If,
    Parallel,
    Playbook,
    Start,
    Switch,
    While,
)
from cybercoop.playbooks.variables import Value

TIMED_OUT = "ACTION_TIMEOUT"
CALLED = ">/"
"""In a place, behind the step that calls another playbook."""

Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Limit:
    """Hold until when something may last (microseconds since 1970), and by whose time-out."""

    until: int
    place: str


class Failed(Exception):
    """Say that a step failed, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TimedOut(Exception):
    """Say that the time-out of a step has passed; ``place`` is the step's."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Hand(Protocol):
    """What carries steps out: for real, or to show what would happen."""

    async def act(self, place: str, step: Action, values: Values, limit: Limit | None) -> Values:
        """Carry out an action and return what it gave; raise Failed or TimedOut."""

    async def call(self, place: str, step: Call, values: Values, limit: Limit | None) -> Values:
        """Carry out another playbook and return what it gave; raise Failed or TimedOut."""

    async def branches(
        self,
        playbook: Playbook,
        heads: Sequence[tuple[str, str]],
        values: Values,
        limit: Limit | None,
    ) -> list[Values]:
        """Run branches, each a path and a head, side by side; return their values, in order.

        Waits for all of them, then raises Failed or TimedOut where one did not go well.
        """

    async def sums(self, place: str, step: AnyStep) -> Values:
        """Return what a step that decides reads of all counties' answers; raise Failed."""

    async def passed(self, place: str, step: AnyStep, taken: str) -> None:
        """Note a step that only decides, and which branch it took."""

    async def paused(self, place: str, step: AnyStep) -> int:
        """Wait for the delay of a step that only decides; return when it began."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Hold a playbook and who carries its steps out."""

    playbook: Playbook
    hand: Hand

    async def whole(self, path: str, values: Values, limit: Limit | None) -> Values:
        """Walk from the start to the end and return all values; raise Failed or TimedOut."""
        try:
            return await self.branch(self.playbook.start, path, values, limit)
        except Failed:
            if self.playbook.exception:
                await self.branch(self.playbook.exception, f"{path}!/", values, limit)
            raise

    async def branch(self, head: str, path: str, values: Values, limit: Limit | None) -> Values:
        """Walk from a head to the end of its branch and return all values."""
        key = head
        while True:
            step = self.playbook.steps[key]
            try:
                values = {**values, **await self._step(step, path + key, values, limit)}
                following = step.next
            except Failed:
                if not step.on_failure:
                    raise
                following = step.on_failure
            if isinstance(step, End):
                return values
            key = following

    async def _step(self, step: AnyStep, place: str, values: Values, limit: Limit | None) -> Values:
        seen = {**values, **variables.first(step.variables)}
        try:
            if isinstance(step, Action):
                gave = await self.hand.act(place, step, seen, limit)
            elif isinstance(step, Call):
                gave = await self.hand.call(place, step, seen, limit)
            else:
                gave = await self._decide(step, place, seen, await self._limit(step, place, limit))
        except TimedOut as passed:
            if passed.place != place:
                raise
            raise Failed(TIMED_OUT) from None
        except errors.Refused as refused:
            raise Failed(refused.reason) from None
        return {name: value for name, value in gave.items() if name not in step.variables}

    async def _limit(self, step: AnyStep, place: str, limit: Limit | None) -> Limit | None:
        if not (step.delay or step.timeout):
            return limit
        began = await self.hand.paused(place, step)
        until = began + step.timeout * 1_000
        if not step.timeout or (limit is not None and limit.until <= until):
            return limit
        return Limit(until, place)

    async def _decide(
        self, step: AnyStep, place: str, values: Values, limit: Limit | None
    ) -> Values:
        if isinstance(step, Parallel):
            await self.hand.passed(place, step, "")
            return await self._side_by_side(step, place, values, limit)
        if isinstance(step, While):
            return await self._repeat(step, place, values, limit)
        taken = self._taken(step, await self._seen(step, place, values))
        await self.hand.passed(place, step, taken)
        return await self.branch(taken, f"{place}?/", values, limit) if taken else {}

    async def _seen(self, step: AnyStep, place: str, values: Values) -> Values:
        """Return what a step decides by: sums are for its decision alone, and go no further."""
        return {**values, **await self.hand.sums(place, step)} if step.duty.sums else values

    def _taken(self, step: AnyStep, values: Values) -> str:
        """Return the head of the branch that a step takes, nothing where it takes none."""
        if isinstance(step, If):
            held = conditions.holds(step.condition, self._kinds(step), values)
            return step.on_true if held else step.on_false
        if isinstance(step, Switch):
            if step.variable not in values:
                raise errors.Refused(f"The variable {step.variable} has no value.")
            return step.head(self._kinds(step).get(step.variable, ""), values[step.variable])
        if not isinstance(step, Start | End):
            raise TypeError(step)
        return ""

    async def _side_by_side(
        self, step: Parallel, place: str, values: Values, limit: Limit | None
    ) -> Values:
        heads = [(f"{place}[{at}]/", head) for at, head in enumerate(step.heads)]
        together: dict[str, Value] = {}
        for one in await self.hand.branches(self.playbook, heads, values, limit):
            together |= {name: value for name, value in one.items() if values.get(name) != value}
        return together

    async def _repeat(self, step: While, place: str, values: Values, limit: Limit | None) -> Values:
        rounds = 0
        while await self._goes_on(step, f"{place}#{rounds + 1}", values):
            rounds += 1
            if rounds > step.duty.max_rounds:
                raise Failed(f"It was repeated {step.duty.max_rounds} times, which is the limit.")
            await self.hand.passed(f"{place}#{rounds}", step, step.on_true)
            values = await self.branch(step.on_true, f"{place}#{rounds}/", values, limit)
        if not rounds:
            await self.hand.passed(place, step, "")
        return values

    async def _goes_on(self, step: While, place: str, values: Values) -> bool:
        seen = await self._seen(step, place, values)
        return conditions.holds(step.condition, self._kinds(step), seen)

    def _kinds(self, step: AnyStep) -> dict[str, str]:
        declared = {**self.playbook.variables, **step.variables}
        return {name: one.kind for name, one in declared.items()}
