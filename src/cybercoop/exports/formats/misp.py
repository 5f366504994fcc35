"""A MISP feed: a manifest, events of one day and one marking each, and hashes to correlate.

Events are cut by the day of the first release, so that a change touches one small event and
MISP fetches no other. A value that is gone leaves its event; MISP keeps what it has fetched.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from cybercoop.exports.entries import KINDS, About, Entry
from cybercoop.exports.formats._lines import joined
from cybercoop.stix import times

__all__ = ["KINDS", "files"]

NAME = "misp"
TITLE_DE = "MISP-Feed"
TITLE_EN = "MISP feed"
MEDIA_TYPE = "application/json"
ENDING = ""

_FEEDS = uuid.UUID("5b0d3f0e-8c55-5a57-8f0c-1d1b4a6f2b90")
_SECOND = 1_000_000
_MOST = 20_000  # of the values of an event: MISP imports larger ones badly
_NETWORK, _PAYLOAD = "Network activity", "Payload delivery"
_TYPES = {
    "ipv4": ("ip-dst", _NETWORK),
    "ipv6": ("ip-dst", _NETWORK),
    "domain": ("domain", _NETWORK),
    "url": ("url", _NETWORK),
    "email": ("email-src", _PAYLOAD),
    "md5": ("md5", _PAYLOAD),
    "sha1": ("sha1", _PAYLOAD),
    "sha256": ("sha256", _PAYLOAD),
    "sha512": ("sha512", _PAYLOAD),
}
_encoded = msgspec.json.Encoder().encode


class _Attribute(msgspec.Struct, frozen=True, gc=False):
    uuid: str
    type: str
    category: str
    value: str
    to_ids: bool
    timestamp: str
    comment: str


def files(entries: Iterable[Entry], about: About) -> dict[str, Iterable[bytes]]:
    """Return the manifest, the hashes and every event by file name."""
    feed = uuid.uuid5(_FEEDS, about.zone)
    manifest: dict[str, Any] = {}
    events: dict[str, Iterable[bytes]] = {}
    hashes: list[str] = []
    for day, level, number, members in _cut(entries):
        event = str(uuid.uuid5(feed, f"{day}|{level}|{number}"))
        manifest[event] = head = _head(members, about, f"{about.title} {day}")
        events[f"{event}.json"] = _event(event, head, members, feed)
        hashes += (f"{_md5(entry.value)},{event}" for entry in members)
    return {"manifest.json": [_encoded(manifest)], "hashes.csv": joined(hashes), **events}


def _cut(entries: Iterable[Entry]) -> Iterator[tuple[str, str, int, Sequence[Entry]]]:
    """Yield day, TLP, part and entries of each event, all in one order for equal entries."""
    ordered = sorted(entries, key=lambda entry: (entry.since, entry.kind, entry.value))
    by_day = groupby(ordered, key=lambda entry: times.day_floor(entry.since))
    for start, of_day in by_day:
        levels: dict[str, list[Entry]] = {}
        for entry in of_day:
            levels.setdefault(entry.level, []).append(entry)
        for level, members in sorted(levels.items()):
            for number, first in enumerate(range(0, len(members), _MOST)):
                yield times.text(start)[:10], level, number, members[first : first + _MOST]


def _head(members: Sequence[Entry], about: About, info: str) -> dict[str, Any]:
    return {
        "info": info,
        "date": times.text(members[0].since)[:10],
        "timestamp": str(max(entry.changed for entry in members) // _SECOND),
        "analysis": "2",
        "threat_level_id": "4",
        "Orgc": {"name": about.center, "uuid": str(uuid.uuid5(_FEEDS, f"org|{about.center}"))},
        "Tag": [{"name": f"tlp:{members[0].level}"}],
    }


def _event(
    event: str, head: dict[str, Any], members: Sequence[Entry], feed: uuid.UUID
) -> Iterator[bytes]:
    """Yield one event when it is asked for: all at once would be a quarter of a gigabyte."""
    attributes = [_attribute(entry, feed) for entry in members]
    body = {"uuid": event, "published": True, "distribution": "0", **head}
    yield _encoded({"Event": {**body, "Attribute": attributes}})


def _attribute(entry: Entry, feed: uuid.UUID) -> _Attribute:
    type_, category = _TYPES[entry.kind]
    return _Attribute(
        name_based(feed, f"{entry.kind}|{entry.value}"),
        type_,
        category,
        entry.value,
        not entry.warned,
        str(entry.changed // _SECOND),
        f"confidence {entry.confidence}",
    )


def name_based(namespace: uuid.UUID, name: str) -> str:
    """Return ``str(uuid.uuid5(namespace, name))`` in a quarter of its time (RFC 9562, 5.5)."""
    text = hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
