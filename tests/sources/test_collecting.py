"""Collecting into a real database: what comes, what stays, what goes, and what is said about it."""

import re
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import collecting
from cybercoop.collect.collecting import House, Run, State
from cybercoop.collect.definitions import Source
from cybercoop.collect.readers import plain
from cybercoop.errors import Misused
from cybercoop.indicators.statements import DAY
from cybercoop.members.organisations import Kind
from cybercoop.store import members, sources
from sources.collecting import source
from world import SECOND, Seat, World, world

HOUR = 3600 * SECOND


def folder_source(folder: Path, **more: Any) -> Source:
    folder.mkdir(exist_ok=True)
    said = {"path": str(folder), "reader": plain.NAME, "verified": True}
    return source("directory", **(said | more))


async def added(center: World, one: Source) -> None:
    await collecting.add(center.database, one, center.surroundings, accept_terms=False)


async def collected(center: World, one: Source, later: int = HOUR) -> Run:
    """Collect after a while, and project what came of it."""
    center.clock.forward(later)
    house = House(center.database, center.surroundings, {})
    run = await collecting.collect(house, one, lambda *_: None)
    await center.project()
    return run


async def row(center: World, name: str = "test") -> sources.Row:
    async with center.database.read() as connection:
        return await sources.find(connection, name)


async def names(center: World, reader: Seat) -> set[str]:
    """Return the values that a reader finds in patterns of one comparison."""
    return {re.findall("'(.*)'", one)[0] for one in await center.patterns(reader)}


def counts(run: Run) -> tuple[int, int, int]:
    """Return how many were accepted, kept and withdrawn."""
    taken = run.taken.values()
    return (
        sum(one.accepted for one in taken),
        sum(one.kept for one in taken),
        sum(one.withdrawn for one in taken),
    )


async def test_a_list_is_followed_value_by_value(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A")
        one = folder_source(tmp_path / "in")
        list_file = tmp_path / "in" / "list.txt"
        await added(center, one)
        list_file.write_text("a.example\nb.example\nc.example\n")
        assert counts(await collected(center, one)) == (3, 0, 0)
        assert await names(center, reader) == {"a.example", "b.example", "c.example"}
        assert counts(await collected(center, one)) == (0, 0, 0)
        list_file.write_text("b.example\nc.example\nd.example\n")
        assert counts(await collected(center, one)) == (1, 2, 1)
        assert await names(center, reader) == {"b.example", "c.example", "d.example"}
        list_file.unlink()
        (tmp_path / "in" / "other.txt").write_text("e.example\n")
        assert counts(await collected(center, one)) == (1, 0, 3)
        assert await names(center, reader) == {"e.example"}
        found = await row(center)
        assert (found.objects, found.failures, found.failure) == (1, 0, None)


async def test_a_source_takes_part_without_keys_or_community(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        one = folder_source(tmp_path / "in", catalogue=True)
        await added(center, one)
        async with center.database.read() as connection:
            org = await members.find(connection, "test")
        assert (org.kind, org.community, org.catalogue) == (Kind.SOURCE, False, True)
        with pytest.raises(Misused, match="already"):
            await added(center, one)
        await collecting.stop(center.database, "test", center.clock.now)
        assert collecting.state_of(await row(center), one, center.clock.now) is State.OFF
        with pytest.raises(Misused, match="off"):
            await collected(center, one)
        await added(center, one)
        assert (await row(center)).enabled


async def test_terms_that_nobody_has_read_are_accepted_by_a_person(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        one = folder_source(tmp_path / "in", verified=False)
        with pytest.raises(Misused, match="terms"):
            await added(center, one)
        await collecting.add(center.database, one, center.surroundings, accept_terms=True)
        assert (await row(center)).enabled


async def test_what_is_still_listed_lives_on_and_the_rest_ages(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        one = folder_source(tmp_path / "in", lifetime_days=10)
        (tmp_path / "in" / "list.txt").write_text("a.example\nb.example\n")
        await added(center, one)
        await collected(center, one)
        assert (await collected(center, one, 4 * DAY)).refreshed == 0
        assert (await collected(center, one, 2 * DAY)).refreshed == 2
        assert (await collected(center, one, HOUR)).refreshed == 0
        (tmp_path / "in" / "list.txt").write_text("a.example\nb.example\nc.example\n")
        assert counts(await collected(center, one, HOUR)) == (1, 2, 0)
        assert counts(await collected(center, one, 6 * DAY)) == (0, 0, 0)
        (tmp_path / "in" / "list.txt").write_text("a.example # again\nc.example\n")
        assert counts(await collected(center, one, HOUR)) == (1, 1, 1)


async def test_what_carries_a_date_ages_by_it_unless_it_is_read_again(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        options = {"mapping": {"1": "value", "2": "valid_from"}}
        one = folder_source(tmp_path / "in", lifetime_days=10, reader="csv", options=options)
        head, file = "domain,first seen\n", tmp_path / "in" / "list.csv"
        file.write_text(head + "a.example,2026-10-01\n")
        await added(center, one)
        await collected(center, one)
        assert (await collected(center, one, 6 * DAY)).refreshed == 0
        file.write_text(head + "a.example,2026-10-01\nb.example,2026-11-01\n")
        assert counts(await collected(center, one)) == (2, 0, 0)
        file.write_text(head + "a.example,2026-10-01\n")
        assert counts(await collected(center, one)) == (0, 1, 1)
