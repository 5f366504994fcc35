"""Who said what stands at a place: counted as merging counts, once for each organisation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cybercoop.indicators.merging import indicator_types
from cybercoop.sharing import wider
from cybercoop.store import firings
from cybercoop.store.database import Connection
from cybercoop.store.firings import Contributed

_LATER = 1_000_000
"""Microseconds by which the slot of a release may lie before what it was made of."""

Place = tuple[str, bytes]


async def said_at(
    connection: Connection, places: Sequence[Place]
) -> Mapping[Place, list[Contributed]]:
    """Return for each lock and key what counts there: the newest word of each organisation."""
    by_key: dict[bytes, list[Contributed]] = defaultdict(list)
    for one in await firings.contributed(connection, list({key for _, key in places})):
        by_key[one.key].append(one)
    return {(lock, key): _newest(by_key[key], lock) for lock, key in places}


def _newest(some: Iterable[Contributed], lock: str) -> list[Contributed]:
    readable = set(wider(lock))
    spots: dict[tuple[str, str], Contributed] = {}
    for one in sorted(some, key=lambda one: (one.modified, one.seq)):
        if one.at_lock in readable:
            spots[one.org_id, one.at_lock] = one
    newest: dict[str, Contributed] = {}
    for one in sorted(spots.values(), key=lambda one: (one.modified, one.seq)):
        if one.stands:
            newest[one.org_id] = one
    return list(newest.values())


def calls(some: Iterable[Contributed]) -> list[Contributed]:
    """Return the words that call a value bad, without the votes that it is harmless."""
    return [one for one in some if not _is_vote(one.bytes)]


def _is_vote(raw: bytes) -> bool:
    # To decode costs twenty times as much as to see that nothing can say so, escaped or not.
    if b"benign" not in raw and b"\\" not in raw:
        return False
    return "benign" in indicator_types(msgspec.json.decode(raw, type=dict))


def within(some: Iterable[Contributed], at: int, micros: int | None) -> list[Contributed]:
    """Return the words that were said in a window that ends when something was released."""
    since = 0 if micros is None else at - micros
    return [one for one in some if since < one.date_added <= at + _LATER]
