"""Versions of one object: which of them counts, and what it leaves behind."""

from pathlib import Path

import pytest

from world import indicator, world

NEWER = indicator("evil-host.net", "green")
OLDER = {name: NEWER[name] for name in NEWER if name not in {"spec_version", "pattern_type"}} | {
    "modified": "2026-10-02T08:00:00.000Z",
    "labels": ["malicious-activity"],
}


@pytest.mark.parametrize("given", [(NEWER, OLDER), (OLDER, NEWER)], ids=["after", "before"])
async def test_a_version_in_stix_2_0_does_not_withdraw_the_one_in_2_1(
    database_url: str, tmp_path: Path, given: tuple[dict[str, object], ...]
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        for one in given:
            assert [said["outcome"] for said in await center.push(county, [one])] == ["accepted"]
            await center.project()
            assert await center.patterns(other) == {NEWER["pattern"]}
