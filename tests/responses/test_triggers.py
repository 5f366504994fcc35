"""Rules fire once for what calls for it, and for nothing else."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cybercoop.config import Settings
from cybercoop.playbooks.progress import Response
from cybercoop.responses import firing, importing, rules
from cybercoop.responses.carrying import Carrying, carrying
from cybercoop.responses.rules import Book
from cybercoop.store import firings, runs
from cybercoop.store import responses as stored
from cybercoop.store.firings import Firing
from cybercoop.store.runs import Reader
from responses.books import book, end, key, manual
from world import Seat, World, indicator, world

T = TypeVar("T")
VALUE = "board.cybercoop-test.net"
PLAYBOOK = book(
    "look at it",
    key("action", "look"),
    manual("look", to=key("end", "end")),
    end(),
    variables={"__wert__": {"type": "string", "external": True, "value": "nothing"}},
)
ANY: Mapping[str, Any] = {
    "title": "Testregel",
    "kind": "release",
    "playbook": key("playbook", "look at it"),
    "enabled": True,
    "limit": "3 in 24h",
    "values": {"__wert__": {"from": "value"}},
}


def toml(**rules: Mapping[str, Any]) -> bytes:
    """Return a file of rules; each is ``ANY`` with what is said of it."""
    lines = []
    for name, said in rules.items():
        lines.append(f"[rules.{name}]")
        lines += [f"{key} = {_written(value)}" for key, value in (ANY | dict(said)).items()]
    return "\n".join(lines).encode()


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_written(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


@dataclass
class Desk:
    """A center whose rules look when they are told to, at a clock that moves when it is told to."""

    world: World
    house: Carrying
    counties: list[Seat]
    book: Book

    async def look(self) -> None:
        """Look at all that has happened."""
        while await firing.poll(self.house, self.book):
            pass

    async def say(self, seat: Seat, value: str = VALUE, level: str = "amber", **more: Any) -> None:
        """Push a value, release it, and look."""
        await self.world.push(seat, [indicator(value, level, **more)])
        await self.world.project()
        await self.look()

    async def turn(self, **some: Mapping[str, Any]) -> None:
        """Have these rules on from now, and no others."""
        self.book = rules.parse(toml(**some))
        await self.look()

    async def read(self, deed: Callable[..., Awaitable[T]], *words: Any, **more: Any) -> T:
        """Return what a deed of the store finds."""
        async with self.world.database.read() as connection:
            return await deed(connection, *words, **more)

    async def fired(self) -> list[Firing]:
        """Return what rules made of what happened, the oldest first."""
        return (await self.read(firings.latest, None, None, 1000))[::-1]

    async def verdicts(self) -> dict[str, int]:
        """Return how often each verdict was given."""
        found: dict[str, int] = {}
        for one in await self.fired():
            found[one.verdict] = found.get(one.verdict, 0) + one.why["count"]
        return found

    async def responses(self) -> list[Response]:
        """Return the responses that there are, the oldest first, as the center sees them."""
        center = Reader(self.world.center.org_id, frozenset(), is_center=True)
        return (await self.read(runs.all_of, center))[::-1]

    async def asked(self, response: Response) -> set[str]:
        """Return the names of those whom a response was put to."""
        names = {one.org.id: one.org.name for one in self.world.seats.values()}
        return {names[one.org_id] for one in await self.read(stored.runs_of, response.id)}

    async def begin(self, response: Response) -> None:
        """Let a proposed response begin."""
        now = self.world.clock.now
        async with self.world.database.write() as connection:
            await stored.change(connection, response.id, now, state="running", began_at=now)


@asynccontextmanager
async def desk(
    database_url: str, folder: Path, playbook: bytes = PLAYBOOK, **some: Mapping[str, Any]
) -> AsyncIterator[Desk]:
    """Found a center of four counties where these rules are on from now."""
    async with world(database_url, folder) as center:
        around = center.surroundings
        house = carrying(center.database, center.center, Settings(data=folder), around)
        counties = [await center.org(f"Kreis {number + 1}") for number in range(4)]
        async with center.database.write() as connection:
            await importing.take(connection, playbook, center.center.org_id, [], center.clock.now)
        found = Desk(center, house, counties, rules.NONE)
        await found.turn(**some)
        yield found


TWO = {"when": {"contributors": 2, "within": "24h"}}


async def test_two_counties_that_say_the_same_propose_one_response(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, two=TWO) as on:
        await on.say(on.counties[0])
        assert await on.verdicts() == {}
        await on.say(on.counties[1], confidence=60)
        await on.look()
        (response,) = await on.responses()
        assert (response.state, response.rule) == ("proposed", "two")
        assert (response.lock, response.variables) == ("group:members", {"__wert__": VALUE})
        assert await on.asked(response) == {one.org.name for one in on.counties}
        assert await on.verdicts() == {"proposed": 1}
