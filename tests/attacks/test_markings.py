"""Markings: what cannot be obeyed is refused, and nobody widens what is another's."""

import json
from pathlib import Path
from typing import Any

from attacks.hostile import Bad, all_are_refused, bad
from cybercoop.members.organisations import Kind
from world import TLP, World, indicator, world

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
MARK = "marking-definition--0d4a2c1e-5b6f-4a7d-8e9f-1a2b3c4d5e6f"
OTHER = "marking-definition--1e5b3d2f-6c7a-4b8e-9fa0-2b3c4d5e6f70"
REFS, GRANULAR = "object_marking_refs", "granular_markings"
PATTERN = "[domain-name:value = 'secret.example']"


def definition(stix_id: str, **more: Any) -> dict[str, Any]:
    body = {"type": "marking-definition", "spec_version": "2.1", "id": stix_id}
    return body | {"created": "2026-10-01T08:00:00Z"} | more


def tlp2(level: str) -> dict[str, Any]:
    return {"extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level}}}


def statement(text: str) -> dict[str, Any]:
    return {"definition_type": "statement", "definition": {"statement": text}}


def forged(field: str, reason: str, stix_id: str, **more: Any) -> Bad:
    return Bad(json.dumps(definition(stix_id, **more)).encode(), field, reason, stix_id)


def granular(level: str, *selectors: str) -> dict[str, Any]:
    return {GRANULAR: [{"selectors": list(selectors), "marking_ref": TLP.get(level, level)}]}


WRONG = [
    forged("definition", "other content", TLP["green"], **tlp2("clear")),
    forged("definition", "other content", TLP["red"], **tlp2("green")),
    forged("definition", "other content", TLP["amber"], **statement("free for all")),
    forged("definition", "other content", TLP["green"], **tlp2("green"), name="TLP:CLEAR"),
    forged("id", "Only the published", MARK, **tlp2("clear")),
    forged("id", "Only the published", MARK, **tlp2("purple")),
    forged("id", "Only the published", MARK, definition_type="tlp", definition={"tlp": "white"}),
    forged("id", "Only the published", MARK, **statement("x"), name="TLP:GREEN"),
    forged("definition_type", "Only TLP and statement", MARK, definition_type="pap",
           definition={"pap": "red"}),
    forged("definition_type", "Only TLP and statement", MARK, extensions={OTHER: {}}),
    bad({REFS: [MARK]}, REFS, "not known here"),
    bad({REFS: [TLP["green"], MARK]}, REFS, "not known here"),
    bad({REFS: []}, REFS, "empty"),
    bad({REFS: TLP["green"]}, REFS, "should be a list"),
    bad({REFS: [TLP["red"]]}, REFS, "TLP:RED"),
    bad({REFS: [TLP["red"], TLP["green"]]}, REFS, "TLP:RED"),
    bad({REFS: [TLP["green"], "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]}, REFS,
        "TLP:RED"),
    bad({REFS: [TLP["red"]]} | granular("clear", "pattern"), REFS, "TLP:RED"),
    bad(granular("red", "pattern"), GRANULAR, "TLP:RED"),
    bad(granular("red", "id"), GRANULAR, "TLP:RED"),
    bad(granular(MARK, "name"), GRANULAR, "not known here"),
    bad({REFS: [TLP["green"]], GRANULAR: [{"selectors": ["name"], "marking": TLP["amber"]}]},
        GRANULAR, "neither a marking nor a language"),
    bad({GRANULAR: [{"selectors": [], "marking_ref": TLP["clear"]}]}, f"{GRANULAR}[0].selectors",
        "empty"),
    bad({GRANULAR: ["x"]}, f"{GRANULAR}[0]", "should be an object"),
]  # fmt: skip


async def community(center: World) -> None:
    """Enrol two counties, and a partner that may read GREEN and no more."""
    await center.org("A")
    await center.org("B")
    await center.org("Partner", Kind.PARTNER)


async def seen_by(center: World, name: str) -> set[str]:
    await center.project()
    return await center.patterns(center.seats[name])


async def push(center: World, name: str, *objects: dict[str, Any], **query: str) -> list[Any]:
    return await center.push(center.seats[name], list(objects), **query)


async def test_a_mark_that_cannot_be_obeyed_is_refused(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await all_are_refused(center, WRONG)


async def test_red_leaves_no_bytes_behind(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        red = indicator("secret.example", "red")
        (verdict,) = await push(center, "A", red)
        assert (verdict["outcome"], verdict["field"]) == ("refused", REFS)
        (told,) = await push(center, "A", indicator("secret.example"), tlp="red")
        assert told["outcome"] == "refused"
        kept = await center.get(
            "/taxii2/coop/collections/contributions/objects/", center.seats["A"]
        )
        assert kept.objects == []


async def test_without_a_mark_it_stays_with_its_owner_who_is_told(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        (verdict,) = await push(center, "A", indicator("secret.example"))
        assert verdict["outcome"] == "accepted"
        assert "no marking" in verdict["reason"]
        assert await seen_by(center, "B") == set()
        listed = (await center.get("/api/v1/unreleased", center.seats["A"])).json["unreleased"]
        assert [one["id"] for one in listed] == [verdict["id"]]
        foreign = await center.get("/api/v1/unreleased", center.seats["B"])
        assert foreign.json == {"unreleased": []}


async def test_a_granular_mark_only_makes_it_stricter(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        marked = [
            indicator("a.example", "green", **granular("amber", "id")),
            indicator("b.example", "amber", **granular("clear", "pattern")),
            indicator("c.example", "green", **granular("clear", "id")),
        ]
        await push(center, "A", *marked)
        assert await seen_by(center, "B") == {one["pattern"] for one in marked}
        assert await seen_by(center, "Partner") == {"[domain-name:value = 'c.example']"}
        assert await seen_by(center, "A") == await seen_by(center, "B")
        assert await center.patterns(None, "feed-public") == set()


async def test_a_statement_of_the_center_is_known_to_all_and_released(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        await center.seat("Testzentrum")
        marked = indicator("secret.example", **{REFS: [TLP["green"], MARK]})
        refused, *_ = await push(center, "A", marked)
        assert (refused["outcome"], refused["field"]) == ("refused", REFS)
        said = definition(MARK, **statement("Nur für Verwaltungen")) | {REFS: [TLP["green"]]}
        await push(center, "Testzentrum", said)
        accepted, *_ = await push(center, "A", marked)
        assert accepted["outcome"] == "accepted"
        await center.project()
        assert MARK in [one["id"] for one in await center.feed(center.seats["B"])]


async def test_a_statement_that_names_an_organisation_is_in_no_release(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        author = "identity--2f6c4e30-7d8b-4c9f-8ab1-3c4d5e6f7081"
        identity = {
            "type": "identity",
            "spec_version": "2.1",
            "id": author,
            "created": "2026-10-01T08:00:00Z",
            "modified": "2026-10-01T08:00:00Z",
            "name": "Landkreis Geheim",
            "object_marking_refs": [TLP["green"]],
        }
        marked = indicator(
            "secret.example",
            "green",
            name="Landkreis Geheim",
            description="Landkreis Geheim",
            created_by_ref=author,
            labels=["Geheim"],
            external_references=[{"source_name": "Landkreis Geheim"}],
            x_note="Landkreis Geheim",
        )
        marked[REFS] = [TLP["green"], MARK]
        verdicts = await push(
            center, "A", definition(MARK, **statement("Landkreis Geheim")), identity, marked
        )
        assert {one["outcome"] for one in verdicts} == {"accepted"}
        assert await seen_by(center, "B") == {PATTERN}
        for reader in ("B", "Partner"):
            page = await center.get("/taxii2/coop/collections/feed/objects/", center.seats[reader])
            for hidden in (b"Geheim", MARK.encode(), author.encode(), marked["id"].encode()):
                assert hidden not in page.body


async def test_a_stranger_cannot_downgrade_what_is_anothers(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        mine = indicator("secret.example", "amber", confidence=30)
        await push(center, "A", mine)
        assert await seen_by(center, "B") == {PATTERN}
        before = await indicators(center, "B", "feed-members")
        wider = mine | {REFS: [TLP["green"]], "modified": "2026-10-02T08:00:00Z", "confidence": 90}
        (verdict,) = await push(center, "Partner", wider)
        assert (verdict["outcome"], verdict["lock"]) == ("accepted", "community")
        assert await seen_by(center, "Partner") == {PATTERN}
        assert [one["confidence"] for one in await indicators(center, "Partner")] == [90]
        after = await indicators(center, "B", "feed-members")
        assert {one["id"] for one in after} == {one["id"] for one in before}
        assert all(TLP["amber"] in one[REFS] for one in after)
        gone = wider | {"modified": "2026-10-03T08:00:00Z", "revoked": True}
        await push(center, "Partner", gone)
        assert await seen_by(center, "Partner") == set()
        assert await seen_by(center, "B") == {PATTERN}
        assert (await indicators(center, "B", "feed-members"))[-1]["confidence"] == 30


async def indicators(center: World, name: str, collection: str = "feed") -> list[dict[str, Any]]:
    found = await center.feed(center.seats[name], collection)
    return [one for one in found if one["type"] == "indicator"]


async def test_what_was_received_is_not_published_again_more_widely(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        await push(center, "A", indicator("secret.example", "amber", confidence=50))
        await center.project()
        (received,) = await indicators(center, "B")
        fresh = {"id": "indicator--3a7d5f41-8e9c-4da0-9bc2-4d5e6f708192", REFS: [TLP["green"]]}
        unsigned = {name: one for name, one in received.items() if name != "created_by_ref"}
        echoes = [
            received | {REFS: [TLP["green"]]},
            unsigned | {REFS: [TLP["green"]], "modified": "2026-11-01T12:30:00Z"},
            received | fresh,
        ]
        verdicts = await push(center, "B", *echoes)
        assert [one["outcome"] for one in verdicts] == ["accepted"] * 3
        assert all("came from the center" in one["reason"] for one in verdicts)
        assert await seen_by(center, "Partner") == set()
        assert await indicators(center, "B") == [received]


async def test_a_group_that_one_is_not_in_is_as_unknown_as_none(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await community(center)
        mark = await center.group("Krisenstab", center.seats["A"])
        sent = [
            indicator("secret.example", "amber") | {REFS: [TLP["amber"], one]}
            for one in (mark, OTHER)
        ]
        known, unknown = [(await push(center, "B", one))[0] for one in sent]
        assert known["outcome"] == unknown["outcome"] == "refused"
        assert known["reason"].replace(mark, OTHER) == unknown["reason"]
        bodies = [
            await center.request(
                "POST", f"/api/v1/push?group={name}", center.seats["B"], data=b"{}"
            )
            for name in ("krisenstab", "nowhere000")
        ]
        assert [one.status for one in bodies] == [400, 400]
        assert bodies[0].body.replace(b"krisenstab", b"nowhere000") == bodies[1].body
