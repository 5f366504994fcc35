"""Events of a board: each reader hears of what he may see, and of nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cybercoop.collect import founding
from cybercoop.responses import doing, leading
from cybercoop.responses.doing import Who
from cybercoop.store import responses, runs, tokens
from cybercoop.store.runs import Reader
from responses.books import book, end, key, manual
from responses.stage import Stage, stage
from world import Seat

STEPS = (key("action", "look"), manual("look", to=key("end", "end")), end())
BOOK = book("one task", *STEPS)
OPEN_BOOK = book("one task", *STEPS, level="GREEN")
PATIENCE = 60


class Ear:
    """What somebody hears."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def event(self) -> tuple[str, Any]:
        """Return the next event, over heartbeats."""
        async with asyncio.timeout(PATIENCE):
            while True:
                lines = (await self.answer.content.readuntil(b"\n\n")).decode().split("\n")
                if lines[0].startswith("event: "):
                    return lines[0].removeprefix("event: "), json.loads(lines[1][6:])

    async def is_over(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return not (await self.answer.content.read()).replace(b": \n\n", b"")


@asynccontextmanager
async def ear(one: Stage, seat: Seat, response_id: str) -> AsyncIterator[Ear]:
    url = f"{one.world.address}/api/v1/responses/{response_id}/events"
    headers = {"Authorization": f"Bearer {seat.token}"}
    async with one.world.session.get(url, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        yield Ear(answer)


async def test_the_center_hears_of_all_and_it_ends_with_the_response(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        lead = await one.world.seat("Testzentrum")
        response = await one.start(await one.keep(BOOK))
        tasks = await one.tasks(response, 2)
        async with ear(one, lead, response.id) as heard:
            assert await heard.event() == ("board", {"id": response.id, "state": "running"})
            for task in tasks:
                await one.finish(task)
            events = []
            while not events or events[-1][0] != "end":
                events.append(await heard.event())
            assert {name for name, _ in events[:-1]} == {"board"}
            assert events[-1][1]["state"] == "done"
            assert await heard.is_over()


async def test_a_county_hears_of_its_own_part_only(database_url: str, tmp_path: Path) -> None:
    async with stage(database_url, tmp_path, counties=2) as one:
        response = await one.start(await one.keep(BOOK))
        tasks = {task.org_id: task for task in await one.tasks(response, 2)}
        first, second = one.counties
        before = await one.read(runs.pulse, response.id, None)
        await one.write(doing.claim, tasks[second.org.id].id, Who(second.org.id))
        after = await one.read(runs.pulse, response.id, before)
        assert after.concerns(before) == {second.org.id}
        assert after.concerns(after) == frozenset()
        async with ear(one, first, response.id) as heard:
            await heard.event()
            await one.write(leading.pause, response.id, "lead", paused=True)
            assert (await heard.event())[0] == "board"
        run = (await one.runs(response))["Kreis 2"]
        await one.write(doing.accept, run.id, Who(second.org.id), shares_state=True)
        shared = await one.read(runs.pulse, response.id, after)
        assert None in shared.concerns(after)
        async with one.world.database.write() as connection:
            await responses.change_run(connection, run.id, one.house.around.now())
        assert (await one.read(runs.pulse, response.id, shared)).concerns(shared) == {second.org.id}


async def test_who_may_not_see_it_hears_nothing(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        first, second = one.counties
        response = await one.start(await one.keep(BOOK), [first])
        bodies = []
        for name in (response.id, "5c0ffee0-0000-4000-8000-000000000000"):
            answer = await one.world.get(f"/api/v1/responses/{name}/events", second)
            assert answer.status == 404
            bodies.append(answer.body.replace(name.encode(), b""))
        assert bodies[0] == bodies[1]
        assert (await one.world.get(f"/api/v1/responses/{response.id}/events")).status == 401
        assert not (await one.read(runs.all_of, Reader(second.org.id, frozenset())))


async def test_a_token_that_ends_ends_the_events(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=1) as one:
        (county,) = one.counties
        response = await one.start(await one.keep(BOOK))
        (task,) = await one.tasks(response, 1)
        async with ear(one, county, response.id) as heard:
            await heard.event()
            async with one.world.database.write() as connection:
                await tokens.revoke_all_of(connection, county.org.id, one.house.around.now())
            await one.write(doing.claim, task.id, Who(county.org.id))
            assert await heard.is_over()


async def test_a_key_that_is_lost_ends_the_events(tmp_path: Path) -> None:
    async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=2) as one:
        leaver, stayer = one.counties
        group = await founding.add_group(one.world.database, "Nord", one.world.surroundings)
        for seat in one.counties:
            await founding.change_membership(one.world.database, group.id, seat.org.id, joins=True)
        response = await one.start(await one.keep(OPEN_BOOK), lock=f"group:{group.id}")
        await one.tasks(response, 2)
        async with ear(one, leaver, response.id) as heard, ear(one, stayer, response.id) as other:
            await heard.event()
            await other.event()
            await founding.change_membership(
                one.world.database, group.id, leaver.org.id, joins=False
            )
            await one.write(leading.pause, response.id, "lead", paused=True)
            assert (await other.event())[0] == "board"
            assert await heard.is_over()


async def test_a_server_that_stops_lets_its_listeners_go(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with stage(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path, counties=1) as one:
            response = await one.start(await one.keep(BOOK))
            await one.tasks(response, 1)
            url = f"{one.world.address}/api/v1/responses/{response.id}/events"
            headers = {"Authorization": f"Bearer {one.counties[0].token}"}
            heard = Ear(await session.get(url, headers=headers))
            await heard.event()
        # Its last chunk came: it was not broken off.
        await heard.is_over()
