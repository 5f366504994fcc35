"""Answers that are endless, packed, broken or slow: bounded, and never a short success."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cybercoop.egress import fetch, opened
from cybercoop.errors import Malformed, TooLarge, Unreachable
from sources.server import Asked, always, open_rules, reply, serving


async def endless(_asked: Asked) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


async def endless_without_length(_asked: Asked) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 X\r\n\r\n"
    while True:
        yield b"x" * 0x10000


BOMB = gzip.compress(b"0" * 20_000_000)
TWO_BOMBS = gzip.compress(b"0" * 600_000) * 2


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        endless_without_length,
        always(b"HTTP/1.1 200 X\r\nContent-Length: 99999999999\r\n\r\n"),
        always(reply(BOMB, Content_Encoding="gzip")),
        always(reply(TWO_BOMBS, Content_Encoding="gzip")),
    ],
    ids=["endless chunks", "endless", "announced", "bomb", "bomb of two members"],
)
async def test_no_more_is_taken_than_the_limit(answer: Any) -> None:
    async with serving(answer) as other:
        with pytest.raises(TooLarge, match="more than 1000000 bytes"):
            await fetch(other.url(), open_rules(other, max_bytes=1_000_000))


@pytest.mark.parametrize(
    "packed",
    [b"no gzip at all", gzip.compress(b"x" * 1000)[:-9], BOMB[:-1], gzip.compress(b"x") + b"tail"],
    ids=["none", "cut", "without its end", "tail"],
)
async def test_broken_packing_is_an_error(packed: bytes) -> None:
    async with serving(always(reply(packed, Content_Encoding="gzip"))) as other:
        with pytest.raises(Malformed, match="packed data"):
            await fetch(other.url(), open_rules(other))


async def test_packed_answers_are_unpacked_and_unasked_packing_is_refused() -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n") + bytes(512)
    async with serving(always(reply(packed, Content_Encoding="gzip"))) as other:
        assert (await fetch(other.url(), open_rules(other))).body == b"one\ntwo\n"
    async with serving(always(reply(b"x", Content_Encoding="br"))) as other:
        with pytest.raises(Malformed, match="not asked for"):
            await fetch(other.url(), open_rules(other))


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nshort",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort",
        b"HTTP/1.1 200 X\r\nContent-Length: -5\r\n\r\nshort",
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort",
        b"HTTP/1.1 200 X\r\n" + b"X-A: b\r\n" * 100_000,
        b"HTTP/1.1 200 X\r\nX-A: " + b"b" * 1_000_000,
        b"\x1b[31mhello\r\n\r\n",
        b"",
    ],
)
async def test_a_broken_answer_is_never_a_short_success(part: bytes) -> None:
    async with serving(always(part, hang_up=True)) as other:
        with pytest.raises(Unreachable) as caught:
            await fetch(other.url(), open_rules(other))
        assert str(caught.value).isprintable()


async def test_what_follows_an_answer_is_not_taken_for_the_next() -> None:
    twice = always(reply("true") + reply("forged"))
    async with serving(twice) as other, opened(open_rules(other)) as way:
        assert [(await way.fetch(other.url())).body for _ in range(3)] == [b"true"] * 3


async def drip(_asked: Asked) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n"
    while True:
        yield b"x"
        await asyncio.sleep(0.05)


async def silent(_asked: Asked) -> AsyncIterator[bytes]:
    await asyncio.sleep(60)
    yield b""


async def slow_redirects(asked: Asked) -> AsyncIterator[bytes]:
    await asyncio.sleep(0.3)
    yield reply(status=302, Location=asked.path + "x")


@pytest.mark.parametrize("answer", [drip, silent, slow_redirects])
async def test_who_never_ends_is_left(answer: Any) -> None:
    async with serving(answer) as other:
        rules = open_rules(other, seconds=1, silence=0.5)
        with pytest.raises(Unreachable, match="in time"):
            await fetch(other.url(), rules)
