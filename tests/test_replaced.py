"""Replaced: an earlier version whose later one was deleted counts nowhere, whatever follows."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cybercoop.collect import canary, leaving, reviewing
from cybercoop.members.organisations import Kind
from cybercoop.store.contributions import REPLACED
from test_references import MALWARE, NOTE, SEEN, SIGHTING, TIED
from test_tightening_later import AMBER, SECOND, THIRD, TOLD, versions
from world import TLP, Seat, World, indicator, world

OTHER = "[domain-name:value = 'other-host.net']"
FIRST = indicator("evil-told.net", "green", description=TOLD)
SAID = [
    pytest.param(FIRST, id="indicator"),
    pytest.param(TIED | {"description": TOLD}, id="relationship"),
    pytest.param(SIGHTING | {"sighting_of_ref": MALWARE["id"], "count": 7}, id="sighting"),
    pytest.param(NOTE | {"object_refs": [MALWARE["id"]], "content": TOLD}, id="note"),
]


async def delete_last(center: World, county: Seat, stix_id: str) -> None:
    """Delete the latest version of an object of ``county``."""
    path = f"/taxii2/coop/collections/contributions/objects/{stix_id}/"
    last = {"match[version]": "last"}
    assert (await center.request("DELETE", path, county, params=last)).status == 200


async def reasons(center: World, county: Seat) -> dict[str, str]:
    """Return why what ``county`` gave is not released, by id."""
    found = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
    return {one["id"]: one["reason"] for one in found}


async def standing(center: World, reader: Seat, said: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a reader finds of the type and the value of ``said`` that was not revoked."""
    found = [one for one in await center.feed(reader) if one["type"] == said["type"]]
    same = [one for one in found if one.get("pattern") == said.get("pattern")]
    return [one for one in same if not one.get("revoked", False)]


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


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("mark", ["green", "amber"])
@pytest.mark.parametrize("hurried", [True, False])
async def test_what_stood_ends_with_the_version_that_replaced_it(
    database_url: str, tmp_path: Path, said: dict[str, Any], mark: str, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        shown = {"with_text": "1", "named": "1"}
        await center.push(county, [SEEN, MALWARE, said], **shown)
        await center.project()
        later = {"modified": SECOND, "object_marking_refs": [TLP[mark]]}
        await center.push(county, [said | later], **shown)
        if not hurried:
            await center.project()
        await delete_last(center, county, said["id"])
        left = await versions(center, partner)
        assert mark == "green" or TOLD not in left
        assert await standing(center, partner, said) == []
        await center.push(county, [said | AMBER | {"modified": THIRD}], **shown)
        assert TOLD not in await versions(center, partner)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("between", [True, False])
async def test_nothing_of_it_stays_when_its_owner_leaves(
    database_url: str, tmp_path: Path, said: dict[str, Any], *, between: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner, shown = await center.org("partner", Kind.PARTNER), {"with_text": "1", "named": "1"}
        more = MALWARE | {"id": f"malware--{uuid4()}", "name": "Qakbot"}
        await center.push(other, [SEEN, MALWARE, more])
        await center.push(county, [SEEN, MALWARE, more, said], **shown)
        before = await versions(center, partner)
        moved = {"modified": SECOND, "description": "", "content": "-", "pattern": OTHER}
        moved |= {"target_ref": more["id"], "sighting_of_ref": more["id"], "count": 1}
        moved |= {"object_refs": [more["id"]]}
        kept = {name: value for name, value in moved.items() if name in said}
        await center.push(county, [said | kept], **shown)
        if between:
            await center.project()
        await delete_last(center, county, said["id"])
        await center.project()
        export, now = tmp_path / "export", center.clock.now
        await leaving.leave(center.database, "county", export, now, withdraw=True)
        left = await versions(center, partner)
        for words in TOLD, "'count': 7":
            assert words not in left
        assert TOLD in before or "'count': 7" in before


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("decided", ["before", "after"])
async def test_what_waited_for_the_canary_goes_with_it(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, Any],
    decided: str,
) -> None:
    monkeypatch.setattr(canary, "FEWEST", 2)
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner, shown = await center.org("partner", Kind.PARTNER), {"with_text": "1", "named": "1"}
        hosts = ("evil-more.net", "evil-third.net", "evil-fourth.net", "evil-fifth.net")
        more, *others = (indicator(host, "green") for host in hosts)
        gone = {"modified": SECOND, "revoked": True}
        await center.push(county, [SEEN, MALWARE, more, said], **shown)
        await center.push(other, others)
        before = await versions(center, partner)
        await center.push(other, [one | gone for one in others])
        await center.push(county, [more | gone])
        await center.project()
        await center.push(county, [said | AMBER | {"modified": SECOND}], **shown)
        assert await versions(center, partner) == before
        deciding = ("community", "release", "test", center.clock.now)
        if decided == "before":
            await reviewing.decide(center.database, *deciding)
            await center.project()
        await delete_last(center, county, said["id"])
        if decided == "after":
            assert await versions(center, partner) == before
            await reviewing.decide(center.database, *deciding)
        left = await versions(center, partner)
        assert TOLD not in left
        assert "'count': 7" not in left
        assert TOLD in before or "'count': 7" in before


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("mark", ["green", "amber"])
@pytest.mark.parametrize("hurried", [True, False])
async def test_the_undo_of_a_newer_version_brings_it_back_no_more(
    database_url: str, tmp_path: Path, said: dict[str, Any], mark: str, *, hurried: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        shown, third = {"with_text": "1", "named": "1"}, str(uuid4())
        for change in {}, {"modified": SECOND}:
            await center.push(county, [SEEN, MALWARE, said | change], **shown)
            await center.project()
        await delete_last(center, county, said["id"])
        await center.project()
        later = {"modified": THIRD, "object_marking_refs": [TLP[mark]]}
        await center.push(county, [said | later], push_id=third, **shown)
        if not hurried:
            await center.project()
        await center.request("DELETE", f"/api/v1/pushes/{third}", county)
        await center.project()
        assert await standing(center, partner, said) == []
        assert await reasons(center, county) == {said["id"]: REPLACED}


@pytest.mark.parametrize("mark", ["green", "amber"])
async def test_what_was_given_after_it_stays_when_a_newer_version_comes(
    database_url: str, tmp_path: Path, mark: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        for change in {"modified": SECOND}, {"modified": THIRD, "pattern": OTHER}:
            await center.push(county, [FIRST | change], named="1")
            await center.project()
        await delete_last(center, county, FIRST["id"])
        await center.project()
        older = indicator("evil-told.net", "green")
        await center.push(county, [older])
        await center.project()
        assert await center.patterns(partner) == {FIRST["pattern"]}
        later = {"modified": "2026-10-04T08:00:00.000Z", "object_marking_refs": [TLP[mark]]}
        await center.push(county, [FIRST | later | {"pattern": OTHER}], named="1")
        left = await versions(center, partner)
        assert (TOLD in left) == (mark == "green")
        assert FIRST["pattern"] in await center.patterns(partner)
