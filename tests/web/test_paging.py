"""Lists come page by page; a cursor goes on where the page before ended."""

from pathlib import Path

import pytest

from cybercoop.members.tokens import Scope
from world import Seat, World, world


async def walk(center: World, seat: Seat, name: str, limit: int) -> list[str]:
    """Return the ids of a whole list."""
    found: list[str] = []
    params: dict[str, str | int] = {"limit": limit}
    while True:
        answer = await center.get(f"/api/v1/{name}", seat, **params)
        assert answer.status == 200, answer.body
        assert len(answer.json[name]) <= limit
        found += [one["id"] for one in answer.json[name]]
        if answer.json["next"] is None:
            return found
        params["cursor"] = answer.json["next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_pages_hold_everything_once(limit: int, database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        for number in range(6):
            await center.org(f"county {number}")
        software = [{"kind": "software", "value": f"product {number}"} for number in range(7)]
        said = {"assets": software}
        assert (await center.request("POST", "/api/v1/assets", analyst, json=said)).status == 201
        for name, count in (("organisations", 7), ("tokens", 7), ("assets", 7), ("groups", 1)):
            found = await walk(center, analyst, name, limit)
            assert len(found) == len(set(found)) == count


async def test_what_goes_or_comes_meanwhile_shifts_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        things = [{"kind": "software", "value": f"product {number}"} for number in range(6)]
        path = "/api/v1/assets"
        await center.request("POST", path, analyst, json={"assets": things})
        first = (await center.get(path, analyst, limit=3)).json
        for one in first["assets"]:
            await center.request("DELETE", f"{path}/{one['id']}", analyst)
        rest = (await center.get(path, analyst, limit=3, cursor=first["next"])).json
        assert len(rest["assets"]) == 3
        assert rest["next"] is None


async def test_a_cursor_goes_on_with_its_own_list_and_reader_only(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for name in ("county", "other"):
            await center.org(name)
            await center.seat(name, Scope.ADMIN)
        county, other = center.seats["county"], center.seats["other"]
        path = "/api/v1/tokens"
        cursor = (await center.get(path, county, limit=1)).json["next"]
        assert (await center.get(path, county, cursor=cursor)).status == 200
        strange = [(path, other, cursor), ("/api/v1/people", county, cursor)]
        strange += [(path, county, one) for one in (cursor[:-1], f"{cursor}A", "", "====", "ä")]
        for where, seat, text in strange:
            answer = await center.get(where, seat, cursor=text)
            assert (answer.status, answer.json["code"]) == (400, "malformed"), text
