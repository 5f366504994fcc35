"""Observables have no versions and no pattern: what is said of them must be true of them."""

from pathlib import Path
from typing import Any

import pytest

from world import TLP, world

ADDRESS: dict[str, Any] = {
    "type": "ipv4-addr",
    "spec_version": "2.1",
    "id": "ipv4-addr--28bb3599-77cd-4a82-a950-b5bc3caf07c4",
    "value": "45.9.148.3",
}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("ipv4-addr", "010.1.2.3", "leading zeros"),
        ("ipv6-addr", "gg::1", "not an IPv6 address"),
        ("domain-name", "evil-host.net/path", "not a domain name"),
        ("url", "http://", "names no host"),
        ("email-addr", "evil-host.net", "not an e-mail address"),
    ],
)
async def test_a_value_that_cannot_be_is_kept_with_its_reason(
    kind: str, value: str, reason: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        stix_id = ADDRESS["id"].replace("ipv4-addr", kind)
        one = ADDRESS | {"type": kind, "id": stix_id, "value": value}
        (verdict,) = await center.push(county, [one], tlp="green")
        assert (verdict["outcome"], reason in verdict["reason"]) == ("accepted", True)
        await center.project()
        assert kind not in {each["type"] for each in await center.feed(county)}
        (kept,) = (await center.get("/api/v1/unreleased", county)).json["unreleased"]
        assert reason in kept["reason"]


async def test_what_was_said_before_is_told_where_it_stands_now(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        wide, tight = (
            ADDRESS | {"object_marking_refs": [TLP[level]]} for level in ("green", "amber")
        )
        for one in (wide, tight):
            assert [each["outcome"] for each in await center.push(county, [one])] == ["accepted"]
        (again,) = await center.push(county, [wide])
        assert (again["outcome"], again["lock"]) == ("duplicate", "group:members")
        assert "delete it first" in again["reason"]
        (same,) = await center.push(county, [tight])
        assert (same["lock"], same["reason"]) == ("group:members", "")
        path = f"/taxii2/coop/collections/contributions/objects/{ADDRESS['id']}/"
        assert (await center.request("DELETE", path, county)).status == 200
        (moved,) = await center.push(county, [wide])
        assert (moved["outcome"], moved["lock"]) == ("accepted", "community")
        await center.project()
        found = await center.feed(county, "feed-community")
        assert ADDRESS["value"] in {one.get("value") for one in found}
