"""What people and the engine do to one response at the same moment comes one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from cybercoop.errors import Misused
from cybercoop.playbooks.progress import Response
from cybercoop.responses import doing, engine, leading, starting
from cybercoop.responses.asking import Put
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import responses
from cybercoop.store.database import Connection
from responses.books import action, book, end, key, manual
from responses.stage import Stage

T = TypeVar("T")
END = key("end", "end")
UNSEAL = manual("unseal", to=key("end", "unsealed"))
SEALED = [
    manual("seal", to=key("action", "wait"), duty={"revert": key("action", "unseal")}),
    manual("wait", to=END),
    UNSEAL,
    end("unsealed"),
    end(),
]
SHUT = [
    action(
        "shut",
        {"type": "block"},
        to=END,
        duty={
            "arguments": {"value": "__it__:value", "hours": 1},
            "revert": key("action", "unseal"),
        },
    ),
    UNSEAL,
    end("unsealed"),
    end(),
]
IT = {"__it__": {"type": "string", "external": True, "value": "evil-host.net"}}

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sealed(one: Stage, name: str) -> Response:
    """Return a response of one county that has something to take back, and still waits."""
    response = await one.start(
        await one.keep(book(name, key("action", "seal"), *SEALED)), one.counties[:1]
    )
    (task,) = await one.tasks(response, 1)
    await one.finish(task)
    await one.tasks(response, 1)
    return response


async def end_run(one: Stage, connection: Connection, response: Response) -> None:
    """End the run of a response, as its workflow does."""
    (run,) = await responses.runs_of(connection, response.id)
    assert await responses.end_run(connection, run.id, one.house.around.now(), "done", None)
    await responses.close_tasks_of(connection, run.id, one.house.around.now(), "")


async def while_open(
    one: Stage, first: Callable[[Connection], Awaitable[object]], second: Awaitable[T]
) -> T:
    """Let ``second`` begin while the transaction of ``first`` is still open; return what it gives.

    It must wait: what it decides by is being changed.
    """
    async with one.world.database.write() as connection:
        await first(connection)
        waiting = asyncio.ensure_future(second)
        await asyncio.sleep(0.3)
        assert not waiting.done()
    return await waiting


async def test_what_is_rolled_back_as_it_ends_is_rolled_back(one: Stage) -> None:
    response = await sealed(one, "ends first")

    async def end_it(connection: Connection) -> None:
        await end_run(one, connection, response)
        assert await engine.end_if_over(connection, response.id, one.house.around.now())

    back = one.write(leading.roll_back, response.id, "lead", "Fehlalarm")
    found = await while_open(one, end_it, back)
    assert (found.state, found.wanted, found.turn) == ("running", "revert", 2)
    await finished_back(one, response)


async def test_what_ends_as_it_is_rolled_back_goes_on_until_it_is(one: Stage) -> None:
    response = await sealed(one, "rolled back first")

    async def take_it_back(connection: Connection) -> None:
        await end_run(one, connection, response)
        await leading.roll_back(one.house, connection, response.id, "lead", "Fehlalarm")

    now = one.house.around.now()
    ending = partial(engine.end_if_over, response_id=response.id, now=now)
    assert not await while_open(one, take_it_back, one.house.record.do(ending))
    await finished_back(one, response)


async def finished_back(one: Stage, response: Response) -> None:
    (task,) = await one.tasks(response, 1)
    assert task.title == "unseal"
    await one.finish(task)
    assert (await one.ended(response)).state == "reverted"


async def test_two_who_agree_at_the_same_moment_begin_it(one: Stage) -> None:
    raw = book("two agree", key("action", "shut"), *SHUT, variables=IT)
    plan = Plan(await one.keep(raw), [seat.org.id for seat in one.counties], "group:members")
    async with one.world.database.write() as connection:
        now = one.house.around.now()
        checked = await starting.check(one.house, connection, plan, now)
        new = await starting.propose(one.house, connection, checked, "starter")
    assert checked.approvals == 2
    say = partial(starting.say, response_id=new.id, agreed=True)
    found = await while_open(
        one,
        lambda connection: say(one.house, connection, person_id="first"),
        one.write(say, person_id="second"),
    )
    assert found.state == "running"
    kept = await one.read(responses.response, new.id)
    assert kept.began_at is not None


async def test_what_is_asked_as_a_county_declines_is_not_asked_there(one: Stage) -> None:
    response = await sealed(one, "asked as it declines")
    (run,) = (await one.runs(response)).values()

    async def decline(connection: Connection) -> None:
        who = Who(run.org_id)
        await doing.decline(one.house, connection, run.id, who, "Wir können nicht.")

    now = one.house.around.now()
    put = Put("further", "", "Noch etwas", now, role="")
    assert await while_open(one, decline, one.write(leading.ask, response.id, put, "lead")) == []
    assert (await one.ended(response)).state == "failed"


async def test_who_comes_to_the_end_as_all_late_ones_are_run_again_is_not(one: Stage) -> None:
    late = manual("late", to=END, duty={"deadline": {"within": "PT1H"}})
    response = await one.start_alone(book("ends late", key("action", "late"), late, end()))
    await one.tasks(response, 1)
    one.world.clock.forward(2 * 3_600_000_000)
    again = one.write(leading.rerun, response.id, "lead")
    with pytest.raises(Misused):
        await while_open(one, partial(end_run, one, response=response), again)
    assert {run.state for run in (await one.runs(response)).values()} == {"done"}
