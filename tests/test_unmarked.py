"""What carries no marking: it stays with its owner until he says where it may go."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import founding
from world import Seat, World, indicator, world

VALUE = "[domain-name:value = 'evil.example']"


async def _outcome(center: World, seat: Seat, *objects: Any, **query: str) -> list[tuple[str, str]]:
    """Push, project, and return outcome and kind of lock of every object."""
    verdicts = await center.push(seat, objects, **query)
    await center.project()
    return [(one["outcome"], one["lock"].split(":")[0]) for one in verdicts]


async def _unreleased(center: World, seat: Seat) -> list[Any]:
    found: list[Any] = (await center.get("/api/v1/unreleased", seat)).json["unreleased"]
    return found


async def test_the_same_unmarked_object_pushed_with_a_level_goes_out(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example")
        assert await _outcome(center, owner, body) == [("accepted", "own")]
        before = await center.get("/taxii2/coop/collections/contributions/manifest/", owner)
        assert len(await _unreleased(center, owner)) == 1
        assert await _outcome(center, owner, body, body, tlp="green") == [
            ("accepted", "community"),
            ("duplicate", "community"),
        ]
        assert await center.patterns(other) == {VALUE}
        assert await _unreleased(center, owner) == []
        after = await center.get("/taxii2/coop/collections/contributions/manifest/", owner)
        assert after.body == before.body


async def test_a_dry_run_says_so_and_moves_nothing(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        await center.push(owner, [indicator("evil.example")])
        for _ in range(2):
            found = await _outcome(
                center, owner, indicator("evil.example"), tlp="green", dry_run="1"
            )
            assert found == [("accepted", "community")]
        assert await _outcome(center, owner, indicator("evil.example")) == [("duplicate", "own")]


async def test_what_is_with_others_moves_only_with_a_newer_version(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, partner = await center.org("Landkreis A"), await center.org("Landkreis B")
        await center.group("Krisenstab", owner)
        for query in ({"group": "krisenstab"}, {"tlp": "green"}, {"tlp": "clear"}):
            verdicts = await center.push(owner, [indicator("evil.example")], **query)
            assert verdicts[0]["lock"] == "group:krisenstab"
        assert (verdicts[0]["outcome"], "newer modified" in verdicts[0]["reason"]) == (
            "duplicate",
            True,
        )
        await center.project()
        assert await center.patterns(partner) == set()
        newer = indicator("evil.example") | {"modified": "2026-10-02T08:00:00.000Z"}
        await center.push(owner, [newer], tlp="green")
        await center.project()
        assert await center.patterns(partner) == {VALUE}


async def test_an_observable_and_a_relationship_without_marking_go_out_later(
    database_url: str, tmp_path: Path
) -> None:
    """An observable has no ``modified``; a relationship waits for its ends."""
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        address = {
            "type": "ipv4-addr",
            "spec_version": "2.1",
            "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
            "value": "198.51.100.3",
        }
        sign = indicator("evil.example")
        based = {
            "type": "relationship",
            "spec_version": "2.1",
            "id": "relationship--0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11",
            "created": sign["created"],
            "modified": sign["modified"],
            "relationship_type": "based-on",
            "source_ref": sign["id"],
            "target_ref": address["id"],
        }
        objects = [address, sign, based]
        assert await _outcome(center, owner, *objects) == [("accepted", "own")] * 3
        sent = await _outcome(center, owner, *objects, tlp="green")
        assert sent == [("accepted", "community")] * 3
        kinds = [one["type"] for one in await center.feed(other, "feed-community")]
        assert sorted(kinds) == ["indicator", "ipv4-addr", "relationship"]
        again = await _outcome(center, owner, *objects, tlp="green")
        assert again == [("duplicate", "community")] * 3


async def test_an_older_version_that_is_sent_late_takes_nothing_of_others_away(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        newer = indicator("else.example") | {"id": indicator("evil.example")["id"]}
        newer["modified"] = "2026-10-02T08:00:00.000Z"
        await center.push(owner, [indicator("evil.example")])
        await center.push(owner, [newer], tlp="green")
        await center.push(other, [indicator("evil.example", "green", confidence=10)])
        await center.project()
        await center.push(other, [indicator("evil.example", "green", confidence=90)])
        await center.project()
        before = await center.feed(other, "feed-community", **{"match[version]": "all"})
        sent = await _outcome(center, owner, indicator("evil.example"), tlp="green")
        assert sent == [("duplicate", "own")]
        assert await center.feed(other, "feed-community", **{"match[version]": "all"}) == before


@pytest.mark.parametrize("level", [None, "green", "clear"])
async def test_a_default_group_that_was_left_is_no_default(
    level: str | None, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await founding.add_group(center.database, "Krisenstab", center.surroundings)
        reader = await center.org("Landkreis B")
        await founding.change_membership(center.database, "krisenstab", reader.org.id, joins=True)
        more = {"default_group": "krisenstab", "default_tlp": level}
        owner = await center.org("Landkreis A", **more)
        assert await _outcome(center, owner, indicator("evil.example")) == [("accepted", "group")]
        await founding.change_membership(center.database, "krisenstab", owner.org.id, joins=False)
        verdicts = await center.push(owner, [indicator("else.example")])
        assert verdicts[0]["lock"] == f"own:{owner.org.id}"
        assert "no marking" in verdicts[0]["reason"]
        await center.project()
        assert await center.patterns(reader) == {VALUE}
        sent = await _outcome(center, owner, indicator("else.example"), tlp="green")
        assert sent == [("accepted", "community")]


@pytest.mark.parametrize("along", [False, True], ids=["later", "together"])
async def test_an_older_version_does_not_go_out_and_does_not_say_so(
    database_url: str, tmp_path: Path, *, along: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        first = indicator("evil.example")
        newer = first | {"modified": "2026-10-03T08:00:00.000Z"}
        between = first | {"modified": "2026-10-02T08:00:00.000Z"}
        first["description"] = "Erste Fassung."
        await center.push(owner, [first])
        if not along:
            await center.push(owner, [newer])
            await center.project()
        said = await center.push(owner, [newer, first, between], tlp="green")
        assert [one["outcome"] for one in said[1:]] == ["duplicate", "accepted"]
        assert all("a newer version" in one["reason"] for one in said[1:])
        assert said[1]["lock"].startswith("own:")
        await center.project()
        (released,) = [one for one in await center.feed(other) if one["type"] == "indicator"]
        assert (said[0]["outcome"], said[0]["reason"]) == ("accepted", "")
        assert released["pattern"] == VALUE


@pytest.mark.parametrize("hurried", [False, True], ids=["released", "pending"])
async def test_what_goes_out_after_its_newer_version_was_deleted(
    database_url: str, tmp_path: Path, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example")
        newer = indicator("evil.example", "green", modified="2026-10-02T08:00:00.000Z")
        await center.push(owner, [body])
        await center.push(owner, [newer | {"id": body["id"]}])
        if not hurried:
            await center.project()
        path = f"/taxii2/coop/collections/contributions/objects/{body['id']}/"
        last = {"match[version]": "last"}
        assert (await center.request("DELETE", path, owner, params=last)).status == 200
        if not hurried:
            await center.project()
            assert await center.patterns(other) == set()
        assert await _outcome(center, owner, body, tlp="green") == [("accepted", "community")]
        assert await center.patterns(other) == {VALUE}
