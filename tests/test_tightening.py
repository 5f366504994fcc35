"""Tightening: what moved to a narrower lock leaves nothing where it was readable."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import leaving, reviewing
from cybercoop.indicators.context import TEXTS
from cybercoop.members.organisations import Kind
from world import TLP, Seat, World, indicator, world

TOLD = "Seen in the town hall."
NEXT = "2026-10-02T08:00:00.000Z"


async def versions(center: World, reader: Seat) -> list[dict[str, Any]]:
    """Return every version of every indicator that ``reader`` finds."""
    found = await center.feed(reader, **{"match[version]": "all", "match[type]": "indicator"})
    return list(found)


def moved(one: dict[str, Any], level: str) -> dict[str, Any]:
    """Return a newer version of an indicator under another level."""
    return one | {"modified": NEXT, "object_marking_refs": [TLP[level]]}


async def test_what_alone_makes_no_version_goes_along(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        partner = await center.org("partner", Kind.PARTNER)
        sure: dict[str, Any] = {"confidence": 100}
        early = indicator("evil-host.net", "green", **sure, valid_from="2026-09-01T08:00:00Z")
        await center.push(first, [early])
        await center.push(second, [indicator("evil-host.net", "green", **sure)])
        await center.project()
        (before,) = await versions(center, partner)
        assert before["valid_from"].startswith("2026-09-01")
        await center.push(first, [moved(early, "amber")])
        await center.project()
        (after,) = await versions(center, partner)
        assert after["valid_from"].startswith("2026-10-01")
        assert (after["id"], after["created"]) == (before["id"], before["created"])


@pytest.mark.parametrize("ended", [False, True], ids=["standing", "revoked"])
async def test_narrower_releases_forget_what_moved_past_them(
    database_url: str, tmp_path: Path, *, ended: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        client = await center.org("town", Kind.CLIENT, of=second)
        told = indicator("evil-host.net", "green", description=TOLD)
        drawing = indicator("evil-host.net", "amber")
        await center.push(first, [told], named="1")
        await center.push(second, [drawing])
        await center.project()
        assert TOLD in str(await versions(center, client))
        if ended:
            await center.push(second, [drawing | {"modified": NEXT, "revoked": True}])
            await center.project()
        await center.push(first, [moved(told, "amber+strict")], named="1")
        await center.project()
        assert TOLD not in str(await versions(center, client))
        assert TOLD in str(await versions(center, first))


async def test_narrower_releases_keep_what_their_readers_find_again(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        told = indicator("evil-host.net", "green")
        await center.push(first, [told])
        await center.push(second, [indicator("evil-host.net", "amber")])
        await center.project()
        before = [one for one in await versions(center, first) if one["confidence"] > 50]
        await center.push(first, [moved(told, "amber")])
        await center.project()
        after = await versions(center, first)
        assert [one for one in after if one.get("confidence", 0) > 50] == before


async def test_what_waits_for_the_canary_goes_out_of_sight_with_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        objects = [indicator(f"evil{number}-host.net", "green") for number in range(110)]
        await center.push(county, objects)
        await center.project()
        await center.push(county, [moved(one, "amber") for one in objects])
        await center.project()
        await reviewing.decide(center.database, "community", "release", "test", center.clock.now)
        await center.project()
        found = await versions(center, partner)
        assert len(found) == len(objects)
        assert {one["pattern"] for one in found} == {"[x-withdrawn:value = 'withdrawn']"}


async def test_what_finds_no_stamp_goes_out_of_sight_when_it_finds_one(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        mark = await center.group("few", county, other)
        told = [indicator(f"evil{one}-host.net", "green", description=TOLD) for one in range(80)]
        await center.push(county, told, named="1")
        await center.push(other, [indicator(f"evil{one}-host.net", mark) for one in range(80)])
        await center.project()
        for one in range(80, 160):
            await center.push(other, [indicator(f"evil{one}-host.net", mark)])
        await center.push(county, [moved(one, "amber") for one in told], named="1")
        await center.project()
        few = "feed-few"
        found = await center.feed(other, few, **{"match[version]": "all"})
        assert TOLD not in str(found)


@pytest.mark.parametrize("hurried", [False, True], ids=["released", "pending"])
async def test_what_a_deleted_version_had_replaced_stays_out_of_sight(
    database_url: str, tmp_path: Path, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = await center.org("first"), await center.org("second")
        wide = indicator("evil-host.net", "green")
        later = indicator("other-host.net", "amber", id=wide["id"], modified=NEXT)
        for one in (wide, later):
            await center.push(first, [one])
            if not hurried:
                await center.project()
        path = f"/taxii2/coop/collections/contributions/objects/{wide['id']}/"
        last = {"match[version]": "last"}
        assert (await center.request("DELETE", path, first, params=last)).status == 200
        await center.project()
        assert (await center.get(path, first)).objects == [wide]
        assert await center.patterns(second) == set()
        said = (await center.get("/api/v1/unreleased", first)).json
        assert "A later version replaced it" in str(said)
        await center.push(second, [indicator("evil-host.net", "green")])
        await center.project()
        assert await standing(center, second) == [50]
        await center.push(first, [wide | {"modified": "2026-10-03T08:00:00.000Z"}])
        await center.project()
        assert await standing(center, second) == [70]


async def standing(center: World, reader: Seat) -> list[int]:
    """Return the confidence of each indicator that stands."""
    found = await center.feed(reader, **{"match[type]": "indicator"})
    return [one["confidence"] for one in found if "revoked" not in one]


async def test_who_leaves_takes_along_what_he_had_deleted_before(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        told = indicator("evil-host.net", "green", description=TOLD)
        await center.push(county, [told], named="1")
        await center.project()
        path = f"/taxii2/coop/collections/contributions/objects/{told['id']}/"
        assert (await center.request("DELETE", path, county)).status == 200
        await center.project()
        assert TOLD in str(await versions(center, other))
        export, now = tmp_path / "export", center.clock.now
        await leaving.leave(center.database, "county", export, now, withdraw=True)
        await center.project()
        assert TOLD not in str(await versions(center, other))


async def test_no_word_of_a_text_or_name_stays_where_it_was_readable(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        about = indicator("evil-host.net", "green")
        said: dict[str, dict[str, Any]] = {
            "note": {"content": TOLD, "abstract": TOLD},
            "opinion": {"opinion": "disagree", "explanation": TOLD},
            "report": {"name": TOLD, "published": NEXT, "report_types": [TOLD]},
            "grouping": {"context": TOLD},
            "malware": {"name": TOLD, "is_family": True, "malware_types": [TOLD]},
            "threat-actor": {"name": TOLD, "threat_actor_types": [TOLD]},
            "sighting": {"sighting_of_ref": about["id"], "count": 7, "first_seen": NEXT},
        }
        common = {name: about[name] for name in ("spec_version", "created", "modified")}
        objects = [
            common
            | {"type": kind, "id": f"{kind}--1d5c2b1e-55d0-4a0c-8a6e-2f3f9d0b7c11"}
            | ({"object_refs": [about["id"]]} if kind in TEXTS - {"incident"} else {})
            | {"object_marking_refs": [TLP["green"]]}
            | words
            for kind, words in said.items()
        ]
        await center.push(county, [about, *objects], with_text="1")
        await center.project()
        kinds = {one["type"] for one in await center.feed(partner)}
        assert said.keys() <= kinds
        later = {"modified": "2026-10-03T08:00:00.000Z", "object_marking_refs": [TLP["amber"]]}
        await center.push(county, [one | later for one in objects], with_text="1")
        await center.project()
        left = await center.feed(partner, **{"match[version]": "all"})
        left = [one for one in left if one["type"] in said]
        assert all(one["revoked"] for one in left)
        assert {one["type"] for one in left} == said.keys()
        for trace in (TOLD, NEXT[:10], "disagree", "count"):
            assert trace not in str(left)
