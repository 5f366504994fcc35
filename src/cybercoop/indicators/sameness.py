"""Sameness: the key that two contributions share when they say the same.

Keys are 32 bytes. Indicators are the same by the normal form of their pattern, observables by
their deterministic id, malware, tools, actors and techniques by type and name, relationships by
their kind and ends, objects of a catalogue by their id.
"""

import hashlib
import unicodedata
from typing import Any

import msgspec

from cybercoop.errors import Refused
from cybercoop.indicators import patterns
from cybercoop.indicators.context import NAMED, REFERRING, TEXTS
from cybercoop.indicators.observables import contributing, deterministic_id

WAITS = "It waits until everything that it refers to is released to all who may read it."
APART = "What it refers to is under locks that no reader is sure to hold together."
LOOP = "Both of its ends are the same here, so there is nothing between them."
_EARLIER = "It waits until everything that it refers to is released."
"""What was said of those that waited here before the reason named the readers."""

WAITING = frozenset({WAITS, APART, LOOP, _EARLIER})
"""What is said of a relationship or text that its ends keep from being released."""

_UNLIFTED = "A STIX 2.0 {} cannot be lifted to 2.1 without inventing {}; send it as STIX 2.1."
_INVENTED = {"malware": "is_family", "observed-data": "observables with ids", "report": None}


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Hold where an object counts: its key and kind, or a note why it is only kept."""

    key: bytes | None
    note: str | None = None
    kind: str | None = None
    waits: bool = False


def standing(
    body: dict[str, Any], spec_version: str, *, catalogue: bool, with_text: bool
) -> Standing:
    """Say where an object counts; raise ``Refused`` for a pattern that cannot be read."""
    kind = body["type"]
    if kind == "indicator":
        return _of_indicator(body, spec_version, catalogue=catalogue)
    if catalogue:
        return Standing(_hash("catalogue", body["id"]))
    if spec_version == "2.0" and _INVENTED.get(kind):
        return Standing(None, _UNLIFTED.format(kind, _INVENTED[kind]))
    if kind in TEXTS and not with_text:
        return Standing(None, "Its text was not cleared; push it with --with-text to release it.")
    if kind in REFERRING:
        return Standing(None, WAITS, waits=True)
    if kind in NAMED and not _plain(body.get("name", "")):
        return Standing(None, f"A {kind} without a name is kept, but not released.")
    if kind in NAMED:
        return Standing(_hash(kind, _plain(body["name"])))
    return _of_observable(body)


def _of_observable(body: dict[str, Any]) -> Standing:
    kind = body["type"]
    try:
        properties = contributing(body)
    except Refused as refusal:
        return Standing(None, refusal.reason)
    if properties is None:
        return Standing(None, f"Objects of type {kind} are kept, but not released.")
    return Standing(_hash("observable", deterministic_id(kind, properties)))


def _of_indicator(body: dict[str, Any], spec_version: str, *, catalogue: bool) -> Standing:
    version = body.get("pattern_version") or ("2.0" if spec_version == "2.0" else None)
    pattern = patterns.canonical(body["pattern"], body.get("pattern_type", "stix"), version)
    if catalogue:
        return Standing(_hash("catalogue", body["id"]), kind=pattern.kind)
    return Standing(pattern.key, kind=pattern.kind)


def relationship_key(body: dict[str, Any], ends: dict[str, bytes]) -> bytes:
    """Return the key of a relationship whose ends have the keys given by their ids."""
    source, target = ends[body["source_ref"]], ends[body["target_ref"]]
    return _hash("relationship", body["relationship_type"], source.hex(), target.hex())


def sighting_key(seen: bytes) -> bytes:
    """Return the key of sightings of what has the key ``seen``."""
    return hashlib.sha256(b"sighting\0" + seen).digest()


def text_key(body: dict[str, Any], org_id: str) -> bytes:
    """Return the key of a report or note: nobody else's is the same."""
    return _hash("text", org_id, body["id"])


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _hash(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
