"""A rule with which something unexpected goes wrong keeps no other from firing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import update

from cybercoop.config import Settings
from cybercoop.responses import firing, rules
from cybercoop.responses.breaking import Broke
from cybercoop.responses.rules import Book
from cybercoop.store import firings
from cybercoop.store.incident_tables import incident_shares
from cybercoop.surroundings import Surroundings
from responses.test_triggers import VALUE, Desk, desk, toml
from world import indicator

GRAVE = {"kind": "incident", "values": {"__wert__": {"from": "category"}}}
LOOKS, PAUSE = 1_200, 0.05


class Death(BaseException):
    """What nobody survives."""


async def spoil(on: Desk, severity: str) -> None:
    """Give what was shared of incidents a severity, also one that no program would write."""
    async with on.world.database.write() as connection:
        await connection.execute(update(incident_shares).values(severity=severity))


async def share_spoiled(on: Desk) -> None:
    """Share an incident that nobody looks at before it is spoiled."""
    book, on.book = on.book, rules.NONE
    await on.share(1, "malicious-code", "high")
    await spoil(on, "unheard")
    on.book = book


async def fired(on: Desk) -> list[str | None]:
    """Return the rules that responses came of, the oldest first."""
    return [one.rule for one in await on.responses()]


@pytest.mark.parametrize("broken", ["looking", "acting"])
async def test_a_rule_that_breaks_leaves_the_others_of_its_kind_alone(
    database_url: str, tmp_path: Path, broken: str
) -> None:
    async with desk(database_url, tmp_path, bad={}, good={}) as on:
        good, whole = on.book.rules["good"], on.book.rules["bad"]
        wrong: Any = {
            "looking": structs.replace(whole, when=structs.replace(whole.when, labels=7)),
            "acting": structs.replace(whole, values=7),  # type: ignore[arg-type]
        }
        on.book = Book({"bad": wrong[broken], "good": good})
        await on.say(on.counties[0])
        assert await fired(on) == ["good"]
        assert {one.rule for one in await on.fired()} == {"good"}
        on.book = Book({"bad": whole, "good": good})
        await on.look()
        assert await fired(on) == ["good"]  # what it missed stays missed
        await on.say(on.counties[1], "other.cybercoop-test.net")
        assert sorted(map(str, await fired(on))) == ["bad", "good", "good"]


async def test_a_kind_that_breaks_leaves_the_other_kinds_alone_and_misses_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, grave=GRAVE, release={}) as on:
        await share_spoiled(on)
        with pytest.raises(Broke, match=r"^incident: .*unheard"):
            await on.say(on.counties[0])
        assert await fired(on) == ["release"]
        await spoil(on, "high")
        await on.look()
        assert sorted(map(str, await fired(on))) == ["grave", "release"]


@asynccontextmanager
async def tended(on: Desk, folder: Path) -> AsyncIterator[asyncio.Task[None]]:
    """Let a worker tend the rules of a folder."""
    house = replace(on.house, settings=Settings(data=folder, playbooks=folder))
    worker = asyncio.create_task(firing.tend(house))
    try:
        yield worker
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(LOOKS):
        if await look():
            return
        await asyncio.sleep(PAUSE)
    raise AssertionError("It did not happen.")


async def test_whoever_tends_the_rules_goes_on(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "triggers.toml").write_bytes(toml(grave=GRAVE, release={}))
    async with desk(database_url, tmp_path) as on, tended(on, tmp_path) as worker:

        async def has_looked() -> bool:
            _, seen = await on.read(firings.heads)
            return {"incident", "release"} <= seen.keys()

        async def has_fired() -> bool:
            return await fired(on) == ["release"]

        await until(has_looked)
        await share_spoiled(on)
        await on.say(on.counties[0])
        await until(has_fired)
        assert not worker.done()


async def test_what_dies_before_it_is_committed_leaves_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, any={}) as on:
        await on.world.push(on.counties[0], [indicator(VALUE, "amber")])
        await on.world.project()
        # Chance runs out when the response is written and its second run is not.
        ids = ["the first run", "a response"]

        def chance() -> str:
            if not ids:
                raise Death
            return ids.pop()

        broken = replace(on.house, around=Surroundings(on.world.clock, chance))
        with pytest.raises(Death):
            await firing.poll(broken, on.book)
        assert (await on.verdicts(), await on.responses()) == ({}, [])
        await on.look()
        assert await on.verdicts() == {"proposed": 1}
