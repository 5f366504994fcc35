"""Deleting and undoing: whatever comes first, nothing comes back that was replaced or moved."""

from pathlib import Path
from uuid import uuid4

import pytest

from cybercoop.members.organisations import Kind
from test_replaced import OTHER
from test_tightening_later import AMBER, SECOND, THIRD, TOLD, versions
from world import TLP, Seat, World, indicator, world

FOURTH = "2026-10-04T08:00:00.000Z"
SAID = indicator("evil-host.net", "green", description=TOLD)


async def delete(center: World, county: Seat, which: str) -> None:
    """Delete some versions of what ``county`` said."""
    path = f"/taxii2/coop/collections/contributions/objects/{SAID['id']}/"
    answer = await center.request("DELETE", path, county, params={"match[version]": which})
    assert answer.status == 200


async def undo(center: World, county: Seat, push_id: str) -> None:
    """Take back a push."""
    assert (await center.request("DELETE", f"/api/v1/pushes/{push_id}", county)).status == 200


@pytest.mark.parametrize("first", ["evil-host.net", "third-host.net"])
async def test_deleting_an_old_version_takes_nothing_along_that_came_since(
    database_url: str, tmp_path: Path, first: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        changes = {"pattern": f"[domain-name:value = '{first}']"}, {"modified": THIRD}
        for change in (*changes, {"modified": FOURTH, "pattern": OTHER}):
            await center.push(county, [SAID | change])
            await center.project()
        await delete(center, county, "last")
        await center.project()
        await center.push(county, [indicator("evil-host.net", "green", modified=SECOND)])
        await center.project()
        assert await center.patterns(partner) == {SAID["pattern"]}
        await delete(center, county, "first")
        await center.project()
        other, same = await center.org("other"), indicator("evil-host.net", "green")
        await center.push(other, [same])
        await center.project()
        await center.push(other, [same | {"modified": SECOND, "revoked": True}])
        await center.project()
        assert await center.patterns(partner) == {SAID["pattern"]}


@pytest.mark.parametrize("end", ["deleted", "undone"])
@pytest.mark.parametrize("hurried", [True, False])
async def test_what_came_back_with_an_undo_goes_out_of_sight_again(
    database_url: str, tmp_path: Path, end: str, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first, second = str(uuid4()), str(uuid4())
        await center.push(county, [SAID], named="1", push_id=first)
        await center.project()
        narrower = SAID | AMBER
        await center.push(county, [narrower | {"modified": SECOND}], named="1", push_id=second)
        if not hurried:
            await center.project()
        await undo(center, county, second)
        assert TOLD in await versions(center, partner)
        await (undo(center, county, first) if end == "undone" else delete(center, county, "all"))
        await center.project()
        await center.push(county, [narrower | {"modified": THIRD}], named="1")
        left = await versions(center, partner)
        assert TOLD not in left
        assert "evil-host.net" not in left


@pytest.mark.parametrize("hurried", [True, False])
@pytest.mark.parametrize("mark", ["green", "amber"])
@pytest.mark.parametrize("change", [{"pattern": OTHER}, {"name": "Neu"}], ids=["value", "name"])
async def test_the_undo_of_a_version_between_brings_nothing_back(
    database_url: str, tmp_path: Path, mark: str, change: dict[str, str], *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        second, moved = str(uuid4()), {"object_marking_refs": [TLP[mark]], "modified": THIRD}
        given = {}, {"modified": SECOND} | change, moved
        for number, one in enumerate(given):
            push_id = second if number == 1 else str(uuid4())
            await center.push(county, [SAID | one], named="1", push_id=push_id)
            if not hurried:
                await center.project()
        await delete(center, county, "last")
        await center.project()
        assert await center.patterns(partner) == set()
        await undo(center, county, second)
        left = await versions(center, partner)
        assert mark == "green" or TOLD not in left
        assert await center.patterns(partner) == set()


@pytest.mark.parametrize("deleted_first", [True, False])
@pytest.mark.parametrize("mark", ["green", "amber"])
async def test_the_order_of_both_does_not_matter(
    database_url: str, tmp_path: Path, mark: str, *, deleted_first: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        third, moved = str(uuid4()), {"object_marking_refs": [TLP[mark]], "pattern": OTHER}
        for one in {}, moved | {"modified": SECOND}:
            await center.push(county, [SAID | one], named="1")
            await center.project()
        last = SAID | moved | {"modified": THIRD, "name": "Neu"}
        await center.push(county, [last], named="1", push_id=third)
        await center.project()
        if deleted_first:
            await delete(center, county, SECOND)
        await undo(center, county, third)
        if not deleted_first:
            await delete(center, county, SECOND)
        await center.project()
        assert await center.patterns(partner) == set()


async def test_what_came_after_a_deletion_comes_back_with_an_undo(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        await center.push(county, [SAID | {"modified": SECOND}])
        await center.project()
        await delete(center, county, "all")
        await center.push(county, [SAID])
        await center.project()
        third = str(uuid4())
        await center.push(county, [SAID | {"modified": THIRD, "pattern": OTHER}], push_id=third)
        await center.project()
        await undo(center, county, third)
        await center.project()
        assert await center.patterns(partner) == {SAID["pattern"]}


@pytest.mark.parametrize("end", ["deleted", "undone"])
@pytest.mark.parametrize("hurried", [True, False])
async def test_what_went_out_after_a_stricter_version_goes_out_of_sight_again(
    database_url: str, tmp_path: Path, end: str, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        client, second = await center.org("client", Kind.CLIENT, of=county), str(uuid4())
        home = indicator("evil-host.net", None, description=TOLD) | {"id": SAID["id"]}
        narrower = SAID | AMBER
        await center.push(county, [home], named="1")
        await center.push(county, [narrower | {"modified": SECOND}], named="1", push_id=second)
        await center.project()
        ending = undo(center, county, second) if end == "undone" else delete(center, county, "last")
        await ending
        if not hurried:
            await center.project()
        [verdict] = await center.push(county, [home], named="1", tlp="green")
        assert verdict["outcome"] == "accepted"
        assert TOLD in await versions(center, partner)
        found = [one for one in await center.feed(client) if one["type"] == "indicator"]
        assert len([one for one in found if not one.get("revoked")]) == 1
        third = str(uuid4())
        later = {"modified": THIRD, "pattern": OTHER}
        await center.push(county, [SAID | later], named="1", push_id=third)
        await center.project()
        await undo(center, county, third)
        await center.project()
        assert await center.patterns(partner) == {SAID["pattern"]}
        await delete(center, county, "all")
        await center.project()
        await center.push(county, [narrower | {"modified": FOURTH}], named="1")
        assert TOLD not in await versions(center, partner)
