"""Resolving: where a relationship or text counts, given what it refers to.

It takes the narrowest lock of itself and its ends and waits until they are released. Ends that
cannot be read and ends that are missing are answered alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any

import msgspec

from cybercoop.indicators import context, sameness
from cybercoop.indicators.sameness import APART, LOOP, WAITING, WAITS
from cybercoop.sharing import locks, narrowest, wider
from cybercoop.store import projection, references
from cybercoop.store.database import Connection
from cybercoop.store.projection import Place, Row

INCIDENTS = frozenset({context.INCIDENT})
RELATIONSHIPS = frozenset({"relationship"})
SIGHTINGS = frozenset({context.SIGHTING})
TEXTS = context.TEXTS - INCIDENTS
_ENDS = ("source_ref", "target_ref", "sighting_of_ref")

DEEPEST = 16
"""How far what is about others is followed in one cycle; real texts stand two or three deep."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Hold where a contribution counts now, or a note why nowhere, and the keys of its ends."""

    row: Row
    at_lock: str | None
    key: bytes | None
    note: str | None
    ends: Mapping[str, bytes | None]

    @property
    def left(self) -> Row | None:
        """Return the contribution as it counted where it went from, as one that tightened there.

        Nothing leads back there later, and why an end went is the same to those who read it there.
        What moves to a wider lock its readers find again.
        """
        lock, key = self.row.at_lock, self.row.key
        again = key == self.key and self.at_lock in wider(lock or "")
        if lock is None or key is None or again:
            return None
        return msgspec.structs.replace(self.row, latest=False, tightened=True)

    @property
    def moves(self) -> bool:
        """Say whether it counts at another place than before."""
        return (self.at_lock, self.key) != (self.row.at_lock, self.row.key)

    def as_move(self) -> dict[str, Any]:
        """Return what ``projection.move`` takes."""
        return {
            "b_seq": self.row.seq,
            "new_at_lock": self.at_lock,
            "new_key": self.key,
            "new_note": self.note,
        }

    def as_ends(self) -> list[dict[str, Any]]:
        """Return what ``references.remember_ends`` takes; what an end was is not forgotten."""
        known = {ref: key for ref, key in self.ends.items() if key is not None}
        return [{"b_seq": self.row.seq, "b_ref": ref, "key": key} for ref, key in known.items()]


@dataclass(frozen=True, slots=True)
class _Found:
    """Hold the places that given and released ids stand for, and which places are live.

    ``carried`` tells what still stands at released places that some of the rows may leave.
    """

    own: dict[tuple[str, str], Place]
    catalogue: Mapping[str, Sequence[Place]]
    released: Mapping[str, list[Place]]
    live: set[Place]
    carried: Mapping[Place | None, set[int]]

    def place(self, row: Row, ref: str) -> Place | None:
        """Return what ``ref`` means to the contributor of ``row``."""
        catalogue, own = self.listed(row, ref), self.own.get((row.org_id, ref))
        return catalogue or own or self._open(row, self.released.get(ref, ()))

    def listed(self, row: Row, ref: str) -> Place | None:
        """Return what a catalogue says of ``ref``, where all who may read ``row`` can read that."""
        return self._open(row, self.catalogue.get(ref, ()))

    def _open(self, row: Row, places: Iterable[Place]) -> Place | None:
        """Return a place that all who may read ``row`` can read, a live one first.

        Several locks may carry an observable, all by one key: its place does not tell which.
        """
        open_ones = [place for place in places if not locks.is_tighter(place[0], than=row.lock)]
        return min(open_ones, key=lambda place: place not in self.live, default=None)


def may_count(row: Row) -> bool:
    """Say whether a contribution counts, or will, where its ends let it.

    A text that was not cleared, an echo, what is set aside: these were told so and stay there.
    """
    return row.note is None or row.note in WAITING


def turn_of(row: Row) -> frozenset[str]:
    """Return the kinds with which a contribution is resolved: its own, or those of a later end.

    Where that is was not known before: a relationship about a report has its turn with reports.
    """
    kinds = {row.type}
    if row.type in RELATIONSHIPS | SIGHTINGS:
        body = row.body
        kinds |= {body[end].partition("--")[0] for end in _ENDS if end in body}
    last_first = (TEXTS, SIGHTINGS, RELATIONSHIPS)
    return next((one for one in last_first if one & kinds), INCIDENTS)


async def resolve(
    connection: Connection, rows: Sequence[Row], catalogues: frozenset[str]
) -> list[Resolved]:
    """Say for each contribution where it counts now.

    What another one refers to goes before that: where it stood until now, or that it stood nowhere
    while a newer version waited for this, says nothing of where it is.
    """
    ends = await references.ends_of(connection, [row.seq for row in rows])
    refs = {ref for some in ends.values() for ref in some}
    found = await _find(connection, sorted(refs), catalogues, rows)
    resolved: dict[int, Resolved] = {}
    for some in _in_turn(rows, ends, found):
        now = [_resolved(row, ends[row.seq], found) for row in some]
        resolved |= {one.row.seq: one for one in now}
        await _know(
            connection,
            found,
            [one for one in now if one.row.stix_id in refs or one.row.place in found.carried],
        )
    rings = [row for row in rows if row.seq not in resolved]
    resolved |= {row.seq: _waiting(row, _places(row, ends[row.seq], found)) for row in rings}
    return [resolved[row.seq] for row in rows]


