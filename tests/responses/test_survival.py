"""A response of a whole Land goes on whatever dies, and nothing of it happens twice."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.terminal import Terminal
from cybercoop.config import Settings
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.playbooks.progress import Response, Task
from cybercoop.responses import doing, importing, starting
from cybercoop.responses.carrying import Carrying, carrying
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import members, responses
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from responses.books import action, book, end, key, manual
from responses.test_commands import TARGET, firewall

END = key("end", "end")
COUNTIES, TOWNS = 31, 396
PATIENCE = 240


@dataclass
class Land:
    """A center with all counties and municipalities of a Land, and the engine somewhere else."""

    house: Carrying
    database: Database
    orgs: list[str]

    async def start(self, raw: bytes, orgs: list[str]) -> Response:
        around = self.house.around
        async with self.database.write() as connection:
            center = self.house.center.org_id
            kept = (await importing.take(connection, raw, center, [], around.now())).kept
        assert kept is not None
        async with self.database.write() as connection:
            now = around.now()
            plan = Plan(kept.id, orgs, "group:members")
            checked = await starting.check(self.house, connection, plan, now)
            new = await starting.propose(self.house, connection, checked, "starter")
            for number in range(checked.approvals):
                who = f"approver {number}"
                new = await starting.say(self.house, connection, new.id, who, agreed=True)
        return new

    async def tasks(self, response: Response, *states: str) -> list[Task]:
        async with self.database.read() as connection:
            found = await responses.tasks_of(connection, response.id)
        return [one for one in found if not states or one.state in states]

    async def until_put(self, response: Response, count: int) -> list[Task]:
        deadline = time.monotonic() + PATIENCE
        while len(found := await self.tasks(response)) < count:
            assert time.monotonic() < deadline, f"only {len(found)} tasks"
            await asyncio.sleep(0.3)
        return found

    async def finish(self, some: list[Task]) -> None:
        for at in range(0, len(some), 50):
            async with self.database.write() as connection:
                for task in some[at : at + 50]:
                    who = Who(task.org_id)
                    await doing.finish(self.house, connection, task.id, who, {"__n__": 1})

    async def ended(self, response: Response) -> Response:
        deadline = time.monotonic() + PATIENCE
        while True:
            async with self.database.read() as connection:
                found = await responses.response(connection, response.id)
            if found.state != "running":
                return found
            assert time.monotonic() < deadline, "it did not end"
            await asyncio.sleep(0.3)

    async def noted(self, response: Response, step_id: str) -> int:
        """Return in how many runs it is noted that a step is done."""
        async with self.database.read() as connection:
            runs = await responses.runs_of(connection, response.id)
            steps = await responses.steps_of(connection, [run.id for run in runs])
        return sum(step.step_id == step_id and step.state == "done" for step in steps)

    async def log(self, response: Response) -> Counter[tuple[str, str]]:
        """Return how often each thing was noted of each organisation."""
        async with self.database.read() as connection:
            found = await responses.log_of(connection, response.id)
        return Counter((row.what, row.org_id) for row in found)


@asynccontextmanager
async def land(terminal: Terminal, url: str) -> AsyncIterator[Land]:
    terminal.run("init", "--name", "Testzentrum")
    database, around = Database(url), Surroundings()
    try:
        async with database.write() as connection:
            center = await members.the_center(connection)
            orgs: list[str] = []
            for number in range(COUNTIES + TOWNS):
                parent = orgs[number % COUNTIES] if number >= COUNTIES else None
                kind = Kind.CLIENT if parent else Kind.MEMBER
                one = Organisation(
                    around.uuid(), f"Stelle {number}", kind, True, around.uuid(), parent
                )
                await members.add(connection, one, around.now())
                orgs.append(one.id)
        house = carrying(database, center, Settings(data=terminal.folder, database=url), around)
        yield Land(house, database, orgs)
    finally:
        await database.close()


def asking() -> bytes:
    """Return a playbook with one task for everybody, and a step behind it that only decides."""
    return book(
        "land",
        key("action", "look"),
        manual("look", to=END, asks={"__n__": "number"}),
        end(),
        variables={"__n__": {"type": "integer", "value": "0"}},
    )


def sending(url: str) -> bytes:
    """Return a playbook that asks, and then sends a request."""
    return book(
        "sending",
        key("action", "look"),
        manual("look", to=key("action", "send"), asks={"__n__": "number"}),
        action(
            "send",
            {"type": "http-api", "command": "POST /rules", "content": '{"n": "__n__:value"}'},
            to=END,
            targets=[TARGET],
            in_args=["__n__"],
        ),
        end(),
        variables={"__n__": {"type": "integer", "value": "0"}},
        target_definitions={
            TARGET: {"type": "http-api", "name": "Firewall", "address": {"url": [url]}}
        },
    )


async def check_all(one: Land, response: Response) -> None:
    """Check that every organisation was asked once, answered once, and has ended."""
    assert (await one.ended(response)).state == "done"
    tasks = await one.tasks(response)
    assert Counter(task.org_id for task in tasks) == Counter(dict.fromkeys(one.orgs, 1))
    assert {task.state for task in tasks} == {"done"}
    noted = await one.log(response)
    for what in ("task-opened", "task-done", "run-done"):
        assert {n for (said, _), n in noted.items() if said == what} == {1}
        assert sum(n for (said, _), n in noted.items() if said == what) == len(one.orgs)


async def test_killed_in_the_middle_a_center_on_sqlite_asks_nobody_again(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    async with land(terminal, f"sqlite:///{tmp_path / 'cybercoop.sqlite'}") as one:
        response = await one.start(asking(), one.orgs)
        with terminal.started("serve") as process:
            await one.until_put(response, 100)
            process.kill()
        await one.finish((await one.tasks(response, "open"))[:60])
        with terminal.started("serve") as process:
            tasks = await one.until_put(response, len(one.orgs))
            await one.finish([task for task in tasks if task.state == "open"][:200])
            process.kill()
        with terminal.started("serve"):
            await one.finish(await one.tasks(response, "open"))
            await check_all(one, response)


async def test_of_two_workers_one_dies_for_good_and_the_other_goes_on(
    postgres_url: str, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, postgres_url)
    async with land(terminal, postgres_url) as one:
        response = await one.start(asking(), one.orgs)
        with ExitStack() as stack:
            web = stack.enter_context(terminal.started("serve", "--web-only"))
            first = stack.enter_context(terminal.started("work"))
            await one.until_put(response, 50)
            stack.enter_context(terminal.started("work"))
            tasks = await one.until_put(response, 150)
            first.kill()
            web.kill()
            await one.finish([task for task in tasks if task.state == "open"])
            await one.until_put(response, len(one.orgs))
            await one.finish(await one.tasks(response, "open"))
            await check_all(one, response)


async def until_sent(taken: Sequence[object], count: int) -> None:
    """Wait until the firewall has had so many requests: the center is in the middle of them."""
    deadline = time.monotonic() + PATIENCE
    while len(taken) < count:
        assert time.monotonic() < deadline, f"only {len(taken)} requests"
        await asyncio.sleep(0.01)


async def test_a_request_is_sent_once_by_its_key_however_often_the_center_dies(
    tmp_path: Path,
) -> None:
    async with firewall() as (port, taken):
        targets = tmp_path / "targets.toml"
        targets.write_text(f'[f]\norigin = "http://127.0.0.1:{port}"\ninternal = true\n')
        terminal, more = Terminal(tmp_path), {"CYBERCOOP_TARGETS": str(targets)}
        async with land(terminal, f"sqlite:///{tmp_path / 'cybercoop.sqlite'}") as one:
            raw = sending(f"http://127.0.0.1:{port}/x.test")
            some = one.orgs[:COUNTIES]
            response = await one.start(raw, some)
            finished = under_way = 0
            for _ in range(3):
                with terminal.started("serve", **more) as process:
                    tasks = await one.until_put(response, len(some))
                    chosen = [task for task in tasks if task.state == "open"][:10]
                    await one.finish(chosen)
                    finished += len(chosen)
                    await until_sent(taken, finished - len(chosen) // 2)
                    process.kill()
                under_way += finished - await one.noted(response, key("action", "send"))
            with terminal.started("serve", **more):
                await one.finish(await one.tasks(response, "open"))
                assert (await one.ended(response)).state == "done"
        sent = Counter(headers["Idempotency-Key"] for headers, _ in taken)
        assert len(sent) == len(some)
        again = sum(sent.values()) - len(some)
        assert again <= under_way  # what was not noted yet when the center died
