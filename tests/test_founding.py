"""Founding and leaving: nothing is half done, and nobody comes after he has gone."""

import json
from pathlib import Path

import pytest

from cybercoop.collect import founding, leaving
from cybercoop.collect.intake import Push, accept
from cybercoop.errors import Unauthenticated
from cybercoop.store import upgrade
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from world import Chance, Clock, envelope, indicator, world


class PowerCut(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("drawn", range(4))
async def test_a_founding_that_was_broken_off_can_be_done_again(
    drawn: int, database_url: str, tmp_path: Path
) -> None:
    chance, left = Chance(), iter(range(drawn))

    def uuid() -> str:
        if next(left, None) is None:
            raise PowerCut
        return chance.uuid()

    database = Database(database_url)
    await upgrade.upgrade(database)
    with pytest.raises(PowerCut):
        await founding.found_center(
            database, "Testzentrum", Surroundings(Clock(), uuid, chance.secret)
        )
    await database.close()
    async with world(database_url, tmp_path) as center:  # founds it
        await center.project()
        kinds = [one["type"] for one in await center.feed(None, "feed-public")]
        assert sorted(kinds) == ["identity", *["marking-definition"] * 4]


async def test_a_push_under_way_does_not_come_after_the_export(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        body = envelope([indicator("evil.example", "green")])
        await center.push(seat, body)
        file, now = tmp_path / "all.json", center.clock.now
        await leaving.leave(center.database, seat.org.name, file, now, withdraw=False)
        with pytest.raises(Unauthenticated):  # its token was looked at before
            await accept(center.database, center.center, seat.org, body, Push(), now)
        late = envelope([indicator("late.example", "green")])
        with pytest.raises(Unauthenticated):
            await accept(center.database, center.center, seat.org, late, Push(), now)
        await center.project()
        assert len(json.loads(file.read_bytes())["objects"]) == 1
        reader = await center.org("Landkreis B")
        assert await center.patterns(reader) == {"[domain-name:value = 'evil.example']"}


async def test_the_export_holds_every_object_however_many_there_are(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        pushed = [indicator(f"host{number}.example", "green") for number in range(2500)]
        for at in range(0, len(pushed), 500):
            await center.push(seat, envelope(pushed[at : at + 500]))
        file = tmp_path / "all.json"
        left = await leaving.leave(
            center.database, seat.org.name, file, center.clock.now, withdraw=True
        )
        assert left.versions == len(pushed)
        exported = json.loads(file.read_bytes())["objects"]
        assert [one["id"] for one in exported] == [one["id"] for one in pushed]
