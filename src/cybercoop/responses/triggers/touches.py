"""What touches something that a county has: its networks, names, or software.

Networks and names of counties are never released as something to block: the guard keeps them back.
What it keeps back is the news here, for it says that somebody saw an attack from a county. Whoever
else learns of it learns it from a person: such a rule only proposes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from cybercoop.indicators.watched import watched
from cybercoop.members.assets import Asset, AssetKind
from cybercoop.responses.triggers import Condition, Given, Happened, Met, Scene
from cybercoop.responses.triggers._places import said_at
from cybercoop.responses.triggers.release import subject_of
from cybercoop.store import assets, firings

NAME = "touches"
SOURCE = "projector"
GIVES = frozenset({"value", "kind", "name", "id"})
TOUCHES = True

_TYPES = ("software", "vulnerability", "malware", "tool", "infrastructure", "report", "note")
_TEXTS = ("name", "description", "abstract", "content")
_WORDS = re.compile(r"\w+")
_SHORTEST = 4
_LONGEST = 6
"""Words of a product's name; shorter names are words of every text, longer ones of none."""


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name which things count; without any all do."""

    assets: tuple[AssetKind, ...] = ()


class Thing(Struct, frozen=True):
    """Hold what may touch something: where it stands, its values, and its words."""

    lock: str
    key: bytes
    values: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()


def check(_: When) -> None:
    """Take every choice of things."""


async def happened(
    scene: Scene, _: Mapping[str, When], after: int, until: int, most: int
) -> tuple[list[tuple[Happened, Thing]], int]:
    """Return what was released with a name or a text, and what the guard kept back."""
    rows = await firings.released(scene.connection, _TYPES, after, until, most)
    far = rows[-1].date_added if len(rows) == most else until
    found = []
    for row in rows:
        body = msgspec.json.decode(row.bytes, type=dict[str, Any])
        gives: dict[str, Given] = {"id": row.stix_id, "name": body.get("name")}
        subject = subject_of(None, row.stix_id)
        event = Happened(subject=subject, lock=row.lock, at=row.date_added, gives=gives)
        found.append((event, Thing(row.lock, row.key, (), _words_of(body))))
    for held in await firings.held(scene.connection, after, far):
        values = watched(held.value) if held.value.startswith("[") else ((held.kind, held.value),)
        gives = {"kind": held.kind, "value": held.value}
        subject = subject_of(held.kind, held.value)
        event = Happened(subject=subject, lock=held.lock, at=held.held_at, gives=gives, shy=True)
        found.append((event, Thing(held.lock, held.key, tuple(values))))
    return sorted(found, key=lambda one: one[0].at), far


def _words_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    texts = (str(body.get(name) or "").casefold() for name in _TEXTS)
    return tuple(word for text in texts for word in (*_WORDS.findall(text), ""))


async def met(scene: Scene, when: When, events: Sequence[tuple[Happened, Thing]]) -> list[Met]:
    """Return what touches something, with whose it is; that is for the center alone."""
    had = await assets.all_of(scene.connection, None)
    wanted = [one for one in had if not when.assets or one.kind in when.assets]
    products = _products(wanted)
    said = await said_at(scene.connection, [(one.lock, one.key) for _, one in events])
    found = []
    for event, thing in events:
        hit = [*_products_in(thing, products), *_places_of(thing, wanted)]
        if not hit:
            continue
        orgs = tuple(sorted({one.org_id for one in hit if one.org_id in scene.organisations}))
        names = sorted({f"{one.kind.value} {one.value}" for one in hit})
        touched = msgspec.structs.replace(event, touched=orgs, inner={"assets": names})
        by = {one.org_id for one in said[thing.lock, thing.key]}
        own = "Only the center itself says so." if by == {scene.center_id} else ""
        held = Condition("assets", [one.value for one in when.assets], names)
        found.append(Met(event=touched, held=(held,), own=own))
    return found


def _products(had: Iterable[Asset]) -> dict[tuple[str, ...], list[Asset]]:
    found: dict[tuple[str, ...], list[Asset]] = defaultdict(list)
    for one in had:
        if one.kind is AssetKind.SOFTWARE and len(one.value) >= _SHORTEST:
            found[tuple(_WORDS.findall(one.value.casefold()))].append(one)
    return found


def _products_in(thing: Thing, products: Mapping[tuple[str, ...], list[Asset]]) -> Iterator[Asset]:
    """Yield the software whose whole name stands in a text, each word after the other."""
    if not products:
        return
    for start in range(len(thing.words)):
        for length in range(1, _LONGEST + 1):
            yield from products.get(thing.words[start : start + length], ())


def _places_of(thing: Thing, had: Iterable[Asset]) -> Iterator[Asset]:
    if not thing.values:
        return
    spans = [span for kind, value in thing.values if (span := _network(kind, value))]
    names = [name for kind, value in thing.values if (name := _name(kind, value))]
    for one in had:
        if one.kind is AssetKind.NETWORK:
            own = ip_network(one.value, strict=False)
            if any(_overlap(span, own) for span in spans):
                yield one
        elif one.kind is AssetKind.DOMAIN:
            own_name = one.value
            if any(name == own_name or name.endswith(f".{own_name}") for name in names):
                yield one


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def _network(kind: str, value: str) -> IPv4Network | IPv6Network | None:
    host = _host(value) if kind == "url" else value
    try:
        return ip_network(host, strict=False) if kind in {"ipv4", "ipv6", "url"} else None
    except ValueError:
        return None


def _name(kind: str, value: str) -> str:
    if kind == "url":
        return _host(value)
    if kind == "email":
        return value.rpartition("@")[2]
    return value if kind == "domain" else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say what touches something, and not whose that is."""
    what = gives.get("value") or gives.get("name") or gives.get("id")
    return (
        f"Etwas im Bestand eines Landkreises betrifft {what}.",
        f"Something that a county has is touched by {what}.",
    )
