"""A client of a center: pushes files in batches over HTTP and tries again where that helps."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from cybercoop.errors import CoopError, Malformed, Misused
from cybercoop.stix.slices import cut

_MOST_OBJECTS = 2000
_MOST_BYTES = 4 * 1024 * 1024
_MOST_VALUES = 10_000
_MOST_LOOKUP = 1_000_000
_TRIES = 6
_BUSY = frozenset({429, 502, 503, 504})
_DEFINITION = re.compile(rb'"type"\s*:\s*"marking-definition"')


class PushFailed(CoopError):
    """Say what the center answered when it did not take a batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the body of one request and how many objects are in it."""

    body: bytes
    count: int


def batches(name: str, content: bytes) -> Iterator[Batch]:
    """Cut a file into requests of at most 2000 objects and 4 MiB; raise ``Malformed``.

    Markings that are defined in the file go first, so that they are known to what carries them.
    """
    try:
        envelope = cut(content)
    except Malformed as error:
        msg = f"{name}: {error}"
        raise Malformed(msg) from error
    head = b'{"objects":['
    if envelope.bundle:
        version = envelope.spec_version
        said = b'"spec_version":"' + version.encode() + b'",' if version else b""
        head = b'{"type":"bundle",' + said + b'"objects":['
    part: list[bytes] = []
    size = 0
    for raw in sorted(envelope.objects, key=lambda one: not _DEFINITION.search(one)):
        if part and (len(part) >= _MOST_OBJECTS or size + len(raw) > _MOST_BYTES):
            yield Batch(head + b",".join(part) + b"]}", len(part))
            part, size = [], 0
        part.append(raw)
        size += len(raw)
    if part:
        yield Batch(head + b",".join(part) + b"]}", len(part))


async def push(
    url: str, token: str, query: Mapping[str, str], parts: Iterable[Batch]
) -> AsyncIterator[tuple[Batch, dict[str, Any]]]:
    """Push batches in order and yield each with the center's answer.

    A batch that may not have arrived is sent again: what did arrive is known by id and content.
    Raises ``PushFailed`` when the center refuses a batch as a whole or stays out of reach.
    """
    path = f"{url.rstrip('/')}/api/v1/push"
    async with _session(token) as session:
        for part in parts:
            yield part, await _send(session, "POST", path, query, part.body)


async def undo(url: str, token: str, push_id: str) -> dict[str, Any]:
    """Take a whole push back and return the center's answer, which counts what was taken back.

    Raises ``PushFailed`` with the center's reason where it did not.
    """
    async with _session(token) as session:
        path = f"{url.rstrip('/')}/api/v1/pushes/{quote(push_id, safe='')}"
        return await _send(
            session, "DELETE", path, {}, b"", "withdrawn", "did not take the push back"
        )


async def look_up(url: str, token: str, values: Sequence[str]) -> list[dict[str, Any]]:
    """Look values up in as few requests as they fit in, and return what is known of each.

    Raises ``PushFailed`` with the center's reason where it does not answer.
    """
    path = f"{url.rstrip('/')}/api/v1/lookup"
    found: list[dict[str, Any]] = []
    async with _session(token) as session:
        for part in _lookups(values):
            body = json.dumps({"values": part}).encode()
            answer = await _send(session, "POST", path, {}, body, "values", "does not say")
            found += answer["values"]
    return found


def _lookups(values: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for value in values:
        # What JSON makes of a character is six bytes at most.
        length = 6 * len(value) + 4
        if part and (len(part) >= _MOST_VALUES or size + length > _MOST_LOOKUP):
            yield part
            part, size = [], 0
        part.append(value)
        size += length
    if part:
        yield part


async def sight(url: str, token: str, told: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tell the center of sightings and votes, and return what became of each.

    Raises ``PushFailed`` with the center's reason for the first that it does not take.
    """
    path = f"{url.rstrip('/')}/api/v1/sightings"
    complaint = "did not take the sighting"
    async with _session(token) as session:
        return [
            await _send(session, "POST", path, {}, json.dumps(one).encode(), "outcome", complaint)
            for one in told
        ]


def _session(token: str) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=120)
    try:
        return aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=False)
    except ValueError as error:
        raise Misused("The token holds characters that no token has.") from error


async def _send(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    query: Mapping[str, str],
    body: bytes,
    holds: str = "verdicts",
    complaint: str = "did not take the push",
) -> dict[str, Any]:
    """Send a request until it is answered; a center's answer ``holds`` this field."""
    why = ""
    for number in range(_TRIES):
        data = io.BytesIO(body) if body else None
        try:
            async with session.request(method, url, params=query, data=data) as response:
                if response.status == HTTPStatus.OK:
                    return await _answer(response, holds)
                why = await _reason(response)
                if response.status not in _BUSY:
                    break
        except aiohttp.InvalidURL as error:
            msg = f"{url} is not an address; write http://HOST:PORT."
            raise Misused(msg) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or "it did not answer in time"
        if number + 1 < _TRIES:
            await asyncio.sleep(0.2 * 2**number)
    msg = f"The center {complaint}: {why}"
    raise PushFailed(msg)


async def _answer(response: aiohttp.ClientResponse, holds: str) -> dict[str, Any]:
    try:
        said = await response.json(content_type=None)
    except ValueError:
        said = None
    if not isinstance(said, dict) or holds not in said:
        msg = f"{response.url.origin()} answers, but not as a center does; look at the address."
        raise PushFailed(msg)
    return said


async def _reason(response: aiohttp.ClientResponse) -> str:
    try:
        said = await response.json(content_type=None)
    except ValueError:
        said = None
    detail = said.get("detail") if isinstance(said, dict) else None
    return f"{response.status} {detail or response.reason}"
