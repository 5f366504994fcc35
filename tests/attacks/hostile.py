"""What the attacks share: envelopes with one bad object, raw sockets, and a bystander."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from world import TAXII, Answer, Seat, World, indicator

OBJECTS = "/taxii2/coop/collections/contributions/objects/"
ID = "indicator--6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11"


@dataclass(frozen=True)
class Bad:
    """One object that must be refused: its bytes, and the field and words of the refusal."""

    raw: bytes
    field: str
    reason: str
    id: str = ID


def bad(changes: Mapping[str, Any] | bytes, field: str, reason: str, id: str = ID) -> Bad:  # noqa: A002 - STIX calls it so
    """Return a sound indicator with changes; a value of ``...`` leaves that property out."""
    if isinstance(changes, bytes):
        return Bad(spoilt(changes), field, reason, id)
    body = indicator("spoilt.example", "green", id=ID) | changes
    kept = {name: value for name, value in body.items() if value is not ...}
    return Bad(json.dumps(kept).encode(), field, reason, id)


def spoilt(member: bytes) -> bytes:
    """Return a sound indicator with the bytes of one more member in it."""
    return (
        json.dumps(indicator("spoilt.example", "green", id=ID)).encode()[:-1] + b"," + member + b"}"
    )


def enveloped(*objects: bytes) -> bytes:
    return b'{"objects": [' + b", ".join(objects) + b"]}"


def good(value: str) -> bytes:
    return json.dumps(indicator(value, "green")).encode()


async def post(center: World, seat: Seat, body: bytes, **headers: str) -> Answer:
    """POST a body of any size to the organisation's own TAXII collection."""
    kind = {"Content-Type": TAXII}
    return await center.request(
        "POST", OBJECTS, seat, data=io.BytesIO(body), headers=kind | headers
    )


async def is_refused(center: World, seat: Seat, one: Bad) -> None:
    """Assert that one bad object between two good ones is refused alone, at both doors."""
    body = enveloped(good("before.example"), one.raw, good("after.example"))
    answer = await post(center, seat, body)
    assert answer.status == 202, answer.body
    status = answer.json
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (3, 2, 1)
    (failure,) = status["failures"]
    said_field, _, said = (
        failure["message"].partition(": ") if one.field else ("", "", failure["message"])
    )
    assert (failure["id"], said_field) == (one.id, one.field), failure
    assert one.reason in said, failure
    pushed = await center.request("POST", "/api/v1/push", seat, data=io.BytesIO(body))
    verdicts = pushed.json["verdicts"]
    assert [verdict["outcome"] for verdict in verdicts] == ["duplicate", "refused", "duplicate"]
    told = verdicts[1]
    assert (told["id"], told["field"], told["reason"]) == (one.id, one.field, said)


async def all_are_refused(center: World, attacks: Sequence[Bad]) -> None:
    """Assert that each is refused alone, that the rest is kept and released, and nothing else."""
    seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    for one in attacks:
        await is_refused(center, seat, one)
    kept = await center.get(OBJECTS, seat)
    assert [one["pattern"] for one in kept.objects] == [
        "[domain-name:value = 'before.example']",
        "[domain-name:value = 'after.example']",
    ]
    await center.project()
    assert await center.patterns(other) == {one["pattern"] for one in kept.objects}


@dataclass
class Bystander:
    """Another county at work while somebody attacks."""

    waits: list[float] = field(default_factory=list)


@asynccontextmanager
async def bystander(center: World, longest: float = 5.0) -> AsyncIterator[Bystander]:
    """Let another county push and read all the time; assert that it always could, and soon."""
    seat = center.seats.get("Bystander") or await center.org("Bystander")
    seen, done = Bystander(), asyncio.Event()
    task = asyncio.create_task(_at_work(center, seat, seen, done))
    try:
        yield seen
    finally:
        done.set()
        await task
    assert seen.waits
    assert max(seen.waits) < longest, seen.waits


async def _at_work(center: World, seat: Seat, seen: Bystander, done: asyncio.Event) -> None:
    number = 0
    while not (done.is_set() and number):
        began = time.perf_counter()
        value = f"n{number}.{time.time_ns()}.bystander.example"
        verdicts = await center.push(seat, [indicator(value, "green")])
        assert [one["outcome"] for one in verdicts] == ["accepted"]
        assert (
            await center.get("/taxii2/coop/collections/feed/objects/", seat, limit=1)
        ).status == 200
        seen.waits.append(time.perf_counter() - began)
        number += 1
        await asyncio.sleep(0.05)


@dataclass
class Wire:
    """One bare connection to the center."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes, pause: float = 0) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(pause)

    async def until_closed(self, seconds: float) -> bytes:
        """Return all that comes until the center hangs up; fail when it does not in time."""
        found = b""
        async with asyncio.timeout(seconds):
            try:
                while part := await self.reader.read(1 << 16):
                    found += part
            except ConnectionError:
                pass
        return found

    async def answers(self, quiet: float = 0.3) -> list[int]:
        """Return the status of every answer until the center is quiet or hangs up."""
        found = b""
        try:
            while part := await asyncio.wait_for(self.reader.read(1 << 16), quiet if found else 5):
                found += part
        except (TimeoutError, ConnectionError):
            pass
        return [int(line[9:12]) for line in found.split(b"\r\n") if line.startswith(b"HTTP/1.")]


@asynccontextmanager
async def wire(center: World) -> AsyncIterator[Wire]:
    """Lend a bare connection."""
    host, port = address(center)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def address(center: World) -> tuple[str, int]:
    host, port = center.address.removeprefix("http://").split(":")
    return host, int(port)


def head(method: str, path: str, seat: Seat | None = None, *lines: str) -> bytes:
    """Return a request head; further lines stand as they are."""
    said = [f"{method} {path} HTTP/1.1", "Host: center.example"]
    if seat is not None:
        said += [f"Authorization: Bearer {seat.token}", f"Content-Type: {TAXII}"]
    return "\r\n".join([*said, *lines, "", ""]).encode("latin-1")


def same_answer(one: Answer, other: Answer) -> bool:
    """Say whether two answers are alike in all that a client sees, the date aside."""

    def seen(answer: Answer) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in answer.headers.items() if name != "Date"}
        return answer.status, headers, answer.body

    return seen(one) == seen(other)
