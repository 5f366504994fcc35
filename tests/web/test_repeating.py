"""Under one idempotency key a deed is done once, however often and wherever it is asked for."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from cybercoop.members.tokens import Scope
from cybercoop.store import answers
from cybercoop.store.answers import Deed
from cybercoop.store.tables import contributions, people, tokens
from world import SECOND, Answer, Seat, World, envelope, indicator, world

HOUR = 3600 * SECOND


async def ask(center: World, seat: Seat, key: str, path: str, **options: Any) -> Answer:
    headers = {"Idempotency-Key": key}
    return await center.request("POST", f"/api/v1{path}", seat, headers=headers, **options)


async def count(center: World, table: Any) -> int:
    async with center.database.read() as connection:
        query = select(func.count()).select_from(table)
        return int((await connection.execute(query)).scalar_one())


async def test_a_push_that_comes_again_gets_the_answer_that_was_missed(
    database_url: str, tmp_path: Path
) -> None:
    body = envelope([indicator("evil-host.net", "green")])
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        first = await ask(center, county, "one", "/push", data=body)
        again = await ask(center, county, "one", "/push", data=body)
        assert first.json["verdicts"][0]["outcome"] == "accepted"
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["Idempotency-Replayed"] == "true"
        other = await ask(center, county, "two", "/push", data=body)
        assert other.json["verdicts"][0]["outcome"] == "duplicate"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/people", {"name": "IT", "mail": "b@county.example"}), ("/tokens", {"days": 1})],
)
async def test_another_request_under_a_used_key_is_refused(
    path: str, body: dict[str, Any], database_url: str, tmp_path: Path
) -> None:
    said = {"name": "IT", "mail": "a@county.example"}
    async with world(database_url, tmp_path) as center:
        await center.org("county")
        county = await center.seat("county", Scope.ADMIN)
        assert (await ask(center, county, "one", "/people", json=said)).status == 201
        answer = await ask(center, county, "one", path, json=body)
        assert (answer.status, answer.json["code"]) == (409, "conflict")


async def test_keys_of_two_organisations_have_nothing_to_do_with_each_other(
    database_url: str, tmp_path: Path
) -> None:
    said = {"name": "IT", "mail": "it@county.example"}
    async with world(database_url, tmp_path) as center:
        for name in ("county", "other"):
            await center.org(name)
            seat = await center.seat(name, Scope.ADMIN)
            assert (await ask(center, seat, "one", "/people", json=said)).status == 201
        assert await count(center, people) == 2


async def test_of_many_equal_requests_at_once_one_does_the_deed(
    database_url: str, tmp_path: Path
) -> None:
    body = envelope([indicator(f"x{number}.evil-host.net", "green") for number in range(200)])
    said = {"name": "IT", "mail": "it@county.example"}
    async with world(database_url, tmp_path) as center:
        await center.org("county")
        county = await center.seat("county", Scope.ADMIN)
        before = await count(center, contributions)
        pushes = [ask(center, county, "one", "/push", data=body) for _ in range(6)]
        persons = [ask(center, county, "two", "/people", json=said) for _ in range(6)]
        got = await asyncio.gather(*pushes, *persons)
        assert len({answer.body for answer in got[:6]}) == 1
        assert {one["outcome"] for one in got[0].json["verdicts"]} == {"accepted"}
        assert {(one.status, one.body) for one in got[6:]} == {(201, got[6].body)}
        assert await count(center, contributions) == before + 200
        assert await count(center, people) == 1


async def test_a_refused_request_frees_its_key_for_a_better_one(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await center.org("county")
        county = await center.seat("county", Scope.ADMIN)
        bad = await ask(center, county, "one", "/people", json={"name": "IT", "mail": "nobody"})
        good = {"name": "IT", "mail": "it@county.example"}
        assert (bad.status, bad.json["code"]) == (400, "misused")
        assert (await ask(center, county, "one", "/people", json=good)).status == 201


async def test_the_text_of_a_token_is_kept_nowhere(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await center.org("county")
        county = await center.seat("county", Scope.ADMIN)
        before = await count(center, tokens)
        first = (await ask(center, county, "one", "/tokens", json={})).json
        again = (await ask(center, county, "one", "/tokens", json={})).json
        assert again == first | {"token": None}
        assert await count(center, tokens) == before + 1
        async with center.database.read() as connection:
            kept = await answers.find(connection, county.org.id, "one")
        assert kept is not None
        assert first["token"].encode() not in kept.content


@pytest.mark.parametrize("key", ["", "x" * 201, "ä", "a b"])
async def test_a_key_that_is_none_is_refused(key: str, database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        answer = await ask(center, county, key, "/push", data=b'{"objects":[]}')
        assert (answer.status, answer.json["code"]) == (400, "malformed")


async def test_answers_are_forgotten_after_two_days(database_url: str, tmp_path: Path) -> None:
    said = {"title": "Krisenstab"}
    async with world(database_url, tmp_path) as center:
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        assert (await ask(center, analyst, "one", "/groups", json=said)).status == 201
        center.clock.forward(47 * HOUR)
        assert (await ask(center, analyst, "one", "/groups", json=said)).status == 201
        center.clock.forward(2 * HOUR)
        assert (await ask(center, analyst, "one", "/groups", json=said)).status == 400
        assert (await ask(center, analyst, "two", "/groups", json={"title": "B"})).status == 201
        async with center.database.write() as connection:
            await answers.prune(connection, center.clock.now + 1)
            assert await answers.find(connection, analyst.org.id, "two") is None


async def test_a_deed_whose_process_went_down_can_be_done_by_another(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        deed, now = Deed("org", "one", b"hash"), center.clock.now
        async with center.database.write() as connection:
            assert await answers.begin(connection, deed, now, 0, now - HOUR)
        async with center.database.write() as connection:
            assert not await answers.begin(connection, deed, now, 0, now - HOUR)
            assert await answers.begin(connection, deed, now + HOUR, 0, now + 1)
            assert await answers.finish(connection, deed, 200, b"{}")
            assert not await answers.finish(connection, deed, 200, b"{}")
            await answers.give_up(connection, deed)
            kept = await answers.find(connection, "org", "one")
        assert kept is not None
        assert not kept.begun
