"""What goes out of an incident, to whom, and what never does."""

import json
from pathlib import Path
from typing import Any

from cybercoop.members.organisations import Kind
from incidents.cases import ask, reported
from world import SECOND, Seat, World, indicator, world


async def test_values_of_an_incident_go_out_in_one_step(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        path = f"/incidents/{await reported(center, county)}"
        await ask(center, "POST", f"{path}/indicators/push", county, {"tlp": "green"}, 422)
        said = {"values": ["evil-host[.]net"], "text": "hxxps://bad-host[.]net/a und 45.66.77.3"}
        linked = await ask(center, "POST", f"{path}/indicators", county, said, 201)
        assert linked["added"] == 3
        again = await ask(center, "POST", f"{path}/indicators", county, said, 201)
        assert again["added"] == 0
        await center.project()
        assert await center.patterns(other) == set()
        await ask(center, "POST", f"{path}/indicators/push", county, {}, 422)
        await ask(center, "POST", f"{path}/indicators/push", county, {"tlp": "red"}, 422)
        given = await ask(center, "POST", f"{path}/indicators/push", county, {"tlp": "green"})
        assert {one["outcome"] for one in given["verdicts"]} == {"accepted"}
        await center.project()
        assert "[domain-name:value = 'evil-host.net']" in await center.patterns(other)
        assert len(await center.patterns(other)) == 3
        assert all(one["type"] in {"indicator", "identity"} for one in await named(center, other))
        await ask(center, "DELETE", f"/pushes/{given['push_id']}", county)
        await center.project()
        assert await center.patterns(other) == set()
        refused = await ask(center, "POST", f"{path}/indicators", county, {"values": ["?"]}, 422)
        assert refused["code"] == "refused"


async def named(center: World, seat: Seat) -> list[Any]:
    return [one for one in await center.feed(seat) if one["type"] != "marking-definition"]


async def test_what_is_shared_is_what_the_preview_showed(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        town = await center.org("Stadt A", Kind.CLIENT, of=other)
        path = f"/incidents/{await reported(center, county)}"
        await ask(center, "POST", f"{path}/indicators", county, {"values": ["evil-host.net"]}, 201)
        await ask(center, "POST", f"{path}/people", county, {"kind": "suspect", "name": "X"}, 201)
        for said in ({}, {"tlp": "red"}):
            refused = await ask(center, "POST", f"{path}/share", county, said, 422)
            assert refused["field"] == "tlp"
        await ask(center, "POST", f"{path}/share", county, {"group": "nowhere"}, 400)
        assert (await ask(center, "GET", path, county))["share"] is None
        said = {"tlp": "amber+strict"}
        seen = await ask(center, "POST", f"{path}/share/preview", county, said)
        assert (seen["lock"], seen["audience"]) == (
            "strict:members",
            ["Landkreis B", "Testzentrum"],
        )
        text = json.dumps(seen["objects"], ensure_ascii=False)
        assert not [
            word for word in ("Bürgeramt", "Erpresser", "Landkreis", "suspect") if word in text
        ]
        assert (await ask(center, "GET", path, county))["share"] is None
        given = await ask(center, "POST", f"{path}/share", county, said)
        assert (given["lock"], given["reduced"]) == ("strict:members", True)
        await center.project()
        assert await center.patterns(other) == {"[domain-name:value = 'evil-host.net']"}
        assert await center.patterns(town) == set()
        own = {one["id"]: one for one in await center.feed(county, "contributions")}
        assert own[given["id"]]["name"] == "Malicious code: Infected system"
        assert own[given["id"]]["labels"] == ['rsit:malicious-code="infected-system"']
        await ask(center, "PATCH", path, county, {"severity": "critical"})
        assert (await ask(center, "GET", path, county))["share"]["severity"] == "high"
        gone = await ask(center, "DELETE", f"{path}/share", county)
        assert gone["withdrawn"]
        await ask(center, "DELETE", f"{path}/share", county, code=404)
        own = {one["id"] for one in await center.feed(county, "contributions")}
        assert given["id"] not in own


async def links(center: World, seat: Seat, path: str) -> dict[str, str | None]:
    """Return the values of an incident, and under which push others were given them."""
    shown = await ask(center, "GET", path, seat)
    return {one["value"]: one["push"] for one in shown["indicators"]}


async def test_the_values_that_a_share_gave_go_with_it(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        path = f"/incidents/{await reported(center, county)}"
        said = {"values": ["alone-host.net", "own-host.net", "both-host.net"]}
        await ask(center, "POST", f"{path}/indicators", county, said, 201)
        await center.push(county, [indicator("own-host.net")], tlp="amber")
        await center.push(other, [indicator("both-host.net")], tlp="amber")
        await ask(center, "POST", f"{path}/share", county, {"tlp": "amber"})
        center.clock.forward(SECOND)
        again = {"tlp": "amber", "with_text": True}
        await ask(center, "POST", f"{path}/share", county, again)
        await center.project()
        assert len(await center.patterns(other)) == 3
        assert None not in (await links(center, county, path)).values()
        await ask(center, "DELETE", f"{path}/share", county)
        await center.project()
        left = {f"[domain-name:value = '{name}-host.net']" for name in ("own", "both")}
        assert await center.patterns(other) == left
        assert set((await links(center, county, path)).values()) == {None}
        await ask(center, "POST", f"{path}/share", county, {"tlp": "amber"})
        await center.project()
        assert len(await center.patterns(other)) == 3


async def test_values_that_were_pushed_by_themselves_outlast_the_share(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        path = f"/incidents/{await reported(center, county)}"
        said = {"values": ["evil-host.net"]}
        await ask(center, "POST", f"{path}/indicators", county, said, 201)
        given = await ask(center, "POST", f"{path}/indicators/push", county, {"tlp": "green"})
        center.clock.forward(SECOND)
        await ask(center, "POST", f"{path}/share", county, {"tlp": "amber+strict"})
        await center.project()
        assert await links(center, county, path) != {"evil-host.net": given["push_id"]}
        await ask(center, "DELETE", f"{path}/share", county)
        await center.project()
        assert await center.patterns(other) == {"[domain-name:value = 'evil-host.net']"}
        assert await links(center, county, path) == {"evil-host.net": given["push_id"]}
        assert await center.patterns(other, "feed-community") != set()
