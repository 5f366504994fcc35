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
from yarl import URL

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


def definitions(part: Batch) -> list[bytes]:
    """Return the markings that are defined in a batch."""
    return [raw for raw in cut(part.body).objects if _DEFINITION.search(raw)]


def led_by(known: Sequence[bytes], part: Batch) -> Batch:
    """Return a batch with other objects before its own; ``count`` stays that of its own."""
    head, mark, own = part.body.partition(b'"objects":[')
    return Batch(head + mark + b"".join(raw + b"," for raw in known) + own, part.count)


async def push(
    url: str, token: str, query: Mapping[str, str], parts: Iterable[Batch]
) -> AsyncIterator[tuple[Batch, dict[str, Any]]]:
    """Push batches in order and yield each with the center's answer.

    A batch that may not have arrived is sent again: what did arrive is known by id and content.
    Raises ``PushFailed`` when the center refuses a batch as a whole or stays out of reach.
    """
    path = f"{address(url)}/api/v1/push"
    async with _session(token) as session:
        for part in parts:
            yield part, await _send(session, "POST", path, query, part.body)


async def undo(url: str, token: str, push_id: str) -> dict[str, Any]:
    """Take a whole push back and return the center's answer, which counts what was taken back.

    Raises ``PushFailed`` with the center's reason where it did not.
    """
    async with _session(token) as session:
        path = f"{address(url)}/api/v1/pushes/{quote(push_id, safe='')}"
        return await _send(
            session, "DELETE", path, {}, b"", "withdrawn", "did not take the push back"
        )


async def look_up(url: str, token: str, values: Sequence[str]) -> list[dict[str, Any]]:
    """Look values up in as few requests as they fit in, and return what is known of each.

    Raises ``PushFailed`` with the center's reason where it does not answer.
    """
    path = f"{address(url)}/api/v1/lookup"
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
    path = f"{address(url)}/api/v1/sightings"
    complaint = "did not take the sighting"
    async with _session(token) as session:
        return [
            await _send(session, "POST", path, {}, json.dumps(one).encode(), "outcome", complaint)
            for one in told
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what was answered at the address of a center."""

    kind: str
    content: bytes


def address(url: str) -> str:
    """Return the address of a center without a slash at its end; raise ``Misused`` for none."""
    try:
        seen = URL(url.strip())
        reaches = seen.scheme in {"http", "https"} and bool(seen.host) and seen.user is None
    except ValueError:
        reaches = False
    if not reaches:
        msg = f"{url!r} is not an address; write --url http://HOST:PORT or https://HOST."
        raise Misused(msg)
    return url.strip().rstrip("/")


def opened(token: str, **headers: str) -> aiohttp.ClientSession:
    """Return a session with this token, to be closed; raise ``Misused`` for what is no token."""
    text = token.strip()  # the line end of the file that it came from, say
    if not (text.isascii() and text.isprintable()):
        raise Misused("The token holds characters that no token has.")
    timeout = aiohttp.ClientTimeout(total=120)
    named = {"Authorization": f"Bearer {text}"} | headers
    return aiohttp.ClientSession(headers=named, timeout=timeout, trust_env=False)


async def answered(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    query: Mapping[str, str],
    body: bytes | None,
    complaint: str,
) -> Answer:
    """Send a request until it is answered; raise ``PushFailed`` with why it was not done."""
    why = ""
    for number in range(_TRIES):
        await asyncio.sleep(0.1 * 2**number if number else 0)
        data = io.BytesIO(body) if body else None
        try:
            # Who sends us on is not followed: the token is not for whoever is there.
            sent = session.request(method, url, params=query, data=data, allow_redirects=False)
            async with sent as response:
                content, status = await response.read(), response.status
        except aiohttp.InvalidURL as error:
            raise Misused(f"{url} is not an address; write http://HOST:PORT.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            why = f"{str(error) or 'it did not answer in time'}; does it run, and is --url right?"
            continue
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer(response.content_type, content)
        why = _reason(response, content)
        if status not in _BUSY:
            break
    raise PushFailed(f"The center {complaint}: {why}")


def shown(answer: Answer, url: str) -> dict[str, Any]:
    """Return the object that a center answered; raise ``PushFailed`` where it is none."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise foreign(url)
    return said


def foreign(url: str) -> PushFailed:
    """Return what to raise where something else than a center answers."""
    return PushFailed(f"{url} answers, but not as a center does; look at the address.")


def _reason(response: aiohttp.ClientResponse, content: bytes) -> str:
    if place := response.headers.get("Location"):
        return f"it sends on to {place}; give --url the address that is meant"
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    detail = said.get("detail") if isinstance(said, dict) else None
    if detail is None:
        return f"{response.status} {response.reason}; is --url the address of a center?"
    at = f" ({said['field']})" if said.get("field") else ""
    return f"{response.status} {detail}{at}"


def _session(token: str) -> aiohttp.ClientSession:
    return opened(token, **{"Content-Type": "application/json"})


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
    answer = await answered(session, method, url, query, body, complaint)
    said = shown(answer, url)
    if holds not in said:
        raise foreign(url)
    return said
