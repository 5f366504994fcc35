"""TAXII collections read to their end, from a second center and from servers that mean harm."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from yarl import URL

from cybercoop.collect.sources import Portion
from cybercoop.egress import Credentials
from cybercoop.errors import CoopError, Forbidden, Malformed, Misused, TooLarge, Unreachable
from sources.collecting import collect, source
from sources.server import Answer, Asked, Server, always, json_reply, open_rules, reply, serving

TAXII21 = {"Content_Type": "application/taxii+json;version=2.1"}
TAXII20 = {"Content_Type": "application/vnd.oasis.taxii+json; version=2.0"}
STIX20 = {"Content_Type": "application/vnd.oasis.stix+json; version=2.0"}
READABLE = {"id": "all", "title": "All", "can_read": True, "can_write": False}
ROOT = {"title": "Root", "versions": ["application/taxii+json;version=2.1"]}


def objects(portions: list[Portion]) -> list[str]:
    return [one["id"] for page in portions if page.data for one in json.loads(page.data)["objects"]]


def stamp(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000Z"


def dates(first: int, last: int) -> dict[str, str]:
    return {"X_TAXII_Date_Added_First": stamp(first), "X_TAXII_Date_Added_Last": stamp(last)}


def page(*ids: str, **more: Any) -> dict[str, Any]:
    return {"objects": [{"type": "x-test", "id": one} for one in ids]} | more


def taxii(pages: Callable[[Asked], bytes]) -> Answer:
    """Answer as an API root with one collection whose pages a test makes."""

    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        path = asked.path.partition("?")[0]
        documents: dict[str, Any] = {
            "/api/": ROOT,
            "/api/collections/": {"collections": [READABLE, READABLE | {"can_read": False}]},
            "/api/collections/all/": READABLE,
        }
        if path in documents:
            yield json_reply(documents[path], **TAXII21)
        else:
            yield pages(asked)

    return answer


async def collected(answer: Answer, **more: Any) -> list[Portion]:
    async with serving(answer) as other:
        return await collect(source("taxii21", other.url("/api/"), **more), open_rules(other))


async def failure(answer: Answer, **more: Any) -> CoopError:
    with pytest.raises(CoopError) as caught:
        await collected(answer, **more)
    return caught.value


async def test_pages_are_handed_over_as_the_bytes_that_came() -> None:
    body = b'{"objects" : [ {"type":"x-test",  "id":"a"} ], "more":false }'
    (got,) = await collected(taxii(lambda _: reply(body, **TAXII21, **dates(1, 2))))
    assert got.data == body
    assert got.cursor["added_after"] == stamp(2)


async def test_the_only_collection_is_found_and_a_named_one_is_not_asked_for() -> None:
    async with serving(taxii(lambda _: json_reply(page("a"), **TAXII21))) as other:
        rules = open_rules(other)
        assert objects(await collect(source("taxii21", other.url("/api")), rules)) == ["a"]
        assert "/api/collections/" in other.paths()
        other.asked.clear()
        named = source("taxii21", other.url("/api"), collection="all")
        assert objects(await collect(named, rules)) == ["a"]
        assert "/api/collections/" not in other.paths()


async def test_a_collection_that_is_named_like_a_path_stays_a_name() -> None:
    async with serving(taxii(lambda _: json_reply(page("a"), **TAXII21))) as other:
        one = source("taxii21", other.url("/api"), collection="../../x?y")
        with pytest.raises(CoopError):
            await collect(one, open_rules(other))
        assert other.paths()[-1] == "/api/collections/..%2F..%2Fx%3Fy/"


async def test_a_page_that_ends_among_objects_of_one_time_is_read_again() -> None:
    def pages(asked: Asked) -> bytes:
        if "next=2" in asked.path:
            return json_reply(page("c"), **TAXII21, **dates(3, 3))
        return json_reply(page("a", "b", more=True, next="2"), **TAXII21, **dates(1, 3))

    got = await collected(taxii(pages))
    assert [one.cursor["added_after"] for one in got] == [stamp(1), stamp(3)]


async def test_an_alias_is_followed_and_its_cursor_ends_with_what_it_stood_for() -> None:
    standing_for = ["1"]

    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        path = asked.path.partition("?")[0]
        if path == "/api/":
            yield json_reply(ROOT, **TAXII21)
        elif path == "/api/collections/feed/":
            yield json_reply(READABLE | {"id": standing_for[-1]}, **TAXII21)
        else:
            yield json_reply(page(path), **TAXII21, **dates(1, 2))

    async with serving(answer) as other:
        one, rules = source("taxii21", other.url("/api"), collection="feed"), open_rules(other)
        (first,) = await collect(one, rules)
        await collect(one, rules, first.cursor)
        assert URL(other.paths()[-1]).query["added_after"] == stamp(2)
        standing_for.append("2")
        (second,) = await collect(one, rules, first.cursor)
        assert "added_after" not in other.paths()[-1]
        assert objects([first, second]) == [f"/api/collections/{n}/objects/" for n in (1, 2)]


async def test_nothing_new_is_one_unchanged_portion_that_keeps_the_cursor() -> None:
    async with serving(taxii(lambda _: json_reply({}, **TAXII21))) as other:
        one = source("taxii21", other.url("/api"), collection="all")
        before = {"url": f"{one.url}/collections/all/", "added_after": stamp(5)}
        (got,) = await collect(one, open_rules(other), before)
        assert (got.unchanged, got.data, got.cursor) == (True, b"", before)
        assert URL(other.paths()[-1]).query["added_after"] == stamp(5)


@pytest.mark.parametrize(
    "said", ["soon", "2026-13-01T00:00:00Z", "2020-01-01T00:00:00Z", "&limit=1"]
)
async def test_a_server_cannot_turn_the_cursor_back_or_into_something_else(said: str) -> None:
    answer = taxii(lambda _: json_reply(page("a"), **TAXII21, X_TAXII_Date_Added_Last=said))
    async with serving(answer) as other:
        one = source("taxii21", other.url("/api"), collection="all")
        before = {"url": f"{one.url}/collections/all/", "added_after": stamp(5)}
        (got,) = await collect(one, open_rules(other), before)
        assert got.cursor == before


async def test_more_without_next_goes_on_by_time() -> None:
    def pages(asked: Asked) -> bytes:
        if "added_after" in asked.path:
            return json_reply(page("b"), **TAXII21, **dates(2, 2))
        return json_reply(page("a", more=True), **TAXII21, **dates(1, 1))

    assert objects(await collected(taxii(pages))) == ["a", "b"]


async def test_more_without_next_or_time_ends() -> None:
    error = await failure(taxii(lambda _: json_reply(page("a", more=True), **TAXII21)))
    assert isinstance(error, Malformed)
    assert "how to get it" in str(error)


@pytest.mark.parametrize("after", [["same"], ["a", "b"], ["a", "b", "c"]])
async def test_pages_that_go_in_circles_end(after: list[str]) -> None:
    number = count()

    def pages(_asked: Asked) -> bytes:
        following = after[next(number) % len(after)]
        return json_reply(page("a", more=True, next=following), **TAXII21)

    error = await failure(taxii(pages))
    assert isinstance(error, Malformed)
    assert next(number) <= 10


async def test_fresh_empty_pages_end() -> None:
    number = count()
    error = await failure(
        taxii(lambda _: json_reply({"more": True, "next": str(next(number))}, **TAXII21))
    )
    assert isinstance(error, Malformed)


DEEP = b'{"objects":' + b"[" * 100_000


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"{}", Content_Type="text/html"),
        reply(b"{}"),
        reply(b"<html>", **TAXII21),
        reply(b"[]", **TAXII21),
        reply(b"5", **TAXII21),
        reply(b'{"objects": 5}', **TAXII21),
        reply(DEEP, **TAXII21),
        reply(b"\xff\xfe", **TAXII21),
    ],
)
async def test_a_page_that_is_none_is_an_error(answer: bytes) -> None:
    assert isinstance(await failure(taxii(lambda _: answer), collection="all"), Malformed)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b'{"self": 1}',
        b'{"collections": 5}',
        b'{"collections": [5]}',
        b'{"collections": [{"can_read": true}]}',
        b'{"collections": [{"can_read": true, "id": 5}]}',
        b'{"api_roots": []}',
        b'{"api_roots": [5], "default": 5}',
        b'{"api_roots": ["http://[::1/"]}',
        b'{"api_roots": ["/a/", "/b/"]}',
        b'{"api_roots": ["/a/"], "default": "/c/"}',
        DEEP,
    ],
)
async def test_a_discovery_or_list_that_makes_no_sense_is_an_error(answer: bytes) -> None:
    with pytest.raises((Malformed, Misused)):
        await collected(always(reply(answer, **TAXII21)))


async def test_an_api_root_of_another_server_is_not_followed_and_gets_no_credentials() -> None:
    async def discovery(_asked: Asked) -> AsyncIterator[bytes]:
        yield json_reply({"title": "x", "api_roots": [foreign.url("/api/")]}, **TAXII21)

    pages = taxii(lambda _: json_reply(page("a"), **TAXII21))
    async with serving(pages) as foreign, serving(discovery) as other:
        own = Credentials(other.url(), {"Authorization": "Bearer s3cret"})
        with pytest.raises(Forbidden, match="another server"):
            await collect(
                source("taxii21", other.url("/taxii2/")),
                open_rules(other, foreign),
                credentials=own,
            )
        assert foreign.asked == []
        assert other.asked[0].headers["authorization"] == "Bearer s3cret"


async def test_a_redirect_takes_no_credentials_along() -> None:
    async def moved(asked: Asked) -> AsyncIterator[bytes]:
        yield reply(status=307, Location=foreign.url(asked.path))

    pages = taxii(lambda _: json_reply(page("a"), **TAXII21))
    async with serving(pages) as foreign, serving(moved) as other:
        own = Credentials(other.url(), {"Authorization": "Bearer s3cret"})
        one = source("taxii21", other.url("/api"), collection="all")
        rules = open_rules(other, foreign)
        assert objects(await collect(one, rules, credentials=own)) == ["a"]
        assert all("authorization" not in asked.headers for asked in foreign.asked)


async def test_the_environment_does_not_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    got = await collected(taxii(lambda _: json_reply(page("a"), **TAXII21)))
    assert objects(got) == ["a"]


async def test_a_page_above_the_limit_is_not_taken() -> None:
    async with serving(taxii(lambda _: reply(b" " * 5000, **TAXII21))) as other:
        one = source("taxii21", other.url("/api"), collection="all")
        with pytest.raises(TooLarge):
            await collect(one, open_rules(other, max_bytes=1000))


async def test_a_server_that_hangs_is_left() -> None:
    async def silent(_asked: Asked) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 X\r\n"
        while True:
            await asyncio.sleep(0.1)
            yield b"X-A: b\r\n"

    async with serving(silent) as other:
        with pytest.raises(Unreachable, match="in time"):
            await collect(source("taxii21", other.url("/api")), open_rules(other, seconds=1))


async def test_a_busy_server_says_when_to_come_back() -> None:
    busy = always(reply(b"", 503, Retry_After="120"))
    async with serving(busy) as other:
        with pytest.raises(Unreachable) as caught:
            await collect(source("taxii21", other.url("/api")), open_rules(other))
    assert (caught.value.status, caught.value.retry_after) == (503, 120)


async def test_a_collection_that_may_not_be_read_is_said_so() -> None:
    answer = always(json_reply(READABLE | {"can_read": False}, **TAXII21))
    assert isinstance(await failure(answer, collection="all"), Forbidden)


class Old:
    """A TAXII 2.0 server with a number of objects; ``total`` is what it says there are."""

    def __init__(self, number: int, *, total: str = "", ranges: bool = True) -> None:
        self.ids = [f"o{one}" for one in range(number)]
        self.total, self.ranges = total or str(number), ranges

    async def answer(self, asked: Asked) -> AsyncIterator[bytes]:
        path = asked.path.partition("?")[0]
        if path == "/api/":
            yield json_reply({"title": "x", "versions": ["taxii-2.0"]}, **TAXII20)
        elif path == "/api/collections/all/":
            yield json_reply(READABLE, **TAXII20)
        else:
            yield self._page(asked)

    def _page(self, asked: Asked) -> bytes:
        # The library asks once more, with a blank for the sign, when a range is refused.
        wanted = asked.headers["range"].removeprefix("items")[1:]
        first, last = map(int, wanted.split("-"))
        ids = self.ids[first : last + 1] if self.ranges else self.ids
        if not ids and self.ids:
            return reply(b"", 416, **STIX20)
        bundle = page(*ids, type="bundle", spec_version="2.0")
        if not self.ranges:
            return json_reply(bundle, **STIX20)
        end = first + len(ids) - 1
        said = f"items {first}-{end}/{self.total}"
        return json_reply(bundle, 206, **STIX20, **dates(1, 2), Content_Range=said)


async def old(server: Old, cursor: Any = None) -> tuple[list[Portion], Server]:
    async with serving(server.answer) as other:
        one = source("taxii20", other.url("/api"), collection="all")
        return await collect(one, open_rules(other), cursor), other


@pytest.mark.parametrize("total", ["", "*"])
async def test_the_ranges_of_taxii_20_are_read_to_the_end(total: str) -> None:
    got, _ = await old(Old(2500, total=total))
    assert objects(got) == [f"o{one}" for one in range(2500)]
    assert got[-1].cursor["added_after"] == stamp(2)


async def test_a_taxii_20_server_without_ranges_is_read_at_once() -> None:
    got, other = await old(Old(1500, ranges=False))
    assert len(objects(got)) == 1500
    assert len(got) == 1
    assert other.asked[-1].headers["range"] == "items=0-999"


async def test_a_taxii_20_server_that_repeats_itself_is_left() -> None:
    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        if asked.path.startswith("/api/collections/all/objects/"):
            said = "items 0-0/999999999"
            yield json_reply(page("a"), 206, **STIX20, Content_Range=said)
        else:
            yield json_reply(READABLE, **TAXII20)

    async with serving(answer) as other:
        with pytest.raises(Malformed, match="again and again"):
            await collect(source("taxii20", other.url("/api"), collection="all"), open_rules(other))
