"""The dry run: what every county would be asked and what would happen, with nothing touched.

It is the same walk through the playbook as the real one. Questions get the answers that were
assumed: those that are given, else the first choice, *no*, 0 or nothing. A real run in which
people answer like that, and all counties agree and have answered before sums are looked at, takes
the same steps at the same places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import Struct

from cybercoop.errors import Refused
from cybercoop.playbooks import duties, templates
from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.steps import Action, AnyStep, Call, Command, Playbook
from cybercoop.playbooks.variables import Value
from cybercoop.responses import summing
from cybercoop.responses.carrying import Carrying, given_to
from cybercoop.responses.commands import kinds
from cybercoop.responses.starting import Checked, called, handed_in
from cybercoop.responses.walking import CALLED, Failed, Limit, TimedOut, Values, Walk

_ANSWERS: dict[str, object] = {
    "yes-no-unknown": "no",
    "number": 0,
    "text": "",
    "file": "0" * 64,
}


class Line(Struct, frozen=True, kw_only=True):
    """Hold one step of a dry run: ``text`` is what people would read or what would be done."""

    place: str
    kind: str
    title: str
    text: str = ""
    role: str = ""
    asks: Mapping[str, str] = {}
    assumed: Mapping[str, Value] = {}
    approvals: int = 0
    waits_for_acceptance: bool = False


class Rehearsed(Struct, frozen=True, kw_only=True):
    """Hold the dry run of one county; ``failed`` says why it would not come to its end."""

    org_id: str
    lines: tuple[Line, ...]
    failed: str = ""


async def rehearse(
    house: Carrying, checked: Checked, answers: Mapping[str, object]
) -> list[Rehearsed]:
    """Return the dry run of every county; raise Refused for an answer that nobody is asked for."""
    asked = await _asked(house, checked.playbook, checked.plan.lock, set())
    for name in answers:
        if name not in asked:
            raise Refused("The playbook does not ask this.", name)
    # Every county begins with the same values, so one walk tells for all of them.
    told = await _walked(house, checked, answers)
    return [
        Rehearsed(org_id=one.id, lines=told.lines, failed=told.failed) for one in checked.counties
    ]


async def _asked(house: Carrying, playbook: Playbook, lock: str, seen: set[str]) -> set[str]:
    """Return what a playbook asks, and what those ask that it calls."""
    seen.add(playbook.id)
    found = {name for one in playbook.steps.values() for name in one.duty.questions}
    for step in playbook.steps.values():
        if not isinstance(step, Call) or step.playbook in seen:
            continue
        async with house.database.read() as connection:
            kept = await called(connection, step, lock)
        if kept is not None:
            found |= await _asked(house, await house.book(kept.id, kept.modified), lock, seen)
    return found


async def _walked(house: Carrying, checked: Checked, answers: Mapping[str, object]) -> Rehearsed:
    counties = len(checked.counties)
    hand = _Paper(house, checked.playbook, checked.plan.lock, answers, counties)
    failed = ""
    try:
        await Walk(checked.playbook, hand).whole("", checked.values, None)
    except Failed as failure:
        failed = failure.reason
    return Rehearsed(org_id="", lines=tuple(hand.lines), failed=failed)


@dataclass(slots=True)
class _Paper:
    """Write down what would be done, instead of doing it; see ``walking.Hand``."""

    house: Carrying
    playbook: Playbook
    lock: str
    answers: Mapping[str, object]
    counties: int
    lines: list[Line] = field(default_factory=list)
    answered: dict[tuple[str, str], Value] = field(default_factory=dict)
    """By playbook and variable what each county has answered last."""

    async def act(self, place: str, step: Action, values: Values, limit: Limit | None) -> Values:  # noqa: ARG002 - time does not pass here
        """Write down what would be asked or done, and assume the answers."""
        gave: dict[str, Value] = {}
        given = given_to(step, values)
        for number, command in enumerate(step.commands):
            asks = step.duty.questions if number == len(step.commands) - 1 else {}
            assumed = self._assumed(step, asks)
            gave |= assumed
            self.lines.append(self._line(place, step, command, given, assumed))
        return {name: value for name, value in gave.items() if name in step.out_args}

    def _line(
        self, place: str, step: Action, command: Command, values: Values, assumed: Values
    ) -> Line:
        return Line(
            place=place,
            kind=command.kind,
            title=step.duty.title or step.name or command.kind,
            text=_text(step, command, values),
            role=step.duty.role,
            asks={name: step.duty.questions[name].ask for name in assumed},
            assumed=assumed,
            approvals=step.duty.approvals,
            waits_for_acceptance=kinds()[command.kind].is_effect,
        )

    def _assumed(self, step: Action, asks: Mapping[str, Question]) -> dict[str, Value]:
        declared = {**self.playbook.variables, **step.variables}
        found: dict[str, Value] = {}
        for name, question in asks.items():
            default = question.choices[0] if question.choices else _ANSWERS[question.kind]
            said = self.answers.get(name, default)
            found[name] = duties.answer(question, declared[name].kind, said)
            self.answered[self.playbook.id, name] = found[name]
        return found

    async def call(self, place: str, step: Call, values: Values, limit: Limit | None) -> Values:
        """Walk through the other playbook."""
        self._decided(place, step, step.playbook)
        async with self.house.database.read() as connection:
            kept = await called(connection, step, self.lock)
        if kept is None:
            raise Failed(f"The playbook {step.playbook} is not there, or is revoked.")
        book = await self.house.book(kept.id, kept.modified)
        given = handed_in(book, step, values)
        inner = replace(self, playbook=book)
        gave = await Walk(book, inner).whole(f"{place}{CALLED}", given, limit)
        return {name: gave[name] for name in step.out_args if name in gave}

    async def branches(
        self,
        playbook: Playbook,
        heads: Sequence[tuple[str, str]],
        values: Values,
        limit: Limit | None,
    ) -> list[Values]:
        """Walk one branch after the other; the first that fails fails all, when all have ended."""
        found: list[Values] = []
        failed: Failed | TimedOut | None = None
        for path, head in heads:
            try:
                found.append(await Walk(playbook, self).branch(head, path, values, limit))
            except (Failed, TimedOut) as failure:
                failed = failed or failure
        if failed is not None:
            raise failed
        return found

    async def sums(self, place: str, step: AnyStep) -> Values:
        """Write down what it comes to when every county has answered alike."""
        said = {
            name: [self.answered[self.playbook.id, one.of]] * self.counties
            for name, one in step.duty.sums.items()
            if (self.playbook.id, one.of) in self.answered
        }
        figures = {
            name: summing.figure(one, said.get(name, [])) for name, one in step.duty.sums.items()
        }
        sums = summing.typed(self.playbook, step, figures)
        self.lines.append(Line(place=f"{place} sums", kind="sums", title=step.name, assumed=sums))
        return sums

    async def passed(self, place: str, step: AnyStep, taken: str) -> None:
        """Write down a step that only decides."""
        self._decided(place, step, taken)

    async def paused(self, place: str, step: AnyStep) -> int:  # noqa: ARG002 - time does not pass here
        """Wait for nothing."""
        return self.house.around.now()

    def _decided(self, place: str, step: AnyStep, taken: str) -> None:
        kind = str(type(step).__struct_config__.tag)
        self.lines.append(Line(place=place, kind=kind, title=step.name, text=taken))


def _text(step: Action, command: Command, values: Values) -> str:
    """Return what a command would say or do, with its values as people may read them."""
    if command.kind == "manual":
        return templates.rendered(command.text, values)
    if step.duty.arguments:
        return ", ".join(
            f"{name} = {templates.rendered(str(said), values)}"
            for name, said in step.duty.arguments.items()
        )
    listed = ", ".join(
        f"{name} = {value}" for name, value in templates.listed(command.text, values)
    )
    return f"{command.text}\n{listed}".strip()
