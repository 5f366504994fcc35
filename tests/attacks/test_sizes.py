"""Sizes: what is too large is refused before it costs much, and others work on meanwhile."""

import asyncio
import gzip
import io
import json
import time
import zlib
from pathlib import Path

import aiohttp
import pytest

from attacks.hostile import (
    OBJECTS,
    Bad,
    all_are_refused,
    bad,
    bystander,
    enveloped,
    good,
    head,
    post,
    wire,
)
from cybercoop.store import hops
from cybercoop.web.pages import forms
from test_durability import served
from web.browser import Browser
from world import TAXII, indicator, world

MEGA = 1 << 20
SOON = 20.0  # seconds, on a busy machine
REPORT = "report--6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11"


def report(refs: int) -> Bad:
    body = {
        "type": "report",
        "spec_version": "2.1",
        "id": REPORT,
        "created": "2026-10-01T08:00:00Z",
        "modified": "2026-10-01T08:00:00Z",
        "published": "2026-10-01T08:00:00Z",
        "name": "many",
        "object_refs": [f"indicator--{n:08x}-7d0e-4f0a-9a3b-0a4c6f3f5a11" for n in range(refs)],
    }
    reason = "larger than" if refs > 20_000 else "more than 10000 items"
    return Bad(json.dumps(body).encode(), "object_refs", reason, REPORT)


LARGE = [
    bad({"description": "x" * 10_000_000}, "description", "larger than"),
    bad({"description": "x" * 100_001}, "description", "longer than 100000"),
    bad({"name": "x" * 1_001}, "name", "longer than 1000"),
    bad({"labels": ["x"] * 100_000}, "labels", "more than 10000 items"),
    bad({"labels": ["x"] * 1_001}, "labels", "more than 1000 items"),
    bad({"labels": ["x" * 251]}, "labels[0]", "longer than 250"),
    bad({"x_many": list(range(100_000))}, "x_many", "more than 10000 items"),
    bad({"x_many": {str(number): 0 for number in range(20_000)}}, "x_many", "more than 10000"),
    bad({f"x_{number}": 0 for number in range(20_000)}, "", "more than 10000"),
    report(100_000),
    report(10_001),
]  # fmt: skip


