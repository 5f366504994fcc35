"""Which lists carry a value, for whoever looks it up: the very question that a build asks."""

from collections.abc import Mapping, Sequence
from functools import cache

from cybercoop.collect.device_feeds import kept_out, own_index
from cybercoop.collect.guarding import Guard
from cybercoop.collect.known import Asker, Carried, Carrying, Lists, Pair, Stood
from cybercoop.exports.cut import (
    NOT_RELEASED,
    ONLY_RESPONSES,
    OTHER_KIND,
    OTHER_LOCK,
    exceptions,
    level_of,
    why,
)
from cybercoop.exports.entries import Entry
from cybercoop.exports.serving import Shelf
from cybercoop.guard import Index
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.sharing import keys_of
from cybercoop.store import blocks, releases
from cybercoop.store.database import Connection

_MINUTE = 60_000_000

_Placed = tuple[Entry, str]
"""An entry, and the lock under which it stands."""

Last = tuple[int, int] | None
"""What ``cut.why`` asks for where a cut has a maximum."""


def lists(shelf: Shelf) -> Lists:
    """Return what looking up asks about feeds; builds at hand on ``shelf`` tell where they end."""
    found: dict[tuple[Cut, frozenset[str]], tuple[int, Last]] = {}

    async def last(connection: Connection, asker: Asker, feed: DeviceFeed) -> Last:
        if feed.cut.most is None:
            return None
        keys = keys_of(asker.org)
        record = shelf.record_of(feed.format, feed.cut, feed.cut.locks(keys))
        if record is not None:
            return record.last
        # Sorts all that the list could hold, a second for a million: not at every look-up.
        known = found.get((feed.cut, keys))
        if known is None or asker.now - known[0] > _MINUTE:
            end = await releases.last_listed(connection, keys, feed.cut, asker.now)
            known = found[feed.cut, keys] = (asker.now, end)
        return known[1]

    async def carrying(
        connection: Connection,
        asker: Asker,
        rules: Guard,
        feeds: Sequence[DeviceFeed],
        kept_off: Sequence[Pair],
    ) -> Carrying:
        lasts = {feed.id: await last(connection, asker, feed) for feed in feeds}
        blocked: dict[Pair, str] = {}
        if any(feed.responses for feed in feeds):
            rows = await blocks.in_force(connection, asker.org.id, asker.now)
            own = own_index(kept_off)
            pairs = {(row.kind, row.value) for row in rows}
            blocked = {pair: kept_out(rules, own, *pair).reason_en for pair in pairs}
        return _carrying(feeds, lasts, exceptions(kept_off), asker.now, blocked)

    return carrying


def _carrying(
    feeds: Sequence[DeviceFeed],
    lasts: Mapping[str, Last],
    index: Index | None,
    now: int,
    blocked: Mapping[Pair, str],
) -> Carrying:
    """Return what tells of single values; ``blocked`` are those of responses, with why not."""

    @cache
    def said(number: int, reason: str) -> Carried:
        feed = feeds[number]
        return Carried(feed.id, feed.title, listed=not reason, reason=reason)

    def of_feed(number: int, meant: Sequence[Pair], entries: Sequence[_Placed]) -> Carried:
        feed = feeds[number]
        if feed.responses:
            return said(number, _closest([_not_blocked(pair, blocked) for pair in meant]))
        last = lasts[feed.id]
        reasons = [why(feed, entry, lock, now, index, last) for entry, lock in entries]
        return said(number, _closest(reasons))

    @cache
    def taking(kind: str) -> frozenset[int]:
        """Return which feeds could list a kind: asked for each value, the others cost nothing."""
        return frozenset(number for number, feed in enumerate(feeds) if kind in feed.cut.kinds)

    def carried(meant: Sequence[Pair], stood: Sequence[Stood]) -> tuple[Carried, ...]:
        if not stood and not any(pair in blocked for pair in meant):
            return ()
        entries, fitting = [(_entry(one), one.lock) for one in stood], taking(meant[0][0])
        return tuple(
            [
                of_feed(number, meant, entries) if number in fitting else said(number, OTHER_KIND)
                for number in range(len(feeds))
            ]
        )

    return carried


def _not_blocked(pair: Pair, blocked: Mapping[Pair, str]) -> str | None:
    return blocked.get(pair, ONLY_RESPONSES) or None


def _closest(reasons: Sequence[str | None]) -> str:
    """Return why a value is not listed at any of several places; empty where it is at one."""
    if None in reasons:
        return ""
    if not reasons:
        return NOT_RELEASED
    if len(reasons) == 1:  # nearly always, and ten thousand times for each feed
        return str(reasons[0])
    return min((one for one in reasons if one), key=OTHER_LOCK.__eq__)


def _entry(one: Stood) -> Entry:
    said = (one.confidence, one.created, one.date_added, one.until, one.stix_id)
    return Entry(one.kind, one.value, *said, level_of(one.lock), one.warned, one.raw)