def _in_turn(
    rows: Sequence[Row], ends: Mapping[int, Mapping[str, object]], found: _Found
) -> Iterator[Sequence[Row]]:
    """Yield the rows so that each comes after what it refers to, and none that wait for themselves.

    Those of a ring that only looked at each other would come and go by turns, for ever.
    """
    by_seq = {row.seq: row for row in rows}
    order = TopologicalSorter(_before(rows, ends, found))
    with suppress(CycleError):  # it goes on as far as it can all the same
        order.prepare()
    while ready := order.get_ready():
        yield [by_seq[seq] for seq in ready]
        order.done(*ready)


def _before(
    rows: Sequence[Row], ends: Mapping[int, Mapping[str, object]], found: _Found
) -> dict[int, list[int]]:
    """Return for each of the rows which of them say where it counts, by number."""
    given = defaultdict[tuple[str, str], list[int]](list)
    at = defaultdict[Place | None, list[int]](list)
    for row in rows:
        given[row.org_id, row.stix_id].append(row.seq)
        if row.place:
            at[row.place].append(row.seq)
    return {
        row.seq: [
            seq
            for ref in ends[row.seq]
            if not found.listed(row, ref)
            for seq in given.get((row.org_id, ref)) or at.get(found.place(row, ref), [])
        ]
        for row in rows
    }


async def _know(connection: Connection, found: _Found, resolved: Sequence[Resolved]) -> None:
    """Note where these count from now on, and whether something is live there."""
    for one in resolved:
        found.own.pop((one.row.org_id, one.row.stix_id), None)
        if one.at_lock is not None and one.key is not None:
            found.own[one.row.org_id, one.row.stix_id] = (one.at_lock, one.key)
        if one.moves and one.row.place in found.carried:
            found.carried[one.row.place].discard(one.row.seq)
    keys = {one.key for one in resolved if one.key is not None}
    found.live.update(await _live(connection, keys))
    found.live.difference_update(
        place for place, seqs in found.carried.items() if place and not seqs
    )


async def _live(connection: Connection, keys: AbstractSet[bytes]) -> set[Place]:
    heads = await projection.heads(connection, sorted(keys))
    return {(head.lock, head.key) for head in heads if not head.revoked}


async def _find(
    connection: Connection, refs: list[str], catalogues: frozenset[str], rows: Sequence[Row]
) -> _Found:
    own = await references.given(connection, catalogues | {row.org_id for row in rows}, refs)
    catalogue, released = defaultdict[str, list[Place]](list), defaultdict[str, list[Place]](list)
    for (org_id, ref), place in own.items():
        if org_id in catalogues:
            catalogue[ref].append(place)
    for stix_id, place in await references.released(connection, refs):
        released[stix_id].append(place)
    keys = {key for _, key in chain(own.values(), *released.values())}
    left = {row.place for row in rows if row.place} & {*chain(*released.values())}
    carried = await _carried(connection, left)
    return _Found(own, catalogue, released, await _live(connection, keys), carried)


async def _carried(
    connection: Connection, places: AbstractSet[Place]
) -> dict[Place | None, set[int]]:
    """Return what stands at each of these places, by number."""
    found = defaultdict[Place | None, set[int]](set)
    for row in await projection.candidates(connection, list({key for _, key in places})):
        if row.stands and row.place in places:
            found[row.place].add(row.seq)
    return found


def _resolved(row: Row, refs: Mapping[str, bytes | None], found: _Found) -> Resolved:
    places = _places(row, refs, found)
    waiting = _waiting(row, places)
    if not all(place in found.live for place in places.values()):
        return waiting
    if row.type == "relationship" and len({*waiting.ends.values()}) == 1:
        return replace(waiting, note=LOOP)
    lock = narrowest([row.lock, *(place[0] for place in places.values() if place)])
    if lock is None:
        return replace(waiting, note=APART)
    return Resolved(row, lock, _key(row, waiting.ends), None, waiting.ends)


def _waiting(row: Row, places: Mapping[str, Place | None]) -> Resolved:
    keys = {ref: place[1] if place else None for ref, place in places.items()}
    return Resolved(row, None, None, WAITS, keys)


def _places(row: Row, refs: Iterable[str], found: _Found) -> dict[str, Place | None]:
    return {ref: found.place(row, ref) for ref in refs}


def _key(row: Row, ends: Mapping[str, bytes | None]) -> bytes | None:
    """Return the key of what refers to others; None where that of an end was never known."""
    if row.type in context.TEXTS:
        return sameness.text_key(row.body, row.org_id)
    keys = {ref: key for ref, key in ends.items() if key is not None}
    if len(keys) < len(ends):
        return None
    if row.type == "relationship":
        return sameness.relationship_key(row.body, keys)
    return sameness.sighting_key(keys[row.body["sighting_of_ref"]])
