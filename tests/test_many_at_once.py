"""More in one push than PostgreSQL takes values in one statement (32,767)."""

import uuid
from pathlib import Path
from typing import Any

from cybercoop.store import contributions
from world import indicator, world

MANY = 33_000


def marking(number: int) -> str:
    return f"marking-definition--{uuid.UUID(int=number, version=4)}"


async def test_any_number_of_unknown_markings_is_refused_object_by_object(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        each = MANY // 40
        bad = [
            indicator(
                f"evil{number}.net",
                object_marking_refs=[marking(number * each + one) for one in range(each)],
            )
            for number in range(41)
        ]
        verdicts = await center.push(county, [*bad, indicator("evil-host.net", "green")])
        assert [one["outcome"] for one in verdicts] == ["refused"] * 41 + ["accepted"]
        assert {one["field"] for one in verdicts[:-1]} == {"object_marking_refs"}


async def test_any_number_of_versions_and_references_is_taken(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, [indicator("evil-host.net", "green")])
        nowhere: list[dict[str, Any]] = [
            {"b_seq": -number, "tightened": False, "pending": 0} for number in range(1, MANY)
        ]
        refs = {(marking(number), ""): ["x"] for number in range(MANY)}
        async with center.database.write() as connection:
            await contributions.supersede(connection, nowhere)
            await contributions.refer(connection, county.org.id, refs)
        await center.project()
        assert await center.patterns(county) == {"[domain-name:value = 'evil-host.net']"}
