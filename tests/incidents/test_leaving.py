"""Who leaves takes its incidents along, and they are erased here or stay without people."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import leaving
from cybercoop.store import incident_parts as parts
from cybercoop.store import incidents
from incidents.cases import CASE, ask, reported
from world import Seat, World, world

FILE = base64.b64encode(b"Beleg").decode()


async def filled(center: World, seat: Seat) -> str:
    """Return the id of a shared incident with something of everything."""
    one = await reported(center, seat)
    path = f"/incidents/{one}"
    await ask(center, "POST", f"{path}/indicators", seat, {"values": ["evil-host.net"]}, 201)
    person = {"kind": "affected", "name": "Muster, Erika", "mail": "erika@a.example"}
    await ask(center, "POST", f"{path}/people", seat, person, 201)
    part = {"name": "Landespolizei", "part": "police"}
    await ask(center, "POST", f"{path}/participants", seat, part, 201)
    file = f"/api/v1{path}/files?name=beleg.txt"
    assert (await center.request("POST", file, seat, data=io.BytesIO(b"Beleg"))).status == 201
    await ask(center, "POST", f"{path}/share", seat, {"tlp": "green"})
    return one


@pytest.mark.parametrize("withdraw", [True, False], ids=["withdraw", "keep"])
async def test_incidents_are_handed_out_and_erased_or_kept(
    database_url: str, tmp_path: Path, *, withdraw: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        one, foreign = await filled(center, county), await filled(center, other)
        file, now = tmp_path / "all.json", center.clock.now
        left = await leaving.leave(center.database, "Landkreis A", file, now, withdraw=withdraw)
        assert (left.org.id, left.versions, left.incidents) == (county.org.id, 3, 1)
        export = json.loads(file.read_bytes())
        assert {each["type"] for each in export["objects"]} == {
            *("incident", "indicator", "relationship")
        }
        (case,) = export["incidents"]
        assert (case["id"], case["title"], case["severity"]) == (one, CASE["title"], "high")
        assert case["known_at"] == case["timeline"][0]["at"] == "2026-11-01T12:00:00.000000Z"
        assert [each["name"] for each in case["people"]] == ["Muster, Erika"]
        assert [each["name"] for each in case["participants"]] == ["Landespolizei"]
        assert [each["value"] for each in case["indicators"]] == ["evil-host.net"]
        assert [each["content"] for each in case["files"]] == [FILE]
        assert {each["profile"] for each in case["clocks"]}
        assert case["share"]["lock"] == "community"
        async with center.database.read() as connection:
            kept = await incidents.all_of(connection, county.org.id)
            assert [each.id for each in kept] == ([] if withdraw else [one])
            counted: list[Any] = [
                await parts.people_of(connection, one),
                await parts.files_of(connection, one),
                await incidents.timeline(connection, one),
                await incidents.share_of(connection, one),
            ]
            assert [bool(each) for each in counted] == [False, *[not withdraw] * 3]
            assert len(await parts.people_of(connection, foreign)) == 1
        await center.project()
        await center.project()
        found = [each for each in await center.feed(other) if each["type"] == "incident"]
        assert sum(not each.get("revoked") for each in found) == (1 if withdraw else 2)
