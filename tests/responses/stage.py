"""A center that carries out responses: real store, real engine in this process, a real clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cybercoop import durable
from cybercoop.config import Settings
from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.responses import doing, engine, importing, starting
from cybercoop.responses.carrying import Carrying, carrying
from cybercoop.responses.doing import Who
from cybercoop.responses.starting import Plan
from cybercoop.store import responses
from cybercoop.surroundings import Surroundings
from world import Clock, Seat, World, world

T = TypeVar("T")
PATIENCE = 60


class Real(Clock):
    """The clock on the wall, which tests may put forward."""

    def __init__(self) -> None:
        super().__init__(0)

    def __call__(self) -> int:
        return time.time_ns() // 1_000 + self.now


@dataclass
class Stage:
    """A world with four counties, and what their responses are carried out with."""

    world: World
    house: Carrying
    counties: list[Seat]
    people: dict[str, str] = field(default_factory=dict)

    async def write(self, deed: Callable[..., Awaitable[T]], *words: Any, **more: Any) -> T:
        """Do a deed of the rooms in a transaction of its own."""
        async with self.world.database.write() as connection:
            return await deed(self.house, connection, *words, **more)

    async def read(self, deed: Callable[..., Awaitable[T]], *words: Any, **more: Any) -> T:
        """Return what a deed of the store finds."""
        async with self.world.database.read() as connection:
            return await deed(connection, *words, **more)

    async def keep(self, raw: bytes) -> str:
        """Import a playbook and return its id."""
        async with self.world.database.write() as connection:
            found = await importing.take(
                connection, raw, self.world.center.org_id, [], self.house.around.now()
            )
        assert found.kept is not None, [one.english for one in found.findings]
        return found.kept.id

    async def start(self, playbook_id: str, counties: Sequence[Seat] = (), **more: Any) -> Response:
        """Propose a response for counties, or for all, and approve it."""
        chosen = [one.org.id for one in counties or self.counties]
        plan = Plan(playbook_id, chosen, more.pop("lock", "group:members"), **more)
        async with self.world.database.write() as connection:
            now = self.house.around.now()
            checked = await starting.check(self.house, connection, plan, now)
            new = await starting.propose(self.house, connection, checked, "starter")
        for number in range(checked.approvals):
            new = await self.write(starting.say, new.id, f"approver {number}", agreed=True)
        assert new.state == "running"
        return new

    async def start_alone(self, raw: bytes, **more: Any) -> Response:
        """Start a response for the first county alone."""
        return await self.start(await self.keep(raw), self.counties[:1], **more)

    async def until(self, look: Callable[[], Awaitable[T]]) -> T:
        """Return what ``look`` finds as soon as it finds something."""
        deadline = time.monotonic() + PATIENCE
        while not (found := await look()):
            if time.monotonic() > deadline:
                raise AssertionError("It did not happen.")
            await asyncio.sleep(0.05)
        return found

    async def tasks(self, response: Response, count: int, state: str = "open") -> list[Task]:
        """Return the tasks in a state once there are so many."""

        async def look() -> list[Task]:
            found = await self.read(responses.tasks_of, response.id)
            found = [one for one in found if one.state == state]
            return found if len(found) >= count else []

        return await self.until(look)

    async def ended(self, response: Response) -> Response:
        """Return a response once it has ended."""

        async def look() -> Response | None:
            found = await self.read(responses.response, response.id)
            return found if found.state != "running" else None

        return await self.until(look)

    async def runs(self, response: Response) -> dict[str, Run]:
        """Return the latest run of each county, by its name."""
        names = {one.org.id: one.org.name for one in self.counties}
        found = await self.read(responses.runs_of, response.id, latest=True)
        return {names[one.org_id]: one for one in found}

    async def finish(self, task: Task, **answers: object) -> Task:
        """Let the county whose task it is end it."""
        return await self.write(doing.finish, task.id, Who(task.org_id), answers)

    async def titled(self, response: Response, title: str) -> list[Task]:
        """Return the tasks of a title, whatever became of them."""
        found = await self.read(responses.tasks_of, response.id)
        return [one for one in found if one.title == title]

    async def places(self, run: Run) -> dict[str, str]:
        """Return what became of every place of a run."""
        found = await self.read(responses.steps_of, [run.id])
        return {one.place: one.state for one in found}


@asynccontextmanager
async def stage(
    database_url: str, folder: Path, counties: int = 4, **settings: Any
) -> AsyncIterator[Stage]:
    """Found a center whose engine runs in this process."""
    async with world(database_url, folder, clock=Real(), **settings) as one:
        around = Surroundings(one.clock, one.chance.uuid, one.chance.secret)
        chosen = Settings(data=folder, database=database_url, **settings)
        house = carrying(one.database, one.center, chosen, around)
        seats = [await one.org(f"Kreis {number + 1}") for number in range(counties)]
        work = asyncio.create_task(durable.keep([engine.part(house)], one.database, folder, around))
        try:
            yield Stage(one, house, seats)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await house.watch.stop()
