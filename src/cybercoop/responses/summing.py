"""Sums: what counties answered together, for the decisions in each of their runs.

A county's own answers count in its run, and those of counties that agreed when they accepted:
whatever the others said changes nothing that it could notice. So two counties may decide by
different sums; the board of the center sums all. What is there when a run looks counts; a step may
say until when it waits before it looks (``wait``), and nobody's silence makes it wait longer.
"""

from collections.abc import Collection

from cybercoop.errors import Refused
from cybercoop.playbooks import variables
from cybercoop.playbooks.duties import Sum
from cybercoop.playbooks.progress import Run, Step
from cybercoop.playbooks.steps import AnyStep, Playbook
from cybercoop.playbooks.variables import Value
from cybercoop.responses import asking, pausing
from cybercoop.responses.carrying import Came, Carrying
from cybercoop.responses.walking import Values
from cybercoop.store import responses, runs
from cybercoop.store.database import Connection


def figure(one: Sum, said: Collection[Value]) -> float:
    """Return what the last answers of all counties that count come to."""
    if one.kind == "total":
        return sum(each for each in said if isinstance(each, int | float))
    return sum(not one.answer or each == one.answer for each in said)


def asking_for(playbook: Playbook, name: str) -> list[str]:
    """Return the steps of a playbook whose questions fill a variable."""
    return [key for key, step in playbook.steps.items() if name in step.duty.questions]


def typed(playbook: Playbook, step: AnyStep, sums: Values) -> Values:
    """Return sums as values of their variables; raise Refused for one that is too great."""
    declared = {**playbook.variables, **step.variables}
    return {name: variables.value(declared[name].kind, value) for name, value in sums.items()}


async def summed(
    house: Carrying, run_id: str, playbook: Playbook, place: str, step: AnyStep
) -> Came:
    """Return what a step that decides reads, looked up once: who asks again is told the same."""
    begun = await pausing.begin(house, run_id, place, "sums")
    if begun.ended_at is not None:
        return _known(begun)
    async with house.database.read() as connection:
        run = await responses.run(connection, run_id)
        response = await responses.response(connection, run.response_id)
    if step.duty.wait is not None:
        until = asking.moment(step.duty.wait, response, run, begun.began_at)
        if not await pausing.wait(house, run_id, place, until):
            return Came(stopped=True)
    # Read before it is written: hundreds of runs look at once, and writers wait for each other.
    async with house.database.read() as connection:
        came = await _look(connection, run, playbook, step)

    async def end(connection: Connection) -> Came:
        state = "failed" if came.failed else "done"
        said = {"results": dict(came.values), "reason": came.failed or None}
        now = house.around.now()
        await responses.end_step(connection, run_id, begun.place, now, state, **said)
        ended = await responses.step(connection, run_id, begun.place)
        return came if ended is None else _known(ended)

    return await house.record.do(end)


def _known(step: Step) -> Came:
    """Return what was found when somebody looked first, or that the run had ended by then."""
    is_stopped = step.state == "stopped"
    return Came(values=step.results or {}, failed=step.reason or "", stopped=is_stopped)


async def _look(connection: Connection, run: Run, playbook: Playbook, step: AnyStep) -> Came:
    found: dict[str, Value] = {}
    for name, one in step.duty.sums.items():
        said = await runs.answers(connection, run, asking_for(playbook, one.of), one.of)
        found[name] = figure(one, said)
    try:
        return Came(values=typed(playbook, step, found))
    except Refused as refused:
        return Came(failed=refused.reason)
