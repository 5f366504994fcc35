"""Answers to devices: what they have already, packed or plain, and when to come again."""

import hashlib
from collections.abc import Callable
from email.utils import formatdate

import msgspec
from aiohttp import web

from cybercoop.exports.building import Build, Content, Served

_SECOND = 1_000_000
_PIECE = 1 << 18
_RETRY_AFTER = "30"
"""Seconds; a list of a million entries takes about ten."""


async def reply(
    request: web.Request, served: Served, media_type: str, made: int
) -> web.StreamResponse:
    """Return a file, or 304 to whoever has it (RFC 9110, sections 8.8, 12.5.3 and 13.1)."""
    packs = _takes_gzip(request) and len(served.packed) < len(served.plain)
    tag = served.digest[:32]
    headers = {
        "ETag": f'"{tag}-gzip"' if packs else f'"{tag}"',
        "Last-Modified": formatdate(made // _SECOND, usegmt=True),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding",
    }
    if _has_it(request, tag, made):
        return web.Response(status=web.HTTPNotModified.status_code, headers=headers)
    headers["Content-Type"] = media_type
    if packs:
        headers["Content-Encoding"] = "gzip"
    content = served.packed if packs else served.plain
    if isinstance(content, bytes):
        return web.Response(body=content, headers=headers)
    return await _streamed(request, content, headers)


async def _streamed(
    request: web.Request, content: memoryview, headers: dict[str, str]
) -> web.StreamResponse:
    """Send a large file piece by piece, no faster than it is taken."""
    response = web.StreamResponse(headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    if request.method != "HEAD":
        for start in range(0, len(content), _PIECE):
            await response.write(content[start : start + _PIECE])
    await response.write_eof()
    return response


def _takes_gzip(request: web.Request) -> bool:
    for one in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = one.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _has_it(request: web.Request, tag: str, made: int) -> bool:
    """Say whether the client holds this content; both variants count as the same.

    A feed may go back to an older list (an exception is over, a group is left), so that not what is
    older than the client's time is known to him, but only what is of that very time.
    """
    tags = request.if_none_match
    if tags is not None:
        return any(one.value == "*" or one.value.removesuffix("-gzip") == tag for one in tags)
    since = request.if_modified_since
    return since is not None and made // _SECOND == since.timestamp()


def names_of(build: Build) -> Served:
    """Return the names of the files of a build, one per line."""
    content: Content = "".join(f"{name}\n" for name in sorted(build.files)).encode()
    return Served(hashlib.sha256(content).hexdigest(), content, content)


def away(problem_of: Callable[[str, str], msgspec.Struct]) -> web.Response:
    """Say that the list is not there now; devices keep the one that they have.

    ``problem_of`` returns the problem of a code (RFC 9457), as every door of the house says it.
    """
    text = "The list cannot be served right now; keep the last one and try again in a moment."
    return web.Response(
        body=msgspec.json.encode(problem_of("away", text)),
        status=web.HTTPServiceUnavailable.status_code,
        headers={"Retry-After": _RETRY_AFTER, "X-Content-Type-Options": "nosniff"},
        content_type="application/problem+json",
    )
