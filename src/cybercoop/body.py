"""Request bodies: read within bounds of size and time, whatever the sender says about them."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import http_exceptions, web

from cybercoop.errors import Malformed, TooLarge, TooSlow, Unsupported

_GZIP = 31
"""zlib's word for: a gzip header, and the largest window."""

_MOST_MEMBERS = 10_000
_PIECE = 4096
"""What a member leaves over is copied; in one piece a million empty members copy terabytes."""

_BEST = 1032
"""How many bytes gzip can make of one."""

_AT_ONCE = 8
"""Largest bodies that one sender may have here at once; checking one takes some 40 MiB."""


@dataclass(eq=False, slots=True)
class _Room:
    """Hold how many bytes of one sender are here, and what says that some have gone."""

    taken: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)


_ROOMS: web.AppKey[dict[str, _Room]] = web.AppKey("rooms")


def give_room(app: web.Application) -> None:
    """Let ``app`` count what its senders have here."""
    app[_ROOMS] = {}


@asynccontextmanager
async def room_for(request: web.Request, sender: str, most: int) -> AsyncIterator[None]:
    """Wait until there is room for a body beside all else of its sender, and keep it meanwhile.

    A few kilobytes of gzip become 16 MiB, and those who send them in parallel are many; whoever
    sends too much at once waits for himself alone. ``most`` is the largest body in bytes.
    """
    room, size = request.app[_ROOMS].setdefault(sender, _Room()), _expected(request, most)
    while room.taken + size > _AT_ONCE * most:
        room.gone.clear()
        await room.gone.wait()
    room.taken += size
    try:
        yield
    finally:
        room.taken -= size
        room.gone.set()


def _expected(request: web.Request, most: int) -> int:
    """Return how many bytes a body may turn out to have."""
    said = request.content_length
    if said is None:
        return most if request.body_exists else 0
    return min(most, said * _BEST if "Content-Encoding" in request.headers else said)


async def read_body(request: web.Request, most: int, seconds: float) -> bytes:
    """Return the body, unpacked where it came as gzip, of at most ``most`` bytes.

    Raises ``TooLarge`` before reading when the length is announced, and at the limit when it is
    not; the limit counts unpacked bytes, over all gzip members. Raises ``TooSlow`` after
    ``seconds``, ``Unsupported`` for other encodings and ``Malformed`` for broken gzip.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Unsupported("Send the body as it is, or packed with gzip.")
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    packed = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.content.iter_any():
                packed += part
                if len(packed) > most:
                    raise _too_large(most)
    except TimeoutError as error:
        raise TooSlow(f"The body did not arrive within {seconds:g} seconds.") from error
    except ConnectionError as error:
        raise Malformed("The connection ended before the body did.") from error
    except (http_exceptions.PayloadEncodingError, web.RequestPayloadError) as error:
        raise Malformed("The chunks of the body are not as HTTP wants them.") from error
    if encoding == "identity":
        return bytes(packed)
    return await asyncio.to_thread(_unpack, bytes(packed), most)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"A request may have {most} bytes; send fewer objects at once.")


def _unpack(packed: bytes, most: int) -> bytes:
    whole = bytearray()
    at = members = 0
    while at < len(packed):
        members += 1
        if members > _MOST_MEMBERS:
            raise Malformed(f"The gzip body has more than {_MOST_MEMBERS} members.")
        at = _unpack_member(packed, at, whole, most)
    return bytes(whole)


def _unpack_member(packed: bytes, at: int, whole: bytearray, most: int) -> int:
    """Add what the gzip member at ``at`` holds to ``whole`` and return where the next begins."""
    member = zlib.decompressobj(_GZIP)
    while not member.eof:
        piece = member.unconsumed_tail or packed[at : at + _PIECE]
        if not piece:
            raise Malformed("The gzip body ends too early.")
        if not member.unconsumed_tail:
            at += len(piece)
        try:
            whole += member.decompress(piece, most + 1 - len(whole))
        except zlib.error as error:
            raise Malformed("The body says that it is gzip, but cannot be unpacked.") from error
        if len(whole) > most:
            raise _too_large(most)
    return at - len(member.unused_data)
