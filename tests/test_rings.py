"""Rings and turns: what refers to itself by way of others waits, and no turn comes too early."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cybercoop.collect.projector import cycle
from cybercoop.members.organisations import Kind
from cybercoop.sharing import stamps
from cybercoop.store import projection
from test_references import MALWARE, NOTE, REPORT, SEEN, SIGHTING, TIED
from test_tightening_later import AMBER, SECOND, THIRD
from world import Seat, World, world

ENOUGH = 4
"""Looks at which all of these must have come to rest: what still comes and goes takes more."""

ALONE = {"indicator", "malware"}
KINDS = ALONE | {"note", "relationship", "report", "sighting"}


async def rest(center: World) -> None:
    """Run the projector until nothing is left to do, which must come soon."""
    for _ in range(ENOUGH):
        async with center.database.read() as connection:
            if not await projection.anything_to_do(connection, center.clock.now):
                return
        center.clock.forward(stamps.SLOT)
        await cycle(center.database, center.center, center.clock.now)
    pytest.fail(f"There was still something to do after {ENOUGH} cycles.")


async def released(center: World, reader: Seat) -> dict[str, str]:
    """Return the ids of what a reader finds of these kinds and is not revoked, by type."""
    found = await center.feed(reader, **{"match[type]": ",".join(sorted(KINDS))})
    return {one["type"]: one["id"] for one in found if not one.get("revoked")}


async def say(center: World, county: Seat, *objects: dict[str, Any]) -> None:
    """Push objects with their text cleared, and run the projector until it rests."""
    await center.push(county, list(objects), with_text="1")
    await rest(center)


async def test_a_report_and_a_relationship_about_each_other_wait(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        await say(center, county, SEEN, MALWARE, TIED)
        await say(center, county, REPORT)
        assert {*await released(center, partner)} == ALONE | {"relationship", "report"}
        await say(center, county, TIED | {"modified": SECOND, "source_ref": REPORT["id"]})
        assert {*await released(center, partner)} == ALONE
        await say(center, county, TIED | {"modified": THIRD})
        assert {*await released(center, partner)} == ALONE | {"relationship", "report"}


async def test_a_note_and_a_relationship_about_each_other_wait(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        note = NOTE | {"object_refs": [MALWARE["id"]]}
        await say(center, county, SEEN, MALWARE, SIGHTING)
        await say(center, county, note)
        await say(center, county, TIED | {"source_ref": note["id"]})
        ring = note | {"modified": SECOND, "object_refs": [TIED["id"]]}
        await say(center, county, ring)
        assert {*await released(center, partner)} == ALONE | {"sighting"}
        await say(
            center, county, ring | {"modified": THIRD, "object_refs": [TIED["id"], SIGHTING["id"]]}
        )
        assert {*await released(center, partner)} == ALONE | {"sighting"}


async def test_a_ring_of_released_ids_comes_to_rest_when_a_part_of_it_waits(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        note = NOTE | {"object_refs": [MALWARE["id"]]}
        await say(center, county, SEEN, MALWARE)
        await say(center, county, note)
        ids = await released(center, partner)
        await say(center, county, TIED | {"source_ref": ids["note"], "target_ref": SEEN["id"]})
        ids = await released(center, partner)
        await say(center, county, note | {"modified": SECOND, "object_refs": [ids["relationship"]]})
        assert {*await released(center, partner)} == ALONE | {"note", "relationship"}
        report = REPORT | {"object_refs": [SEEN["id"]]}
        later = {"modified": THIRD, "object_refs": [ids["relationship"], report["id"]]}
        await say(center, county, note | later, report)
        assert {*await released(center, partner)} == ALONE | {"report"}


async def test_what_was_seen_of_a_relationship_with_a_later_turn_waits_for_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        note = NOTE | {"object_refs": [MALWARE["id"]]}
        about = TIED | {"source_ref": note["id"], "target_ref": SEEN["id"]}
        seen = SIGHTING | {"sighting_of_ref": about["id"]}
        await center.push(county, [SEEN, MALWARE, note, about, seen], with_text="1")
        await center.project()
        assert {*await released(center, partner)} == KINDS - {"report"}
        again = (
            SEEN | {"modified": SECOND, "revoked": True},
            seen | {"modified": SECOND, "count": 2},
        )
        await center.push(county, [*again])
        await center.project()
        assert {*await released(center, partner)} == {"malware", "note"}


async def test_what_is_about_a_sighting_is_found_again_once_its_narrower_version_is_undone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        seen, push_id = SIGHTING | {"sighting_of_ref": MALWARE["id"]}, str(uuid4())
        about = TIED | {"source_ref": seen["id"], "target_ref": SEEN["id"]}
        await center.push(county, [SEEN, MALWARE, seen, about])
        await center.project()
        await center.push(county, [seen | AMBER | {"modified": SECOND}], push_id=push_id)
        await center.project()
        assert {*await released(center, partner)} == ALONE
        await center.request("DELETE", f"/api/v1/pushes/{push_id}", county)
        await center.project()
        assert {*await released(center, partner)} == ALONE | {"relationship", "sighting"}
