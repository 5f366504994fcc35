"""Ids: nobody can take, replace or probe what is another's."""

from pathlib import Path
from typing import Any

from attacks.hostile import OBJECTS, all_are_refused, bad, same_answer
from world import World, indicator, world

NUMBER = "6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11"
LATER = "2026-10-02T08:00:00.000Z"
NO_TYPE = "begin with the type"
NO_UUID = "does not end with a UUID"

WRONG = [
    bad({"id": f"malware--{NUMBER}"}, "id", NO_TYPE, f"malware--{NUMBER}"),
    bad({"id": f"indicator-{NUMBER}"}, "id", NO_TYPE, f"indicator-{NUMBER}"),
    bad({"id": f"Indicator--{NUMBER}"}, "id", NO_TYPE, f"Indicator--{NUMBER}"),
    bad({"id": NUMBER}, "id", NO_TYPE, NUMBER),
    bad({"id": f"indicator--{NUMBER.upper()}"}, "id", NO_UUID, f"indicator--{NUMBER.upper()}"),
    bad({"id": f"indicator--{{{NUMBER}}}"}, "id", NO_UUID, f"indicator--{{{NUMBER}}}"),
    bad({"id": "indicator--" + NUMBER.replace("-", "")}, "id", NO_UUID,
        "indicator--" + NUMBER.replace("-", "")),
    bad({"id": f"indicator--{NUMBER}x"}, "id", NO_UUID, f"indicator--{NUMBER}x"),
    bad({"id": f"indicator--{NUMBER}\n"}, "id", NO_UUID, f"indicator--{NUMBER}\\n"),
    bad({"id": "indicator--\x1b[31m"}, "id", NO_UUID, "indicator--\\u001b[31m"),
    bad({"id": "indicator--00000000-0000-0000-0000-000000000000"}, "id", NO_UUID,
        "indicator--00000000-0000-0000-0000-000000000000"),
    bad({"id": f"indicator--{'x' * 5_000}"}, "id", NO_UUID, f"indicator--{'x' * 289}"),
    bad({"id": ...}, "id", "has no id", "object 2 of the envelope"),
    bad({"id": 17}, "id", "has no id", "object 2 of the envelope"),
    bad({"id": None}, "id", "has no id", "object 2 of the envelope"),
    bad({"id": "a\0b"}, "id", "NUL", "object 2 of the envelope"),
    bad({"type": ...}, "type", "no type"),
    bad({"type": "Indicator"}, "type", "lower-case"),
    bad({"type": "x"}, "type", "3 to 250"),
    bad({"type": "x" * 251}, "type", "3 to 250"),
    bad({"type": "bundle"}, "type", "cannot stand inside"),
    bad({"type": ["indicator"]}, "type", "no type"),
    bad({"spec_version": "3.0"}, "spec_version", "Only STIX 2.0 and 2.1"),
    bad({"spec_version": "2.2"}, "spec_version", "Only STIX 2.0 and 2.1"),
    bad({"spec_version": 2.1}, "spec_version", "Only STIX 2.0 and 2.1"),
    bad({"spec_version": None}, "spec_version", "Only STIX 2.0 and 2.1"),
    bad({"spec_version": "2.0", "type": "grouping", "id": f"grouping--{NUMBER}"}, "spec_version",
        "STIX 2.0 has no", f"grouping--{NUMBER}"),
    bad({"created_by_ref": f"malware--{NUMBER}"}, "created_by_ref", "right type and form"),
    bad({"object_marking_refs": ["x"]}, "object_marking_refs[0]", "right type and form"),
]  # fmt: skip


async def verdict(center: World, name: str, *objects: dict[str, Any]) -> list[dict[str, Any]]:
    return await center.push(center.seats[name], list(objects))


async def two_counties(center: World) -> None:
    for name in "AB":
        await center.org(name)


async def test_a_wrong_id_or_version_is_refused_by_name(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await all_are_refused(center, WRONG)


async def test_stix_20_is_lifted(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await two_counties(center)
        older = indicator("old.example", "green", spec_version="2.0", labels=["malicious-activity"])
        for name in ("pattern_type", "indicator_types"):
            del older[name]
        assert [one["outcome"] for one in await verdict(center, "A", older)] == ["accepted"]
        await center.project()
        assert await center.patterns(center.seats["B"]) == {"[domain-name:value = 'old.example']"}


async def test_a_foreign_id_is_answered_like_a_new_one(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await two_counties(center)
        theirs = indicator("theirs.example", "green")
        await verdict(center, "A", theirs)
        await center.project()
        other = indicator("mine.example", "green")
        squats = [theirs, theirs | {"modified": LATER, "pattern": other["pattern"]}]
        fresh = [other, other | {"modified": LATER}]
        for squat, new in zip(squats, fresh, strict=True):
            (one,), (two,) = await verdict(center, "B", squat), await verdict(center, "B", new)
            assert {**one, "id": ""} == {**two, "id": ""}


async def test_a_newer_version_of_a_foreign_object_replaces_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await two_counties(center)
        reader = await center.org("C")
        theirs = indicator("theirs.example", "green")
        await verdict(center, "A", theirs)
        await center.project()
        before = await center.feed(reader, match="")
        newer = theirs | {"modified": LATER, "pattern": "[domain-name:value = 'squat.example']"}
        await verdict(
            center, "B", newer, newer | {"modified": "2026-10-03T08:00:00Z", "revoked": True}
        )
        await center.project()
        assert [one for one in await center.feed(reader) if one.get("type") == "indicator"] == [
            one for one in before if one.get("type") == "indicator"
        ]
        assert (await center.get(OBJECTS, center.seats["A"])).objects == [theirs]


async def test_nobody_deletes_or_reads_a_foreign_object(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await two_counties(center)
        theirs, unknown = indicator("theirs.example"), indicator("unknown.example")
        await verdict(center, "A", theirs)
        b = center.seats["B"]
        for method in ("GET", "DELETE"):
            answers = [
                await center.request(method, f"{OBJECTS}{one['id']}/", b)
                for one in (theirs, unknown)
            ]
            assert answers[0].status == 404
            assert same_answer(*answers)
        assert (await center.get(OBJECTS, center.seats["A"])).objects == [theirs]


async def test_other_content_under_an_own_version_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await two_counties(center)
        mine = indicator("mine.example", "green")
        other = mine | {"pattern": "[domain-name:value = 'other.example']"}
        first, again, changed = await verdict(center, "A", mine, mine, other)
        assert [one["outcome"] for one in (first, again, changed)] == [
            "accepted",
            "duplicate",
            "refused",
        ]
        assert (changed["id"], changed["field"]) == (mine["id"], "modified")
        (later,) = await verdict(center, "A", other)
        assert later == changed
        assert (await center.get(OBJECTS, center.seats["A"])).objects == [mine]
        await center.project()
        assert await center.patterns(center.seats["B"]) == {mine["pattern"]}
