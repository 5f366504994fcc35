"""Sums: decisions read what counties answered together, and nothing of those who did not agree."""

from typing import Any

import pytest

from cybercoop.playbooks import checking
from cybercoop.playbooks.duties import EXTENSION
from cybercoop.playbooks.progress import Response, Task
from cybercoop.playbooks.steps import If
from cybercoop.responses import doing, leading, rehearsing, starting, summing
from cybercoop.responses.board import board
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import responses, runs
from cybercoop.store.runs import Reader
from responses.books import book, end, key, manual, step
from responses.stage import Stage

END = key("end", "end")
HOUR = 3_600_000_000
WORD = {"__word__": {"type": "string"}, "__together__": {"type": "integer"}}
COUNT = {"__count__": {"type": "integer", "value": "0"}, "__together__": {"type": "integer"}}
YES = {"sums": {"__together__": {"of": "__word__", "as": "count", "answer": "yes"}}}
TOTAL = {"sums": {"__together__": {"of": "__count__", "as": "total"}}}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def deciding(name: str, kind: str, duty: dict[str, Any], **more: Any) -> bytes:
    """Return a playbook that asks, decides by a sum, and gives a task by the way it went."""
    ways = ("few", "many")
    asks = {"__count__": "number"} if duty["sums"] == TOTAL["sums"] else {"__word__": kind}
    return book(
        name,
        key("action", "ask"),
        manual("ask", to=key("if-condition", "if"), asks=asks),
        step(
            "if-condition",
            "if",
            on_true=key("action", "many"),
            on_false=key("action", "few"),
            on_completion=END,
            step_extensions={EXTENSION: duty},
            **more,
        ),
        *(manual(way, to=key("end", way)) for way in ways),
        *(end(way) for way in ways),
        end(),
        variables=COUNT if "__count__" in asks else WORD,
    )


async def accept(one: Stage, task: Task, *, agrees: bool) -> None:
    await one.write(doing.accept, task.run_id, Who(task.org_id), shares_state=agrees)


async def way(one: Stage, task: Task) -> str:
    """Return the title of the task that a county got after it had decided."""

    async def look() -> str:
        found = await one.read(responses.tasks_of, task.response_id)
        return next((t.title for t in found if t.run_id == task.run_id and t.id != task.id), "")

    return await one.until(look)


async def test_a_run_sums_its_own_answer_and_those_of_counties_that_agreed(one: Stage) -> None:
    raw = deciding("agreed", "yes-no-unknown", YES, condition="__together__ >= 2")
    response = await one.start(await one.keep(raw))
    agreed, silent, third, other = await one.tasks(response, 4)
    for task in (agreed, other):
        await accept(one, task, agrees=True)
    said = ((agreed, "yes", "few"), (silent, "yes", "many"), (other, "no", "few"))
    for task, word, expected in said:
        await one.finish(task, __word__=word)
        assert await way(one, task) == expected
    await one.finish(third, __word__="no")  # with it two have said yes, of whom one agreed
    assert await way(one, third) == "few"


async def test_the_board_of_the_center_sums_all_of_them(one: Stage) -> None:
    raw = deciding("board", "", TOTAL, condition="__together__ >= 100")
    kept = await one.keep(raw)
    response = await one.start(kept)
    for number, task in enumerate(await one.tasks(response, 4), 1):
        await one.finish(task, __count__=number)
    center = Reader(one.world.center.org_id, frozenset(), is_center=True)
    seen = await one.read(runs.read, center, response.id, steps_too=True)
    playbook = checking.check(raw).playbook
    assert playbook is not None
    (summed,) = board(seen, playbook, one.house.around.now()).sums
    assert (summed.answered, summed.total, summed.least, summed.most) == (4, 10, 1, 4)


async def test_a_declared_wait_ends_at_its_moment_and_the_dry_run_goes_the_same_way(
    one: Stage,
) -> None:
    waiting = TOTAL | {"wait": {"within": "PT1H", "from": "start"}}
    kept = await one.keep(deciding("wait", "", waiting, condition="__together__ >= 8"))
    plan = Plan(kept, [seat.org.id for seat in one.counties], "group:members")
    async with one.world.database.read() as connection:
        checked = await starting.check(one.house, connection, plan, one.house.around.now())
    told, *_ = await rehearsing.rehearse(one.house, checked, {"__count__": 2})
    response = await one.start(kept)
    tasks = await one.tasks(response, 4)
    for task in tasks:
        await accept(one, task, agrees=True)
        await one.finish(task, __count__=2)
    assert await one.titled(response, "many") == await one.titled(response, "few") == []
    await hours_pass(one, response, 1)
    for task in tasks:
        assert await way(one, task) == "many"
    for task in await one.tasks(response, 4):
        await one.finish(task)
    assert (await one.ended(response)).state == "done"
    for run in (await one.runs(response)).values():
        assert (await one.places(run)).keys() == {line.place for line in told.lines}


async def hours_pass(one: Stage, response: Response, hours: int) -> None:
    one.world.clock.forward(hours * HOUR)
    for paused in (True, False):  # whoever waits looks at the clock again
        await one.write(leading.pause, response.id, "lead", paused=paused)


async def test_whoever_looks_again_at_the_same_place_finds_the_same_sum(one: Stage) -> None:
    raw = deciding("again", "yes-no-unknown", YES, condition="__together__ >= 1")
    response = await one.start(await one.keep(raw), one.counties[:2])
    first, second = await one.tasks(response, 2)
    await one.finish(first, __word__="no")
    assert await way(one, first) == "few"
    await accept(one, second, agrees=True)
    await one.finish(second, __word__="yes")
    assert await way(one, second) == "many"
    playbook = checking.check(raw).playbook
    assert playbook is not None
    place = key("if-condition", "if")
    asked = playbook.steps[place]
    assert isinstance(asked, If)
    told = await summing.summed(one.house, first.run_id, playbook, place, asked)
    assert told.values == {"__together__": 0}


async def test_of_several_rounds_the_last_answer_of_a_county_counts(one: Stage) -> None:
    raw = book(
        "rounds",
        key("while-condition", "again"),
        step(
            "while-condition",
            "again",
            condition="__together__ < 3",
            on_true=key("action", "ask"),
            on_completion=END,
            step_extensions={EXTENSION: TOTAL},
        ),
        manual("ask", to=key("end", "round"), asks={"__count__": "number"}),
        end("round"),
        end(),
        variables=COUNT,
    )
    response = await one.start_alone(raw)
    for number in (1, 2, 3):
        (task,) = await one.tasks(response, 1)
        await one.finish(task, __count__=number)
    assert (await one.ended(response)).state == "done"
    assert len(await one.titled(response, "ask")) == 3


async def test_a_sum_that_its_variable_cannot_hold_fails_the_step(one: Stage) -> None:
    raw = deciding("great", "", TOTAL, condition="__together__ > 0")
    response = await one.start(await one.keep(raw), one.counties[:2])
    first, second = await one.tasks(response, 2)
    for task in (first, second):
        await accept(one, task, agrees=True)
    await one.finish(first, __count__=(1 << 31) - 1)
    assert await way(one, first) == "many"
    await one.finish(second, __count__=1)

    async def failed() -> list[str]:
        return [
            run.reason or "" for run in (await one.runs(response)).values() if run.state == "failed"
        ]

    (reason,) = await one.until(failed)
    assert reason == "The value does not fit the type integer."
