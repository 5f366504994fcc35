"""One GET that keeps the rules: checked addresses, checked redirects, bounded size and time."""

import asyncio
import email.utils
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from cybercoop.egress import addresses
from cybercoop.egress.rules import Credentials, Rules, checked, is_internal
from cybercoop.egress.unpacking import unpacked
from cybercoop.errors import Malformed, Refused, TooLarge, Unreachable

_PIECE = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT = 24 * 3600
# Own words for each fault: what a hostile server wrote never gets into a log or a page.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "did not answer in time"),
    (aiohttp.ClientConnectorCertificateError, "shows a certificate that is not trusted"),
    (aiohttp.ClientConnectorDNSError, "has no address"),
    (aiohttp.ClientSSLError, "does not speak TLS as it should"),
    (aiohttp.ClientConnectorError, "takes no connection"),
    (aiohttp.ClientPayloadError, "broke off in the middle of its answer"),
    (aiohttp.ServerDisconnectedError, "hung up without an answer"),
    (aiohttp.ClientError, "does not speak HTTP as it should"),
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Hold an answer of 200, 206 or 304; ``body`` is whole and unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def etag(self) -> str:
        """Return the ETag to ask with the next time."""
        return self.headers.get("ETag", "")

    @property
    def last_modified(self) -> str:
        """Return the time of change to ask with the next time."""
        return self.headers.get("Last-Modified", "")

    @property
    def content_type(self) -> str:
        """Return what the server calls its answer."""
        return self.headers.get("Content-Type", "")

    @property
    def unchanged(self) -> bool:
        """Say whether the server has nothing new."""
        return self.status == HTTPStatus.NOT_MODIFIED


class _CheckedResolver(AbstractResolver):
    """Give aiohttp checked addresses only; it connects to these and asks no second time."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp fixes the signature
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``; raise ``Forbidden`` when one of them may not be."""
        found = await self._rules.resolve(host, port)
        for address in found:
            addresses.check(host, address, internal=is_internal(host, self._rules))
        if not found:
            raise OSError
        return [_result(host, port, address) for address in found]

    async def close(self) -> None:
        """Hold nothing open."""


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=flags
    )


class Exit:
    """Fetch for one source; connections are kept while it is open."""

    def __init__(
        self, session: aiohttp.ClientSession, rules: Rules, credentials: Credentials | None
    ) -> None:
        self._session, self._credentials = session, credentials
        self.rules = rules

    async def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        """GET ``url`` and return the whole answer, or 304 when nothing changed since ``etag``.

        Raise ``Unreachable`` for every other status and every fault on the way, ``Forbidden``
        for a place that the rules exclude, ``TooLarge`` above the limit, ``Malformed`` for
        packed data that is broken.
        """
        asked = dict(headers or {})
        asked |= {"If-None-Match": etag} if etag else {}
        asked |= {"If-Modified-Since": last_modified} if last_modified else {}
        here = checked(url, self.rules)
        try:
            async with asyncio.timeout(self.rules.seconds):
                return await self._follow(here, asked)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(here, error) from error

    async def _follow(self, here: URL, asked: Mapping[str, str]) -> Fetched:
        for _ in range(self.rules.redirects + 1):
            answer = await self._ask(here, asked)
            if isinstance(answer, Fetched):
                return answer
            here = self._next(here, answer)
        msg = f"{here.host} redirects more than {self.rules.redirects} times."
        raise Unreachable(msg)

    def _next(self, here: URL, target: str) -> URL:
        try:
            return checked(target, self.rules)
        except Refused as error:
            msg = f"{here.host} redirects to something that is no URL."
            raise Unreachable(msg) from error

    async def _ask(self, here: URL, asked: Mapping[str, str]) -> Fetched | str:
        """Return the answer of one server, or where it sends the asker."""
        own = self._credentials
        if own is not None and own.belong_to(here):
            asked = {**asked, **own.headers}
            here = here.update_query(own.query) if own.query else here
        async with self._session.get(here, headers=asked, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                return _target(here, response)
            if response.status not in _taken(asked):
                raise _refusal(here, response)
            body = b""
            if response.status != HTTPStatus.NOT_MODIFIED:
                body = await self._body(here, response)
            return Fetched(response.status, response.headers, body, str(here.with_query(None)))

    async def _body(self, here: URL, response: aiohttp.ClientResponse) -> bytes:
        most = self.rules.max_bytes
        wire = bytearray()
        if (response.content_length or 0) <= most:
            async for piece in response.content.iter_chunked(_PIECE):
                wire += piece
                if len(wire) > most:
                    break
            else:
                return await _plain(here, response, bytes(wire), most)
        msg = f"{here.host} sends more than {most} bytes."
        raise TooLarge(msg)


def _taken(asked: Mapping[str, str]) -> set[int]:
    """Return the statuses that answer the question; a part is taken only where one was asked."""
    taken = {200}
    if "Range" in asked:
        taken.add(206)
    if "If-None-Match" in asked or "If-Modified-Since" in asked:
        taken.add(304)
    return taken


async def _plain(here: URL, response: aiohttp.ClientResponse, wire: bytes, most: int) -> bytes:
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return wire
    if coding not in {"gzip", "x-gzip"}:
        msg = f"{here.host} packs its answer in a way that was not asked for."
        raise Malformed(msg)
    return await asyncio.to_thread(unpacked, wire, most)


def _target(here: URL, response: aiohttp.ClientResponse) -> str:
    place = response.headers.get("Location", "")
    try:
        return str(here.join(URL(place, encoded=True))) if place else ""
    except ValueError:
        return ""


def _refusal(here: URL, response: aiohttp.ClientResponse) -> Unreachable:
    msg = f"{here.host} answers with status {response.status}."
    return Unreachable(msg, response.status, _wait(response.headers))


def _wait(headers: Mapping[str, str]) -> int | None:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3), a date by the server's clock."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), _LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(said)
        now = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        seconds = int((until - now).total_seconds())
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0), _LONGEST_WAIT)


def _unreachable(here: URL, error: Exception) -> Unreachable:
    fault = next(text for kind, text in _FAULTS if isinstance(error, kind))
    msg = f"{here.host} {fault}."
    return Unreachable(msg)


@asynccontextmanager
async def opened(rules: Rules, credentials: Credentials | None = None) -> AsyncIterator[Exit]:
    """Lend an exit that keeps ``rules`` and gives ``credentials`` to their own origin only."""
    trusted = ssl.create_default_context(cafile=rules.ca_file)
    connector = aiohttp.TCPConnector(
        resolver=_CheckedResolver(rules), use_dns_cache=False, ssl=trusted, limit=4
    )
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "gzip", "User-Agent": "cybercoop"},
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=rules.silence, sock_read=rules.silence
        ),
        trust_env=False,
    ) as session:
        yield Exit(session, rules, credentials)


async def fetch(
    url: str,
    rules: Rules,
    *,
    credentials: Credentials | None = None,
    etag: str = "",
    last_modified: str = "",
) -> Fetched:
    """GET one ``url`` as ``Exit.fetch`` does, on a connection of its own."""
    async with opened(rules, credentials) as way:
        return await way.fetch(url, etag=etag, last_modified=last_modified)
