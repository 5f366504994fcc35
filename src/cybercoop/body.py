"""Request bodies: read within bounds of size and time, whatever the sender says about them."""

import asyncio
import zlib

from aiohttp import web

from cybercoop.errors import Malformed, TooLarge, TooSlow, Unsupported

_GZIP = 31
"""zlib's word for: a gzip header, and the largest window."""


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
    if encoding == "identity":
        return bytes(packed)
    return await asyncio.to_thread(_unpack, bytes(packed), most)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"A request may have {most} bytes; send fewer objects at once.")


def _unpack(packed: bytes, most: int) -> bytes:
    whole = bytearray()
    while packed:
        member = zlib.decompressobj(_GZIP)
        try:
            whole += member.decompress(packed, most + 1 - len(whole))
        except zlib.error as error:
            raise Malformed("The body says that it is gzip, but cannot be unpacked.") from error
        if len(whole) > most:
            raise _too_large(most)
        if not member.eof:
            raise Malformed("The gzip body ends too early.")
        packed = member.unused_data
    return bytes(whole)
