"""Which lists carry a value, for whoever looks it up: the very question that a build asks."""

from collections.abc import Mapping, Sequence
from functools import cache

from cybercoop.collect.known import Asker, Carried, Carrying, Lists, Pair, Stood
from cybercoop.exports.cut import OTHER_LOCK, exceptions, level_of, why
from cybercoop.exports.entries import Entry
from cybercoop.exports.serving import Shelf
from cybercoop.guard import Index
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.sharing import keys_of
from cybercoop.store import releases
from cybercoop.store.database import Connection

_MINUTE = 60_000_000

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
        connection: Connection, asker: Asker, feeds: Sequence[DeviceFeed], kept_off: Sequence[Pair]
    ) -> Carrying:
        lasts = {feed.id: await last(connection, asker, feed) for feed in feeds}
        return _carrying(feeds, lasts, exceptions(kept_off), asker.now)

    return carrying


def _carrying(
    feeds: Sequence[DeviceFeed], lasts: Mapping[str, Last], index: Index | None, now: int
) -> Carrying:
    @cache
    def said(number: int, reason: str) -> Carried:
        feed = feeds[number]
        return Carried(feed.id, feed.title, listed=not reason, reason=reason)

    def carried(stood: Sequence[Stood]) -> tuple[Carried, ...]:
        if not stood:
            return ()
        entries = [(_entry(one), one.lock) for one in stood]
        told = []
        for number, feed in enumerate(feeds):
            last = lasts[feed.id]
            reasons = [why(feed, entry, lock, now, index, last) for entry, lock in entries]
            told.append(said(number, _closest(reasons)))
        return tuple(told)

    return carried


def _closest(reasons: Sequence[str | None]) -> str:
    """Return why a value is not listed at any of several places; empty where it is at one."""
    if None in reasons:
        return ""
    if len(reasons) == 1:  # nearly always, and ten thousand times for each feed
        return str(reasons[0])
    return min((one for one in reasons if one), key=OTHER_LOCK.__eq__)


def _entry(one: Stood) -> Entry:
    said = (one.confidence, one.created, one.date_added, one.until, one.stix_id)
    return Entry(one.kind, one.value, *said, level_of(one.lock), one.warned, one.raw)
