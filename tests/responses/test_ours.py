"""The playbooks that come along: each carried out to its end, as its dry run said it would be."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cybercoop.playbooks import checking, conditions
from cybercoop.playbooks.progress import Response, Task
from cybercoop.playbooks.steps import Action, Playbook, While, calls
from cybercoop.responses import doing, rehearsing, starting
from cybercoop.responses.doing import Who
from cybercoop.responses.rehearsing import Rehearsed
from cybercoop.responses.starting import Plan
from cybercoop.store import blocks, drafts, responses
from playbooks.documents import OURS
from responses.stage import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

GIVEN: Mapping[str, object] = {
    "ipv4-addr": "198.51.100.7",
    "string": "evil.example",
    "integer": 24,
    "uri": "https://evil.example/a",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("ours")
    async with stage(f"sqlite:///{folder / 'coop.sqlite'}", folder) as found:
        for file in sorted(OURS, key=lambda one: one.name != "s-meldewesen.json"):
            await found.keep(file.read_bytes())
        yield found


def of(file: Path) -> Playbook:
    found = checking.check(file.read_bytes()).playbook
    assert found is not None
    return found


def given_to(playbook: Playbook) -> dict[str, object]:
    """Return a value for every variable that has to be given."""
    return {
        name: GIVEN[declared.kind]
        for name, declared in playbook.variables.items()
        if declared.is_external and declared.value is None
    }


def answers_of(playbook: Playbook, all_of_them: Mapping[str, Any], which: str) -> dict[str, Any]:
    """Return answers to all questions: mostly yes and much, or mostly no and nothing."""
    found: dict[str, Any] = {}
    ends = [step.condition for step in playbook.steps.values() if isinstance(step, While)]
    kinds = {name: one.kind for name, one in playbook.variables.items()}
    for step in playbook.steps.values():
        for name, question in step.duty.questions.items():
            choices = question.choices or ("",)
            for is_much in (True, False) if which == "yes" else (False, True):
                said = {"yes-no-unknown": "yes" if is_much else "no", "number": 3 * is_much}
                said |= {"text": "Text", "file": "ab" * 32, "choice": choices[is_much - 1]}
                found[name] = said[question.kind]
                if not any(
                    conditions.holds(one, kinds, found)
                    for one in ends
                    if conditions.names(one) == [name]
                ):
                    break
    return found | dict(all_of_them)


async def rehearsed(
    one: Stage, playbook: Playbook, values: Mapping[str, object], answers: Mapping[str, object]
) -> Rehearsed:
    plan = Plan(playbook.id, [one.counties[0].org.id], "group:members", values=values)
    async with one.world.database.read() as connection:
        checked = await starting.check(one.house, connection, plan, one.house.around.now())
    (told,) = await rehearsing.rehearse(one.house, checked, answers)
    return told


async def play(one: Stage, response: Response, answers: Mapping[str, object]) -> list[Task]:
    """Accept, and answer every task until the response has ended."""
    (run,) = await one.read(responses.runs_of, response.id)
    await one.write(doing.accept, run.id, Who(run.org_id))
    done: list[Task] = []

    async def put() -> bool:
        found = await one.read(responses.response, response.id)
        tasks = [t for t in await one.read(responses.tasks_of, response.id) if t.state == "open"]
        for task in tasks:
            who = Who(task.org_id, "person")
            if task.approvals:
                for number in range(task.approvals):
                    said = Who(task.org_id, f"person {number}")
                    await one.write(doing.agree, task.id, said, agreed=True, reason="")
            else:
                mine = {name: answers[name] for name in task.questions}
                await one.write(doing.finish, task.id, who, mine)
            done.append(task)
        return found.state != "running"

    await one.until(put)
    return done


@pytest.mark.parametrize("which", ["yes", "no"])
@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
async def test_a_playbook_ends_as_its_dry_run_said(one: Stage, file: Path, which: str) -> None:
    playbook = of(file)
    values = given_to(playbook)
    called = {name for name, _ in calls(playbook)}
    everything = answers_of(playbook, {}, which)
    for other in map(of, OURS):
        if other.id in called:
            everything = answers_of(other, everything, which)
    told = await rehearsed(one, playbook, values, everything)
    assert told.failed == ""
    response = await one.start(playbook.id, one.counties[:1], values=values)
    await play(one, response, everything)
    (run,) = (await one.runs(response)).values()
    assert (run.state, run.reason) == ("done", None)
    places = await one.places(run)
    assert set(places) == {line.place for line in told.lines}
    assert set(places.values()) == {"done"}


async def test_what_the_dry_run_says_touches_nothing(one: Stage) -> None:
    playbook = of(next(file for file in OURS if file.stem == "04-sperrung"))
    before = len(await one.read(responses.running))
    told = await rehearsed(one, playbook, given_to(playbook), {})
    assert any(line.kind == "block" and "evil" in line.text for line in told.lines)
    assert len(await one.read(responses.running)) == before
    assert await one.read(drafts.of, one.counties[1].org.id) == []
    assert await one.read(blocks.of_response, "none") == []


async def test_every_county_task_of_ours_has_a_role_and_a_deadline() -> None:
    for file in OURS:
        for step in of(file).steps.values():
            if isinstance(step, Action) and step.commands[0].kind == "manual":
                assert step.duty.role, (file.name, step.name)
                assert step.duty.deadline, (file.name, step.name)
