"""A contribution that cannot be released is set aside; it stops nobody else's."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import update

from cybercoop.collect.projector import Projector
from cybercoop.sharing import stamps
from cybercoop.store import projection
from cybercoop.store.tables import contributions
from world import START, TLP, Clock, Seat, World, indicator, world

ROTTEN = [b"\xff\x00 not json", b"[1, 2, 3]", b'{"type": "indicator"}', b'{"pattern": 5}', b""]
PATIENCE = 20.0
HOUR = 3_600_000_000


class RunningClock(Clock):
    """A clock that begins at a fixed time and runs."""

    def __init__(self) -> None:
        super().__init__(START)
        self._began = time.monotonic()

    def __call__(self) -> int:
        return self.now + int((time.monotonic() - self._began) * 1_000_000)


@asynccontextmanager
async def projecting(center: World) -> AsyncIterator[None]:
    task = asyncio.create_task(Projector(center.database, center.center, center.surroundings).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def rot(center: World, stix_id: str, raw: bytes) -> None:
    async with center.database.write() as connection:
        await connection.execute(
            update(contributions).where(contributions.c.stix_id == stix_id).values(bytes=raw)
        )


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something has happened; only the center knows when."""
    async with asyncio.timeout(PATIENCE):
        while not await happens():  # noqa: ASYNC110 - nobody tells a reader
            await asyncio.sleep(0.05)


async def sees(center: World, reader: Seat, *values: str) -> None:
    """Wait until the reader sees just these domains."""
    wanted = {f"[domain-name:value = '{value}']" for value in values}

    async def seen() -> bool:
        return await center.patterns(reader) == wanted

    await until(seen)


async def notes(center: World, seat: Seat) -> dict[str, str]:
    listed = (await center.get("/api/v1/unreleased", seat)).json["unreleased"]
    return {one["id"]: one["reason"] for one in listed}


async def told(center: World, seat: Seat) -> bool:
    return bool(await notes(center, seat))


async def last_slot(center: World) -> int:
    async with center.database.read() as connection:
        return await projection.last_slot(connection)


async def test_stamps_do_not_run_away_from_a_clock_that_was_set_back(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, projecting(center):
        a, b = await center.org("A"), await center.org("B")
        await center.push(a, [indicator("before.example", "green")])
        center.clock.forward(stamps.SLOT)
        await sees(center, b, "before.example")
        before = await last_slot(center)
        center.clock.now = (stamps.slot_of(START - HOUR) | 1) * stamps.SLOT
        await center.push(a, [indicator("first.example", "green")])
        await sees(center, b, "before.example", "first.example")
        await center.push(a, [indicator("second.example", "green")])
        await asyncio.sleep(0.5)  # enough for a projector that does not wait for the clock
        assert await last_slot(center) == before + 1
        center.clock.forward(2 * stamps.SLOT)
        await sees(center, b, "before.example", "first.example", "second.example")


@pytest.mark.parametrize("raw", ROTTEN, ids=repr)
async def test_a_rotten_contribution_stops_no_other_one(
    database_url: str, tmp_path: Path, raw: bytes
) -> None:
    async with world(database_url, tmp_path, RunningClock()) as center:
        a, b = await center.org("A"), await center.org("B")
        bad = indicator("bad.example", "green")
        await center.push(
            a, [indicator("a1.example", "green"), bad, indicator("a2.example", "amber")]
        )
        await center.push(
            b, [indicator("bad.example", "green", confidence=70), indicator("b1.example", "clear")]
        )
        await rot(center, bad["id"], raw)
        async with projecting(center):
            await sees(center, b, "a1.example", "a2.example", "bad.example", "b1.example")
            await center.push(b, [indicator("later.example", "green")])
            await sees(
                center, b, "a1.example", "a2.example", "bad.example", "b1.example", "later.example"
            )
        assert "could not be released" in (await notes(center, a))[bad["id"]]
        assert await notes(center, b) == {}


async def test_what_rots_after_its_release_takes_no_newer_one_along(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, RunningClock()) as center:
        a, b = await center.org("A"), await center.org("B")
        bad = indicator("bad.example", "green")
        async with projecting(center):
            await center.push(a, [bad])
            await sees(center, b, "bad.example")
            await rot(center, bad["id"], b"\xff")
            mine = indicator("bad.example", "green", confidence=90)
            await center.push(b, [mine, indicator("b1.example", "green")])
            await sees(center, b, "bad.example", "b1.example")
            gone = mine | {"modified": "2026-10-02T08:00:00Z", "revoked": True}
            await center.push(b, [gone])
            await sees(center, b, "b1.example")
        assert bad["id"] in await notes(center, a)
        assert await notes(center, b) == {}


async def test_a_newer_version_takes_the_place_of_what_was_set_aside(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, RunningClock()) as center:
        a, b = await center.org("A"), await center.org("B")
        bad = indicator("bad.example", "green")
        await center.push(a, [bad])
        await rot(center, bad["id"], b"\xff")
        async with projecting(center):
            await until(lambda: told(center, a))
            await center.push(a, [bad | {"modified": "2026-10-02T08:00:00Z"}])
            await sees(center, b, "bad.example")
        assert await notes(center, a) == {}


def context(kind: str, **more: object) -> dict[str, object]:
    numbers = {"malware": 1, "intrusion-set": 2, "tool": 3, "threat-actor": 4}
    made = {"created": "2026-10-01T08:00:00Z", "modified": "2026-10-01T08:00:00Z"}
    return made | {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--6f2b6b1c-7d0e-4f0a-9a3b-{numbers[kind]:012d}",
        "object_marking_refs": [TLP["green"]],
        **more,
    }


async def test_properties_of_another_type_or_version_are_not_worked_with(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        a, b = await center.org("A"), await center.org("B")
        nameless = context("malware", is_family=False)
        borrowed = context("intrusion-set", name="Group", kill_chain_phases=5)
        strange = context("tool", name="Tool", is_family={"a": 1})
        older = context("threat-actor", spec_version="2.0", name="Actor", aliases=5)
        verdicts = await center.push(a, [nameless, borrowed, strange, older])
        assert [one["outcome"] for one in verdicts] == ["accepted"] * 3 + ["refused"]
        assert "without a name" in verdicts[0]["reason"]
        assert verdicts[3]["field"] == "aliases"
        await center.project()
        kinds = {"malware", "intrusion-set", "tool", "threat-actor"}
        found = [one for one in await center.feed(b) if one["type"] in kinds]
        assert sorted(one["name"] for one in found) == ["Group", "Tool"]
        for one in found:
            assert not {"kill_chain_phases", "is_family"} & one.keys()


async def test_blank_names_are_no_name_that_two_share(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        a, b = await center.org("A"), await center.org("B")
        for seat, name in ((a, ""), (b, " \u00a0")):
            (verdict,) = await center.push(seat, [context("tool", name=name)])
            assert "without a name" in verdict["reason"]
        await center.project()
        assert "tool" not in {one["type"] for one in await center.feed(b)}


async def test_validity_of_less_than_a_microsecond_lasts_the_day(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        day = {"valid_from": "2026-10-01T00:00:00Z", "valid_until": "2026-10-01T00:00:00.0000001Z"}
        await center.push(county, [indicator("evil-host.net", "green", **day)])
        await center.project()
        (found,) = [one for one in await center.feed(county) if one["type"] == "indicator"]
        assert found["valid_from"] < found["valid_until"] == "2026-10-02T00:00:00.000000Z"
