"""What an answer may tell: nothing about what its reader may not see."""

from pathlib import Path
from typing import Any

from attacks.hostile import OBJECTS, same_answer
from world import Seat, World, indicator, world

COLLECTIONS = "/taxii2/coop/collections"
UNKNOWN = "4b8e6a52-9fad-4eb1-8cd3-5e6f70819203"


async def counties(center: World) -> tuple[Seat, Seat]:
    return await center.org("Landkreis A"), await center.org("Landkreis B")


async def answers_alike(center: World, seat: Seat, *paths: str, methods: str = "GET") -> None:
    """Assert that a thing one may not see and a thing that is not there answer the same."""
    for method in methods.split():
        first, *others = [await center.request(method, path, seat) for path in paths]
        assert first.status == 404
        assert all(same_answer(first, one) for one in others), (first, others)


async def test_a_foreign_thing_and_no_thing_answer_alike(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        a, b = await counties(center)
        await center.group("Krisenstab", a)
        hidden = indicator("hidden.example")
        status = (await center.post(a, [hidden])).json["id"]
        found = (await center.get(f"{COLLECTIONS}/", a)).json["collections"]
        ids = [one["id"] for one in found if "krisenstab" in one.get("alias", "")]
        assert ids
        theirs = [a.org.contributions_id, *ids, "feed-krisenstab", "feed-krisenstab-strict"]
        for name in theirs:
            for below in ("", "objects/", "manifest/", f"objects/{hidden['id']}/versions/"):
                paths = [f"{COLLECTIONS}/{one}/{below}" for one in (name, UNKNOWN, "feed-nowhere")]
                await answers_alike(center, b, *paths)
            posts = [f"{COLLECTIONS}/{one}/objects/" for one in (name, UNKNOWN)]
            await answers_alike(center, b, *posts, methods="POST")
        objects = [f"{OBJECTS}{one}" for one in (hidden["id"], f"indicator--{UNKNOWN}")]
        await answers_alike(center, b, *(f"{one}/" for one in objects), methods="GET DELETE")
        await answers_alike(center, b, *(f"{one}/versions/" for one in objects))
        states = [f"/taxii2/coop/status/{one}/" for one in (status, UNKNOWN)]
        await answers_alike(center, b, *states)


async def test_what_another_pushed_before_is_no_duplicate(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        a, b = await counties(center)
        hidden = [indicator("hidden.example", "amber+strict"), indicator("own.example")]
        await center.push(a, hidden)
        await center.project()
        fresh = [indicator("fresh.example", "amber+strict"), indicator("new.example")]
        told, expected = await center.push(b, hidden), await center.push(b, fresh)
        for one, other in zip(told, expected, strict=True):
            assert {**one, "id": ""} == {**other, "id": ""}
        statuses = [(await center.post(await center.org(name), hidden)).json for name in "CD"]
        assert counts(statuses[0]) == counts(statuses[1]) == (2, 2, 0, 0)


def counts(status: dict[str, Any]) -> tuple[int, ...]:
    names = ("total_count", "success_count", "failure_count", "pending_count")
    return tuple(status[name] for name in names)


async def test_what_one_may_not_see_changes_no_header_and_no_page(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        a, b = await counties(center)
        await center.group("Krisenstab", a)
        await center.push(a, [indicator(f"seen{number}.example", "green") for number in range(5)])
        await center.project()
        paths = [
            f"{COLLECTIONS}/",
            f"{COLLECTIONS}/feed/objects/?limit=2",
            f"{COLLECTIONS}/feed/manifest/?limit=2",
            f"{COLLECTIONS}/feed-community/objects/",
            f"{COLLECTIONS}/contributions/objects/",
            "/api/v1/unreleased",
        ]
        before = [await center.get(path, b) for path in paths]
        assert {one.status for one in before} == {200}
        hidden = [indicator(f"seen{number}.example") for number in range(5)]
        await center.push(a, hidden, group="krisenstab")
        await center.push(a, [indicator(f"x{number}.example") for number in range(5)])
        await center.project()
        after = [await center.get(path, b) for path in paths]
        assert all(map(same_answer, before, after))
        (etag,) = (value for name, value in before[1].headers.items() if name.lower() == "etag")
        again = await center.request("GET", paths[1], b, headers={"If-None-Match": etag})
        assert (again.status, again.body) == (304, b"")


async def test_a_reader_without_credentials_learns_nothing_of_the_rest(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        a, _ = await counties(center)
        await center.push(a, [indicator("hidden.example", "green")])
        await center.project()
        for path in (OBJECTS, f"{COLLECTIONS}/feed/objects/", "/api/v1/unreleased"):
            answer = await center.get(path)
            assert answer.status == 401
            assert b"hidden" not in answer.body
        assert await center.patterns(None, "feed-public") == set()
