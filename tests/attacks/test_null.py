"""Null characters: PostgreSQL cannot keep them, and nobody is told that something broke here."""

from pathlib import Path

import pytest

from world import world


@pytest.mark.parametrize("path", ["responses/%00/events", "responses/a%00b/report.pdf"])
async def test_a_null_character_in_an_address_is_no_fault_of_ours(
    database_url: str, tmp_path: Path, path: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        answer = await center.get(f"/api/v1/{path}", county)
        assert answer.status in {400, 404}