def bomb(megabytes: int) -> bytes:
    """Return a gzip stream of zeros without end: each flushed piece says the same again."""
    packer = zlib.compressobj(9, wbits=31)
    first, more = (packer.compress(bytes(MEGA)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + more * (megabytes - 1)


async def test_an_object_that_is_too_large_is_refused_alone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await all_are_refused(center, LARGE)


async def test_more_objects_than_allowed_are_refused_and_hold_nobody_up(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, max_content_length=64 * MEGA) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            for crumb in (b"{}", b"1", b'{"type":"indicator"}', b"NaN"):
                began = time.perf_counter()
                answer = await post(center, seat, enveloped(*[crumb] * 1_000_000))
                assert answer.status == 413, answer.body
                assert "100000 objects" in answer.json["description"]
                assert time.perf_counter() - began < SOON
        assert (await center.get(OBJECTS, seat)).objects == []


async def test_many_tiny_objects_are_answered_one_by_one(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            answer = await post(center, seat, enveloped(*[b"{}"] * 30_000, good("kept.example")))
        assert answer.status == 202
        assert (answer.json["failure_count"], answer.json["success_count"]) == (30_000, 1)
        assert answer.json["failures"][29_999]["id"] == "object 30000 of the envelope"
        assert len((await center.get(OBJECTS, seat)).objects) == 1


async def test_a_body_that_announces_too_much_is_refused_before_it_is_read(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        for path in (OBJECTS, "/api/v1/push"):
            async with wire(center) as connection:
                await connection.send(head("POST", path, seat, f"Content-Length: {1 << 40}"))
                assert await connection.answers() == [413]
        assert (await post(center, seat, enveloped(good("kept.example")))).status == 202


async def test_a_body_that_announces_nothing_is_cut_off_at_the_limit(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, max_content_length=MEGA) as center:
        seat = await center.org("Landkreis A")
        line = head("POST", OBJECTS, seat, "Transfer-Encoding: chunked")
        async with bystander(center), wire(center) as connection:
            await connection.send(line)
            chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
            await connection.send(*[chunk] * 17)
            assert await connection.answers() == [413]


async def test_gzip_bombs_do_not_go_off(database_url: str, tmp_path: Path) -> None:
    packed = gzip.compress(enveloped(good("kept.example")))
    gigabyte = bomb(1024)
    bombs = {
        "one gigabyte": (gigabyte, 413),
        "nested": (gzip.compress(gigabyte), 400),
        "a bomb after an envelope": (packed + gigabyte, 413),
        "many members": (gzip.compress(bytes(MEGA)) * 17, 413),
        "a million empty members": (gzip.compress(b"") * 800_000, 400),
        "an envelope packed twice": (gzip.compress(packed), 400),
        "cut short": (packed[:-9], 400),
        "wrong sum": (packed[:-8] + bytes(8), 400),
        "no gzip": (b"x" * 1000, 400),
        "rubbish after the end": (packed + b"rubbish", 400),
        "empty": (b"", 400),
    }
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            for name, (body, status) in bombs.items():
                began = time.perf_counter()
                answer = await post(center, seat, body, **{"Content-Encoding": "gzip"})
                assert (name, answer.status) == (name, status), answer.body
                assert time.perf_counter() - began < SOON, name
        halves = gzip.compress(b'{"objects": [') + gzip.compress(good("kept.example") + b"]}")
        answer = await post(center, seat, halves, **{"Content-Encoding": "gzip"})
        assert (answer.status, answer.json["success_count"]) == (202, 1)
        for coding in ("br", "deflate", "gzip, gzip", "zstd", "x"):
            answer = await post(center, seat, packed, **{"Content-Encoding": coding})
            assert answer.status == 415, coding


def most_memory(pid: int) -> int:
    """Return how many bytes a process has had in memory at most."""
    said = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in said.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def test_who_sends_packed_bodies_all_at_once_waits_for_himself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path) as center:
        seat = await center.org("Landkreis A")
    packed = gzip.compress(b'{"objects": [' + b" " * (15 * MEGA) + b"]}")
    headers = {"Authorization": f"Bearer {seat.token}", "Content-Encoding": "gzip"}
    headers |= {"Content-Type": TAXII}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def sent(place: str) -> int:
            async with session.post(place, data=packed) as answer:
                return answer.status

        async with served(url, tmp_path) as (process, place):
            doors = (f"{place}/api/v1/push", f"{place}{OBJECTS}")
            answers = await asyncio.gather(*(sent(doors[number % 2]) for number in range(40)))
            most = most_memory(process.pid)
    assert set(answers) == {200, 202}
    assert most < 500 * MEGA


async def test_forms_of_escapes_alone_hold_nobody_up(database_url: str, tmp_path: Path) -> None:
    form = b"a=" + b"%25" * 1_398_000
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            for body, headers in (
                (gzip.compress(form), {"Content-Encoding": "gzip"}),
                (form[: forms.MOST_OF_STRANGERS + 1], {}),
            ):
                answer = await center.request("POST", "/signin", data=body, headers=kind | headers)
                assert answer.status == 413
            async with Browser(center) as browser:
                await browser.sign_in(seat.token)
                async with asyncio.TaskGroup() as all_at_once:
                    for _ in range(2):
                        all_at_once.create_task(
                            browser.ask(
                                "POST", "/push/preview", data=io.BytesIO(form), headers=kind
                            )
                        )


async def test_long_questions_are_refused(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        long = [
            (f"{OBJECTS}?match[id]={'a,' * 2_000}a", {400}),
            (f"{OBJECTS}?next={'A' * 7_000}", {400}),
            (f"{OBJECTS}?limit={'9' * 5_000}", {200, 400}),
            (f"{OBJECTS}?added_after={'9' * 5_000}", {400}),
            (f"{OBJECTS}?{'&'.join('x=1' for _ in range(1_500))}", {200}),
            (f"{OBJECTS}{'a' * 7_000}/", {404}),
            (f"/{'a' * 100_000}", {400, 414}),
        ]
        for path, expected in long:
            async with wire(center) as connection:
                await connection.send(head("GET", path, seat, f"Accept: {TAXII}"))
                (status,) = await connection.answers()
                assert status in expected, path[:80]
        assert (await center.push(seat, [indicator("kept.example")]))[0]["outcome"] == "accepted"


async def test_a_page_of_large_objects_ends_early_and_nothing_is_missed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hops, "LARGEST", 12 * MEGA)
    text = {f"x_text_{number}": "x" * 99_000 for number in range(10)}
    large = [indicator(f"large{number}.example", "green", **text) for number in range(20)]
    async with world(database_url, tmp_path) as center:
        seat, reader = await center.org("Landkreis A"), await center.org("Landkreis B")
        for half in (large[:10], large[10:]):
            await center.push(seat, half)
        await center.project()
        first = await center.get("/taxii2/coop/collections/contributions/objects/", seat)
        assert 0 < len(first.objects) < len(large)
        assert len(first.body) < 12 * MEGA
        assert await center.feed(seat, "contributions") == large
        assert len(await center.patterns(reader)) == len(large)
