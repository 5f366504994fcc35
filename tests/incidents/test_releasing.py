"""A shared incident as others read it: under its lock, without what was not cleared."""

import json
from pathlib import Path
from typing import Any

from cybercoop.members.organisations import Kind
from incidents.cases import CASE, ask, reported
from world import TLP, Seat, World, world


async def cases(center: World, seat: Seat | None) -> list[dict[str, Any]]:
    """Return the incidents that a reader finds and that are not revoked."""
    await center.project()
    await center.project()
    found = await center.feed(seat, "feed" if seat else "feed-public")
    return [one for one in found if one["type"] == "incident" and not one.get("revoked")]


async def test_a_reduced_incident_tells_its_class_and_no_name(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        town = await center.org("Stadt B", Kind.CLIENT, of=other)
        path = f"/incidents/{await reported(center, county)}"
        await ask(center, "POST", f"{path}/indicators", county, {"values": ["evil-host.net"]}, 201)
        assert await cases(center, other) == []
        given = await ask(center, "POST", f"{path}/share", county, {"tlp": "amber+strict"})
        (case,) = await cases(center, other)
        assert case["id"] != given["id"]
        assert case["name"] == "Malicious code: Infected system"
        assert case["created_by_ref"] == center.center.identity_id
        assert TLP["amber+strict"] in case["object_marking_refs"]
        (said,) = case["extensions"].values()
        assert (said["severity"], said["status"]) == ("high", "reported")
        text = json.dumps(await center.feed(other), ensure_ascii=False)
        assert not [word for word in ("Bürgeramt", "Erpresser", "Landkreis") if word in text]
        ties = [one for one in await center.feed(other) if one["type"] == "relationship"]
        assert [one["target_ref"] for one in ties] == [case["id"]]
        assert await cases(center, town) == []
        assert await cases(center, None) == []
        await ask(center, "PATCH", path, county, {"severity": "critical"})
        assert await cases(center, other) == [case]
        center.clock.forward(1)
        await ask(center, "POST", f"{path}/share", county, {"tlp": "amber+strict"})
        (again,) = await cases(center, other)
        assert again["id"] == case["id"]
        assert next(iter(again["extensions"].values()))["severity"] == "critical"
        await ask(center, "DELETE", f"{path}/share", county)
        assert await cases(center, other) == []


async def test_title_and_text_go_out_only_when_they_are_cleared(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        path = f"/incidents/{await reported(center, county)}"
        person = {"kind": "affected", "name": "Muster, Erika", "note": "Akte 17"}
        await ask(center, "POST", f"{path}/people", county, person, 201)
        said = {"tlp": "green", "with_text": True}
        await ask(center, "POST", f"{path}/share", county, said)
        (case,) = await cases(center, other)
        assert (case["name"], case["description"]) == (CASE["title"], CASE["text"])
        center.clock.forward(1)
        await ask(center, "POST", f"{path}/share", county, {"tlp": "amber"})
        (case,) = await cases(center, other)
        assert case["name"] == "Malicious code: Infected system"
        revoked = [one for one in await center.feed(other) if one.get("revoked")]
        text = json.dumps(await center.feed(other), ensure_ascii=False)
        assert revoked
        assert not [word for word in ("Bürgeramt", "Erpresser", "Muster", "Akte") if word in text]


async def test_an_incident_that_is_pushed_keeps_what_nobody_knows_to_its_owner(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        case = {
            "type": "incident",
            "spec_version": "2.1",
            "id": "incident--6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11",
            "created": "2026-10-01T08:00:00.000Z",
            "modified": "2026-10-01T08:00:00.000Z",
            "name": "Fund",
            "extensions": {
                "extension-definition--ef765651-680c-498d-9894-99799f2fa126": {
                    "extension_type": "property-extension",
                    "criticality": 90,
                }
            },
            "object_marking_refs": [TLP["green"]],
        }
        await center.push(county, [case])
        assert await cases(center, other) == []
        newer = case | {"modified": "2026-10-02T08:00:00.000Z"}
        await center.push(county, [newer], with_text="1")
        (found,) = await cases(center, other)
        assert found["name"] == "Fund"
        assert "extensions" not in found
