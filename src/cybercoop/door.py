"""What every door shares: who is asking, and where the house keeps its things."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from cybercoop.config import Settings
from cybercoop.errors import Forbidden, Malformed, Unauthenticated
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.responses.carrying import Carrying
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
    person_id: str | None = None


SETTINGS = web.AppKey("settings", Settings)
DATABASE = web.AppKey("database", Database)
CENTER = web.AppKey("center", Center)
SURROUNDINGS = web.AppKey("surroundings", Surroundings)
WAKE: web.AppKey[Callable[[], None]] = web.AppKey("wake")
RESPONSES = web.AppKey("responses", Carrying)
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


def client_address(request: web.Request) -> IPv4Address | IPv6Address:
    """Return the address that a request comes from, as far as somebody trusted says so.

    The peer, unless that is a trusted proxy: then what ``X-Forwarded-For`` says, from the right,
    up to the first that is not trusted. Whatever stands left of it the client may have made up.
    Raises ``Malformed`` where the peer is gone already.
    """
    found = _address(request.remote or "")
    if found is None:
        raise Malformed("The connection ended before it was said where it comes from.")
    trusted = request.app[SETTINGS].trusted_proxies
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while hops and any(found in network for network in trusted):
        said = _address(hops.pop().strip())
        if said is None:
            break
        found = said
    return found


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, of IPv4 where IPv6 only wraps it; None for everything else."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
