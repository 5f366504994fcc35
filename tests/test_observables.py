"""Observables have no versions and no pattern: what is said of them must be true of them."""

from pathlib import Path
from typing import Any

import pytest

from world import world

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
