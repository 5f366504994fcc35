"""Looking values up: whether they are listed, since and until when, and what speaks against it.

A value that a person has in hand is found by the key of its pattern, under the keys of whoever
asks. What only covers it (a network around an address, a name above a name, the host of a URL)
blocks it as well at many devices, so that is looked up with it.
"""

import asyncio
import hashlib
import re
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cybercoop import guard
from cybercoop.collect.guarding import Guard
from cybercoop.collect.indicating import pattern_of
from cybercoop.collect.known import (
    Asker,
    Carrying,
    Cover,
    Exempted,
    Found,
    Listing,
    Lists,
    Objection,
    Pair,
    Stood,
)
from cybercoop.collect.reading import LINE_LIMIT, Value
from cybercoop.collect.recognising import recognised
from cybercoop.errors import Refused
from cybercoop.guard import Index, Level, Verdict
from cybercoop.guard.verdicts import OWN
from cybercoop.indicators.literals import quote
from cybercoop.members.assets import Asset, AssetKind, Exemption
from cybercoop.sharing import keys_of
from cybercoop.stix import times
from cybercoop.store import assets, device_feeds, releases
from cybercoop.store.database import Database

MOST = 10_000

_FAMILIES = {"ipv4": (socket.AF_INET, 32, 24), "ipv6": (socket.AF_INET6, 128, 48)}
"""Address family, bits, and the widest prefix that is released without a decision."""

_LEVELS = {"public": "clear", "community": "green", "group": "amber", "strict": "amber+strict"}
_COLUMNS = (
    *("key", "lock", "stix_id", "created", "date_added", "effective_until", "kind", "warned"),
    "bytes",
)
_HTTP = "http://"
_SCHEME = re.compile(r"\s*[A-Za-z]+(?:\[?:|:\[)").match


class _Release(msgspec.Struct, frozen=True):
    """Read of a release what tells who contributed and how sure it is."""

    confidence: int | None = None
    external_references: tuple[dict[str, Any], ...] = ()


_release = msgspec.json.Decoder(_Release).decode


async def look_up(
    database: Database, rules: Guard, lists: Lists, asker: Asker, values: Sequence[str]
) -> list[Found]:
    """Return what is known of each value, in their order, under the keys of the asker.

    One that cannot be read is answered with the reason; the others are looked up. ``lists`` is
    asked about the asker's own feeds, and about none that he may not see.
    """
    wide = frozenset(key for _, key in rules.released)
    read = await asyncio.to_thread(lambda: [_read(one, wide) for one in values])
    pairs = {key: pair for one in read for pair, key in (*one.meant, *one.covers)}
    async with database.read() as connection:
        rows = await releases.at_keys(connection, keys_of(asker.org), list(pairs), _COLUMNS)
        whose = sorted({asker.org.id, asker.center.org_id})
        exempted = await assets.exemptions(connection, whose, asker.now)
        own = await assets.all_of(connection, asker.org.id)
        feeds = await device_feeds.all_feeds(connection, asker.org.id)
        kept_off = [(one.kind, one.value) for one in exempted]
        carrying = await lists(connection, asker, rules, feeds, kept_off)
    standing = _standing(rows, pairs, asker.now)
    said = _Said(asker, rules, _own(own), _exempted(exempted, asker), standing, carrying)
    return await asyncio.to_thread(lambda: [said.of(one) for one in read])


Keyed = tuple[Pair, bytes]
"""A value, and the key of the pattern that looks for it."""


class _Read(msgspec.Struct, frozen=True, gc=False):
    """Hold one value as it was read: what it may be, and what may cover it."""

    asked: str
    reason: str = ""
    meant: tuple[Keyed, ...] = ()
    covers: tuple[Keyed, ...] = ()


@cache
def _head(kind: str) -> bytes:
    return b"stix\0" + pattern_of(Value("", kind, "")).removesuffix("'']").encode()


def key_of(pair: Pair) -> bytes:
    """Return the key of the pattern that looks for one value in normal form."""
    kind, value = pair
    return hashlib.sha256(_head(kind) + quote(value).encode() + b"]").digest()


def keys_for(kind: str, value: str) -> list[bytes]:
    """Return the keys of a value and of all that may cover it."""
    return [key for _, key in _keyed(((kind, value), *_covers(kind, value)))]


def _keyed(pairs: Iterable[Pair]) -> tuple[Keyed, ...]:
    return tuple([(pair, key_of(pair)) for pair in pairs])


def _read(asked: str, wide: frozenset[bytes]) -> _Read:
    if len(asked) > LINE_LIMIT:
        return _Read(asked[:LINE_LIMIT], f"The value is longer than {LINE_LIMIT} characters.")
    try:
        kind, value = recognised(asked)
    except Refused as refusal:
        return _Read(asked, refusal.reason)
    meant: tuple[Pair, ...] = ((kind, value),)
    if kind == "url" and value.startswith(_HTTP) and not _SCHEME(asked):
        # Whoever leaves the scheme out means the page under either.
        meant += ((kind, f"https://{value.removeprefix(_HTTP)}"),)
    covers = _keyed(_covers(kind, value))
    if wide:
        wider = _keyed(_covers(kind, value, wide=True))
        covers += tuple(one for one in wider if one[1] in wide)
    return _Read(asked, "", _keyed(meant), covers)


