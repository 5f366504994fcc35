"""Replaced: an earlier version whose later one was deleted counts nowhere, whatever follows."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cybercoop.members.organisations import Kind
from cybercoop.store.contributions import REPLACED
from test_references import MALWARE, NOTE, SEEN, SIGHTING, TIED
from test_tightening_later import AMBER, SECOND, THIRD
from world import TLP, Seat, World, indicator, world

OTHER = "[domain-name:value = 'other-host.net']"


async def delete_last(center: World, county: Seat, stix_id: str) -> None:
    """Delete the latest version of an object of ``county``."""
    path = f"/taxii2/coop/collections/contributions/objects/{stix_id}/"
    last = {"match[version]": "last"}
    assert (await center.request("DELETE", path, county, params=last)).status == 200


async def reasons(center: World, county: Seat) -> dict[str, str]:
    """Return why what ``county`` gave is not released, by id."""
    found = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
    return {one["id"]: one["reason"] for one in found}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(TIED, id="relationship"),
        pytest.param(SIGHTING | {"sighting_of_ref": MALWARE["id"]}, id="sighting"),
        pytest.param(NOTE | {"object_refs": [MALWARE["id"]]}, id="note"),
    ],
)
@pytest.mark.parametrize("hurried", [True, False])
async def test_what_waited_for_its_end_waits_no_longer(
    database_url: str, tmp_path: Path, said: dict[str, Any], *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        for given in (SEEN, said), (said | AMBER | {"modified": SECOND},):
            await center.push(county, list(given), with_text="1")
            if not hurried:
                await center.project()
        await delete_last(center, county, said["id"])
        await center.project()
        await center.push(county, [MALWARE])
        await center.project()
        assert said["type"] not in {one["type"] for one in await center.feed(partner)}
        assert await reasons(center, county) == {said["id"]: REPLACED}


@pytest.mark.parametrize("mark", ["green", "amber"])
async def test_the_undo_of_another_push_brings_it_back_no_more(
    database_url: str, tmp_path: Path, mark: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, second = indicator("evil-host.net", "green"), str(uuid4())
        await center.push(county, [said])
        await center.project()
        later = {"modified": SECOND, "object_marking_refs": [TLP[mark]], "pattern": OTHER}
        await center.push(county, [said | later])
        await center.project()
        await delete_last(center, county, said["id"])
        await center.project()
        await center.push(
            county, [indicator("evil-host.net", "green", name="Wieder")], push_id=second
        )
        await center.project()
        assert await center.patterns(partner) == {said["pattern"]}
        await center.request("DELETE", f"/api/v1/pushes/{second}", county)
        await center.project()
        assert await center.patterns(partner) == set()
        assert await reasons(center, county) == {said["id"]: REPLACED}


@pytest.mark.parametrize("hurried", [True, False])
async def test_what_it_had_replaced_itself_stays_replaced(
    database_url: str, tmp_path: Path, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first = indicator("evil-host.net", "green")
        second = indicator("evil-host.net", "green", modified="2026-10-01T09:00:00.000Z")
        assert first["id"] != second["id"]
        for one in first, second, second | {"modified": SECOND, "pattern": OTHER}:
            await center.push(county, [one])
            if not hurried:
                await center.project()
        await delete_last(center, county, second["id"])
        await center.project()
        assert await center.patterns(partner) == set()


async def test_what_was_given_after_it_comes_back_when_another_push_is_undone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        said, push_id = indicator("evil-host.net", "green", modified=SECOND), str(uuid4())
        for change in {}, {"modified": THIRD, "pattern": OTHER}:
            await center.push(county, [said | change])
            await center.project()
        await delete_last(center, county, said["id"])
        older = indicator("evil-host.net", "green")
        newer = indicator("evil-host.net", "green", modified=THIRD)
        await center.project()
        await center.push(county, [older])
        await center.project()
        assert await center.patterns(partner) == {said["pattern"]}
        await center.push(county, [newer], push_id=push_id)
        await center.project()
        await center.request("DELETE", f"/api/v1/pushes/{push_id}", county)
        await center.project()
        assert await center.patterns(partner) == {said["pattern"]}
