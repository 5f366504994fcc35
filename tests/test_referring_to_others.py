"""What refers to something that only others gave: it goes out where all its readers find that."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.members.organisations import Kind
from test_observables import ADDRESS
from test_references import COMMON, MALWARE, REPORT, SEEN, SIGHTING, TIED
from world import TLP, Seat, World, world

ID = "ipv4-addr--a0d9eae8-354c-563a-b7d8-201cb9294e10"
"""The deterministic id of ``ADDRESS``, which its contributor need not know."""

NOTE = COMMON | {
    "type": "note",
    "id": "note--3a4c1f60-8a7e-4b5d-9a50-5a0d4f8c2b99",
    "content": "Auch hier.",
    "object_refs": [ID],
}
ABOUT = [
    NOTE,
    REPORT | {"object_refs": [ID]},
    TIED | {"relationship_type": "based-on", "target_ref": ID},
    SIGHTING | {"sighting_of_ref": ID},
]
KINDS = {one["type"] for one in ABOUT}
PATH = "/taxii2/coop/collections/contributions/objects/"


def given(level: str, stix_id: str = ID) -> dict[str, Any]:
    return ADDRESS | {"id": stix_id, "object_marking_refs": [TLP[level]]}


async def told(center: World, reader: Seat) -> set[str]:
    """Return which kinds stand for ``reader``, after the projector is done."""
    await center.project()
    found = [one for one in await center.feed(reader) if one["type"] in KINDS]
    assert all(ID in str(one) for one in found)
    return {one["type"] for one in found if not one.get("revoked")}


@pytest.mark.parametrize("stix_id", [ID, ADDRESS["id"]], ids=["deterministic", "other"])
@pytest.mark.parametrize("first", ["observable", "reference"])
async def test_what_is_about_an_observable_of_another_stands_while_its_readers_find_that(
    first: str, stix_id: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        giver, county, client = [await center.org(name) for name in ("giver", "county", "client")]
        if first == "observable":
            await center.push(giver, [given("clear", stix_id)])
            assert await told(center, client) == set()
        await center.push(county, [SEEN, *ABOUT], with_text="1")
        if first == "reference":
            assert await told(center, client) == set()
            waiting = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
            assert {one["reason"][:8] for one in waiting} == {"It waits"}
            await center.push(giver, [given("clear", stix_id)])
        assert await told(center, client) == KINDS
        assert (await center.get("/api/v1/unreleased", county)).json["unreleased"] == []
        for level, kinds in (("green", KINDS), ("amber", set())):
            await center.push(giver, [given(level, stix_id)])
            assert await told(center, client) == kinds, level
        assert (await center.request("DELETE", f"{PATH}{stix_id}/", giver)).status == 200
        await center.push(giver, [given("clear", stix_id)])
        assert await told(center, client) == KINDS
        assert (await center.request("DELETE", f"{PATH}{stix_id}/", giver)).status == 200
        assert await told(center, client) == set()


@pytest.mark.parametrize("own", [True, False], ids=["given", "missing"])
async def test_a_catalogue_that_some_cannot_read_changes_nothing_for_them(
    database_url: str, tmp_path: Path, *, own: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        partner, other = [await center.org(name, Kind.PARTNER) for name in ("partner", "other")]
        open_one = await center.org("open", catalogue=True)
        hidden = await center.org("hidden", catalogue=True)
        amber = {"object_marking_refs": [TLP["amber"]]}
        await center.push(hidden, [MALWARE | amber])
        await center.project()
        await center.push(partner, [SEEN, TIED, MALWARE] if own else [SEEN, TIED])
        await center.project()

        async def found() -> tuple[set[str], set[str]]:
            waiting = (await center.get("/api/v1/unreleased", partner)).json["unreleased"]
            return {one["type"] for one in await center.feed(other)}, {one["id"] for one in waiting}

        kinds, waiting = await found()
        assert ("relationship" in kinds, waiting) == (own, set() if own else {TIED["id"]})
        await center.push(open_one, [MALWARE])
        await center.project()
        kinds, waiting = await found()
        assert ("relationship" in kinds, waiting) == (True, set())
