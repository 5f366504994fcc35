"""What both versions of TAXII share: the library, kept on a leash.

``taxii2client`` has no time-outs and no limits, opens sessions of its own for every API root
that a server names, asks for the same page for ever when ``more`` comes without ``next``, and
raises whatever Python raises when an answer is not what it expects. So it gets our session, is
given one page at a time, and waits in a small pool of threads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

import requests
from taxii2client.common import _HTTPConnection  # type: ignore[import-untyped]
from taxii2client.exceptions import (  # type: ignore[import-untyped]
    AccessError,
    TAXIIServiceException,
)
from yarl import URL

from cybercoop import egress
from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor
from cybercoop.egress import Credentials, Fetched, Rules
from cybercoop.egress.blocking import Bridge, session
from cybercoop.egress.rules import is_same_origin
from cybercoop.errors import Forbidden, Malformed, Misused, Unreachable
from cybercoop.stix import times

T = TypeVar("T")

MOST_PAGES = 10_000  # of one run; the next one goes on from there
MOST_EMPTY = 10  # pages in a row that promise more and bring nothing

_TOLD = ("id", "title", "can_read", "can_write")
_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="taxii")
_SURPRISES = (
    TAXIIServiceException,
    requests.RequestException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Ask one server through the library; ``library`` is its module for one version."""

    source: Source
    library: ModuleType
    connection: Any
    bridge: Bridge

    async def ask(self, call: Callable[..., T], *args: Any, **options: Any) -> tuple[T, Fetched]:
        """Return what the library made of the answer, and the answer itself.

        Raise ``Malformed`` for what is no TAXII, ``Unreachable`` and ``Forbidden`` as egress does.
        """
        loop = asyncio.get_running_loop()
        try:
            made = await loop.run_in_executor(_POOL, lambda: call(*args, **options))
        except AccessError as error:
            msg = f"{self.source.name}: the server does not let us read this collection."
            raise Forbidden(msg) from error
        except requests.HTTPError as error:
            raise self.bridge.failure or self._malformed() from error
        except TimeoutError as error:
            msg = f"{self.source.name} did not answer in time."
            raise Unreachable(msg) from error
        except _SURPRISES as error:
            raise self._malformed() from error
        if self.bridge.last is None:
            raise self._malformed()
        return made, self.bridge.last

    async def collection(self) -> Any:
        """Return the library's collection that the source names, or the only one there is.

        A name may be an alias, which the library refuses, and what it stands for may change: the
        collection is asked for its id, and everything else goes by that.
        """
        root = await self._root()
        name = self.source.collection or await self._only(root)
        said = await self._document(f"{root}collections/{quote(name, safe='')}/")
        known = {"title": "-", "can_write": False, "can_read": True} | said
        told: dict[str, Any] = {field: known.get(field) for field in _TOLD}
        try:
            url = f"{root}collections/{quote(told['id'], safe='')}/"
            return self.library.Collection(url, conn=self.connection, collection_info=told)
        except _SURPRISES as error:
            raise self._malformed() from error

    async def _root(self) -> str:
        """Return the API root that the source names, or the one that its discovery does."""
        url = f"{self.source.url.removesuffix('/')}/"
        said = await self._document(url)
        roots = said.get("api_roots")
        if not isinstance(roots, list):
            return url
        default = said.get("default")
        named = [default] if default in roots else roots
        if len(named) != 1 or not isinstance(named[0], str):
            msg = f"{self.source.name} has {len(roots)} API roots; write one of them as url."
            raise Misused(msg)
        return self._own(url, named[0])

    def _own(self, url: str, named: str) -> str:
        try:
            root = urljoin(url, f"{named.removesuffix('/')}/")
            same = is_same_origin(URL(root), URL(url))
        except ValueError:
            raise self._malformed() from None
        if not same:
            msg = f"{self.source.name} names an API root of another server; write it as url."
            raise Forbidden(msg)
        return root

    async def _only(self, root: str) -> str:
        listed = (await self._document(f"{root}collections/")).get("collections", [])
        if not isinstance(listed, list):
            raise self._malformed()
        readable = [one for one in listed if isinstance(one, dict) and one.get("can_read") is True]
        if len(readable) != 1 or not isinstance(readable[0].get("id"), str):
            msg = f"{self.source.name} has {len(readable)} collections to read; name one of them."
            raise Misused(msg)
        return str(readable[0]["id"])

    async def _document(self, url: str) -> dict[str, Any]:
        said, _ = await self.ask(self.connection.get, url)
        if not isinstance(said, dict):
            raise self._malformed()
        return said

    def _malformed(self) -> Malformed:
        return Malformed(f"{self.source.name} does not answer as a TAXII server does.")

    def objects(self, said: Any) -> list[Any]:
        """Return the objects of a page; raise ``Malformed`` when it is none."""
        found = said.get("objects", []) if isinstance(said, dict) else None
        if not isinstance(found, list):
            raise self._malformed()
        return found


@asynccontextmanager
async def asking(
    source: Source,
    rules: Rules,
    credentials: Credentials | None,
    library: ModuleType,
    version: str,
) -> AsyncIterator[Asker]:
    """Lend an asker for ``source``; ``version`` is that of TAXII."""
    async with egress.opened(rules, credentials) as way:
        bridge = Bridge(way, asyncio.get_running_loop())
        connection = _HTTPConnection(version=version)
        connection.session = session(bridge)
        yield Asker(source, library, connection, bridge)


def added_after(collection: Any, cursor: Cursor) -> str:
    """Return the time that ``cursor`` remembers for this very collection, or nothing."""
    return _time(cursor.get("added_after")) if cursor.get("url") == collection.url else ""


def remember(collection: Any, moment: str) -> Cursor:
    """Return the cursor that goes on after ``moment``."""
    return {"url": collection.url, "added_after": moment}


def last_added(answer: Fetched, before: str) -> str:
    """Return when the newest object of a page was added, never earlier than ``before``."""
    return _later(_time(answer.headers.get("X-TAXII-Date-Added-Last")), before)


def surely_had(answer: Fetched, before: str) -> str:
    """Return the time up to which all is had although more pages follow.

    Objects come in the order in which they were added, and several may share one time, so a page
    may end among those of its last one. Those of its first are had if the last is another.
    """
    first = _time(answer.headers.get("X-TAXII-Date-Added-First"))
    last = last_added(answer, "")
    is_had = first and last and times.normal(first) < times.normal(last)
    return _later(first, before) if is_had else before


def _later(moment: str, before: str) -> str:
    if not moment or (before and times.normal(moment) <= times.normal(before)):
        return before
    return moment


def _time(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    try:
        times.normal(text)
    except ValueError:
        return ""
    return text
