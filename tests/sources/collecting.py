"""What tests of sources share: a definition, and a collection from it."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec

from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion, kinds
from cybercoop.egress import Credentials, Rules


def source(kind: str, url: str = "", **more: Any) -> Source:
    """Return a definition of a source on this machine."""
    said = {
        "name": "test",
        "title": "Test",
        "kind": kind,
        "url": url,
        "licence": "CC0-1.0",
        "terms": "none",
        "attribution": "nobody",
        "tlp": "green",
        "confidence": 50,
        "schedule": "every 1h",
        "internal": True,
        "allow_http": True,
    }
    return msgspec.convert(said | more, Source)


async def collect(
    one: Source,
    rules: Rules,
    cursor: Cursor | None = None,
    *,
    credentials: Credentials | None = None,
    until: Callable[[Portion], bool] = lambda _: False,
) -> list[Portion]:
    """Return all portions, or those up to the first for which ``until`` holds.

    Every cursor goes through JSON, as a database would do it.
    """
    known = msgspec.json.decode(msgspec.json.encode(cursor or {}))
    got = []
    async with aclosing(kinds()[one.kind].fetch(one, known, rules, credentials)) as portions:
        async for portion in portions:
            got.append(portion)
            if until(portion):
                break
    return got
