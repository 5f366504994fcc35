"""The engine: every kind of step does what the standard says, seen by what it has done."""

import pytest

from cybercoop.responses import doing
from cybercoop.responses.doing import Who
from cybercoop.store import responses
from responses.books import action, book, end, key, manual, step
from responses.stage import Stage

END = key("end", "end")
COUNT = {"__count__": {"type": "integer", "value": "0"}}
WORD = {"__word__": {"type": "string", "value": "none"}}


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_task_for_every_county_ends_the_response(one: Stage) -> None:
    raw = book("one task", key("action", "look"), manual("look", to=END), end())
    response = await one.start(await one.keep(raw))
    tasks = await one.tasks(response, 4)
    assert {task.org_id for task in tasks} == {seat.org.id for seat in one.counties}
    for task in tasks:
        await one.finish(task)
    assert (await one.ended(response)).state == "done"
    assert {run.state for run in (await one.runs(response)).values()} == {"done"}


async def test_a_condition_reads_the_answer_of_a_task(one: Stage) -> None:
    raw = book(
        "if",
        key("action", "ask"),
        manual("ask", to=key("if-condition", "if"), asks={"__word__": "yes-no-unknown"}),
        step(
            "if-condition",
            "if",
            condition="__word__ = 'yes'",
            on_true=key("action", "on yes"),
            on_false=key("action", "on no"),
            on_completion=END,
        ),
        manual("on yes", to=key("end", "yes end")),
        manual("on no", to=key("end", "no end")),
        end("yes end"),
        end("no end"),
        end(),
        variables=WORD,
    )
    response = await one.start(await one.keep(raw), one.counties[:2])
    first, second = await one.tasks(response, 2)
    await one.finish(first, __word__="ja")
    await one.finish(second, __word__="unknown")
    asked = {task.org_id: task.title for task in await one.tasks(response, 2)}
    assert asked == {first.org_id: "on yes", second.org_id: "on no"}


async def test_a_switch_takes_the_case_of_the_value_and_else_the_default(one: Stage) -> None:
    raw = book(
        "switch",
        key("action", "ask"),
        manual("ask", to=key("switch-condition", "which"), asks={"__count__": "number"}),
        step(
            "switch-condition",
            "which",
            switch="__count__:value",
            cases={"2": key("action", "two"), "default": key("action", "other")},
            on_completion=END,
        ),
        manual("two", to=key("end", "two end")),
        manual("other", to=key("end", "other end")),
        end("two end"),
        end("other end"),
        end(),
        variables=COUNT,
    )
    response = await one.start(await one.keep(raw), one.counties[:2])
    first, second = await one.tasks(response, 2)
    await one.finish(first, __count__=2)
    await one.finish(second, __count__="7")
    asked = {task.org_id: task.title for task in await one.tasks(response, 2)}
    assert asked == {first.org_id: "two", second.org_id: "other"}


async def test_a_while_repeats_as_long_as_its_condition_holds(one: Stage) -> None:
    raw = book(
        "while",
        key("while-condition", "again"),
        step(
            "while-condition",
            "again",
            condition="__count__ < 3",
            on_true=key("action", "count"),
            on_completion=END,
        ),
        manual("count", to=key("end", "round"), asks={"__count__": "number"}),
        end("round"),
        end(),
        variables=COUNT,
    )
    response = await one.start_alone(raw)
    for number in (1, 2, 3):
        (task,) = await one.tasks(response, 1)
        assert f"#{number}/" in task.place
        await one.finish(task, __count__=number)
    assert (await one.ended(response)).state == "done"


async def test_a_while_without_end_fails_at_its_limit(one: Stage) -> None:
    raw = book(
        "endless",
        key("while-condition", "again"),
        step(
            "while-condition",
            "again",
            condition="__count__ < 3",
            on_true=key("end", "round"),
            on_completion=END,
        ),
        end("round"),
        end(),
        variables=COUNT,
    )
    response = await one.start_alone(raw)
    assert (await one.ended(response)).state == "failed"
    (run,) = (await one.runs(response)).values()
    assert run.reason == "It was repeated 100 times, which is the limit."


async def test_parallel_branches_run_side_by_side_and_all_are_waited_for(one: Stage) -> None:
    raw = book(
        "parallel",
        key("parallel", "both"),
        step(
            "parallel",
            "both",
            next_steps=[key("action", "left"), key("action", "right")],
            on_completion=key("action", "after"),
        ),
        manual("left", to=key("end", "left end"), asks={"__count__": "number"}),
        manual("right", to=key("end", "right end"), asks={"__word__": "text"}),
        action(
            "after",
            {"type": "manual", "command": "__count__:value __word__:value"},
            to=END,
            in_args=["__count__", "__word__"],
        ),
        end("left end"),
        end("right end"),
        end(),
        variables=COUNT | WORD,
    )
    response = await one.start_alone(raw)
    tasks = {task.title: task for task in await one.tasks(response, 2)}
    assert set(tasks) == {"left", "right"}
    await one.finish(tasks["right"], __word__="rechts")
    assert [task.title for task in await one.tasks(response, 1)] == ["left"]
    await one.finish(tasks["left"], __count__=5)
    (after,) = await one.tasks(response, 1)
    assert (after.title, after.text) == ("after", "«5» «rechts»")


