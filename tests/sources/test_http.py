"""A file on a web server: asked for once, and again only when it changed."""

import gzip
from collections.abc import AsyncIterator

import pytest

from cybercoop.errors import Malformed, TooLarge
from sources.collecting import collect, source
from sources.server import Asked, always, open_rules, reply, serving


async def test_a_file_is_handed_over_with_its_type_and_a_cursor() -> None:
    async with serving(
        always(reply("a.example\n", ETag='"1"', Content_Type="text/plain"))
    ) as other:
        (got,) = await collect(source("http", other.url("/lists/bad.txt")), open_rules(other))
    assert (got.name, got.data, got.content_type) == ("bad.txt", b"a.example\n", "text/plain")
    assert not got.unchanged
    assert got.cursor["etag"] == '"1"'


async def test_nothing_new_by_etag_and_by_content() -> None:
    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        if asked.path == "/tagged":
            same = asked.headers.get("if-none-match") == '"1"'
            yield reply(status=304) if same else reply("x", ETag='"1"')
        else:
            yield reply("x")

    async with serving(answer) as other:
        for path in ("/tagged", "/plain"):
            one = source("http", other.url(path))
            (first,) = await collect(one, open_rules(other))
            (again,) = await collect(one, open_rules(other), first.cursor)
            assert (first.unchanged, first.data) == (False, b"x")
            assert (again.unchanged, again.data, again.name) == (True, b"", first.name)
            assert again.cursor == first.cursor


async def test_another_url_is_asked_from_the_beginning() -> None:
    async with serving(always(reply("x", ETag='"1"'))) as other:
        (first,) = await collect(source("http", other.url("/a")), open_rules(other))
        (moved,) = await collect(source("http", other.url("/b")), open_rules(other), first.cursor)
    assert not moved.unchanged
    assert "if-none-match" not in other.asked[1].headers


@pytest.mark.parametrize("body", [b"", b" \r\n", gzip.compress(b"", mtime=0)])
async def test_an_empty_file_is_no_new_state(body: bytes) -> None:
    async with serving(always(reply(body))) as other:
        with pytest.raises(Malformed, match="stays"):
            await collect(source("http", other.url()), open_rules(other))


async def test_a_packed_file_is_unpacked_within_the_limit() -> None:
    async with serving(always(reply(gzip.compress(b"x" * 5000, mtime=0)))) as other:
        one = source("http", other.url("/bad.csv.gz"))
        (got,) = await collect(one, open_rules(other))
        assert (got.name, len(got.data)) == ("bad.csv", 5000)
        with pytest.raises(TooLarge):
            await collect(one, open_rules(other, max_bytes=1000))


async def test_a_page_instead_of_a_list_is_handed_to_the_reader() -> None:
    page = b"<html>Log in</html>"
    async with serving(always(reply(page, Content_Type="text/html"))) as other:
        (got,) = await collect(source("http", other.url("/bad.txt")), open_rules(other))
    assert (got.data, got.content_type) == (page, "text/html")
