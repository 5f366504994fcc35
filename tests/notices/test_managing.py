"""An organisation manages its webhooks, and sees what it was told; of others it sees nothing."""

from pathlib import Path
from typing import Any

import pytest

from cybercoop.members.tokens import Scope
from notices.desk import office
from notices.office import notice, person, post, rounds, told
from notices.receivers import receiver
from world import Answer, Seat, World

ROOT = "/api/v1"
URL = "https://hooks.example/coop"


async def admin(center: World, name: str) -> Seat:
    await center.org(name)
    return await center.seat(name, Scope.ADMIN)


async def make(center: World, seat: Seat, headers: Any = None, **said: Any) -> Answer:
    body = {"url": URL} | said
    return await center.request("POST", f"{ROOT}/webhooks", seat, json=body, headers=headers)


async def test_a_webhook_is_made_listed_and_ended(database_url: str, tmp_path: Path) -> None:
    async with office(database_url, tmp_path) as center:
        county, other = await admin(center, "county"), await admin(center, "other")
        again = {"Idempotency-Key": "one"}
        made = await make(center, county, again, most="green")
        assert made.status == 201
        assert made.json["secret"].startswith("hook_")
        assert len(made.json["secret"]) == len("hook_") + 43
        second = await make(center, county, again, most="green")
        assert (second.json["id"], second.json["secret"]) == (made.json["id"], None)
        (listed,) = (await center.get(f"{ROOT}/webhooks", county)).json["webhooks"]
        assert (listed["url"], listed["most"], listed["internal"]) == (URL, "green", False)
        assert made.json["secret"] not in str(listed)
        assert (await center.get(f"{ROOT}/webhooks", other)).json["webhooks"] == []
        path = f"{ROOT}/webhooks/{made.json['id']}"
        foreign = await center.request("DELETE", path, other)
        absent = await center.request("DELETE", f"{ROOT}/webhooks/nothing", other)
        assert (foreign.status, foreign.body) == (404, absent.body)
        assert (await center.request("DELETE", path, county)).status == 200
        assert (await center.request("DELETE", path, county)).status == 404
        assert (await center.get(f"{ROOT}/webhooks", county)).json["webhooks"] == []


@pytest.mark.parametrize(
    "said",
    [
        {"url": "http://hooks.example/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://10.0.0.7/x"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://[::1]/"},
        {"url": "https://hooks.example:22/"},
        {"url": "https://user:word@hooks.example/"},
        {"url": "https://2130706433/"},
        {"url": "ftp://hooks.example/"},
        {"url": "https://hooks.example:99999/"},
        {"url": "hooks.example"},
        {"url": "https://hooks.example/ x"},
        {"internal": True},
        {"most": "amber+strict"},
        {"most": "red"},
        {"url": "https://hooks.example/" + "x" * 2000},
    ],
)
async def test_a_county_gets_no_webhook_into_the_network_or_above_amber(
    said: dict[str, Any], tmp_path: Path
) -> None:
    async with office(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        answer = await make(center, await admin(center, "county"), **said)
        assert (answer.status, answer.json["field"]) == (422, next(iter(said)))


async def test_the_center_says_what_lies_inside(tmp_path: Path) -> None:
    async with office(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        seat = await center.seat("Testzentrum", Scope.ADMIN)
        url = "http://192.168.7.7:9000/hook"
        assert (await make(center, seat, url=url, internal=True)).status == 201
        never = await make(center, seat, url="http://169.254.169.254/", internal=True)
        assert never.status == 422
        broken = await make(center, seat, url="http://x:99999/", internal=True)
        assert broken.status == 422


async def test_one_sees_how_far_ones_own_notices_have_come(
    database_url: str, tmp_path: Path
) -> None:
    async with office(database_url, tmp_path) as center, receiver() as hook:
        county, other = await admin(center, "county"), await admin(center, "other")
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        await person(center, county, "anna")
        said = {"url": hook.url, "internal": True}
        made = await make(center, analyst, **said)
        assert made.status == 201
        await told(
            center,
            notice(center, county, "one"),
            notice(center, county, "two", urgency="digest"),
            notice(center, county, "three", role="center"),
        )
        listed = (await center.get(f"{ROOT}/notices", county)).json["notices"]
        assert sorted(one["state"] for one in listed) == ["gathered", "waiting"]
        await rounds(center, post(center, None))
        listed = (await center.get(f"{ROOT}/notices", county, state="kept")).json["notices"]
        assert len(listed) == 2
        assert "Aufgabe" not in str(listed)
        assert (await center.get(f"{ROOT}/notices", other)).json["notices"] == []
        (mine,) = (await center.get(f"{ROOT}/notices", analyst, state="sent")).json["notices"]
        assert mine["webhook"] == made.json["id"]
        named = await center.get(f"{ROOT}/notices", analyst, organisation="county")
        assert len(named.json["notices"]) == 2
        denied = await center.get(f"{ROOT}/notices", other, organisation="county")
        assert denied.status == 422
