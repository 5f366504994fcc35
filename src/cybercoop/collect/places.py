"""Places: what stands at one lock and key, what it says together, and what is to change there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from cybercoop.collect.writing import Change, digest_of, released_id
from cybercoop.indicators import context
from cybercoop.indicators.merging import merge_indicator
from cybercoop.indicators.sameness import sighting_key
from cybercoop.indicators.statements import Content, Statement
from cybercoop.sharing import wider
from cybercoop.store.members import Center
from cybercoop.store.projection import Claim, Head, Place, Row

Standing = Mapping[bytes, list[Row]]
"""Standing contributions by key, under any lock."""


Merged = Mapping[Place, tuple[str, Content | None]]
"""Type and content of what stands at each place; None where nothing does."""


@dataclass(frozen=True, slots=True)
class Surrounding:
    """Hold what merging needs besides the contributions themselves.

    ``names`` maps organisations to name and whether they are a catalogue, ``ends`` maps rows to
    the keys of what they refer to, ``live`` maps places to the ids released there.
    """

    center: Center
    names: Mapping[str, tuple[str, bool]]
    ends: Mapping[int, Mapping[str, bytes | None]] = field(default_factory=dict)
    live: Mapping[Place, str] = field(default_factory=dict)


def refers(row: Row | Claim, names: Mapping[str, tuple[str, bool]]) -> bool:
    """Say whether a contribution waits for what it refers to; a catalogue's never does."""
    return row.type in context.REFERRING and not names[row.org_id][1]


def sift(rows: Iterable[Row]) -> tuple[Standing, list[int]]:
    """Return what stands by key, and the rows that something newer at their place replaces.

    Per contributor, lock and key the newest decides: when it is withdrawn, the older ones went
    along, for publishers make new ids for the same value. Of one id the latest version goes first,
    whatever came later in 2.0 or was deleted: what only waited until then was not replaced by it.
    """
    versions, older = _newest(rows, _ID, _VERSION)
    newest, replaced = _newest(versions, _SPOT, _MODIFIED)
    standing = defaultdict(list)
    for row in newest:
        if row.stands and row.key is not None:
            standing[row.key].append(row)
    return standing, older + replaced


_SPOT = attrgetter("org_id", "at_lock", "key")
_ID = attrgetter("org_id", "at_lock", "key", "stix_id")
_MODIFIED = attrgetter("modified", "seq")
_VERSION = attrgetter("latest", "spec_version", "modified", "seq")


def _newest(
    rows: Iterable[Row], spot_of: Callable[[Row], object], order_of: Callable[[Row], Any]
) -> tuple[Iterable[Row], list[int]]:
    """Return the newest row of each spot, and the others."""
    newest: dict[object, Row] = {}
    others = []
    for row in rows:
        held = newest.setdefault(spot_of(row), row)
        if held is row:
            continue
        if order_of(row) > order_of(held):
            newest[spot_of(row)] = row
            others.append(held.seq)
        else:
            others.append(row.seq)
    return newest.values(), others


def with_narrower(places: Iterable[Place], standing: Standing) -> list[Place]:
    """Return the places, and those of the same keys whose releases draw on them; sorted."""
    found = set(places)
    for lock, key in places:
        for row in standing.get(key, ()):
            if row.at_lock is not None and lock in wider(row.at_lock):
                found.add((row.at_lock, key))
    return sorted(found)


def merged_at(place: Place, standing: Standing, around: Surrounding) -> tuple[str, Content | None]:
    """Return the type and the content of what stands at a place; None where nothing does."""
    lock, key = place
    readable = set(wider(lock))
    mine = [row for row in standing.get(key, ()) if row.at_lock in readable]
    if not mine:
        return "", None
    kind = mine[0].type
    if kind == "indicator" and not around.names[mine[0].org_id][1]:
        sightings = standing.get(sighting_key(key), ())
        seen_by = {row.org_id for row in sightings if row.at_lock in readable}
        said = [_statement(row, around.names[row.org_id][0]) for row in mine]
        return kind, merge_indicator(said, lock, seen_by)
    return kind, _merged(lock, mine, around)


