"""What every door shares: who is asking, and where the house keeps its things."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from cybercoop.config import Settings
from cybercoop.errors import Forbidden, Unauthenticated
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.store.database import Database
from cybercoop.store.feeds import Feed
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

TAXII = "application/taxii+json;version=2.1"


@dataclass(frozen=True, slots=True)
class Reader:
    """Hold who is asking, what the token allows, and the ids of the reader's feed so far."""

    org: Organisation
    scope: Scope
    token_id: str = ""
    feeds: tuple[Feed, ...] = ()


SETTINGS = web.AppKey("settings", Settings)
DATABASE = web.AppKey("database", Database)
CENTER = web.AppKey("center", Center)
SURROUNDINGS = web.AppKey("surroundings", Surroundings)
WAKE: web.AppKey[Callable[[], None]] = web.AppKey("wake")
READER = web.RequestKey("reader", Reader)

Authenticate = Callable[[str, web.Request], Awaitable[Reader | None]]
AUTHENTICATE: web.AppKey[Authenticate] = web.AppKey("authenticate")
"""Says who holds these credentials (the Authorization header), or None for nobody."""

TAXII_PATHS: web.AppKey[tuple[str, ...]] = web.AppKey("taxii_paths")
"""Paths below which errors are told as TAXII error resources."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def reader_of(request: web.Request) -> Reader | None:
    """Return who is asking, or None for a reader without credentials."""
    return request.get(READER)


def require(request: web.Request, scope: Scope) -> Reader:
    """Return who is asking; raise ``Unauthenticated`` or ``Forbidden`` where that is not enough."""
    reader = reader_of(request)
    if reader is None:
        raise Unauthenticated("Send a token: as the password of HTTP Basic, or as Bearer.")
    if not reader.scope.covers(scope):
        msg = f"This token may only {reader.scope.value}; this needs the scope {scope.value}."
        raise Forbidden(msg)
    return reader
