"""Forms as browsers send them, read within bounds of size, time and number."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from aiohttp import BodyPartReader, http_exceptions, web

from cybercoop.body import read_body
from cybercoop.door import SETTINGS
from cybercoop.errors import Malformed, TooLarge, TooSlow, Unsupported

MOST_BYTES = 4 * 1024 * 1024
MOST_OF_STRANGERS = 16 * 1024
"""Bytes of a form from somebody who has not signed in: it holds a token and no more."""

_MOST_FIELDS = 2_100
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Form:
    """Hold the texts of a form by name, and the one file that came with it."""

    texts: Mapping[str, list[str]] = field(default_factory=dict)
    name: str = ""
    content: bytes = b""

    def text(self, name: str) -> str:
        """Return the first text of a field, or nothing."""
        return self.texts.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return every text of a field."""
        return self.texts.get(name, [])


async def read(request: web.Request, most: int = MOST_BYTES) -> Form:
    """Return the form in a body; raise as ``read_body`` does for what is none."""
    settings = request.app[SETTINGS]
    most = min(most, settings.max_content_length)
    if request.content_type == _URLENCODED:
        body = await read_body(request, most, settings.read_timeout)
        # Of nothing but escapes it takes seconds; in a thread of its own it lets others in.
        return await asyncio.to_thread(_urlencoded, body)
    if request.content_type != _MULTIPART:
        raise Unsupported("A form comes as a browser sends it.")
    # Bounds everything that the parts can hold; every browser says how long its form is.
    if request.content_length is None or request.content_length > most:
        raise TooLarge(f"A form may have {most} bytes, and has to say how many it has.")
    try:
        async with asyncio.timeout(settings.read_timeout):
            return await _multipart(request)
    except TimeoutError as error:
        raise TooSlow("The form did not arrive in time.") from error
    except (
        *(ValueError, AssertionError, ConnectionError, LookupError),
        *(http_exceptions.HttpProcessingError, web.RequestPayloadError),
    ) as error:
        raise Malformed("The form cannot be read.") from error


def _urlencoded(body: bytes) -> Form:
    try:
        said = parse_qs(
            body.decode(),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=_MOST_FIELDS,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed("The form cannot be read, or has too many fields.") from error
    return Form(said)


async def _multipart(request: web.Request) -> Form:
    texts: dict[str, list[str]] = {}
    name, content, parts = "", b"", 0
    async for part in await request.multipart():
        parts += 1
        if parts > _MOST_FIELDS or not isinstance(part, BodyPartReader):
            raise Malformed("The form has too many fields, or fields within fields.")
        raw = bytearray()
        while chunk := await part.read_chunk():
            raw += chunk
        if part.filename is not None:
            name, content = part.filename, bytes(raw)
        else:
            texts.setdefault(part.name or "", []).append(raw.decode(errors="replace"))
    return Form(texts, name, content)
