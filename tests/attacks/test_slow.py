"""Slowness: who takes his time gets no more of the center's, and others do not notice."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from attacks.hostile import OBJECTS, address, bystander, enveloped, good, head, wire
from world import Seat, World, indicator, world

MANY = 15
BEFORE_HANGING_UP = 8.0  # seconds, with a read_timeout of two


async def trickle(center: World, start: bytes, drop: bytes) -> bytes:
    """Send one drop after the other until the center hangs up; return what it said."""
    async with wire(center) as connection, asyncio.timeout(2 * BEFORE_HANGING_UP):
        await connection.send(start)
        listening = asyncio.create_task(connection.until_closed(2 * BEFORE_HANGING_UP))
        while not listening.done():
            with contextlib.suppress(ConnectionError):
                await connection.send(drop)
            await asyncio.sleep(0.2)
        return await listening


async def slow_head(center: World, _seat: Seat) -> None:
    assert await trickle(center, b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n") == b""


async def slow_second_head(center: World, seat: Seat) -> None:
    said = await trickle(center, head("GET", OBJECTS, seat) + b"GET /taxii2/ HT", b"T")
    assert said.count(b"HTTP/1.") <= 2
    assert b" 500 " not in said


async def slow_body(center: World, seat: Seat) -> None:
    async with wire(center) as connection:
        await connection.send(head("POST", OBJECTS, seat, "Content-Length: 1000"), b"{")
        assert await connection.answers() == [408]


async def slow_chunks(center: World, seat: Seat) -> None:
    async with wire(center) as connection:
        start = head("POST", OBJECTS, seat, "Transfer-Encoding: chunked")
        await connection.send(start, *[b"1\r\n \r\n"] * 4, pause=0.2)
        assert await connection.answers() == [408]


async def idle(center: World, _seat: Seat) -> None:
    async with wire(center) as connection:
        assert await connection.until_closed(BEFORE_HANGING_UP) == b""


async def idle_after_an_answer(center: World, seat: Seat) -> None:
    async with wire(center) as connection:
        await connection.send(head("GET", "/taxii2/coop/", seat))
        assert (await connection.until_closed(BEFORE_HANGING_UP)).startswith(b"HTTP/1.1 200")


MODES = (slow_head, slow_second_head, slow_body, slow_chunks, idle, idle_after_an_answer)


async def test_who_takes_his_time_is_hung_up_on_and_others_do_not_notice(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, read_timeout=2) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            await asyncio.gather(*(mode(center, seat) for mode in MODES for _ in range(MANY)))
        assert (await center.post(seat, enveloped(good("kept.example")))).status == 202


@contextlib.asynccontextmanager
async def narrow(center: World) -> AsyncIterator[socket.socket]:
    """Lend a connection with a small window, of which nothing is read by itself."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    with sock:
        await asyncio.get_running_loop().sock_connect(sock, address(center))
        yield sock


async def test_who_does_not_take_his_answer_is_hung_up_on(
    database_url: str, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with world(database_url, tmp_path, read_timeout=2) as center:
        seat = await center.org("Landkreis A")
        large = [indicator(f"n{n}.example", description="x" * 99_000) for n in range(120)]
        for start in range(0, len(large), 10):
            await center.push(seat, large[start : start + 10])
        async with contextlib.AsyncExitStack() as stack, bystander(center):
            socks = [await stack.enter_async_context(narrow(center)) for _ in range(5)]
            for sock in socks:
                await loop.sock_sendall(sock, head("GET", OBJECTS, seat))
            await asyncio.sleep(BEFORE_HANGING_UP)
            for sock in socks:
                assert await taken(sock) < 120 * 99_000


async def taken(sock: socket.socket) -> int:
    """Return how many bytes can still be read before the connection turns out dead."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while part := await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
            count += len(part)
    return count
