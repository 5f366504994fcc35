"""Leading: pause, cancel, roll back, re-run and ask for more, seen by what happens in counties."""

import json

import pytest

from cybercoop.errors import Refused
from cybercoop.playbooks.progress import Response
from cybercoop.responses import doing, leading
from cybercoop.responses.doing import Who
from cybercoop.store import responses
from responses.books import book, end, key, manual, step
from responses.stage import Stage

END = key("end", "end")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "moment",
    [{"valid_from": "2999-01-01T00:00:00Z"}, {"valid_until": "2026-01-02T00:00:00Z"}],
    ids=["too early", "too late"],
)
async def test_a_playbook_is_not_started_while_it_is_not_valid(
    one: Stage, moment: dict[str, str]
) -> None:
    raw = book(str(moment), key("action", "do"), manual("do", to=END), end(), level="CLEAR")
    timely = await one.keep(json.dumps(json.loads(raw) | moment).encode())
    with pytest.raises(Refused, match="not valid now"):
        await one.start(timely, [one.counties[0]], lock="community")


async def test_paused_nothing_begins_and_resumed_it_goes_on(one: Stage) -> None:
    raw = book(
        "pause",
        key("action", "first"),
        manual("first", to=key("action", "second")),
        manual("second", to=END),
        end(),
    )
    response = await one.start_alone(raw)
    (first,) = await one.tasks(response, 1)
    await one.write(leading.pause, response.id, "lead", paused=True)
    await one.finish(first)

    async def second_begun() -> bool:
        (run,) = (await one.runs(response)).values()
        return (await one.places(run)).get(key("action", "second")) == "began"

    await one.until(second_begun)
    assert await one.titled(response, "second") == []
    await one.write(leading.pause, response.id, "lead", paused=False)
    await one.until(lambda: one.titled(response, "second"))


async def test_cancelled_with_all_children_nothing_is_open_any_more(one: Stage) -> None:
    raw = book(
        "cancel",
        key("parallel", "both"),
        step(
            "parallel",
            "both",
            next_steps=[key("action", "left"), key("action", "right")],
            on_completion=END,
        ),
        manual("left", to=key("end", "left end")),
        manual("right", to=key("end", "right end")),
        end("left end"),
        end("right end"),
        end(),
    )
    response = await one.start(await one.keep(raw), one.counties[:2])
    await one.tasks(response, 4)
    await one.write(leading.cancel, response.id, "lead", "Fehlalarm")
    assert (await one.ended(response)).state == "cancelled"
    tasks = await one.read(responses.tasks_of, response.id)
    assert {task.state for task in tasks} == {"cancelled"}
    assert {run.state for run in (await one.runs(response)).values()} == {"cancelled"}


async def test_rolled_back_the_steps_are_taken_back_in_reverse_order(one: Stage) -> None:
    raw = book(
        "back",
        key("action", "first"),
        manual("first", to=key("action", "second"), duty={"revert": key("action", "undo first")}),
        manual("second", to=END, duty={"revert": key("action", "undo second")}),
        manual("undo first", to=key("end", "first undone")),
        manual("undo second", to=key("end", "second undone")),
        end("first undone"),
        end("second undone"),
        end(),
    )
    response = await one.start_alone(raw)
    for _ in range(2):
        (task,) = await one.tasks(response, 1)
        await one.finish(task)
    assert (await one.ended(response)).state == "done"
    await one.write(leading.roll_back, response.id, "lead", "Fehlalarm")
    for title in ("undo second", "undo first"):
        (task,) = await one.tasks(response, 1)
        assert task.title == title
        await one.finish(task)
    assert (await one.ended(response)).state == "reverted"
    assert {run.state for run in (await one.runs(response)).values()} == {"reverted"}


async def test_only_who_failed_or_is_overdue_is_run_again(one: Stage) -> None:
    duty = {"deadline": {"within": "PT1H"}}
    raw = book("again", key("action", "do"), manual("do", to=END, duty=duty), end())
    response = await one.start(await one.keep(raw), one.counties[:3])
    done, failed, late = await one.tasks(response, 3)
    await one.finish(done)
    await one.write(doing.fail, failed.id, Who(failed.org_id), "Kein Zugang.")
    await one.until(lambda: in_state(one, response, "failed"))
    one.world.clock.forward(2 * 3_600_000_000)
    fresh = await one.write(leading.rerun, response.id, "lead")
    assert {run.org_id for run in fresh} == {failed.org_id, late.org_id}
    again = [task for task in await one.tasks(response, 2) if task.run_id in {r.id for r in fresh}]
    assert {task.org_id for task in again} == {failed.org_id, late.org_id}
    for task in again:
        await one.finish(task)
    assert (await one.ended(response)).state == "done"


async def in_state(one: Stage, response: Response, state: str) -> bool:
    return state in {run.state for run in (await one.runs(response)).values()}


async def test_counties_join_late_and_everybody_is_asked_a_question(one: Stage) -> None:
    raw = book("more", key("action", "do"), manual("do", to=END), end())
    response = await one.start_alone(raw)
    await one.tasks(response, 1)
    late = one.counties[1].org.id
    await one.write(leading.add_counties, response.id, [late, one.counties[0].org.id], "lead")
    tasks = await one.tasks(response, 2)
    assert {task.org_id for task in tasks} == {one.counties[0].org.id, late}
