"""Asking a center over HTTP for commands: a request is repeated until it is answered."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from cybercoop import client
from cybercoop.client import Answer
from cybercoop.errors import Misused

Url = Annotated[str, typer.Option(envvar="CYBERCOOP_URL", help="Address of the center.")]
TokenText = Annotated[str, typer.Option(envvar="CYBERCOOP_TOKEN", help="A token of yours.")]
WritingToken = Annotated[
    str, typer.Option(envvar="CYBERCOOP_TOKEN", help="A token that may write.")
]
HOME = "http://127.0.0.1:8080"

_OURS = frozenset({"application/json", "application/pdf"})
_MOST_ON_PAGE = "1000"

Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Center:
    """Hold which center is asked, with which token."""

    url: str
    token: str

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return what the center shows; raise ``PushFailed`` with its reason."""
        return self.told("GET", path, None, **query)

    def fetched(self, path: str, **query: str) -> bytes:
        """Return the bytes of a file; raise ``PushFailed`` with the center's reason."""
        return asyncio.run(self._answered("GET", path, query, None)).content

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
        return self.told("POST", path, body, **query)

    def told(self, method: str, path: str, body: bytes | None, **query: str) -> dict[str, Any]:
        """Return what a center says to a request; raise ``PushFailed`` with its reason."""
        answer = asyncio.run(self._answered(method, path, query, body))
        return _Shown(client.shown(answer, self.url), self.url)

    async def _answered(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None
    ) -> Answer:
        headers = {} if body is None else {"Content-Type": "application/json"}
        if method != "GET":
            # The same key with every try: what was done the first time is not done again.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        url = f"{client.address(self.url)}/api/v1{path}"
        async with client.opened(self.token, **headers) as session:
            answer = await client.answered(session, method, url, query, body, "did not do it")
        if answer.kind not in _OURS:
            raise client.foreign(self.url)
        return answer


class _Shown(dict[str, Any]):
    """What a center shows; where a field is missing, something else has answered."""

    def __init__(self, said: Mapping[str, Any], url: str) -> None:
        super().__init__(said)
        self._url = url

    def __missing__(self, name: str) -> None:
        raise client.foreign(self._url)


def center(url: str, token: str) -> Center:
    """Return what asks one center with one token; raise ``Misused`` without a token."""
    if not token:
        raise Misused("Name a token with --token or CYBERCOOP_TOKEN.")
    return Center(url, token)


def at(*parts: str) -> str:
    """Return a path; what people type stays one part of it."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
