"""Intake: the one inner door for everything that comes in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cybercoop.collect.checking import (
    ACCEPTED,
    DUPLICATE,
    Draft,
    Rules,
    Verdict,
    check_all,
    refused,
)
from cybercoop.errors import Misused, Refused, Unauthenticated
from cybercoop.indicators import context
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.sharing import UNSAID, Addressed, keys_of, locks, locks_for, marking
from cybercoop.stix import schema, times
from cybercoop.stix.slices import cut
from cybercoop.store import contributions, members, releases, shutting
from cybercoop.store.contributions import Known
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center

_CHUNK = 1000
_STAYS = "It stays where it is; move it with a newer modified."
_STAYS_WITHOUT_VERSIONS = "It stays where it is; it has no versions, so delete it first to move it."
_OLDER = "What you gave before counts instead: a newer version, or one in a newer STIX."
_Row = dict[str, Any]
Record = Callable[[Connection, Sequence[Verdict]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Push:
    """Hold what a contributor says of a whole push.

    ``push_id`` names what was given together, so that it can be looked up and taken back.
    """

    addressed: Addressed = UNSAID
    named: bool = False
    with_text: bool = False
    dry_run: bool = False
    push_id: str | None = None


@dataclass(frozen=True, slots=True)
class _World:
    groups: Mapping[str, str]
    statements: frozenset[str]


class _Locked(msgspec.Struct, frozen=True, gc=False):
    draft: Draft
    lock: str


async def accept(
    database: Database,
    center: Center,
    contributor: Organisation,
    body: bytes,
    push: Push,
    now: int,
    record: Record | None = None,
) -> list[Verdict]:
    """Take an envelope or bundle in, and say of every object what became of it.

    What is accepted is durable when this returns; ``record`` may remember the verdicts in the
    same transaction. ``now`` is microseconds since 1970. Raises
    ``Malformed`` when no objects can be told apart, ``Misused`` for a group that the
    contributor cannot address, ``Unauthenticated`` when he has left meanwhile; single objects
    are refused, never raised.
    """
    checked = await _checked(contributor, body, push, now)
    async with database.read() as connection:
        locked = await _all_locked(connection, contributor, push, checked)
    if push.dry_run:
        async with database.read() as connection:
            return (await _plan(connection, center, contributor, locked, push)).verdicts
    async with database.write() as connection:
        verdicts = await _remember(connection, center, contributor, locked, push, now)
        if record is not None:
            await record(connection, verdicts)
    return verdicts


async def accept_within(
    connection: Connection,
    center: Center,
    contributor: Organisation,
    body: bytes,
    push: Push,
    now: int,
) -> list[Verdict]:
    """Take in as ``accept`` does, but as a part of a transaction that does more."""
    checked = await _checked(contributor, body, push, now)
    locked = await _all_locked(connection, contributor, push, checked)
    return await _remember(connection, center, contributor, locked, push, now)


async def _checked(
    contributor: Organisation, body: bytes, push: Push, now: int
) -> list[Draft | Verdict]:
    defines = contributor.kind is Kind.CENTER
    rules = Rules(now, contributor.catalogue, push.with_text, defines)
    # Both hold the processor for up to a second; in a thread of their own they let others in.
    envelope = await asyncio.to_thread(cut, body)
    return await asyncio.to_thread(check_all, envelope, rules)


async def _remember(
    connection: Connection,
    center: Center,
    contributor: Organisation,
    locked: Sequence[_Locked | Verdict],
    push: Push,
    now: int,
) -> list[Verdict]:
    first = await contributions.stamps(connection, contributor.id, now, len(locked))
    # Asked while the clock is held: whoever leaves takes it first, so nothing comes after him.
    if await members.has_left(connection, contributor.id):
        raise Unauthenticated("This organisation has left; nothing is taken from it any more.")
    plan = await _plan(connection, center, contributor, locked, push, first)
    await shutting.shut_ended(connection, contributor.id, plan.new, plan.known)
    await shutting.forget_ended(connection, contributor.id, plan.sent_seqs)
    await contributions.send(connection, plan.sent)
    await contributions.supersede(connection, plan.superseded)
    await contributions.add(connection, plan.rows)
    await contributions.refer(connection, contributor.id, plan.refs)
    return plan.verdicts


async def _all_locked(
    connection: Connection,
    contributor: Organisation,
    push: Push,
    checked: Sequence[Draft | Verdict],
) -> list[_Locked | Verdict]:
    world = await _world(connection, contributor, push, checked)
    return [_locked(one, contributor, push, world) for one in checked]


async def _world(
    connection: Connection,
    contributor: Organisation,
    push: Push,
    checked: Sequence[Draft | Verdict],
) -> _World:
    """Read which groups and markings the contributor can use."""
    all_groups = {group.marking_id: group.id for group in await members.all_groups(connection)}
    groups = {
        marking: group
        for marking, group in all_groups.items()
        if group in contributor.groups or contributor.kind is Kind.CENTER
    }
    if push.addressed.group not in {None, *groups.values()}:
        msg = f"The group {push.addressed.group!r} is not known; name one that you are in."
        raise Misused(msg)
    drafts = [one for one in checked if isinstance(one, Draft)]
    defined = {one.checked.id for one in drafts if one.checked.type == "marking-definition"}
    carried = {ref for one in drafts for ref in _marking_refs(one.body)}
    wanted = {ref for ref in carried - defined if not marking.is_level(ref)}
    known: frozenset[str] = frozenset()
    if wanted:
        keys = keys_of(contributor)
        known = await contributions.statements(connection, contributor.id, keys, wanted)
    # A foreign group's marking is as unknown as one that nobody ever made.
    return _World(groups, frozenset(defined | known) - all_groups.keys())


def _marking_refs(body: Mapping[str, Any]) -> list[str]:
    granular = [mark.get("marking_ref") for mark in body.get("granular_markings", ())]
    return [ref for ref in (*body.get("object_marking_refs", ()), *granular) if ref]


def _locked(
    one: Draft | Verdict, contributor: Organisation, push: Push, world: _World
) -> _Locked | Verdict:
    if isinstance(one, Verdict):
        return one
    try:
        lock = locks_for(one.body, contributor, push.addressed, world.groups, world.statements)
    except Refused as refusal:
        return refused(one.body, refusal)
    return _Locked(one, lock)


class _Plan:
    """Collect what one push changes, object by object, in the order given."""

    def __init__(self, contributor: Organisation, push: Push, known: Sequence[Known]) -> None:
        self.contributor, self.push, self.known = contributor, push, known
        self.verdicts: list[Verdict] = []
        self.rows: list[dict[str, Any]] = []
        self.superseded: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.sent_seqs: dict[str, int] = {}
        self.refs: dict[tuple[str, str], list[str]] = {}
        self.new: dict[str, str] = {}
        """The locks of versions that are the latest from now on, by id."""
        self._versions: dict[str, dict[str, Known | _Row]] = {}
        self._latest: dict[str, Known | _Row] = {}
        for one in known:
            self._versions.setdefault(one.stix_id, {})[one.modified] = one
            if one.latest:
                self._latest[one.stix_id] = one

    def add(self, locked: _Locked, stamp: int, *, echo: bool) -> None:
        """Decide on one object: accepted, known already, or in conflict with its own past."""
        draft = locked.draft
        checked = draft.checked
        versions = self._versions.setdefault(checked.id, {})
        modified = checked.modified or times.normal(times.text(stamp))
        version = checked.version or times.text(stamp)
        held = versions.get(modified)
        if checked.modified is None:
            same = (one for one in versions.values() if _hash(one) == draft.hash)
            held = next(same, held)
        if held is not None:
            self._repeat(locked, held, echo=echo)
            return
        row = versions[modified] = self._row(locked, stamp, modified, version, echo=echo)
        self._take_over(row)
        self.rows.append(row)
        self._accepted(draft, row)

    def _accepted(self, draft: Draft, row: _Row) -> None:
        if draft.standing.waits and row["note"] == draft.standing.note:
            self.refs[row["stix_id"], row["modified"]] = _waited_for(draft.body)
        stix_id, version = row["stix_id"], row["version"]
        if row["latest"]:
            self.new[stix_id] = row["lock"]
        reason = (row["note"] or "") if row["latest"] else _OLDER
        self.verdicts.append(Verdict(stix_id, version, ACCEPTED, reason, lock=row["lock"]))

    def _repeat(self, locked: _Locked, held: Known | _Row, *, echo: bool) -> None:
        """Decide on a version that was given before."""
        draft = locked.draft
        version = held.version if isinstance(held, Known) else held["version"]
        if _hash(held) != draft.hash:
            reason = "You gave this version with other content before; use a newer modified."
            self.verdicts.append(refused(draft.body, Refused(reason, "modified")))
            return
        latest = now = self._latest.get(draft.checked.id, held)
        stays = _STAYS_WITHOUT_VERSIONS
        if draft.checked.modified is not None:
            latest, stays = held, _STAYS if now is held else _OLDER
        # Without versions, what was said last counts, also where this was said before it.
        lock = latest.lock if isinstance(latest, Known) else latest["lock"]
        told = self.push.addressed != UNSAID or latest is not held
        kept = now is held and locks.is_own(lock) and lock != locked.lock
        if isinstance(held, Known) and told and kept:
            self._send(locked, held, echo=echo)
            return
        reason = stays if told and lock != locked.lock else ""
        self.verdicts.append(Verdict(draft.checked.id, version, DUPLICATE, reason, lock=lock))

    def _send(self, locked: _Locked, held: Known, *, echo: bool) -> None:
        """Let an unmarked version, which stayed with its owner, go where he wants it now.

        Only from there: what was released under a lock is known to its readers.
        """
        row = self._row(locked, 0, held.modified, held.version, echo=echo)
        self.sent.append({"b_seq": held.seq} | {name: row[name] for name in contributions.SENT})
        self.sent_seqs[held.stix_id] = held.seq
        now = msgspec.structs.replace(held, lock=row["lock"], key=row["key"])
        self._versions[held.stix_id][held.modified] = now
        self._latest[held.stix_id] = now
        self._accepted(locked.draft, row)

    def _row(self, locked: _Locked, stamp: int, modified: str, version: str, *, echo: bool) -> _Row:
        draft, checked = locked.draft, locked.draft.checked
        standing, lock, note = draft.standing, locked.lock, locked.draft.standing.note
        if echo:
            note = "It came from the center; it is kept, but neither counted nor released again."
        elif locks.is_own(lock):
            note = "It carries no marking and stays with you; mark it, or push it with --tlp."
        counted = note is None and standing.key is not None
        return {
            "org_id": self.contributor.id,
            "date_added": stamp,
            "stix_id": checked.id,
            "type": checked.type,
            "spec_version": checked.spec_version,
            "modified": modified,
            "version": version,
            "latest": True,
            "deleted": False,
            "revoked": bool(draft.body.get("revoked", False)),
            "hash": draft.hash,
            "bytes": draft.raw,
            "lock": lock,
            "at_lock": lock if counted else None,
            "key": standing.key if counted else None,
            "counts": True,
            "tightened": False,
            "named": self.push.named or self.contributor.named,
            "with_text": self.push.with_text,
            "effective_until": draft.effective_until,
            "pending": 1 if counted or (standing.waits and note == standing.note) else 0,
            "note": note,
            "push_id": self.push.push_id,
        }

    def _take_over(self, row: _Row) -> None:
        """Let the newest version of an id be the latest; an older one comes too late to count."""
        held = self._latest.get(row["stix_id"])
        if held is None:
            self._latest[row["stix_id"]] = row
            return
        old = held if isinstance(held, dict) else _facts(held)
        if (row["spec_version"], row["modified"]) < (old["spec_version"], old["modified"]):
            row |= {"latest": False, "at_lock": None}
            return
        self._latest[row["stix_id"]] = row
        tightened = locks.is_tighter(row["lock"], than=old["lock"])
        moved = (row["lock"], row["key"]) != (old["lock"], old["key"])
        if isinstance(held, dict):
            old |= {"latest": False, "tightened": old["tightened"] or tightened}
        else:
            pending = contributions.PENDING if moved and not locks.is_own(old["lock"]) else 0
            self.superseded.append({"b_seq": held.seq, "tightened": tightened, "pending": pending})
        if tightened:
            self._shut_earlier(row, held)

    def _shut_earlier(self, row: _Row, latest: Known | _Row) -> None:
        """Let all that earlier versions said go along where ``row`` moves out of sight."""
        for one in self._versions[row["stix_id"]].values():
            lock = one.lock if isinstance(one, Known) else one["lock"]
            if one is row or one is latest or locks.is_own(lock):
                continue
            if not locks.is_tighter(row["lock"], than=lock):
                continue
            if isinstance(one, Known):
                shut = {"b_seq": one.seq, "tightened": True, "pending": contributions.PENDING}
                self.superseded.append(shut)
            else:
                one |= {"tightened": True}


def _waited_for(body: Mapping[str, Any]) -> list[str]:
    """Return the ids that have to be released first; where something was seen goes nowhere."""
    if body["type"] == context.SIGHTING:
        return [body["sighting_of_ref"]]
    return schema.refs_of(dict(body))


def _hash(held: Known | _Row) -> bytes:
    return held.hash if isinstance(held, Known) else held["hash"]


def _facts(known: Known) -> dict[str, Any]:
    return {
        "spec_version": known.spec_version,
        "modified": known.modified,
        "lock": known.lock,
        "key": known.key,
    }


async def _plan(
    connection: Connection,
    center: Center,
    contributor: Organisation,
    locked: Sequence[_Locked | Verdict],
    push: Push,
    first: int = 0,
) -> _Plan:
    ids = list(dict.fromkeys(one.draft.checked.id for one in locked if isinstance(one, _Locked)))
    known: list[Known] = []
    echoes: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        known += await contributions.known(connection, contributor.id, part)
        # Released ids are UUIDv5; asking only for those spares the usual push a look-up.
        ours = [one for one in part if one[-22] == "5"]
        if ours:
            echoes |= await releases.readable(connection, keys_of(contributor), ours)
    # Who used an id before he could read it goes on with his own object; else those who cannot
    # read the release would learn from his next version that there is one.
    echoes -= {one.stix_id for one in known if one.key is not None}
    plan = _Plan(contributor, push, known)
    for number, one in enumerate(locked):
        if isinstance(one, Verdict):
            plan.verdicts.append(one)
        else:
            echo = contributor.id != center.org_id and (
                one.draft.checked.id in echoes
                or one.draft.body.get("created_by_ref") == center.identity_id
            )
            plan.add(one, first + number, echo=echo)
    return plan
