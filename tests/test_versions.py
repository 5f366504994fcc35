"""Versions of one object: which of them counts, and what it leaves behind."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cybercoop.members.organisations import Kind
from world import TLP, indicator, world

NEWER = indicator("evil-host.net", "green")
OLDER = {name: NEWER[name] for name in NEWER if name not in {"spec_version", "pattern_type"}} | {
    "modified": "2026-10-02T08:00:00.000Z",
    "labels": ["malicious-activity"],
}


@pytest.mark.parametrize("given", [(NEWER, OLDER), (OLDER, NEWER)], ids=["after", "before"])
async def test_a_version_in_stix_2_0_does_not_withdraw_the_one_in_2_1(
    database_url: str, tmp_path: Path, given: tuple[dict[str, object], ...]
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        for one in given:
            (said,) = await center.push(county, [one])
            replaced = given == (NEWER, OLDER) and one is OLDER
            assert (said["outcome"], "counts instead" in said["reason"]) == ("accepted", replaced)
            await center.project()
            assert await center.patterns(other) == {NEWER["pattern"]}


async def test_labels_of_stix_2_0_become_types(database_url: str, tmp_path: Path) -> None:
    common = {name: OLDER[name] for name in ("created", "modified")}
    number = "31b940d4-6f7f-459a-80ea-9c1f17b58abc"
    lifted = {
        "threat-actor": ("threat_actor_types", "crime-syndicate"),
        "tool": ("tool_types", "remote-access"),
        "report": ("report_types", "threat-report"),
    }
    objects: list[dict[str, Any]] = [
        common | {"type": kind, "id": f"{kind}--{number}", "name": "x", "labels": [said, "Rathaus"]}
        for kind, (_, said) in lifted.items()
    ]
    objects[-1] |= {"published": "2026-10-01T08:00:00Z", "object_refs": [objects[0]["id"]]}
    bundle = {"type": "bundle", "id": f"bundle--{number}", "spec_version": "2.0"}
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        body = json.dumps(bundle | {"objects": objects}).encode()
        await center.push(county, body, tlp="green", with_text="1")
        await center.project()
        found = {one["type"]: one for one in await center.feed(other)}
        for kind, (name, said) in lifted.items():
            assert found[kind][name] == [said]
            assert "labels" not in found[kind]


async def test_a_version_in_stix_2_0_takes_nothing_along_that_had_replaced_the_one_in_2_1(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        other = NEWER | {"id": f"indicator--{uuid4()}", "modified": "2026-10-01T09:00:00.000Z"}
        for given in NEWER, other, OLDER:
            await center.push(county, [given])
            await center.project()
        assert await center.patterns(partner) == {NEWER["pattern"]}


async def test_a_version_in_stix_2_0_counts_once_the_one_in_2_1_was_undone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first, older = str(uuid4()), OLDER | {"pattern": "[domain-name:value = 'other-host.net']"}
        await center.push(county, [NEWER], push_id=first)
        await center.project()
        await center.push(county, [older])
        await center.project()
        assert await center.patterns(partner) == {NEWER["pattern"]}
        await center.request("DELETE", f"/api/v1/pushes/{first}", county)
        await center.project()
        assert await center.patterns(partner) == {older["pattern"]}


@pytest.mark.parametrize("then", ["tightened", "deleted", "replaced and undone"])
async def test_a_version_that_came_too_late_takes_nothing_along_whatever_follows(
    database_url: str, tmp_path: Path, then: str
) -> None:
    async with world(database_url, tmp_path) as center:
        county, partner = await center.org("county"), await center.org("partner", Kind.PARTNER)
        first, second, same = (
            indicator("evil-host.net", "green", name=name) for name in ("first", "second", "same")
        )
        moved = {"pattern": "[domain-name:value = 'other-host.net']"}
        stays, late, latest = ({"modified": f"2026-10-0{day}T08:00:00.000Z"} for day in (3, 4, 5))
        push_id = str(uuid4())
        for given in first | stays, second | moved | latest, second | late:
            await center.push(county, [given])
            await center.project()
        both = {first["pattern"], moved["pattern"]}
        assert await center.patterns(partner) == both
        last = {"modified": "2026-10-06T08:00:00.000Z"}
        if then == "tightened":
            amber = {"object_marking_refs": [TLP["amber"]]}
            await center.push(county, [second | moved | last | amber])
        elif then == "deleted":
            path = f"/taxii2/coop/collections/contributions/objects/{second['id']}/"
            await center.request("DELETE", path, county, params={"match[version]": "last"})
        else:
            await center.push(county, [same | last], push_id=push_id)
            await center.project()
            await center.request("DELETE", f"/api/v1/pushes/{push_id}", county)
        await center.project()
        left = both if then == "replaced and undone" else {first["pattern"]}
        assert await center.patterns(partner) == left
