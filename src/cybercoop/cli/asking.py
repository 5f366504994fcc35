"""Asking a center over HTTP for commands: a request is repeated until it is answered."""

import asyncio
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
import msgspec
import typer

from cybercoop.client import PushFailed
from cybercoop.errors import Misused

Url = Annotated[str, typer.Option(envvar="CYBERCOOP_URL", help="Address of the center.")]
TokenText = Annotated[str, typer.Option(envvar="CYBERCOOP_TOKEN", help="A token of yours.")]
HOME = "http://127.0.0.1:8080"

_SECONDS = 120
_TRIES = 5
_BUSY = frozenset({429, 502, 503, 504})
_MOST_ON_PAGE = "1000"

Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Center:
    """Hold which center is asked, with which token."""

    url: str
    token: str

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return what the center shows; raise ``PushFailed`` with its reason."""
        found: dict[str, Any] = msgspec.json.decode(self.fetched(path, **query))
        return found

    def fetched(self, path: str, **query: str) -> bytes:
        """Return the bytes of a file; raise ``PushFailed`` with the center's reason."""
        return asyncio.run(self._answered("GET", path, query, None))

    def all(self, path: str, name: str, **query: str) -> list[dict[str, Any]]:
        """Return a whole list, all of its pages."""
        found: list[dict[str, Any]] = []
        query |= {"limit": _MOST_ON_PAGE}
        while True:
            shown = self.get(path, **query)
            found += shown[name]
            if shown["next"] is None:
                return found
            query["cursor"] = shown["next"]

    def post(self, path: str, said: Said | None = None) -> dict[str, Any]:
        """Do something once and return what became of it; raise ``PushFailed``."""
        body = None if said is None else msgspec.json.encode(said)
        return self.send(path, body)

    def send(self, path: str, body: bytes | None, **query: str) -> dict[str, Any]:
        """Send bytes once and return what became of them; raise ``PushFailed``."""
        answer = asyncio.run(self._answered("POST", path, query, body))
        found: dict[str, Any] = msgspec.json.decode(answer)
        return found

    async def _answered(self, method: str, path: str, query: Said, body: bytes | None) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if method == "POST":
            # The same key with every try: what was done the first time is not done again.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        url = f"{self.url.rstrip('/')}/api/v1{path}"
        timeout, why = aiohttp.ClientTimeout(total=_SECONDS), ""
        try:
            async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
                for number in range(_TRIES):
                    await asyncio.sleep(0.2 * 2**number if number else 0)
                    data = None if body is None else io.BytesIO(body)
                    try:
                        async with session.request(method, url, params=query, data=data) as answer:
                            content, status = await answer.read(), answer.status
                    except (aiohttp.ClientConnectionError, TimeoutError) as error:
                        why = str(error) or "it did not answer in time"
                        continue
                    if status < HTTPStatus.BAD_REQUEST:
                        return _ours(answer, content)
                    why = _reason(status, content)
                    if status not in _BUSY:
                        break
        except ValueError as error:  # of the address, or of a token that is none
            msg = f"{self.url} is not an address, or the token is none: {error}."
            raise Misused(msg) from error
        raise PushFailed(f"The center did not do it: {why}")


def _ours(answer: aiohttp.ClientResponse, content: bytes) -> bytes:
    if answer.content_type in {"application/json", "application/pdf"}:
        return content
    raise PushFailed(f"{answer.url.origin()} answers, but not as a center does.")


def _reason(status: int, content: bytes) -> str:
    try:
        said = msgspec.json.decode(content)
    except msgspec.DecodeError:
        said = None
    if not isinstance(said, dict):
        return str(status)
    at = f" ({said['field']})" if said.get("field") else ""
    return f"{status} {said.get('detail', '')}{at}"


def center(url: str, token: str) -> Center:
    """Return what asks one center with one token; raise ``Misused`` without a token."""
    if not token:
        raise Misused("Name a token with --token or CYBERCOOP_TOKEN.")
    return Center(url, token)


def at(*parts: str) -> str:
    """Return a path; what people type stays one part of it."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
