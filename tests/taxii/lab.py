"""The fixture server in the loop of a test, and clients that ask it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import ready_schema
from taxii.fixture_server import serving
from world import TAXII, Answer, Seat, World, envelope, indicator

FIXTURE = json.loads((Path(__file__).parent / "fixture.json").read_bytes())
READ_WRITE, READ_ONLY, WRITE_ONLY, CLOSED, EMPTY = FIXTURE["collections"]
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
OWN = "/taxii2/coop/collections/contributions/"
ADDED = "2024-01-02T03:04:05.000000Z"
UNKNOWN = "0f7a1a9e-5a0e-4c55-9f3b-3f5f3c1f7a10"

standing = pytest.mark.asyncio(loop_scope="session")
"""Mark tests that use ``standing_lab``: it lives as long as all tests."""

Ask = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True)
class Lab:
    """A running fixture server."""

    address: str
    session: aiohttp.ClientSession

    async def request(
        self, method: str, path: str, user: str | None = "admin", **options: Any
    ) -> Answer:
        """Send one request as ``user``; ``path`` is below the API root, or starts with a slash."""
        whole = path if path.startswith("/") else FIXTURE["api_root"]["path"] + path
        headers = dict(options.pop("headers", None) or {})
        if user:
            headers["Authorization"] = aiohttp.encode_basic_auth(user, FIXTURE["users"][user])
        async with self.session.request(
            method, self.address + whole, headers=headers, allow_redirects=False, **options
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def get(self, path: str, **params: Any) -> Answer:
        """GET as the first user, with query parameters."""
        return await self.request("GET", path, params=params)

    async def post(self, collection: str, *objects: Any, user: str = "admin") -> Answer:
        """POST these objects."""
        path, headers = f"collections/{collection}/objects/", {"Content-Type": TAXII}
        return await self.request("POST", path, user, data=envelope(objects), headers=headers)

    async def objects(self, **params: Any) -> list[tuple[str, str]]:
        """Return id and version of what stands in the readable and writable collection."""
        return shown(await self.get("collections/phishing/objects/", **params))


@asynccontextmanager
async def laboratory(folder: Path, **options: Any) -> AsyncIterator[Lab]:
    """Serve the fixture file."""
    fixture = options.pop("fixture", FIXTURE)
    async with (
        serving(fixture, folder, build=ready_schema.build, **options) as address,
        aiohttp.ClientSession() as session,
    ):
        yield Lab(address, session)


def collection(*kept: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """Return a fixture with one collection of these objects and records."""
    one = READ_WRITE | {
        "objects": [made for made, _ in kept],
        "manifest": [record for _, record in kept],
    }
    return FIXTURE | {"collections": [one], "status": []}


def stated(spec: str, moment: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a version of an object that has only what it must have, and its record."""
    stix_id = "tool--7b0e9c7a-3c0b-4f0e-8d55-0b8a2a1f7c11"
    record = {
        "id": stix_id,
        "date_added": ADDED,
        "version": moment,
        "media_type": f"application/stix+json;version={spec}",
    }
    return {"id": stix_id, "type": "tool"} | more, record


def shown(answer: Answer) -> list[tuple[str, str]]:
    """Return id and version of the objects of a page, or of the records of a manifest."""
    assert answer.status == 200, answer.body
    return [
        (one["id"], one.get("modified") or one.get("version") or one.get("created", ""))
        for one in answer.objects
    ]


async def by_next(ask: Ask, path: str, **params: Any) -> list[Answer]:
    """Return every page, going on by ``next`` alone."""
    pages = [await ask(path, **params)]
    while pages[-1].json.get("more"):
        pages.append(await ask(path, next=pages[-1].json["next"]))
    return pages


async def by_header(ask: Ask, path: str, **params: Any) -> list[Answer]:
    """Return every page, going on from the time of the last object of a page."""
    pages = [await ask(path, **params)]
    while pages[-1].json.get("more"):
        pages.append(await ask(path, **params | {"added_after": pages[-1].headers[LAST]}))
    return pages


def everything(pages: list[Answer]) -> list[tuple[str, str]]:
    """Return id and version of all objects of all pages, in order."""
    return [one for page in pages for one in shown(page)]


def asking(center: World, seat: Seat) -> Ask:
    """Return how ``seat`` asks a center."""

    async def ask(path: str, **params: Any) -> Answer:
        return await center.get(path, seat, **params)

    return ask


def several(count: int, **more: Any) -> list[dict[str, Any]]:
    """Return indicators for as many domains."""
    return [indicator(f"{number}.evil.example", **more) for number in range(count)]


async def raw(address: str, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are and return status and body of the answer."""
    host, _, port = address.partition("//")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        lines = head.decode().lower().split("\r\n")
        length = next(line for line in lines if line.startswith("content-length:"))
        return int(lines[0].split()[1]), await reader.readexactly(int(length.split(":")[1]))
    finally:
        writer.close()
        await writer.wait_closed()
