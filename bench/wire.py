"""A light client: its own cost stands in both the measured time and the floor."""

import http.client
import json
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

TAXII = "application/taxii+json;version=2.1"
COLLECTIONS = "/taxii2/coop/collections"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer and how long it took, in seconds, from asking to the last byte."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)


class Line:
    """Hold one kept-alive connection to a server, as one reader or contributor."""

    def __init__(self, port: int, token: str | None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        expected: Container[int] = range(200, 300),
    ) -> Answer:
        """Send one request and take the whole answer; raise RuntimeError for another status."""
        headers = self._headers | ({"Content-Type": TAXII} if body is not None else {})
        start = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        answer = Answer(response.status, content, time.perf_counter() - start)
        if answer.status not in expected:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer

    def page(self, collection: str, **query: str) -> Answer:
        """Return one page of a collection."""
        said = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        return self.ask("GET", f"{COLLECTIONS}/{collection}/objects/?{said}")

    def walk(self, collection: str) -> Iterator[Answer]:
        """Yield all pages of a collection as an ordinary reader follows them."""
        answer = self.page(collection)
        yield answer
        while following := next_of(answer.body):
            answer = self.page(collection, next=following)
            yield answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def line(port: int, token: str | None = None) -> Iterator[Line]:
    """Lend a connection."""
    opened = Line(port, token)
    try:
        yield opened
    finally:
        opened.close()


def next_of(body: bytes) -> str | None:
    """Return where an envelope goes on; the server writes it before the objects."""
    head = body[: body.find(b'"objects"')]
    _, found, rest = head.partition(b'"next":"')
    return rest.partition(b'"')[0].decode() if found else None
