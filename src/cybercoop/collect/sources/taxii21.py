"""A collection of a TAXII 2.1 server, page by page in the order in which objects were added."""

import hashlib
from collections.abc import AsyncGenerator
from typing import Any

from taxii2client import v21  # type: ignore[import-untyped]

from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion, _taxii
from cybercoop.egress import Credentials, Fetched, Rules
from cybercoop.errors import Malformed

NAME = "taxii21"
SNAPSHOT = False


async def fetch(
    source: Source, cursor: Cursor, rules: Rules, credentials: Credentials | None
) -> AsyncGenerator[Portion, None]:
    """Yield each page as the bytes of its envelope; raise ``Malformed`` when pages go in circles.

    The cursor is a time, never a server's ``next``: servers forget it, and some give the page
    after it to whoever asks a second time.
    """
    async with _taxii.asking(source, rules, credentials, v21, "2.1") as asker:
        collection = await asker.collection()
        had = newest = _taxii.added_after(collection, cursor)
        asked: dict[str, Any] = {"added_after": had}
        seen: set[bytes] = set()
        empty = 0
        for number in range(1, _taxii.MOST_PAGES + 1):
            page, answer = await asker.ask(collection.get_objects, limit=source.page_size, **asked)
            objects = asker.objects(page)
            newest, more = _taxii.last_added(answer, newest), page.get("more") is True
            had = _taxii.surely_had(answer, had) if more else newest
            name, remembered = f"page {number}", _taxii.remember(collection, had)
            data = answer.body if objects else b""
            yield Portion(name, data, remembered, not objects, content_type=answer.content_type)
            if not more:
                return
            empty = 0 if objects else empty + 1
            if _went_here(seen, asked, answer) or empty > _taxii.MOST_EMPTY:
                msg = f"{source.name} sends the same pages again and again."
                raise Malformed(msg)
            asked = _onward(source, asked, page.get("next"), newest)


def _went_here(seen: set[bytes], asked: dict[str, Any], answer: Fetched) -> bool:
    """Say whether this very page was had in this run, and remember it.

    A repeated ``next`` alone proves nothing: medallion gives one for all pages of a request.
    """
    question = asked.get("next", "").encode("utf-8", "surrogatepass")
    mark = hashlib.sha256(question + b"\0" + answer.body).digest()
    known = mark in seen
    seen.add(mark)
    return known


def _onward(source: Source, asked: dict[str, Any], after: Any, newest: str) -> dict[str, Any]:
    """Return how to ask for the next page: by ``next``, else by the newest time that was had."""
    if isinstance(after, str) and after:
        return asked | {"next": after}
    if newest == asked["added_after"]:
        msg = f"{source.name} promises more and does not say how to get it."
        raise Malformed(msg)
    return {"added_after": newest}
