"""Which entries a list holds, and why it does not hold another: pure, and the same for both."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from cybercoop import guard
from cybercoop.exports import formats
from cybercoop.exports.entries import About, Entry, Level
from cybercoop.exports.formats import Format
from cybercoop.guard import Index
from cybercoop.guard.excepted import RULE
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.sharing import locks
from cybercoop.store import releases

EXCEPTED = "The value, or something that it would block along with it, is an exception."
OTHER_LOCK = "The feed lists another lock."
OTHER_KIND = "The feed lists no values of this kind."
NOT_RELEASED = "The feed lists what is released to its owner, and this is not."
ONLY_RESPONSES = "The feed lists what responses block, and this is not among it."

_DAY = 86_400_000_000
_encoded = msgspec.msgpack.Encoder().encode


LEVELS: tuple[Level, ...] = ("clear", "green", "amber", "amber+strict")


def level_of(lock: str) -> Level:
    """Return the TLP level that the releases of a lock are marked with."""
    if lock == locks.PUBLIC:
        return "clear"
    if lock == locks.COMMUNITY:
        return "green"
    return "amber" if lock.startswith("group:") else "amber+strict"


def zone_of(format_name: str, cut: Cut, *, responses: bool) -> str:
    """Return what devices call a list: the same for equal cuts, whoever asks and whenever.

    A name that changed with the keys of an organisation would have to be entered anew. What
    responses block is another list on the same device. No longer than 22 characters, which is what
    sets of the kernel take, so that no device knows it by another name.
    """
    said = msgspec.json.encode([format_name, cut])
    sort = cut.kinds[0] if len(cut.kinds) == 1 else "mixed"
    start = "coop-act" if responses else "coop"
    return f"{start}-{sort}-{hashlib.sha256(said).hexdigest()[:6]}"


def exceptions(pairs: Iterable[tuple[str, str]]) -> Index | None:
    """Return what finds entries that overlap excepted (kind, value) pairs; None for no pairs."""
    found = guard.excepted(pairs)
    return guard.index_of(found) if found else None


def is_excepted(index: Index | None, kind: str, value: str) -> bool:
    """Say whether listing a value would block something excepted."""
    return index is not None and index.verdict(kind, value).rule == RULE


@cache
def columns(format_: Format) -> frozenset[str]:
    """Return the columns of a release that make a difference to a format.

    Found out by trying every value that may, so that a format says nothing about it and a list of
    a million plain values is read without all that it never shows.
    """
    if format_.raw:
        return frozenset(releases.ENTRY)
    usual = _shown(format_)
    return frozenset(
        column
        for column, field, values in _TRIES
        if any(_shown(format_, **{field: value}) != usual for value in values)
    )


_TRIES: tuple[tuple[str, str, Sequence[Any]], ...] = (
    ("confidence", "confidence", range(101)),
    ("created", "since", (1, _DAY, 100 * _DAY)),
    ("date_added", "changed", (1, _DAY, 100 * _DAY)),
    ("stix_id", "stix_id", (f"indicator--{'b' * 36}",)),
    ("lock", "level", LEVELS),
    ("warned", "warned", (True,)),
)
_TRIED = {
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "domain": "a.example",
    "url": "http://a.example/",
    "email": "a@a.example",
    "md5": "0" * 32,
    "sha1": "0" * 40,
    "sha256": "0" * 64,
    "sha512": "0" * 128,
}


def _shown(format_: Format, **said: Any) -> list[bytes]:
    about = About("x", "x", 0, 0, "x")
    usual: dict[str, Any] = {"confidence": 0, "since": 0, "changed": 0, "until": None}
    usual |= {"stix_id": f"indicator--{'a' * 36}", "level": "clear"} | said
    some = [Entry(kind, _TRIED[kind], **usual) for kind in sorted(format_.kinds)]
    return [b"".join(pieces) for pieces in format_.files(some, about).values()]


def entries_of(rows: Iterable[Sequence[Any]], levels: Mapping[str, Level]) -> list[Entry]:
    """Return the entries of rows of ``store.releases.entries``; ``levels`` has one per lock.

    Where the format does not show the level the lock is empty.
    """
    # Positions, and nothing called: it runs a million times for one list.
    return [
        Entry(kind, value, confidence, since, changed, until, id_, levels[lock], warned == 1, raw)
        for kind, value, confidence, since, changed, until, id_, lock, warned, raw in rows
    ]


class Tally:
    """Count what becomes listed, while it does: how many, until when, and a digest of it all.

    ``last`` is confidence and change of the last entry within the maximum, once that is reached.
    """

    def __init__(self, cut: Cut) -> None:
        self._age = None if cut.age_days is None else cut.age_days * _DAY
        self._digest = hashlib.blake2b(digest_size=16)
        self._most = cut.most
        self.count = 0
        self.ends: int | None = None
        self.last: tuple[int, int] | None = None
        self.left_out: Counter[str] = Counter()

    def add(self, entries: Sequence[Entry]) -> None:
        """Count entries in."""
        if not entries:
            return
        self._digest.update(_encoded(entries))
        self.count += len(entries)
        if self.count == self._most:
            self.last = (entries[-1].confidence, entries[-1].changed)
        ends = [entry.until for entry in entries if entry.until is not None]
        if self._age is not None:
            ends.append(min(entry.changed for entry in entries) + self._age)
        if ends:
            self.ends = min(ends) if self.ends is None else min(self.ends, *ends)

    @property
    def digest(self) -> str:
        """Return what differs when anything of an entry differs, or their order."""
        return self._digest.hexdigest()


def listed(
    parts: Iterable[list[Entry]],
    format_: Format,
    cut: Cut,
    index: Index | None,
    tally: Tally,
) -> Iterator[Entry]:
    """Yield the entries of a list: without exceptions, at most ``most`` that the format carries."""
    for part in parts:
        entries = _without(part, index, tally)
        if cut.most is not None:
            entries = _fitting(entries, format_, tally)[: cut.most - tally.count]
        tally.add(entries)
        yield from entries
        if tally.count == cut.most:
            return


def _without(entries: list[Entry], index: Index | None, tally: Tally) -> list[Entry]:
    if index is None:
        return entries
    kept = [entry for entry in entries if not is_excepted(index, entry.kind, entry.value)]
    if len(kept) < len(entries):
        tally.left_out[EXCEPTED] += len(entries) - len(kept)
    return kept


def _fitting(entries: list[Entry], format_: Format, tally: Tally) -> list[Entry]:
    kept = []
    for entry in entries:
        reason = format_.unfit(entry)
        if reason is None:
            kept.append(entry)
        else:
            tally.left_out[reason] += 1
    return kept


def why(
    feed: DeviceFeed,
    entry: Entry,
    lock: str,
    now: int,
    index: Index | None = None,
    last: tuple[int, int] | None = None,
) -> str | None:
    """Return why ``feed`` does not list an entry that stands under ``lock``; None if it does.

    ``index`` holds the exceptions of the feed's owner and of the center, ``last`` is what
    ``store.releases.last_listed`` says where the cut has a maximum.
    """
    cut, format_ = feed.cut, formats.found()[feed.format]
    if entry.kind not in cut.kinds:
        return OTHER_KIND
    if entry.confidence < cut.least:
        return f"The confidence is {entry.confidence}; the feed asks for {cut.least}."
    if cut.lock is not None and cut.lock != lock:
        return OTHER_LOCK
    if entry.until is not None and entry.until <= now:
        return "The value is no longer valid."
    if cut.age_days is not None and entry.changed <= now - cut.age_days * _DAY:
        return f"The value has not changed for more than {cut.age_days} days."
    if is_excepted(index, entry.kind, entry.value):
        return EXCEPTED
    if last is not None and (entry.confidence, entry.changed) < last:
        return f"The feed lists the {cut.most} most important values, and this is not among them."
    return format_.unfit(entry)
