"""Sign-in by token: HTTP Basic (the token is the password) or Bearer."""

import base64
import binascii

from aiohttp import web

from cybercoop.door import DATABASE, SURROUNDINGS, Reader
from cybercoop.members import tokens
from cybercoop.store import tokens as remembered

_USED = web.AppKey("used", dict[str, int])


def secret_of(header: str) -> tuple[str, str] | None:
    """Return name and password of an Authorization header; a bearer has no name."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return "", rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


async def by_token(header: str, request: web.Request) -> Reader | None:
    """Return whose good token the header carries, or None."""
    said = secret_of(header)
    if said is None:
        return None
    now = request.app[SURROUNDINGS].now()
    held = await remembered.holder(request.app[DATABASE], tokens.digest(said[1]), now)
    if held is None:
        return None
    request.app[_USED][held.token.id] = now
    return Reader(held.org, held.token.scope, held.token.id, held.feeds, held.token.person_id)


def keep_track(app: web.Application) -> None:
    """Start remembering which tokens are used, in memory until ``write_down``."""
    app[_USED] = {}


async def write_down(app: web.Application) -> None:
    """Write down when tokens were last used; one statement for all, not one per request."""
    used = app[_USED].copy()
    app[_USED].clear()
    if used:
        async with app[DATABASE].write() as connection:
            await remembered.note_use(connection, list(used), max(used.values()))
