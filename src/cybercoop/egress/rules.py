"""What one source may be asked for, and where its credentials belong."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from yarl import URL

from cybercoop.egress import addresses
from cybercoop.errors import Forbidden, Refused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MIB = 1024 * 1024
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\]").search
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?").fullmatch
# Resolvers take 127.1, 0x7f000001 and 0177.0.0.1 for addresses although no rule reads them so.
_NUMBER_AT_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?").fullmatch
_LONGEST_URL = 8192


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the system's resolver gives for ``host``."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold the limits of one source; ``internal`` names the hosts that may lie inside.

    Only hosts named there may have loopback or private addresses: a redirect cannot lead an
    internal source to its neighbours. ``max_bytes`` counts on the wire and after unpacking,
    ``seconds`` all redirects together, ``silence`` seconds without a byte.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({80, 443})
    internal: frozenset[str] = frozenset()
    max_bytes: int = 64 * MIB
    seconds: float = 300
    silence: float = 30
    redirects: int = 5
    ca_file: Path | None = None
    resolve: Resolve = field(default=look_up)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold headers and query parameters that belong to one origin and go nowhere else."""

    origin: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    def belong_to(self, url: URL) -> bool:
        """Say whether ``url`` has the scheme, host and port that the credentials are for."""
        return is_same_origin(url, URL(self.origin))


def is_same_origin(one: URL, other: URL) -> bool:
    """Say whether scheme, host and port are the same, a default port written out or not."""
    return (one.scheme, one.raw_host, one.port) == (other.scheme, other.raw_host, other.port)


def checked(text: str, rules: Rules) -> URL:
    """Return the one reading of a URL that the rules allow; raise ``Refused`` or ``Forbidden``.

    What is connected to is taken from the reading that was checked, never from the text again.
    """
    if _UNPRINTABLE(text) or len(text) > _LONGEST_URL:
        raise Refused("A URL has no blanks, backslashes or control characters.", "url")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError:
        raise Refused("That is no URL.", "url") from None
    if not host or url.scheme not in {"http", "https"}:
        raise Refused("The URL must begin with https:// and a host.", "url")
    if url.user is not None or url.password is not None:
        raise Refused("Credentials are never part of a URL.", "url")
    if url.scheme not in rules.schemes:
        raise Forbidden("The source would be read without TLS; allow_http is not set.")
    if port not in rules.ports:
        msg = f"{host} is asked for on port {port}, which the source does not declare."
        raise Forbidden(msg)
    _check_host(host, rules)
    return url.with_fragment(None)


def _check_host(host: str, rules: Rules) -> None:
    if _is_address(host):
        addresses.check(host, host, internal=is_internal(host, rules))
    elif not _NAME(host) or _NUMBER_AT_END(host):
        raise Refused("The host of the URL is neither a name nor a plain address.", "url")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # the network interface after it differs everywhere


def is_internal(host: str, rules: Rules) -> bool:
    """Say whether ``host`` was declared to lie inside the own network."""
    return host in rules.internal
