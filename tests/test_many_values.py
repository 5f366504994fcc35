"""One request may touch more rows than one statement of a database has places for values."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cybercoop.store import contributions
from world import TLP, World, indicator, world

MANY = 40_000
OLD, NEW = indicator("old.example"), indicator("new.example")
STATEMENT = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--1b9a3f3c-7a0f-4d0f-9d3c-0c6d8b1f0a11",
    "created": "2026-10-01T08:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Nur für Verwaltungen"},
    "object_marking_refs": [TLP["green"]],
}


@pytest.fixture
async def center(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Lend a center where a county has given a marking and two indicators."""
    async with world(database_url, tmp_path) as one:
        county = await one.org("Landkreis A")
        await one.push(county, [STATEMENT, OLD, NEW])
        yield one


async def numbers(center: World) -> list[int]:
    """Return the numbers of both indicators."""
    county = center.seats["Landkreis A"].org.id
    async with center.database.read() as connection:
        held = await contributions.known(connection, county, [OLD["id"], NEW["id"]])
    return sorted(one.seq for one in held)


async def left(center: World) -> list[str]:
    """Return the ids of what stands as the latest of the county."""
    held = await center.feed(center.seats["Landkreis A"], "contributions")
    return [one["id"] for one in held]


async def test_many_versions_may_be_superseded_at_once(center: World) -> None:
    first, last = await numbers(center)
    seqs = [first, *range(10**9, 10**9 + MANY), last]
    rows = [{"b_seq": seq, "tightened": False, "pending": 0} for seq in seqs]
    async with center.database.write() as connection:
        await contributions.supersede(connection, rows)
    assert await left(center) == [STATEMENT["id"]]


async def test_many_objects_may_be_withdrawn_at_once(center: World) -> None:
    county = center.seats["Landkreis A"].org.id
    ids = [OLD["id"], *(f"indicator--{number}" for number in range(MANY)), NEW["id"]]
    async with center.database.write() as connection:
        await contributions.withdraw(connection, county, ids)
    assert await left(center) == [STATEMENT["id"]]


async def test_many_versions_may_be_deleted_at_once(center: World) -> None:
    county, (first, last) = center.seats["Landkreis A"].org.id, await numbers(center)
    seqs = [first, *range(10**9, 10**9 + MANY), last]
    async with center.database.write() as connection:
        await contributions.delete(connection, county, OLD["id"], seqs)
    assert await left(center) == [STATEMENT["id"]]


async def test_many_objects_may_refer_to_others_at_once(center: World) -> None:
    county = center.seats["Landkreis A"].org.id
    modified = "2026-10-01T08:00:00.000000000Z"
    ids = [OLD["id"], *(f"report--{number}" for number in range(MANY)), NEW["id"]]
    refs = {(stix_id, modified): ["malware--1"] for stix_id in ids}
    async with center.database.write() as connection:
        await contributions.refer(connection, county, refs)
        found = await connection.exec_driver_sql("SELECT seq FROM ends ORDER BY seq")
        assert [seq for (seq,) in found] == await numbers(center)


async def test_many_markings_may_be_carried_at_once(center: World) -> None:
    org = center.seats["Landkreis A"].org.id
    ids = [f"marking-definition--{number}" for number in range(MANY)]
    async with center.database.read() as connection:
        found = await contributions.statements(
            connection, org, frozenset({"public"}), [*ids, STATEMENT["id"]]
        )
    assert found == {STATEMENT["id"]}


async def test_any_number_of_unknown_markings_is_refused_object_by_object(center: World) -> None:
    each = MANY // 40
    bad = [
        indicator(
            f"evil{number}.net",
            object_marking_refs=[
                f"marking-definition--{uuid.UUID(int=number * each + one, version=4)}"
                for one in range(each)
            ],
        )
        for number in range(40)
    ]
    good = indicator("evil-host.net", "green")
    verdicts = await center.push(center.seats["Landkreis A"], [*bad, good])
    assert [one["outcome"] for one in verdicts] == ["refused"] * 40 + ["accepted"]
    assert {one["field"] for one in verdicts[:-1]} == {"object_marking_refs"}
