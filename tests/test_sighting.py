"""Who saw a value, or finds it harmless, changes how sure all are who may know of it."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import sighting
from cybercoop.collect.sighting import Opinion, Told
from cybercoop.errors import NotFound
from cybercoop.members.organisations import Kind
from world import TLP, Seat, World, indicator, world

VALUE = "seen.cybercoop-test.net"
SEEN: dict[str, Any] = {
    "type": "sighting",
    "spec_version": "2.1",
    "id": "sighting--7a4f3f0e-6a43-4b58-9d5e-111111111111",
    "created": "2026-10-02T08:00:00.000Z",
    "modified": "2026-10-02T08:00:00.000Z",
    "object_marking_refs": [TLP["green"]],
}


async def _say(center: World, seat: Seat, about: str, opinion: Opinion, **more: Any) -> str:
    told = Told(about, opinion, **more)
    verdict = await sighting.sight(center.database, center.center, seat.org, told, center.clock.now)
    await center.project()
    return verdict.outcome


async def _released(center: World, reader: Seat, kind: str = "indicator") -> list[dict[str, Any]]:
    return [one for one in await center.feed(reader) if one["type"] == kind]


async def test_a_sighting_makes_all_surer_and_tells_nobody_who_saw_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second, reader = [await center.org(name) for name in ("first", "second", "reader")]
        await center.push(first, [indicator(VALUE, "green", confidence=50)])
        await center.project()
        assert [one["confidence"] for one in await _released(center, reader)] == [50]
        assert await _say(center, second, "seen[.]cybercoop-test.net", Opinion.SEEN, count=3) == (
            "accepted"
        )
        (listed,) = await _released(center, reader)
        assert listed["confidence"] == 60
        (seen,) = await _released(center, reader, "sighting")
        assert seen["sighting_of_ref"] == listed["id"]
        assert seen["count"] == 3
        assert seen["first_seen"].endswith("T00:00:00.000000Z")
        assert seen["created_by_ref"] == center.center.identity_id
        assert "second" not in str(seen)


async def test_who_contributed_it_does_not_count_again_by_seeing_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, reader = await center.org("first"), await center.org("reader")
        await center.push(first, [indicator(VALUE, "green", confidence=50)])
        await center.project()
        await _say(center, first, VALUE, Opinion.SEEN)
        assert [one["confidence"] for one in await _released(center, reader)] == [50]


async def test_a_sighting_that_moves_with_what_was_seen_makes_nobody_surer_of_the_old_value(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        wide = indicator(VALUE, "clear", confidence=20)
        seen = {
            "type": "sighting",
            "spec_version": "2.1",
            "id": "sighting--8a1f2f60-50a1-4c0a-9a51-6a1f7c2d9e10",
            "created": "2026-10-01T08:00:00.000Z",
            "modified": "2026-10-01T08:00:00.000Z",
            "sighting_of_ref": wide["id"],
            "object_marking_refs": [TLP["green"]],
        }
        await center.push(first, [wide, seen])
        await center.push(second, [indicator(VALUE, "amber", confidence=50)])
        await center.project()
        assert [one["confidence"] for one in await _released(center, second)] == [20, 60]
        moved = indicator("other.cybercoop-test.net", "clear", id=wide["id"])
        await center.push(first, [moved | {"modified": "2026-10-02T08:00:00.000Z"}])
        await center.project()
        by_value = {
            one["pattern"]: one["confidence"]
            for one in await _released(center, second)
            if "revoked" not in one
        }
        assert by_value[f"[domain-name:value = '{VALUE}']"] == 50


async def test_a_vote_makes_all_less_sure_until_it_is_taken_back(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second, reader = [await center.org(name) for name in ("first", "second", "reader")]
        await center.push(first, [indicator(VALUE, "green", confidence=80)])
        await center.project()
        await _say(center, second, VALUE, Opinion.FALSE_POSITIVE)
        assert [one["confidence"] for one in await _released(center, reader)] == [40]
        mine = await center.feed(second, "contributions")
        path = f"/taxii2/coop/collections/contributions/objects/{mine[0]['id']}/"
        assert (await center.request("DELETE", path, second)).status == 200
        await center.project()
        assert [one["confidence"] for one in await _released(center, reader)] == [80]


async def test_a_client_is_told_who_can_speak_to_the_group_of_its_county(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        client = await center.org("client", of=county, kind=Kind.CLIENT)
        group = await center.group("Nord", county)
        await center.push(county, [indicator(VALUE, group)])
        await center.project()
        said = {"about": VALUE, "opinion": "seen"}
        answer = await center.request("POST", "/api/v1/sightings", client, json=said)
        assert (answer.status, "tell your county" in answer.json["detail"]) == (403, True)
        assert await _say(center, await center.seat("county"), VALUE, Opinion.SEEN) == "accepted"


async def test_a_sighting_stays_under_its_own_lock(database_url: str, tmp_path: Path) -> None:
    """A narrower sighting is seen there and changes nothing for those who may not know of it."""
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        client = await center.org("client", of=first, kind=Kind.CLIENT)
        await center.push(first, [indicator(VALUE, "green", confidence=50)])
        await center.project()
        (listed,) = await _released(center, client)
        said = SEEN | {
            "sighting_of_ref": listed["id"],
            "where_sighted_refs": ["identity--7a4f3f0e-6a43-4b58-9d5e-222222222222"],
            "object_marking_refs": [TLP["amber+strict"]],
        }
        await center.push(second, [said])
        await center.project()
        assert await _released(center, client, "sighting") == []
        assert [one["confidence"] for one in await _released(center, client)] == [50]
        (seen,) = await _released(center, first, "sighting")
        assert "where_sighted_refs" not in seen


async def test_a_sighting_goes_when_what_was_seen_goes(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        given = indicator(VALUE, "green")
        await center.push(first, [given])
        await center.project()
        await _say(center, second, VALUE, Opinion.SEEN)
        later = {"modified": "2026-11-01T00:00:00.000Z", "revoked": True}
        await center.push(first, [given | later])
        await center.project()
        assert all(one.get("revoked") for one in await _released(center, second, "sighting"))


async def test_what_is_not_listed_for_somebody_cannot_be_seen_by_him(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        await center.group("Krisenstab", first)
        await center.push(first, [indicator(VALUE)], group="krisenstab")
        await center.project()
        (mine,) = await _released(center, first)
        for about in (VALUE, mine["id"], "never.cybercoop-test.net"):
            with pytest.raises(NotFound):
                await _say(center, second, about, Opinion.SEEN)


@pytest.mark.parametrize("when", ["while it stood", "while it was gone"])
async def test_a_sighting_comes_back_with_what_was_seen(
    when: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        given = indicator(VALUE, "green", confidence=50)
        await center.push(first, [given])
        await center.project()
        (listed,) = await _released(center, second)
        seen = SEEN | {"sighting_of_ref": listed["id"]}
        if when == "while it stood":
            await center.push(second, [seen])
            await center.project()
        gone = {"modified": "2026-10-02T08:00:00.000Z", "revoked": True}
        await center.push(first, [given | gone])
        await center.project()
        if when == "while it was gone":
            await center.push(second, [seen])
            await center.project()
        standing = [
            one for one in await _released(center, first, "sighting") if "revoked" not in one
        ]
        assert standing == []
        await center.push(first, [given | {"modified": "2026-10-03T08:00:00.000Z"}])
        await center.project()
        (again,) = [one for one in await _released(center, first) if "revoked" not in one]
        assert again["id"] != listed["id"]
        assert again["confidence"] == 60
        (told,) = [
            one for one in await _released(center, first, "sighting") if "revoked" not in one
        ]
        assert told["sighting_of_ref"] == again["id"]
