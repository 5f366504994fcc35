"""The board of a response: county by step, what is late, and the answers summed.

It is worked out from what a reader may see and from nothing else (``store.runs.read``): a county's
board has one line. Of a county that was asked again only the last attempt counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from cybercoop.playbooks.duties import YES_NO, Question
from cybercoop.playbooks.progress import OPEN, Response, Run, Task, shown_state
from cybercoop.playbooks.steps import Action, Playbook
from cybercoop.playbooks.variables import Value
from cybercoop.store.runs import Place, Seen

_MOST_TEXTS = 1_000


class Cell(Struct, frozen=True):
    """Hold how far one county is with one step; times are microseconds since 1970.

    ``state`` is ``open`` or ``claimed`` while people are waited for, else ``began``, ``done``,
    ``failed``, ``timed-out``, ``stopped`` or ``cancelled``.
    """

    state: str
    overdue: bool = False
    task: str | None = None
    due_at: int | None = None
    ended_at: int | None = None


class Column(Struct, frozen=True):
    """Hold a step, or a task that was put to all, and how many counties are how far with it."""

    key: str
    title: str
    role: str
    counts: Mapping[str, int]
    overdue: int


class Line(Struct, frozen=True):
    """Hold one county's run; ``cells`` stand in the order of the columns."""

    run: Run
    state: str
    overdue: bool
    cells: Sequence[Cell | None]


class Sum(Struct, frozen=True, kw_only=True):
    """Hold what was answered to one question: counted, or added up where it is a number."""

    key: str
    name: str
    ask: str
    kind: str
    answered: int
    waiting: int
    counts: Mapping[str, int]
    total: float | None
    least: float | None
    most: float | None
    texts: Sequence[tuple[str, str]]
    """Organisation and text, for the center alone."""


class Board(Struct, frozen=True, kw_only=True):
    """Hold all of it."""

    response: Response
    columns: Sequence[Column]
    lines: Sequence[Line]
    states: Mapping[str, int]
    overdue: int
    sums: Sequence[Sum]


def board(seen: Seen, playbook: Playbook, now: int, *, texts: bool = False) -> Board:
    """Return the board of what a reader sees, with the texts of answers where he may have them."""
    runs = [one for one in seen.runs if one.latest]
    latest = {one.id for one in runs}
    tasks = [one for one in seen.tasks if one.run_id in latest]
    cells = _cells(seen.steps, tasks, latest, now)
    keys = _keys(playbook, seen.steps, tasks)
    lines = list(_lines(runs, tasks, cells, list(keys)))
    return Board(
        response=seen.response,
        columns=[_column(key, *said, cells) for key, said in keys.items()],
        lines=lines,
        states=Counter(one.state for one in lines),
        overdue=sum(one.overdue for one in lines),
        sums=sums(tasks, texts=texts),
    )


Cells = Mapping[str, Mapping[str, Cell]]


def _cells(steps: Iterable[Place], tasks: Iterable[Task], latest: set[str], now: int) -> Cells:
    """Return by run and key how far each step is; what people are waited for comes first."""
    found: dict[str, dict[str, Cell]] = {one: {} for one in latest}
    for step in steps:  # in the order of beginning: a later round of a step stands for it
        if step.run_id in latest:
            found[step.run_id][step.step_id] = Cell(step.state, ended_at=step.ended_at)
    for task in tasks:
        of_run, key = found[task.run_id], _key(task)
        known = of_run.get(key)
        if task.state in OPEN:
            late = task.is_overdue(now)
            of_run[key] = Cell(task.state, late, task.id, task.due_at)
        elif known is None:
            of_run[key] = Cell(task.state, False, task.id, task.due_at, task.ended_at)
        elif known.state not in OPEN:
            of_run[key] = structs.replace(known, task=task.id, due_at=task.due_at)
    return found


def _key(task: Task) -> str:
    """Return which column a task belongs to: that of its step, or its own."""
    return task.step_id or task.place


def _keys(
    playbook: Playbook, steps: Iterable[Place], tasks: Iterable[Task]
) -> dict[str, tuple[str, str]]:
    """Return title and role of every column, in the order of the playbook.

    Ways back and what is done after a failure have a column once somebody took them.
    """
    aside = {one.duty.revert for one in playbook.steps.values()} | {playbook.exception}
    actions = {one.id: one for one in playbook.steps.values() if isinstance(one, Action)}
    seen = {one.step_id: ("", "") for one in steps}
    for task in tasks:
        seen.setdefault(_key(task), (task.title, task.role))
    found = {
        key: (one.duty.title or one.name, one.duty.role)
        for key, one in actions.items()
        if key in seen or key not in aside
    }
    return found | {key: said for key, said in seen.items() if key not in found}


def _lines(
    runs: Iterable[Run], tasks: Iterable[Task], cells: Cells, keys: Sequence[str]
) -> Iterator[Line]:
    waiting = Counter(one.run_id for one in tasks if one.state in OPEN)
    for run in runs:
        of_run = cells[run.id]
        late = any(cell.overdue for cell in of_run.values())
        state = shown_state(run, waiting[run.id], len(of_run))
        yield Line(run, state, late, [of_run.get(key) for key in keys])


def _column(key: str, title: str, role: str, cells: Cells) -> Column:
    some = [of_run[key] for of_run in cells.values() if key in of_run]
    counts = Counter(one.state for one in some)
    return Column(key, title, role, counts, sum(one.overdue for one in some))


def sums(tasks: Iterable[Task], *, texts: bool) -> list[Sum]:
    """Return what was answered to every question, in the order in which they were first asked."""
    asked: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        for name in task.questions:
            asked.setdefault((_key(task), name), []).append(task)
    return [_sum(key, name, some, texts=texts) for (key, name), some in asked.items()]


def _sum(key: str, name: str, tasks: Sequence[Task], *, texts: bool) -> Sum:
    question = tasks[0].questions[name]
    answered = [one for one in tasks if one.answers and name in one.answers]
    said = [(one.org_id, (one.answers or {})[name]) for one in answered]
    # Of a county that was asked in several rounds the last answer counts, as in conditions.
    last = list(dict(zip((one.run_id for one in answered), said, strict=True)).values())
    numbers = [float(one) for _, one in last if isinstance(one, int | float)]
    return Sum(
        key=key,
        name=name,
        ask=question.ask,
        kind=question.kind,
        answered=len(last),
        waiting=sum(one.state in OPEN for one in tasks),
        counts=_counts(question, [value for _, value in last]),
        total=sum(numbers) if numbers else None,
        least=min(numbers, default=None),
        most=max(numbers, default=None),
        texts=[(org, str(value)) for org, value in said[:_MOST_TEXTS]]
        if texts and question.kind == "text"
        else [],
    )


def _counts(question: Question, said: Sequence[Value]) -> dict[str, int]:
    choices: Sequence[str] = question.choices
    if question.kind == "yes-no-unknown":
        choices = YES_NO
    counted: Counter[Any] = Counter(one for one in said if isinstance(one, str))
    return {choice: counted[choice] for choice in choices}
