"""Requests that come again: under the same idempotency key a deed is done once.

A client that got no answer sends the same request with the same ``Idempotency-Key`` and gets what
it missed; another request under that key is a mistake, and told so.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from cybercoop.door import DATABASE, SURROUNDINGS, Reader
from cybercoop.errors import Malformed
from cybercoop.store import answers
from cybercoop.store.answers import Answer, Deed
from cybercoop.store.database import Connection
from cybercoop.web.endpoints import Endpoint, Keep

HEADER = "Idempotency-Key"
LONGEST = 200
PATTERN = "^[!-~]+$"
KEPT_HOURS = 48

_SECOND = 1_000_000
_KEPT = KEPT_HOURS * 3600 * _SECOND
_ALIVE = 120 * _SECOND
"""No deed takes this long: one that was begun earlier went down with its process."""

_PAUSE, _TRIES = 0.1, 50
"""Seconds between two looks at a deed that another request does, and how often to look."""

_OTHER = "This Idempotency-Key was used for another request; take a new one for each."
_BUSY = "The first request with this Idempotency-Key is still being done; try again in a moment."

Do = Callable[[Keep], Awaitable[msgspec.Struct]]


async def once(
    endpoint: Endpoint, request: web.Request, reader: Reader, raw: bytes, do: Do
) -> web.Response:
    """Return the answer to a request, which is done unless its idempotency key was used for it.

    Raises ``Malformed`` for a key that is none, and 409 for one that another request has.
    """
    key = request.headers.get(HEADER)
    if key is None or not endpoint.is_change:
        return _answer(endpoint.status, msgspec.json.encode(await do(_forget)))
    if len(key) > LONGEST or not re.fullmatch(PATTERN, key):
        raise Malformed(f"{HEADER} takes 1 to {LONGEST} printable ASCII characters.")
    deed = Deed(reader.org.id, key, _hash(request, raw))
    known = await _known(request, deed)
    if known is not None:
        answer = _answer(known.status, known.content)
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
    return await _first(endpoint, request, deed, do)


async def _first(endpoint: Endpoint, request: web.Request, deed: Deed, do: Do) -> web.Response:
    database, kept = request.app[DATABASE], asyncio.Event()

    async def keep(connection: Connection, answer: msgspec.Struct) -> None:
        content = msgspec.json.encode(_without(answer, endpoint.secret))
        if not await answers.finish(connection, deed, endpoint.status, content):
            raise web.HTTPConflict(reason=_BUSY)
        kept.set()

    try:
        answer = await do(keep)
        if not kept.is_set():
            async with database.write() as connection:
                await keep(connection, answer)
    except BaseException:
        async with database.write() as connection:
            await answers.give_up(connection, deed)
        raise
    return _answer(endpoint.status, msgspec.json.encode(answer))


async def _known(request: web.Request, deed: Deed) -> Answer | None:
    """Return the answer that stands under a key, or None once the key is taken for this deed."""
    database, now = request.app[DATABASE], request.app[SURROUNDINGS].now
    for _ in range(_TRIES):
        async with database.write() as connection:
            if await answers.begin(connection, deed, now(), now() - _KEPT, now() - _ALIVE):
                return None
            found = await answers.find(connection, deed.org_id, deed.key)
        if found is not None and found.request != deed.request:
            raise web.HTTPConflict(reason=_OTHER)
        if found is not None and not found.begun:
            return found
        await asyncio.sleep(_PAUSE)
    raise web.HTTPConflict(reason=_BUSY)


def _hash(request: web.Request, raw: bytes) -> bytes:
    said = (request.method.encode(), request.raw_path.encode("utf-8", "surrogateescape"), raw)
    return hashlib.sha256(b"\0".join(said)).digest()


def _without(answer: msgspec.Struct, secret: str) -> msgspec.Struct:
    return msgspec.structs.replace(answer, **{secret: None}) if secret else answer


async def _forget(connection: Connection, answer: msgspec.Struct) -> None:
    """Keep nothing: the request came without a key."""


def _answer(status: int, content: bytes) -> web.Response:
    return web.Response(status=status, body=content, content_type="application/json")
