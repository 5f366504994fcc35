"""Blocks, deadlines and broken glass, while somebody else changes what they are about."""

import asyncio
from functools import partial
from typing import Any

import pytest

from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.playbooks.steps import Action
from cybercoop.responses import doing, leading, starting, tending
from cybercoop.responses.carrying import Stopped
from cybercoop.responses.commands import Doing, Values, block, name_of
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import blocks, responses
from cybercoop.store.database import Connection
from responses.books import action, book, end, key, manual
from responses.stage import Stage

HOUR = 3_600_000_000
END = key("end", "end")
SHUT = key("action", "shut")
SURE = {
    "questions": {"__sure__": {"ask": "In Kraft?", "kind": "yes-no-unknown", "confirms": True}},
    "deadline": {"within": "PT1H"},
}
STEPS = [
    action(
        "shut",
        {"type": "block"},
        to=key("action", "sure"),
        duty={"arguments": {"value": "__it__:value", "hours": 2}, "revert": key("action", "open")},
    ),
    manual("sure", to=END, out_args=["__sure__"], duty=SURE),
    action(
        "open",
        {"type": "unblock"},
        to=key("end", "opened"),
        duty={"arguments": {"value": "__it__:value"}},
    ),
    end("opened"),
    end(),
]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def begun(one: Stage, value: str) -> tuple[Response, Run]:
    """Return a response that blocks a value at a county as soon as that accepts."""
    said: dict[str, Any] = {"__it__": {"type": "string", "external": True, "value": value}}
    said["__sure__"] = {"type": "string", "value": "unknown"}
    raw = book(value, SHUT, *STEPS, variables=said)
    response = await one.start(await one.keep(raw), one.counties[:1])
    (run,) = await one.read(responses.runs_of, response.id)
    return response, run


async def blocked(one: Stage, value: str) -> tuple[Response, Run, Task]:
    """Return a response that has blocked a value, and asks whether that is in force."""
    response, run = await begun(one, value)
    await one.write(doing.accept, run.id, Who(run.org_id))
    (task,) = await one.tasks(response, 1)
    return response, run, task


async def unasked(_: Task) -> Values:
    raise AssertionError


async def blocking(one: Stage, response: Response, run: Run) -> Doing:
    """Return the block of a run as the engine carries it out, once all it waits for is there."""
    playbook = await one.house.book(response.playbook_id, response.playbook_modified)
    step = playbook.steps[SHUT]
    assert isinstance(step, Action)
    return Doing(
        house=one.house,
        playbook=playbook,
        response=response,
        run=run,
        place=SHUT,
        step=step,
        command=step.commands[0],
        number=0,
        key=name_of(run.id, SHUT, 0),
        values=response.variables,
        began_at=one.house.around.now(),
        answered=unasked,
    )


@pytest.mark.parametrize("rolled_back", [False, True])
async def test_nothing_is_blocked_once_the_county_is_out(one: Stage, rolled_back: bool) -> None:
    response, run = await begun(one, f"late{rolled_back:d}.net")
    late = await blocking(one, response, run)
    async with one.world.database.write() as connection:
        if rolled_back:
            await leading.roll_back(one.house, connection, response.id, "lead", "Fehlalarm")
        else:
            await doing.decline(one.house, connection, run.id, Who(run.org_id), "Nein.")
        putting = asyncio.ensure_future(block.carry_out(late))
        await asyncio.sleep(0.3)
        assert not putting.done()
    with pytest.raises(Stopped):
        await putting
    assert await one.read(blocks.of_response, response.id) == []


async def test_who_confirms_a_block_as_it_is_rolled_back_is_not_broken_off(one: Stage) -> None:
    response, run, task = await blocked(one, "confirmed.net")
    async with one.world.database.write() as connection:
        await responses.run(connection, run.id, changing=True)  # as finishing does first
        back = asyncio.ensure_future(one.write(leading.roll_back, response.id, "lead", "Irrtum"))
        await asyncio.sleep(0.3)
        assert not back.done()
        who, said = Who(run.org_id), {"__sure__": "ja"}
        await doing.finish(one.house, connection, task.id, who, said)
    await back
    (found,) = await one.read(blocks.of_response, response.id)
    assert (found.confirmed_by, found.reason) == (run.org_id, "rolled back")


async def told(one: Stage, response: Response, what: str) -> int:
    lines = await one.read(responses.log_of, response.id)
    return sum(line.what == what for line in lines)


@pytest.mark.parametrize(
    ("deed", "what"),
    [(tending.tell_deadlines, "reminded"), (tending.end_blocks, "block-ended")],
)
async def test_of_two_workers_who_look_one_tells(one: Stage, deed: Any, what: str) -> None:
    response, _, _ = await blocked(one, f"{what}.net")
    one.world.clock.forward(HOUR - 1_000_000 if what == "reminded" else 2 * HOUR)
    async with one.world.database.write() as connection:
        await deed(one.house, connection, one.house.around.now())
        other = asyncio.ensure_future(tending.look(one.house))
        await asyncio.sleep(0.3)
    await other
    assert await told(one, response, what) == 1


async def test_what_is_ratified_in_the_last_moment_is_not_taken_back(one: Stage) -> None:
    raw = book("glass", key("action", "wait"), manual("wait", to=END), end())
    plan = Plan(await one.keep(raw), [one.counties[0].org.id], "group:members")
    async with one.world.database.write() as connection:
        now = one.house.around.now()
        new = await starting.propose(
            one.house, connection, await starting.check(one.house, connection, plan, now), "first"
        )
        await starting.break_glass(one.house, connection, new, "first")
    one.world.clock.forward(2 * HOUR)
    say = partial(starting.say, one.house, response_id=new.id, agreed=True)

    async def ratify(connection: Connection) -> None:
        for number in range(max(1, new.approvals_needed)):
            await say(connection, person_id=f"second {number}")

    async with one.world.database.write() as connection:
        await ratify(connection)
        looking = asyncio.ensure_future(tending.look(one.house))
        await asyncio.sleep(0.3)
    await looking
    found = await one.read(responses.response, new.id)
    assert (found.state, found.wanted, found.ratified_at is not None) == ("running", "", True)
