"""Playbooks over TAXII: a course of action that carries the document, to whom the marking lets."""

import base64
import json
from pathlib import Path
from typing import Any

from cybercoop.playbooks.shared import EXTENSION
from cybercoop.responses import importing
from playbooks.documents import OURS
from responses.books import book, end, key, manual
from world import Seat, World, world


async def taken(one: World, raw: bytes) -> None:
    async with one.database.write() as connection:
        found = await importing.take(connection, raw, one.center.org_id, [], one.clock())
    assert found.kept is not None


async def courses(one: World, seat: Seat | None, collection: str = "feed") -> list[dict[str, Any]]:
    found = await one.feed(seat, collection)
    return [body for body in found if body["type"] == "course-of-action"]


async def test_a_playbook_is_read_back_byte_for_byte(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as one:
        county = await one.org("Kreis")
        for file in OURS:
            await taken(one, file.read_bytes())
        await one.project()
        found = await courses(one, county)
        bytes_of = {base64.b64decode(o["extensions"][EXTENSION]["playbook_base64"]) for o in found}
        assert bytes_of == {file.read_bytes() for file in OURS}
        assert {o["name"] for o in found} == {json.loads(raw)["name"] for raw in bytes_of}
        assert len(await courses(one, None, "feed-public")) == len(OURS)


async def test_a_marking_keeps_a_playbook_from_strangers(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as one:
        county = await one.org("Kreis")
        raw = book("amber", key("action", "a"), manual("a", to=key("end", "end")), end())
        await taken(one, raw)
        await one.project()
        (seen,) = await courses(one, county)
        assert seen["name"] == "amber"
        assert await courses(one, None, "feed-public") == []


async def test_a_playbook_without_a_marking_stays_with_the_center(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as one:
        county = await one.org("Kreis")
        raw = book(
            "own", key("action", "a"), manual("a", to=key("end", "end")), end(), markings=None
        )
        await taken(one, raw)
        await one.project()
        assert await courses(one, county) == []
