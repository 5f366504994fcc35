"""Sharing rules: who gets what, in the table of DESIGN section 5."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import founding
from cybercoop.members.organisations import Kind
from cybercoop.sharing import locks, narrowest, wider
from cybercoop.store import feeds
from world import TLP, Seat, World, indicator, world

PATTERN = "[domain-name:value = 'evil.example']"
FEED = "/taxii2/coop/collections/feed"
READERS = ("county", "other", "client", "partner", "vendor", "Testzentrum")


@asynccontextmanager
async def cast(url: str, folder: Path) -> AsyncIterator[tuple[World, dict[str, Seat], str]]:
    """Found a center with a county that pushes, and one reader of every sort."""
    async with world(url, folder) as center:
        pusher = await center.org("pusher")
        await center.org("county")
        await center.org("other")
        await center.org("client", Kind.CLIENT, of=center.seats["county"])
        await center.org("partner", Kind.PARTNER)
        await center.org("vendor", Kind.PARTNER, community=False)
        await center.seat("Testzentrum")
        group = await center.group("Krisenstab", pusher, center.seats["county"])
        yield center, center.seats, group


@pytest.mark.parametrize(
    ("mark", "group", "readers"),
    [
        ("clear", False, set(READERS)),
        ("green", False, {"county", "other", "client", "partner", "Testzentrum"}),
        ("amber", False, {"county", "other", "client", "Testzentrum"}),
        ("amber+strict", False, {"county", "other", "Testzentrum"}),
        ("amber", True, {"county", "client"}),
        ("amber+strict", True, {"county"}),
        (None, True, {"county", "client"}),
        ("green", True, {"county", "client"}),
        (None, False, set()),
        ("red", False, set()),
    ],
)
async def test_a_marking_reaches_exactly_its_readers(
    database_url: str, tmp_path: Path, mark: str | None, group: bool, readers: set[str]
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, group_mark):
        marks = [TLP[mark]] if mark else []
        marks += [group_mark] if group else []
        more = {"object_marking_refs": marks} if marks else {}
        await center.push(seats["pusher"], [indicator("evil.example", None, **more)])
        await center.project()
        found = {name for name in READERS if PATTERN in await center.patterns(seats[name])}
        assert found == readers
        assert (PATTERN in await center.patterns(None, "feed-public")) == (mark == "clear")


async def test_a_group_one_is_not_in_is_as_unknown_as_none(
    database_url: str, tmp_path: Path
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, group_mark):
        nobody = "marking-definition--6f1f1b46-6dc8-4bd0-9a9c-0d2f4bd4a001"
        verdicts = await center.push(
            seats["other"],
            [
                indicator("a.example", None, object_marking_refs=[ref])
                for ref in (group_mark, nobody)
            ],
        )
        assert [one["outcome"] for one in verdicts] == ["refused", "refused"]
        texts = {one["reason"].replace(group_mark, "x").replace(nobody, "x") for one in verdicts}
        assert len(texts) == 1


async def test_tightening_takes_the_wider_release_and_its_history_away(
    database_url: str, tmp_path: Path
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, _):
        first = indicator("evil.example", "green", confidence=20)
        await center.push(seats["pusher"], [first])
        await center.project()
        tight = first | {"modified": "2026-10-02T08:00:00.000Z"}
        await center.push(seats["pusher"], [tight | {"object_marking_refs": [TLP["amber+strict"]]}])
        await center.project()
        everything = await center.feed(seats["partner"], **{"match[version]": "all"})
        (left,) = [one for one in everything if one["type"] == "indicator"]
        assert left["revoked"] is True
        assert left["pattern"] == "[x-withdrawn:value = 'withdrawn']"
        assert PATTERN in await center.patterns(seats["other"])


async def test_who_gains_a_key_misses_nothing_older(database_url: str, tmp_path: Path) -> None:
    async with cast(database_url, tmp_path) as (center, seats, group_mark):
        await center.push(seats["pusher"], [indicator("group.example", group_mark)])
        await center.push(seats["pusher"], [indicator("later.example", "green")])
        await center.project()
        before = await _feed_id(center, seats["other"])
        await founding.change_membership(center.database, "krisenstab", "other", joins=True)
        after = await _feed_id(center, seats["other"])
        assert before != after
        assert "[domain-name:value = 'group.example']" in await center.patterns(seats["other"])
        old = (await center.get(f"/taxii2/coop/collections/{before}/", seats["other"])).json
        assert old["x_successor"] == after
        assert await center.patterns(seats["other"], before) == {
            "[domain-name:value = 'later.example']"
        }


async def test_who_gains_a_key_in_the_middle_of_a_walk_is_told_to_begin_anew(
    database_url: str, tmp_path: Path
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, group_mark):
        await center.push(seats["pusher"], [indicator("group.example", group_mark)])
        await center.project()
        later = [indicator(f"later{number}.example", "green") for number in range(3)]
        await center.push(seats["pusher"], later)
        await center.project()
        reader, green = seats["other"], {"match[type]": "indicator", "limit": "1"}
        before = await _feed_id(center, reader)
        kept = (await center.get(f"{FEED}/objects/", reader, **green)).json["next"]
        await founding.change_membership(center.database, "krisenstab", "other", joins=True)
        answer = await center.get(f"{FEED}/objects/", reader, next=kept)
        assert (answer.status, "begin without it" in answer.json["description"]) == (400, True)
        old = FEED.replace("/feed", f"/{before}")
        goes_on = (await center.get(f"{old}/objects/", reader, next=kept)).objects
        assert [one["pattern"].count("later") for one in goes_on] == [1]


async def test_a_lost_key_ends_reading_at_once(database_url: str, tmp_path: Path) -> None:
    async with cast(database_url, tmp_path) as (center, seats, group_mark):
        await center.push(seats["pusher"], [indicator("group.example", group_mark)])
        await center.project()
        assert await center.patterns(seats["client"])
        feed = await _feed_id(center, seats["client"])
        await founding.change_membership(center.database, "krisenstab", "county", joins=False)
        assert not await center.patterns(seats["client"])
        assert await _feed_id(center, seats["client"]) == feed
        await founding.change_membership(center.database, "krisenstab", "county", joins=True)
        assert await _feed_id(center, seats["client"]) != feed


async def _feed_id(center: World, seat: Seat) -> str:
    answer = await center.get(f"{FEED}/", seat)
    return str(answer.json["id"])


async def test_an_echo_is_kept_and_never_counted(database_url: str, tmp_path: Path) -> None:
    async with cast(database_url, tmp_path) as (center, seats, _):
        await center.push(seats["pusher"], [indicator("evil.example", "amber")])
        await center.project()
        (seen,) = [one for one in await center.feed(seats["county"]) if one["type"] == "indicator"]
        back = seen | {"object_marking_refs": [TLP["clear"]]}
        renamed = {name: one for name, one in back.items() if name != "created_by_ref"}
        for item in (back, renamed):
            (verdict,) = await center.push(seats["county"], [item])
            assert verdict["outcome"] in {"accepted", "refused"}
        await center.project()
        assert not await center.patterns(None, "feed-public")
        again = [one for one in await center.feed(seats["county"]) if one["type"] == "indicator"]
        assert again == [seen]


async def test_anonymous_contributors_leave_no_trace_of_themselves(
    database_url: str, tmp_path: Path
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, _):
        told: dict[str, Any] = {
            "name": "seen at our town hall",
            "description": "by the county",
            "labels": ["pusher"],
            "created_by_ref": "identity--11111111-1111-4111-8111-111111111111",
            "x_case": "4711",
            "external_references": [{"source_name": "pusher", "url": "https://pusher.example/"}],
            "valid_until": "2026-12-24T17:31:07Z",
            "confidence": 73,
        }
        await center.push(seats["pusher"], [indicator("evil.example", "green", **told)])
        await center.push(seats["other"], [indicator("named.example", "green", **told)], named="1")
        await center.project()
        found = {
            one["pattern"]: one
            for one in await center.feed(seats["county"])
            if one["type"] == "indicator"
        }
        quiet = found[PATTERN]
        assert set(quiet) == {
            *("type", "spec_version", "id", "created_by_ref", "created", "modified"),
            *("indicator_types", "pattern", "pattern_type", "pattern_version", "valid_from"),
            *("valid_until", "confidence", "object_marking_refs", "labels"),
        }
        assert quiet["labels"] == ["guard:documentation"]
        assert quiet["valid_from"] == "2026-10-01T00:00:00.000000Z"
        assert quiet["valid_until"] == "2026-12-25T00:00:00.000000Z"
        assert quiet["confidence"] == 70
        loud = found["[domain-name:value = 'named.example']"]
        (reference,) = loud["external_references"]
        assert reference["source_name"] == "other"
        assert reference["description"] == "seen at our town hall\nby the county"


async def test_a_value_that_returns_starts_a_new_generation(
    database_url: str, tmp_path: Path
) -> None:
    async with cast(database_url, tmp_path) as (center, seats, _):
        first = indicator("evil.example", "green")
        gone = first | {"modified": "2026-10-02T08:00:00.000Z", "revoked": True}
        back = first | {"modified": "2026-10-03T08:00:00.000Z"}
        ids = []
        for body in (first, gone, back):
            await center.push(seats["pusher"], [body])
            await center.project()
            feed = await center.feed(seats["county"])
            newest = [one for one in feed if one["type"] == "indicator"][-1]
            ids.append((newest["id"], newest.get("revoked", False)))
        assert ids[0][0] == ids[1][0] != ids[2][0]
        assert [revoked for _, revoked in ids] == [False, True, False]


def test_wider_is_fixed() -> None:
    assert wider("strict:g") == ("strict:g", "group:g", "community", "public")
    assert narrowest(["public", "group:g", "community"]) == "group:g"
    assert narrowest(["group:g", "group:h"]) is None
    assert narrowest(["own:x", "public"]) is None
    assert locks.is_tighter("group:g", than="community")
    assert not locks.is_tighter("public", than="community")


def test_collection_ids_are_uuids_of_version_4_and_secret() -> None:
    one, other = (feeds.identifier(secret, "lock|public") for secret in (b"a", b"b"))
    assert one != other
    assert one[14] == "4"
