"""What refers to others keeps its released id from version to version."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect.projector import cycle
from cybercoop.collect.resolving import DEEPEST
from cybercoop.members.organisations import Kind
from cybercoop.sharing import stamps
from world import TLP, Seat, World, indicator, world

SEEN = indicator("evil-host.net", "green")
MARK = {"object_marking_refs": [TLP["green"]]}
COMMON: dict[str, Any] = {
    "spec_version": "2.1",
    "created": "2026-10-01T08:00:00.000Z",
    "modified": "2026-10-01T08:00:00.000Z",
    **MARK,
}
LATER = {"modified": "2026-10-02T08:00:00.000Z"}
MALWARE = COMMON | {
    "type": "malware",
    "id": "malware--31b940d4-6f7f-459a-80ea-9c1f17b58abc",
    "name": "Emotet",
    "is_family": True,
}
TIED = COMMON | {
    "type": "relationship",
    "id": "relationship--1d5c2b1e-55d0-4a0c-8a6e-2f3f9d0b7c11",
    "relationship_type": "indicates",
    "source_ref": SEEN["id"],
    "target_ref": MALWARE["id"],
}
REPORT = COMMON | {
    "type": "report",
    "id": "report--7f1b0c52-6f0e-4c5e-9d53-0a4d8f6c2b13",
    "name": "Lage",
    "description": "Erste Fassung.",
    "published": "2026-10-01T08:00:00Z",
    "object_refs": [SEEN["id"], TIED["id"]],
}
NOTE = COMMON | {
    "type": "note",
    "id": "note--3a4c1f60-8a7e-4b5d-9a50-5a0d4f8c2b99",
    "content": "Zur Lage.",
    "object_refs": [REPORT["id"]],
}
SIGHTING = COMMON | {
    "type": "sighting",
    "id": "sighting--0c9a4d4b-2f76-4a49-a9c5-6c0a3f7d8e21",
    "sighting_of_ref": SEEN["id"],
    "count": 1,
}
NEWS: dict[str, dict[str, Any]] = {
    "relationship": {"description": "Neue Begründung."},
    "report": {"description": "Zweite Fassung."},
    "sighting": {"count": 7},
}


async def released(center: World, reader: Seat) -> dict[str, dict[str, Any]]:
    """Return by type what refers to others, as ``reader`` finds it; one of each, ended or not."""
    await center.project()
    await center.project()
    found = [one for one in await center.feed(reader) if one["type"] in NEWS]
    assert len({one["type"] for one in found}) == len(found)
    return {one["type"]: one for one in found}


@pytest.mark.parametrize("along", [(), tuple(NEWS)], ids=["alone", "together"])
async def test_a_newer_version_keeps_the_released_id(
    database_url: str, tmp_path: Path, along: tuple[str, ...]
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [SEEN, MALWARE, TIED, REPORT, SIGHTING], with_text="1")
        before = await released(center, other)
        assert set(before) == set(NEWS)
        later = {"modified": "2026-10-02T08:00:00.000Z"}
        given = {one["type"]: one for one in (TIED, REPORT, SIGHTING)}
        rounds = [along] if along else [(kind,) for kind in NEWS]
        for kinds in rounds:
            newer = [given[kind] | NEWS[kind] | later for kind in kinds]
            await center.push(county, newer, with_text="1")
            after = await released(center, other)
            for kind in kinds:
                assert after[kind]["id"] == before[kind]["id"]
                assert after[kind]["created"] == before[kind]["created"]
                assert after[kind]["modified"] > before[kind]["modified"]
                assert not after[kind].get("revoked")
                for name, value in NEWS[kind].items():
                    assert after[kind][name] == value


async def test_what_refers_ends_when_it_is_revoked_or_its_end_goes(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [SEEN, MALWARE, TIED, REPORT, SIGHTING], with_text="1")
        before = await released(center, other)
        later = {"modified": "2026-10-02T08:00:00.000Z", "revoked": True}
        await center.push(county, [REPORT | later, SIGHTING | later], with_text="1")
        await center.push(county, [MALWARE | later])
        after = await released(center, other)
        assert {kind: one["id"] for kind, one in after.items()} == {
            kind: one["id"] for kind, one in before.items()
        }
        assert all(one["revoked"] for one in after.values())


async def test_a_relationship_about_a_relationship_or_sighting_of_the_same_push_is_released(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        about = [
            TIED | {"id": f"relationship--{number}d5c2b1e-55d0-4a0c-8a6e-2f3f9d0b7c12"}
            for number in (1, 2)
        ]
        about[0]["target_ref"], about[1]["target_ref"] = TIED["id"], SIGHTING["id"]
        await center.push(county, [*about, SEEN, MALWARE, TIED, SIGHTING])
        await center.project()
        found = await center.feed(other)
        kinds = {one["id"]: one["type"] for one in found}
        targets = [kinds[one["target_ref"]] for one in found if one["type"] == "relationship"]
        assert sorted(targets) == ["malware", "relationship", "sighting"]


async def test_a_note_about_a_report_of_the_same_push_is_released(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [NOTE, SEEN, MALWARE, TIED, REPORT], with_text="1")
        await center.project()
        found = {one["type"]: one for one in await center.feed(other)}
        assert found["note"]["object_refs"] == [found["report"]["id"]]


ABOUT = TIED | {
    "id": "relationship--4d5c2b1e-55d0-4a0c-8a6e-2f3f9d0b7c13",
    "relationship_type": "related-to",
    "source_ref": REPORT["id"],
}
WATCHED = ABOUT | {"source_ref": SIGHTING["id"]}
AMBER = {"modified": "2026-10-04T08:00:00.000Z", "object_marking_refs": [TLP["amber"]]}


@pytest.mark.parametrize("along", [(), (NOTE, ABOUT)], ids=["alone", "together"])
async def test_what_is_about_a_text_stays_while_that_comes_in_a_newer_version(
    database_url: str, tmp_path: Path, along: tuple[dict[str, Any], ...]
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        await center.push(county, [SEEN, MALWARE, TIED, REPORT, NOTE, ABOUT], with_text="1")
        await center.project()

        async def alive(reader: Seat) -> dict[str, dict[str, Any]]:
            found = [one for one in await center.feed(reader) if not one.get("revoked")]
            return {one.get("relationship_type", one["type"]): one for one in found}

        before = await alive(other)
        for day in (2, 3):
            text = REPORT | {"name": f"Lage am {day}. Oktober"}
            newer = {"modified": f"2026-10-0{day}T08:00:00.000Z"}
            await center.push(county, [one | newer for one in (*along, text)], with_text="1")
            await center.project()
            after = await alive(other)
            assert after["report"]["name"] == text["name"]
            for name in ("report", "note", "related-to"):
                assert after[name]["id"] == before[name]["id"]
        await center.push(county, [one | AMBER for one in (*along, REPORT)], with_text="1")
        await center.project()
        assert not {"report", "note", "related-to"} & set(await alive(partner))
        after = await alive(other)
        assert after["note"]["object_refs"] == [after["report"]["id"]]
        assert after["related-to"]["source_ref"] == after["report"]["id"]


@pytest.mark.parametrize(
    ("about", "narrower", "others"),
    [
        pytest.param(NOTE, REPORT, False, id="note"),
        pytest.param(NOTE, SEEN, False, id="note, further"),
        pytest.param(NOTE, MALWARE, True, id="note, by a relationship that others know, too"),
        pytest.param(ABOUT, REPORT, False, id="relationship"),
        pytest.param(ABOUT, SEEN, False, id="relationship, further"),
        pytest.param(WATCHED, SEEN, False, id="of a sighting"),
    ],
)
async def test_what_is_about_something_that_just_becomes_narrower_shows_to_nobody_else(
    database_url: str,
    tmp_path: Path,
    about: dict[str, Any],
    narrower: dict[str, Any],
    *,
    others: bool,
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        await center.push(county, [SEEN, MALWARE, TIED, REPORT, SIGHTING], with_text="1")
        if others:
            # So that nothing appears or ends where the county's own leaves and arrives.
            said, third = [SEEN, MALWARE, TIED, SIGHTING], await center.org("third")
            await center.push(other, said)
            await center.push(third, [one | AMBER for one in said])
        await center.project()
        await center.push(county, [about, narrower | AMBER], with_text="1")
        await center.project()

        async def kinds(reader: Seat) -> set[str]:
            return {one.get("relationship_type", one["type"]) for one in await center.feed(reader)}

        kind = about.get("relationship_type", about["type"])
        assert kind in await kinds(other)
        assert kind not in await kinds(partner)


TWINS = "note--00000000-0000-4000-8000-00000000000a", "note--00000000-0000-4000-8000-00000000000b"


def notes(ids: Sequence[str], about: Sequence[str]) -> list[dict[str, Any]]:
    """Return notes with these ids, each about what stands at its place in ``about``."""
    return [NOTE | {"id": one, "object_refs": [ref]} for one, ref in zip(ids, about, strict=True)]


async def test_what_is_about_others_deeper_than_one_cycle_follows_is_released_and_narrowed(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        ids = [f"note--00000000-0000-4000-8000-{number:012}" for number in range(DEEPEST + 5)]
        chain = notes(ids, [SEEN["id"], *ids[:-1]])
        await center.push(county, [*reversed(chain), SEEN], with_text="1")
        await center.project()

        async def alive(reader: Seat) -> int:
            found = [one for one in await center.feed(reader) if not one.get("revoked")]
            return sum(one["type"] in {"note", "indicator"} for one in found)

        assert await alive(partner) == len(chain) + 1
        await center.push(county, [SEEN | AMBER])
        await center.project()
        assert (await alive(partner), await alive(other)) == (0, len(chain) + 1)


async def test_two_notes_about_each_other_wait_and_keep_nobody_busy(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await center.push(county, notes(TWINS, TWINS[::-1]), with_text="1")
        await center.project()
        assert "note" not in [one["type"] for one in await center.feed(county)]
        waiting = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
        assert sorted(one["id"] for one in waiting) == sorted(TWINS)


@pytest.mark.parametrize("kind", ["note", "incident"])
async def test_a_text_that_was_not_cleared_stays_when_the_one_after_it_is_deleted(
    kind: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        said = {"note": {"content": "Nobody knows.", "object_refs": [SEEN["id"]]}}
        text = {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--5f0d2c4e-6d7f-4c0a-8a27-1d1f6d0c7b55",
            "created": "2026-10-01T08:00:00.000Z",
            "modified": "2026-10-01T08:00:00.000Z",
            "object_marking_refs": [TLP["amber+strict"]],
        } | said.get(kind, {"name": "Nobody knows."})
        later = {"modified": "2026-10-02T08:00:00.000Z", "object_marking_refs": [TLP["green"]]}
        await center.push(county, [SEEN, text])
        await center.push(county, [text | later])
        path = f"/taxii2/coop/collections/contributions/objects/{text['id']}/"
        last = {"match[version]": "last"}
        assert (await center.request("DELETE", path, county, params=last)).status == 200
        await center.project()
        assert kind not in [one["type"] for one in await center.feed(other)]
        (kept,) = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
        assert (kept["id"], kept["reason"][:8]) == (text["id"], "Its text")


async def test_what_another_calls_by_the_same_ids_turns_no_relationship_round(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        dropped = MALWARE | {"id": "malware--4e0f7d6a-6f7f-459a-80ea-9c1f17b58abd", "name": "Qbot"}
        drops = TIED | {"relationship_type": "drops", "source_ref": MALWARE["id"]}
        newer = {"target_ref": dropped["id"], "modified": "2026-10-02T08:00:00.000Z"}
        await center.push(county, [MALWARE, dropped, drops | newer])
        swapped = {"source_ref": dropped["id"], "target_ref": MALWARE["id"]}
        renamed = [MALWARE | {"name": "Qbot"}, dropped | {"name": "Emotet"}]
        await center.push(other, [*renamed, drops | swapped])
        await center.project()
        found = await center.feed(county)
        names = {one["id"]: one.get("name") for one in found}
        (tied,) = [one for one in found if one["type"] == "relationship"]
        assert [names[tied["source_ref"]], names[tied["target_ref"]]] == ["Emotet", "Qbot"]


@pytest.mark.parametrize("first", ["apart", "the same"])
async def test_a_relationship_of_one_thing_with_itself_stays_until_they_are_two(
    first: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        twin = MALWARE | {"id": "malware--4e0f7d6a-6f7f-459a-80ea-9c1f17b58abd"}
        again = {"relationship_type": "variant-of", "source_ref": MALWARE["id"]}
        names = ["Qbot", "EMOTET"] if first == "apart" else ["EMOTET"]
        await center.push(county, [MALWARE, TIED | again | {"target_ref": twin["id"]}])
        for number, name in enumerate([*names, "Qbot"]):
            moment = {"modified": f"2026-10-0{number + 2}T08:00:00.000Z"}
            later = {"modified": f"2026-10-0{number + 2}T09:00:00.000Z"}
            await center.push(county, [twin | {"name": name} | moment, MALWARE | later])
            await center.project()
            tied = [
                one
                for one in await center.feed(other)
                if one["type"] == "relationship" and not one.get("revoked")
            ]
            kept = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
            if name == "EMOTET":
                assert tied == []
                assert [one["reason"][:26] for one in kept] == ["Both of its ends are the s"]
            else:
                assert kept == []
                assert [one["source_ref"] == one["target_ref"] for one in tied] == [False]


async def test_a_newer_version_keeps_its_id_where_a_cycle_takes_one_contribution_alone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        await center.push(county, [SEEN, MALWARE, TIED])
        await center.project()
        known = await center.feed(other, **{"match[type]": "relationship"})
        await center.push(county, [TIED | LATER | {"description": "Neu."}], with_text="1")
        for _ in range(3):
            center.clock.forward(stamps.SLOT)
            await cycle(center.database, center.center, center.clock.now, share=1)
        (said,) = await center.feed(other, **{"match[type]": "relationship"})
        assert (said["id"], said["description"]) == (known[0]["id"], "Neu.")


async def test_newer_versions_keep_their_ids_where_a_group_has_fewer_stamps_than_these_are(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        mark = {"object_marking_refs": [TLP["amber"], await center.group("Amt", county, other)]}
        ids = [f"note--00000000-0000-4000-8000-{number:012}" for number in range(250)]
        first = [one | mark for one in notes(ids, [SEEN["id"]] * len(ids))]
        await center.push(county, [SEEN | mark, *first], with_text="1")
        await center.project()
        known = {one["id"] for one in await center.feed(other, **{"match[type]": "note"})}
        newer = [one | LATER | {"content": "Neu."} for one in first]
        await center.push(county, newer, with_text="1")
        await center.project()
        said = await center.feed(other, **{"match[type]": "note"})
        assert {(one["id"], one["content"]) for one in said} == {(one, "Neu.") for one in known}