def change_at(
    place: Place,
    kind: str,
    content: Content | None,
    rows: list[Row],
    head: Head | None,
    center: Center,
    *,
    shut: bool = False,
) -> Change | None:
    """Return what is to happen at one place, or None when all is as it should be.

    ``shut`` says that what stood there must go out of sight, whatever its rows tell of that.
    """
    shut = shut or _lost_sight(rows, place[0]) or _abandoned(head, rows)
    if content is None:
        if head is None or (head.revoked and not shut):
            return None
        return Change(place, head.type, head, None, head.stix_id, head.generation, b"", shut)
    digest = digest_of(content)
    alive = head is not None and not head.revoked
    if head is not None and alive and head.digest == digest:
        as_listed = (head.effective_until, head.kind) == (content.effective_until, content.kind)
        if as_listed and not shut:
            return None
        return Change(place, kind, head, content, head.stix_id, 0, digest, shut)
    generation = 1 if head is None else head.generation + (0 if alive else 1)
    stix_id = content.own_id or released_id(center, kind, place, generation)
    return Change(place, kind, head, content, stix_id, generation, digest, shut)


def drawing(
    places: set[Place],
    heads: Iterable[Place],
    rows: Mapping[bytes, list[Row]],
    shut: AbstractSet[Place],
) -> set[Place]:
    """Return where earlier versions may say what left ``places`` for a narrower lock.

    That is told by its rows, or by the place having been ``shut``.
    """
    moved = {row.place for some in rows.values() for row in some if row.tightened}
    left = {place for place in places if place in moved or place in shut}
    return {head for head in heads if draws(head, left)} if left else set()


def draws(place: Place, places: AbstractSet[Place]) -> bool:
    """Say whether what stands at a place comes from one of ``places``."""
    return bool(places) and any((one, place[1]) in places for one in wider(place[0]))


def _lost_sight(rows: list[Row], lock: str) -> bool:
    """Say whether readers of a lock lost sight of what a release under it says, or said.

    Releases draw on wider locks, too. What moved from one of these to where the same readers
    find it again is not lost.
    """
    if not any(row.tightened for row in rows):
        return False
    here = [row for row in rows if row.at_lock in wider(lock)]
    found = {(row.org_id, row.stix_id) for row in here if row.stands}
    return any(
        row.at_lock == lock or (row.org_id, row.stix_id) not in found
        for row in here
        if row.tightened
    )


def _abandoned(head: Head | None, rows: list[Row]) -> bool:
    """Say whether all that counted at a live release left it while its end waited for its turn."""
    if head is None or head.revoked or head.type not in context.REFERRING:
        return False
    return all(row.at_lock != head.lock for row in rows)


def _merged(lock: str, rows: list[Row], around: Surrounding) -> Content | None:
    statements = [_statement(row, around.names[row.org_id][0]) for row in rows]
    kind = rows[0].type
    if around.names[rows[0].org_id][1] or kind in context.DEFINITIONS:
        return context.merge_catalogue(statements, lock)
    if kind in context.NAMED:
        return context.merge_named(statements, lock)
    if kind == "relationship":
        return context.merge_relationship(statements, lock, _released(lock, rows, around))
    if kind == context.SIGHTING:
        return context.merge_sighting(statements, lock, _released(lock, rows, around))
    if kind in context.TEXTS:
        return context.merge_text(statements, lock, _released(lock, rows, around))
    return context.merge_observable(statements, lock)


def _released(lock: str, rows: list[Row], around: Surrounding) -> context.Released:
    """Map what each contribution refers to onto released ids, the narrowest that all may read."""
    return {(row.modified, row.seq): _ends(lock, row, around) for row in rows}


def _ends(lock: str, row: Row, around: Surrounding) -> dict[str, str]:
    found: dict[str, str] = {}
    for ref, key in around.ends.get(row.seq, {}).items():
        ids = [around.live.get((one, key)) for one in wider(lock) if key is not None]
        narrowest = next((one for one in ids if one is not None), None)
        if narrowest is not None:
            found[ref] = narrowest
    return found


def _statement(row: Row, name: str) -> Statement:
    return Statement(
        org_id=row.org_id,
        org_name=name,
        lock=row.at_lock or row.lock,
        place=(row.modified, row.seq),
        body=row.body,
        raw=row.bytes,
        spec_version=row.spec_version,
        named=row.named,
        with_text=row.with_text,
        effective_until=row.effective_until,
    )