async def test_another_playbook_is_carried_out_with_arguments_and_gives_results(one: Stage) -> None:
    called = book(
        "called",
        key("action", "inner"),
        manual("inner", to=END, asks={"__count__": "number"}),
        end(),
        variables=COUNT | {"__word__": {"type": "string", "external": True}},
    )
    raw = book(
        "calling",
        key("playbook-action", "call"),
        step(
            "playbook-action",
            "call",
            playbook_id=key("playbook", "called"),
            in_args=["__word__"],
            out_args=["__count__"],
            on_completion=key("action", "after"),
        ),
        action("after", {"type": "manual", "command": "__count__:value"}, to=END),
        end(),
        variables=COUNT | WORD,
    )
    await one.keep(called)
    response = await one.start_alone(raw)
    (inner,) = await one.tasks(response, 1)
    assert inner.title == "inner"
    await one.finish(inner, __count__=42)
    (after,) = await one.tasks(response, 1)
    assert after.text == "«42»"
    await one.finish(after)
    assert (await one.ended(response)).state == "done"


async def test_a_failed_step_takes_its_way_and_else_the_exception_of_the_playbook(
    one: Stage,
) -> None:
    first = manual(
        "first", to="", on_success=key("action", "never"), on_failure=key("action", "second")
    )
    raw = book(
        "failing",
        key("action", "first"),
        first,
        manual("never", to=key("end", "never end")),
        manual("second", to=END),
        manual("at last", to=key("end", "last end")),
        end("never end"),
        end("last end"),
        end(),
        workflow_exception=key("action", "at last"),
    )
    response = await one.start_alone(raw)
    for title in ("first", "second"):
        (task,) = await one.tasks(response, 1)
        assert task.title == title
        await one.write(doing.fail, task.id, Who(task.org_id), "Es geht nicht.")
    (last,) = await one.tasks(response, 1)
    assert last.title == "at last"
    await one.finish(last)
    assert (await one.ended(response)).state == "failed"
    (run,) = (await one.runs(response)).values()
    assert (run.state, run.reason) == ("failed", "Es geht nicht.")


async def test_a_time_out_takes_the_way_of_failure_and_closes_the_task(one: Stage) -> None:
    slow = manual(
        "slow",
        to="",
        timeout=300,
        on_success=key("end", "in time"),
        on_failure=key("action", "late"),
    )
    raw = book(
        "timeout",
        key("action", "slow"),
        slow,
        manual("late", to=END),
        end("in time"),
        end(),
    )
    response = await one.start_alone(raw)
    (late,) = await one.until(lambda: one.titled(response, "late"))
    assert late.state == "open"
    tasks = await one.read(responses.tasks_of, response.id)
    assert {task.title: task.state for task in tasks} == {"slow": "cancelled", "late": "open"}
    (run,) = (await one.runs(response)).values()
    assert (await one.places(run))[key("action", "slow")] == "timed-out"


async def test_a_time_out_of_a_branching_step_ends_its_branches(one: Stage) -> None:
    raw = book(
        "outer timeout",
        key("parallel", "both"),
        step(
            "parallel",
            "both",
            timeout=3_000,
            next_steps=[key("action", "left"), key("action", "right")],
            on_success=key("end", "in time"),
            on_failure=key("action", "late"),
        ),
        manual("left", to=key("end", "left end")),
        manual("right", to=key("end", "right end")),
        manual("late", to=END),
        end("left end"),
        end("right end"),
        end("in time"),
        end(),
    )
    response = await one.start_alone(raw)
    await one.until(lambda: one.titled(response, "late"))
    tasks = await one.read(responses.tasks_of, response.id)
    states = {task.title: task.state for task in tasks}
    assert states == {"left": "cancelled", "right": "cancelled", "late": "open"}


async def test_a_step_waits_for_its_delay(one: Stage) -> None:
    raw = book("delay", key("action", "later"), manual("later", to=END, delay=3_600_000), end())
    response = await one.start_alone(raw)

    async def begun() -> bool:
        (run,) = (await one.runs(response)).values()
        return "began" in (await one.places(run)).values()

    await one.until(begun)
    assert await one.read(responses.tasks_of, response.id) == []
    one.world.clock.forward(3_600_000_000)
    (run,) = (await one.runs(response)).values()
    await one.write(touch, run.id)  # the clock was put forward; nobody who sleeps knows
    await one.tasks(response, 1)


async def touch(house: object, connection: object, run_id: str) -> None:
    await responses.change_run(connection, run_id, house.around.now())
