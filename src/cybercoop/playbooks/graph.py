"""Where the steps of a playbook lead: what the schema does not look at.

Steps of one branch are tied by ``on_completion``, ``on_success`` and ``on_failure``; a branch hangs
on the step that names its head, and returns there at its own end. So the whole graph has no circle
(a while-condition repeats its branch by itself), and no step belongs to two branches: it would run
twice at once, or once more after the branch had returned.
"""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from cybercoop.playbooks.findings import Finding, found
from cybercoop.playbooks.steps import (
    OTHERWISE,
    AnyStep,
    End,
    Parallel,
    Playbook,
    Start,
    Switch,
    While,
    branches,
)

DEEPEST = 8
MOST_ROUNDS = 10_000

Steps = Mapping[str, AnyStep]


def check(playbook: Playbook) -> Iterator[Finding]:
    """Yield what is wrong with the way through a playbook."""
    steps = playbook.steps
    if not isinstance(steps.get(playbook.start), Start):
        yield found("no-start", ("workflow_start",))
    yield from _pointers(playbook)
    for step in steps.values():
        yield from _nexts(step)
        yield from _choices(step)
    circle = _circle(steps)
    if circle:
        yield found("cycle", ("workflow", circle))
        return
    reached = _reached(steps, [playbook.start, playbook.exception])
    for key in steps:
        if key not in reached:
            yield found("unreachable", ("workflow", key), "warning")
    yield from _branches(playbook, reached)


def _follows(step: AnyStep) -> list[tuple[str, str]]:
    """Return what comes after a step in its own branch, each with the field that names it."""
    named = (
        ("on_completion", step.on_completion),
        ("on_success", step.on_success),
        ("on_failure", step.on_failure),
    )
    return [(name, key) for name, key in named if key]


def _pointers(playbook: Playbook) -> Iterator[Finding]:
    steps = playbook.steps
    if playbook.exception and playbook.exception not in steps:
        yield found("dangling", ("workflow_exception",), name=playbook.exception)
    for step in steps.values():
        for name, key in _follows(step) + branches(step):
            path = ("workflow", step.id, name)
            if key not in steps:
                yield found("dangling", path, name=key)
            elif isinstance(steps[key], Start):
                yield found("to-start", path)


def _nexts(step: AnyStep) -> Iterator[Finding]:
    path = ("workflow", step.id)
    if not step.next and not isinstance(step, End):
        yield found("no-next", path)
    if step.on_completion and (step.on_success or step.on_failure):
        yield found("two-nexts", path)


def _choices(step: AnyStep) -> Iterator[Finding]:
    path = ("workflow", step.id)
    if isinstance(step, Parallel) and len(set(step.heads)) < len(step.heads):
        yield found("same-branch-twice", (*path, "next_steps"))
    if isinstance(step, Switch) and OTHERWISE not in step.cases:
        yield found("no-default", (*path, "cases"), "warning")


def _after(steps: Steps, key: str) -> list[str]:
    """Return what comes after a step in its own branch, as far as it is there."""
    return [to for _, to in _follows(steps[key]) if to in steps]


def _below(steps: Steps, key: str) -> list[str]:
    return [to for _, to in branches(steps[key]) if to in steps]


def _circle(steps: Steps) -> str:
    """Return a step that leads back to itself, or nothing."""
    sorter = TopologicalSorter({key: _after(steps, key) + _below(steps, key) for key in steps})
    try:
        sorter.prepare()
    except CycleError as error:
        return str(min(error.args[1]))
    return ""


def _reached(steps: Steps, heads: list[str]) -> set[str]:
    seen: set[str] = set()
    waiting = [key for key in heads if key in steps]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += _after(steps, key) + _below(steps, key)
    return seen


def _branch(steps: Steps, head: str) -> set[str]:
    """Return the steps of the branch that begins at ``head``, without those below them."""
    seen: set[str] = set()
    waiting = [head]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += _after(steps, key)
    return seen


def _owned(steps: Steps, owner: str, head: str) -> Iterator[tuple[str, str]]:
    """Yield the steps of the branch that begins at ``head``, each with whose branch it is."""
    seen: set[str] = set()
    waiting = [head]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += _after(steps, key)
    yield from ((key, owner) for key in sorted(seen))


def _branches(playbook: Playbook, reached: set[str]) -> Iterator[Finding]:
    """Yield steps of two branches, and branches too deep or repeated too often.

    What ``workflow_exception`` leads to may be shared: it runs when the rest has stopped.
    """
    steps = playbook.steps
    owners: dict[str, str] = {}
    heads = [("", playbook.start)] if playbook.start in steps else []
    heads += [(key, head) for key in steps if key in reached for head in set(_below(steps, key))]
    shared = False
    for owner, head in heads:
        for key, mine in _owned(steps, owner, head):
            if key in owners:
                shared = True
                first, second = owners[key] or playbook.start, mine or playbook.start
                yield found("shared-step", ("workflow", key), first=first, second=second)
            owners.setdefault(key, mine)
    if not shared:
        yield from _depths(steps, owners)


def _depths(steps: Steps, owners: Mapping[str, str]) -> Iterator[Finding]:
    for key in sorted(set(owners.values()) - {""}):
        depth, rounds, owner = 0, 1, key
        while owner:
            depth, step = depth + 1, steps[owner]
            rounds *= step.duty.max_rounds if isinstance(step, While) else 1
            owner = owners.get(owner, "")
        if depth > DEEPEST:
            yield found("too-deep", ("workflow", key), limit=DEEPEST)
        if rounds > MOST_ROUNDS:
            yield found("too-many-rounds", ("workflow", key), limit=MOST_ROUNDS)