def _covers(kind: str, value: str, *, wide: bool = False) -> Iterator[Pair]:
    """Yield what covers a value, narrowest first; ``wide`` are networks that somebody decided on.

    All else of that width is never released, so nobody has to look for it.
    """
    if kind in {"ipv4", "ipv6"}:
        for network in _networks(kind, value, wide=wide):
            yield kind, network
    elif kind == "domain" and not wide:
        while "." in (value := value.partition(".")[2]):
            yield kind, value
    elif kind == "url" and (host := _host(value)) is not None:
        if not wide:
            yield host
        yield from _covers(*host, wide=wide)


def _host(url: str) -> Pair | None:
    """Return what the host of a URL is; None where it is a single word that nobody lists."""
    try:
        return recognised(urlsplit(url).hostname or "")
    except (Refused, ValueError):
        return None


def _networks(kind: str, value: str, *, wide: bool) -> Iterator[str]:
    address, _, prefix = value.partition("/")
    family, bits, narrow = _FAMILIES[kind]
    number = int.from_bytes(socket.inet_pton(family, address))
    last = int(prefix or bits)
    for length in range(min(narrow, last) - 1, 7, -1) if wide else range(last - 1, narrow - 1, -1):
        first = number >> (bits - length) << (bits - length)
        yield f"{socket.inet_ntop(family, first.to_bytes(bits // 8))}/{length}"


def _own(had: Iterable[Asset]) -> Index:
    entries: list[guard.Entry] = []
    for one in had:
        networks = [one.value] if one.kind is AssetKind.NETWORK else []
        names = [one.value] if one.kind is AssetKind.DOMAIN else []
        # What was fine when it was said may be a public suffix now.
        with suppress(Refused):
            entries += guard.own(networks, names)
    return guard.index_of(entries)


class _Exempted(NamedTuple):
    """Hold exceptions of one organisation, to be found by what they cover."""

    rules: Index
    by_id: Mapping[str, Exempted]


def _exempted(found: Iterable[Exemption], asker: Asker) -> list[_Exempted]:
    """Return the center's exceptions and the asker's own, each to be found by value."""
    whose: dict[str, list[Exemption]] = defaultdict(list)
    for one in found:
        whose[one.org_id].append(one)
    return [_findable(some, asker) for some in whose.values()]


def _findable(found: Sequence[Exemption], asker: Asker) -> _Exempted:
    entries = [
        rule._replace(verdict=Verdict(Level.NEVER, one.id, "", ""))
        for one in found
        for rule in guard.excepted([(one.kind, one.value)])
    ]
    told = {
        one.id: Exempted(
            one.id,
            one.value,
            "all" if one.org_id == asker.center.org_id else "own",
            one.reason,
            _moment(one.until),
        )
        for one in found
    }
    return _Exempted(guard.index_of(entries), told)


def _moment(micros: int | None) -> str | None:
    return None if micros is None else times.text(micros)


class _Stands(NamedTuple):
    """Hold one release that blocklists carry now: what is said of it, and what lists look at."""

    told: Listing
    stood: Stood | None


Standing = Mapping[bytes, tuple[_Stands, ...]]
"""What blocklists carry now, by the key of its pattern."""


def _standing(rows: Iterable[tuple[Any, ...]], pairs: Mapping[bytes, Pair], now: int) -> Standing:
    found: dict[bytes, list[_Stands]] = defaultdict(list)
    for key, lock, stix_id, created, added, until, kind, warned, raw in rows:
        if until is not None and until <= now:
            continue
        said = _release(raw)
        level, _, group = lock.partition(":")
        names = tuple(one["source_name"] for one in said.external_references)
        since, ends = times.text(created), _moment(until)
        told = Listing(stix_id, _LEVELS[level], since, ends, said.confidence, group, names)
        # A value that is too long for lists has no kind.
        stood = kind and Stood(
            *(*pairs[bytes(key)], lock, said.confidence or 0, created, added, until),
            *(stix_id, bool(warned), bytes(raw)),
        )
        found[bytes(key)].append(_Stands(told, stood))
    return {key: tuple(sorted(some, key=lambda one: one.told.id)) for key, some in found.items()}


@dataclass(frozen=True, slots=True)
class _Said:
    """Hold all that was found out for one asker, and put it together value by value."""

    asker: Asker
    rules: Guard
    own: Index
    exempted: Sequence[_Exempted]
    standing: Standing
    carrying: Carrying

    def of(self, read: _Read) -> Found:
        """Return what is known of one value."""
        if not read.meant:
            return Found(read.asked, listed=False, reason=read.reason)
        meant = [pair for pair, _ in read.meant]
        kind, value = meant[0]
        standing = self.standing
        stands = [one for _, key in read.meant for one in standing.get(key, ())]
        covers = tuple(
            Cover(*pair, tuple(one.told for one in standing[key]))
            for pair, key in read.covers
            if key in standing
        )
        return Found(
            read.asked,
            bool(stands),
            kind,
            value,
            listings=tuple(one.told for one in stands),
            covered_by=covers,
            guard=self._objection(meant),
            exceptions=tuple(self._exceptions(meant[0])),
            feeds=self.carrying(meant, [one.stood for one in stands if one.stood is not None]),
        )

    def _objection(self, meant: Sequence[Pair]) -> Objection | None:
        said = self.rules.of_values(meant)
        if said.level is Level.ALLOW:
            return None
        mine = guard.verdict_of(self.own, meant).rule in OWN
        if not mine and not self.asker.is_center:
            said = guard.as_others_see(said)
        return Objection(said.level.name.lower(), said.rule, said.reason_en, said.reason_de)

    def _exceptions(self, pair: Pair) -> Iterator[Exempted]:
        for some in self.exempted:
            told = some.by_id.get(some.rules.verdict(*pair).rule)
            if told is not None:
                yield told
