"""Bad answers: twice, late, for another county, or garbage; approvals that count for nothing."""

from typing import Any

import pytest

from cybercoop.errors import Forbidden, Misused, NotFound, Refused
from cybercoop.playbooks.progress import Task
from cybercoop.responses import doing, leading, starting, tending
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import responses
from responses.books import book, end, key, manual
from responses.stage import Stage

END = key("end", "end")
HOUR = 3_600_000_000
ASKS = {"__yes__": "yes-no-unknown", "__n__": "number", "__text__": "text", "__file__": "file"}
DECLARED = {
    "__yes__": {"type": "string", "value": "unknown"},
    "__n__": {"type": "integer", "value": "0"},
    "__text__": {"type": "string", "value": ""},
    "__file__": {"type": "sha256-hash", "value": "0" * 64},
}
GOOD = {"__yes__": "ja", "__n__": 3, "__text__": "Text", "__file__": "ab" * 32}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def asking(name: str, **duty: object) -> bytes:
    return book(
        name,
        key("action", "ask"),
        manual("ask", to=END, asks=ASKS, duty=duty),
        end(),
        variables=DECLARED,
    )


async def put(one: Stage, name: str, **duty: object) -> Task:
    response = await one.start_alone(asking(name, **duty))
    (task,) = await one.tasks(response, 1)
    return task


BAD: dict[str, list[Any]] = {
    "__yes__": ["vielleicht", 1, True, "", None],
    "__n__": ["drei", "1e400", 1 << 40, "NaN", 1.5, {}],
    "__text__": ["\0", "\ud800", "x" * 20_000, None],
    "__file__": ["abc", "g" * 64, "ab" * 31],
}


async def test_garbage_is_refused_by_the_name_of_its_question(one: Stage) -> None:
    task = await put(one, "garbage")
    for name, some in BAD.items():
        for bad in some:
            with pytest.raises(Refused) as refused:
                await one.finish(task, **(GOOD | {name: bad}))
            assert refused.value.field == name
    with pytest.raises(Refused):
        await one.finish(task, **GOOD, __other__=1)
    assert (await one.read(responses.task, task.id)).state == "open"
    await one.finish(task, **GOOD)


async def test_the_first_answer_counts_and_nobody_answers_for_another(one: Stage) -> None:
    task = await put(one, "twice")
    stranger = Who(one.counties[1].org.id)
    for deed in (doing.finish, doing.remark):
        with pytest.raises(NotFound):
            await one.write(deed, task.id, stranger, {} if deed is doing.finish else "Text")
    await one.finish(task, **GOOD)
    with pytest.raises(Misused):
        await one.finish(task, **(GOOD | {"__n__": 4}))
    assert (await one.read(responses.task, task.id)).answers["__n__"] == 3


async def test_what_comes_after_the_end_changes_nothing(one: Stage) -> None:
    task = await put(one, "late")
    await one.write(leading.cancel, task.response_id, "lead", "Fehlalarm")
    await one.ended(await one.read(responses.response, task.response_id))
    with pytest.raises(Misused):
        await one.finish(task, **GOOD)
    with pytest.raises(Misused):
        await one.write(doing.accept, task.run_id, Who(task.org_id))


async def test_deadlines_remind_then_ask_the_deputy_then_tell_the_center(one: Stage) -> None:
    task = await put(one, "deadline", deadline={"within": "PT4H"})
    told: list[str] = []
    for hours in (3, 1, 1):
        one.world.clock.forward(hours * HOUR + 60_000_000)
        await tending.look(one.house)
        lines = await one.read(responses.log_of, task.response_id)
        told = [line.what for line in lines if line.what not in {"proposed", "approved", "began"}]
    assert [what for what in told if what != "task-opened"] == [
        "reminded",
        "deputy-asked",
        "center-told",
    ]
    found = await one.read(responses.task, task.id)
    assert found.is_overdue(one.house.around.now())
    assert found.next_at is None


async def test_approvals_count_people_and_never_the_starter(one: Stage) -> None:
    kept = await one.keep(asking("approvals"))
    plan = Plan(kept, [one.counties[0].org.id], "group:members")
    async with one.world.database.write() as connection:
        checked = await starting.check(one.house, connection, plan, one.house.around.now())
        new = await starting.propose(one.house, connection, checked, "starter")
    for who in (None, "starter"):
        with pytest.raises(Forbidden):
            await one.write(starting.say, new.id, who, agreed=True)
    assert (await one.read(responses.response, new.id)).state == "proposed"
    assert (await one.write(starting.say, new.id, "other", agreed=True)).state == "running"
    with pytest.raises(Misused):
        await one.write(starting.say, new.id, "third", agreed=True)


async def test_broken_glass_goes_back_unless_it_is_ratified(one: Stage) -> None:
    kept = await one.keep(asking("glass"))
    for ratified in (True, False):
        plan = Plan(kept, [one.counties[0].org.id], "group:members")
        async with one.world.database.write() as connection:
            checked = await starting.check(one.house, connection, plan, one.house.around.now())
            new = await starting.propose(one.house, connection, checked, "starter")
            with pytest.raises(Forbidden):
                await starting.break_glass(one.house, connection, new, None)
            await starting.break_glass(one.house, connection, new, "starter")
        (task,) = await one.tasks(new, 1)
        if ratified:
            await one.write(starting.say, new.id, "other", agreed=True)
        one.world.clock.forward(HOUR + 1_000_000)
        await tending.look(one.house)
        if ratified:
            assert (await one.read(responses.task, task.id)).state == "open"
        else:
            assert (await one.ended(new)).state == "reverted"


async def test_a_step_waits_for_as_many_people_as_it_asks(one: Stage) -> None:
    task = await put(one, "step approvals", approvals=2)
    assert task.approvals == 2
    who = Who(task.org_id, "first")
    with pytest.raises(Forbidden):
        await one.write(doing.agree, task.id, Who(task.org_id), agreed=True, reason="")
    for person in ("first", "first", "second"):
        assert (await one.read(responses.task, task.id)).state == "open"
        who = Who(task.org_id, person)
        await one.write(doing.agree, task.id, who, agreed=True, reason="")
    response = await one.read(responses.response, task.response_id)
    (asked,) = await one.tasks(response, 1)
    assert asked.title == "ask"
