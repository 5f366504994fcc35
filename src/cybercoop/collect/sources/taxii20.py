"""A collection of a TAXII 2.0 server: pages are ranges of its objects (section 3.4)."""

import hashlib
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus

from taxii2client import v20  # type: ignore[import-untyped]

from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion, _taxii
from cybercoop.egress import Credentials, Fetched, Rules
from cybercoop.errors import Malformed, Unreachable

NAME = "taxii20"
SNAPSHOT = False

_RANGE = re.compile(r"items ([0-9]{1,12})-([0-9]{1,12})/(?:([0-9]{1,12})|\*)").fullmatch


async def fetch(
    source: Source, cursor: Cursor, rules: Rules, credentials: Credentials | None
) -> AsyncGenerator[Portion, None]:
    """Yield each page as the bytes of its bundle; raise ``Malformed`` when pages repeat."""
    async with _taxii.asking(source, rules, credentials, v20, "2.0") as asker:
        collection = await asker.collection()
        first = had = newest = _taxii.added_after(collection, cursor)
        start, before = 0, b""
        for number in range(1, _taxii.MOST_PAGES + 1):
            try:
                said, answer = await asker.ask(
                    collection.get_objects,
                    start=start,
                    per_request=source.page_size,
                    added_after=first,
                )
            except Unreachable as error:
                if error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
                # Where the length was not said the end shows itself like this.
                yield Portion(f"page {number}", b"", _taxii.remember(collection, newest), True)
                return
            page, _ = await asker.ask(said.json)
            objects = asker.objects(page)
            newest, more = _taxii.last_added(answer, newest), _has_more(answer, start, len(objects))
            had = _taxii.surely_had(answer, had) if more else newest
            data = answer.body if objects else b""
            yield Portion(
                f"page {number}",
                data,
                _taxii.remember(collection, had),
                not objects,
                content_type=answer.content_type,
            )
            if not more:
                return
            digest = hashlib.sha256(answer.body).digest()
            if digest == before:
                msg = f"{source.name} sends the same page again and again."
                raise Malformed(msg)
            start, before = start + len(objects), digest


def _has_more(answer: Fetched, start: int, count: int) -> bool:
    """Say whether the range that came ends before the collection does.

    A server that knows no ranges sends all of it without Content-Range.
    """
    found = _RANGE(answer.headers.get("Content-Range", ""))
    if found is None or not count:
        return False
    total = found[3]
    return total is None or start + count < int(total)
