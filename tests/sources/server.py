"""A server of another house that does on the wire exactly what a test tells it to."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cybercoop.egress import Rules


@dataclass(frozen=True)
class Asked:
    """One request as it came in; header names in lower case."""

    path: str
    headers: Mapping[str, str]


class HangUp(Exception):
    """End the connection here."""


Answer = Callable[[Asked], AsyncIterator[bytes]]


@dataclass
class Server:
    """A running server and what it was asked."""

    port: int
    scheme: str
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@asynccontextmanager
async def serving(
    answer: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve on loopback until left; connections stay open unless ``answer`` hangs up."""
    made = Server(0, "https" if tls else "http")
    talks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        gone = (HangUp, OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*gone):
            while True:
                asked = _read(await reader.readuntil(b"\r\n\r\n"))
                made.asked.append(asked)
                async for part in answer(asked):
                    writer.write(part)
                    await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    listening = await asyncio.start_server(begin, host, 0, ssl=tls)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def _read(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Asked(first.split(" ")[1], {name.lower(): value for name, value in pairs})


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """Return a whole answer; ``content_type`` stands for the header Content-Type."""
    data = body.encode() if isinstance(body, str) else body
    said = {"Content-Length": str(len(data))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + data


def json_reply(content: Any, status: int = 200, **headers: str) -> bytes:
    return reply(json.dumps(content), status, **({"Content_Type": "application/json"} | headers))


def always(*parts: bytes, hang_up: bool = False) -> Answer:
    """Give the same answer to every request."""

    async def answer(_asked: Asked) -> AsyncIterator[bytes]:
        for part in parts:
            yield part
        if hang_up:
            raise HangUp

    return answer


def names(*answers: Sequence[str]) -> Callable[[str, int], Any]:
    """Return a resolver that gives these answers, one after the other, the last one for ever."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def open_rules(*servers: Server, internal: Sequence[str] = ("127.0.0.1",), **more: Any) -> Rules:
    """Return rules that let a test reach ``servers`` on loopback."""
    rules = {
        "schemes": frozenset({"http", "https"}),
        "ports": frozenset(server.port for server in servers),
        "internal": frozenset(internal),
        "seconds": 10,
        "silence": 5,
    }
    return Rules(**(rules | more))
