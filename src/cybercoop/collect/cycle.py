"""One cycle of the projector: from pending contributions to releases.

Everything happens in one transaction. What stands alone comes first, then relationships, then
texts, so that ends are released before what refers to them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cybercoop.collect.canary import Canary
from cybercoop.collect.guarding import TYPES, Guard, held_by, labelled
from cybercoop.collect.places import (
    Merged,
    Standing,
    Surrounding,
    change_at,
    drawing,
    draws,
    merged_at,
    refers,
    sift,
    with_narrower,
)
from cybercoop.collect.resolving import (
    DEEPEST,
    INCIDENTS,
    RELATIONSHIPS,
    SIGHTINGS,
    TEXTS,
    Resolved,
    may_count,
    resolve,
    turn_of,
)
from cybercoop.collect.writing import Change, earlier_ids, row_of
from cybercoop.guard import Level
from cybercoop.guard.excepted import RULE
from cybercoop.indicators.sameness import sighting_key
from cybercoop.members.organisations import Group
from cybercoop.sharing import stamps
from cybercoop.sharing.stamps import SLOT
from cybercoop.store import guarding, projection, references
from cybercoop.store.database import Connection
from cybercoop.store.guarding import Held
from cybercoop.store.members import Center
from cybercoop.store.projection import Claim, Place, Row


class Cycle:
    """Hold what one cycle knows while its transaction is open."""

    def __init__(
        self,
        connection: Connection,
        center: Center,
        slot: int,
        groups: list[Group],
        names: dict[str, tuple[str, bool]],
        guard: Guard,
    ) -> None:
        self.connection, self.center, self.slot, self.names = connection, center, slot, names
        self.guard = guard
        self._markings = {group.id: group.marking_id for group in groups}
        self._lanes = stamps.lanes({group.id: group.lane for group in groups})
        self._used: dict[str, int] = defaultdict(int)
        self._changed: list[bytes] = []
        self._excepted: set[Place] = set()
        self._stopped = set(guard.stopped)
        self._shared: set[str] = set()
        self._moved: set[str] = set()
        self._later: set[int] = set()
        self._shut: set[Place] = set()
        self._refers: bool | None = None

    async def run(self, claims: list[Claim], queued: list[Place]) -> None:
        """Project ``claims`` and look again at ``queued`` places."""
        self._shut = await projection.unqueue(self.connection, queued)
        ids = list({row.stix_id for row in claims})
        # What refers to others is settled in its turn and not before: until a new version has
        # found its place the old one's would look empty, and the release would get another id.
        turns = {one.seq for one in claims if refers(one, self.names)}
        later = _places(one for one in claims if one.seq in turns)
        alone = _places(one for one in claims if one.seq not in turns)
        await self._settle(alone | (set(queued) - later))
        # An incident refers to nothing, and relationships may end in it.
        await self._refer(INCIDENTS, claims, ids)
        late = [
            row
            for kinds in (RELATIONSHIPS, SIGHTINGS, TEXTS)
            for row in await self._refer_in_turn(kinds, claims, ids)
        ]
        await projection.done(self.connection, [row.seq for row in claims])
        await projection.wake(self.connection, [row.seq for row in late if row.stands])

    async def _refer_in_turn(
        self, kinds: frozenset[str], claims: list[Claim], ids: list[str]
    ) -> list[Row]:
        """Resolve as ``_refer`` does; return what had its turn and refers to what changed.

        A text about a text that has just come, or gone, is looked at in the next cycle.
        """
        before = len(self._changed)
        moved = await self._refer(kinds, claims, ids)
        changed = self._changed[before:]
        if not (moved or changed):
            return []
        turned = {RELATIONSHIPS: RELATIONSHIPS, SIGHTINGS: RELATIONSHIPS | SIGHTINGS}
        return await references.referring(self.connection, moved, changed, turned.get(kinds))

    async def _refer(self, kinds: frozenset[str], claims: list[Claim], ids: list[str]) -> list[str]:
        """Resolve what refers to others, and settle where it counted and where it counts now.

        Returns the ids of what found another place: nobody knew it by that before.
        """
        rows = await self._in_turn(kinds, claims, {*ids, *self._shared, *self._moved})
        if not rows:
            return []
        catalogues = frozenset(org_id for org_id, (_, catalogue) in self.names.items() if catalogue)
        standing = [row for row in rows.values() if row.stands and may_count(row)]
        resolved = await resolve(self.connection, standing, catalogues)
        touched = _places(rows.values())
        if kinds == SIGHTINGS:
            touched |= await self._seen([*rows.values()], resolved)
        await projection.move(self.connection, [one.as_move() for one in resolved])
        left = [one.left for one in resolved if one.left]
        await projection.tighten(self.connection, [row.seq for row in left], tightened=False)
        await references.remember_ends(
            self.connection, [end for one in resolved for end in one.as_ends()]
        )
        after = {(one.at_lock, one.key) for one in resolved if one.at_lock and one.key}
        await self._settle(touched | after, left)
        moved = [one.row.stix_id for one in resolved if one.moves]
        self._moved.update(moved)
        return moved

    async def _in_turn(
        self, kinds: frozenset[str], claims: list[Claim], asked: set[str]
    ) -> dict[int, Row]:
        """Return what has its turn: new, or about what changed or has one of the ids ``asked``.

        What is about one of them comes along, so that it moves in one cycle with it, whatever
        else, which its readers may not know of, would have made anybody look at it.
        """
        claimed = [one.seq for one in claims if one.type in kinds and refers(one, self.names)]
        mine, self._later = {*claimed, *self._later}, set()
        found = await projection.rows(self.connection, sorted(mine))
        found += await references.referring(self.connection, [*asked], [*self._changed])
        rows: dict[int, Row] = {}
        for _ in range(DEEPEST):
            able = [(turn_of(row), row) for row in found if refers(row, self.names)]
            new = {row.seq: row for turn, row in able if turn == kinds}
            self._later |= {
                row.seq
                for turn, row in able
                if turn != kinds and (row.type in kinds or row.seq in mine)
            }
            rows |= new
            ids = {row.stix_id for row in new.values()} - asked
            if not ids:
                break
            asked |= ids
            found = await references.referring(self.connection, [*ids], [])
        return rows

    async def _seen(self, rows: list[Row], resolved: list[Resolved]) -> set[Place]:
        """Return the indicators whose confidence depends on these sightings, before and now.

        Asked before the new ends are remembered, or nobody knew where they counted.
        """
        before = await references.ends_of(self.connection, [row.seq for row in rows])
        counted = [(row.at_lock, before[row.seq]) for row in rows]
        counts = [(one.at_lock, one.ends) for one in resolved]
        return {
            (lock, key)
            for lock, ends in counted + counts
            for ref, key in ends.items()
            # Nothing else has a confidence, and of the rest some have their turn later.
            if lock and key and ref.startswith("indicator--")
        }

    async def _settle(self, places: set[Place], left: Iterable[Row] = ()) -> None:
        """Bring the releases at ``places``, and at narrower ones of their keys, up to date.

        What ``left`` its place is not found there again: should it become narrower, no word of it
        may be left, so earlier versions go now.
        """
        keys = list({key for _, key in places})
        if not keys:
            return
        by_key: dict[bytes, list[Row]] = defaultdict(list)
        seen = [sighting_key(key) for key in keys] if await self._anything_refers() else []
        for row in await projection.candidates(self.connection, keys + seen):
            by_key[row.key or b""].append(row)
        rows = [row for some in by_key.values() for row in some]
        standing, losers = sift(rows)
        for row in left:
            by_key[row.key or b""].append(row)
        heads = {
            (head.lock, head.key): head for head in await projection.heads(self.connection, keys)
        }
        around = await self._surrounding(standing)
        todo = sorted(
            {*with_narrower(places, standing), *drawing(places, heads, by_key, self._shut)}
        )
        merged = {place: merged_at(place, standing, around) for place in todo}
        guarded = await self._guarded(merged)
        changes = [
            change
            for place, (kind, content) in guarded.items()
            if (
                change := change_at(
                    place,
                    kind,
                    content,
                    by_key[place[1]],
                    heads.get(place),
                    self.center,
                    shut=draws(place, self._shut),
                )
            )
        ]
        self._shut.difference_update(merged)
        await self._write(changes)
        await projection.discount(self.connection, losers)
        shut = [row.seq for row in rows if row.tightened and row.place in merged]
        await projection.tighten(self.connection, shut, tightened=False)

    async def _guarded(self, merged: Merged) -> Merged:
        """Leave out what the guard holds, and put that into the review queue."""
        found, held = dict(merged), dict[Place, Held]()
        for place, (kind, content) in merged.items():
            if content is None or kind not in TYPES:
                continue
            verdict = self.guard.verdict(place, kind, content)
            if verdict.level >= Level.HOLD:
                found[place] = (kind, None)
                held[place] = held_by(place, kind, content, verdict)
                self._excepted |= {place} if verdict.rule == RULE else set()
            elif verdict.level is Level.WARN:
                found[place] = (kind, labelled(content, verdict))
        known = await guarding.at(self.connection, list({key for _, key in merged}))
        new = [one for place, one in held.items() if known.get(place) != one.rule]
        await guarding.hold(self.connection, new, self.center.secret, self.slot * SLOT)
        gone = [place for place in known if place in merged and place not in held]
        await guarding.let_go(self.connection, gone)
        return found

    async def _anything_refers(self) -> bool:
        """Say whether there are relationships, sightings or texts at all."""
        if self._refers is None:
            self._refers = await references.anything_refers(self.connection)
        return self._refers

    async def _surrounding(self, standing: Standing) -> Surrounding:
        referring = [
            row.seq for rows in standing.values() for row in rows if refers(row, self.names)
        ]
        if not referring:
            return Surrounding(self.center, self.names)
        ends = await references.ends_of(self.connection, referring)
        keys = list({key for refs in ends.values() for key in refs.values() if key})
        heads = await projection.heads(self.connection, keys)
        live = {(head.lock, head.key): head.stix_id for head in heads if not head.revoked}
        return Surrounding(self.center, self.names, ends, live)

    async def _write(self, changes: list[Change]) -> None:
        """Write changes lock by lock, stamped in the order of their ids."""
        changes = [
            await self._renewed(one) if one.shut and one.keeps_version else one
            for one in await self._plausible(changes)
        ]
        same = [one for one in changes if one.keeps_version]
        ending = [one for one in changes if one.ends_without_version]
        fresh = [one for one in changes if not (one.keeps_version or one.ends_without_version)]
        rows, late = [], set()
        for change in sorted(fresh, key=lambda one: (one.place[0], one.stix_id)):
            stamp = self._stamp(change.place[0])
            if stamp is None:
                late.add(change.place)
            else:
                rows.append(await self._row(change, stamp))
        written = [one for one in (*fresh, *ending) if one.place not in late]
        outdated = {one.head.date_added: one.comes_back for one in written if one.head}
        await projection.outdate(self.connection, outdated)
        await projection.release(self.connection, rows)
        await projection.prolong(self.connection, [one.as_prolonging() for one in same])
        for change in changes:
            if change.shut or change.ends_without_version:
                ids = earlier_ids(self.center, change)
                await projection.purge(self.connection, change.place[0], ids)
        await self._queue([one for one in changes if one.place in late])
        changed = [one for one in written if one.appears_or_ends]
        self._changed += {one.place[1] for one in changed}
        # Whoever has never seen it released refers to an observable by its deterministic id.
        self._shared |= {one.stix_id for one in changed if one.has_shared_id}

    async def _queue(self, changes: Sequence[Change]) -> None:
        """Let changes wait; nothing that stands at their places may tell by then what was shut."""
        shut = {one.place for one in changes if one.shut}
        await projection.queue(self.connection, {one.place for one in changes}, shut)

    async def _renewed(self, change: Change) -> Change:
        """Return a change that writes a version where the one that stands tells too much.

        What alone makes no new version may still come from what moved to a narrower lock.
        """
        content, head = change.content, change.head
        if content is None or head is None or not content.passing:
            return change
        said = msgspec.json.decode(await projection.release_bytes(self.connection, head.date_added))
        if all(said.get(name) == content.body.get(name) for name in content.passing):
            return change
        return msgspec.structs.replace(change, generation=head.generation)

    async def _plausible(self, changes: list[Change]) -> list[Change]:
        """Return the changes of locks that do not stand still; the others wait.

        What the center excepted ends all the same: firewalls that read TAXII block it until then.
        """
        by_lock: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            if change.place not in self._excepted:
                by_lock[change.place[0]].append(change)
        canary = Canary(self.connection, self.slot * SLOT)
        kept = [one for one in changes if one.place in self._excepted]
        for lock, some in sorted(by_lock.items()):
            # What refers to others has its turn later, but the lock stands still by then.
            if lock in self._stopped or await canary.stops(lock, some):
                self._stopped.add(lock)
                await self._queue(some)
            else:
                kept += some
        return kept

    def _stamp(self, lock: str) -> int | None:
        """Return the next stamp of a lock in this slot, or None when the slot is full."""
        lane, number = self._lanes[lock], self._used[lock]
        if number >= lane.capacity:
            return None
        self._used[lock] += 1
        return lane.stamp(self.slot, number)

    async def _row(self, change: Change, stamp: int) -> dict[str, Any]:
        before = None
        if change.content is None and change.head is not None:
            before = await projection.release_bytes(self.connection, change.head.date_added)
        return row_of(change, stamp, self.center, self._markings, before)


def _places(rows: Iterable[Row | Claim]) -> set[Place]:
    return {(row.at_lock, row.key) for row in rows if row.at_lock and row.key}
