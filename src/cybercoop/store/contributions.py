"""Contributions: what organisations gave, exact bytes, never changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    RowMapping,
    Select,
    Update,
    and_,
    bindparam,
    case,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    union,
    update,
)

from cybercoop.indicators.context import REFERRING
from cybercoop.indicators.sameness import WAITING
from cybercoop.members.organisations import Kind
from cybercoop.sharing import keys_of, locks
from cybercoop.store import bulk, members
from cybercoop.store.bulk import parts
from cybercoop.store.database import Connection
from cybercoop.store.paging import Filters, Page, page
from cybercoop.store.tables import clocks, contributions, ends, organisations, recompute

PENDING, ASIDE = 1, 2
REPLACED = "A later version replaced it and was deleted; send a newer one to release it again."
SENT = (
    "lock",
    "at_lock",
    "key",
    "counts",
    "tightened",
    "named",
    "with_text",
    "effective_until",
    "pending",
    "note",
    "push_id",
)
"""What changes when a contribution that stayed with its owner goes to others."""


class Known(msgspec.Struct, frozen=True, gc=False):
    """Hold what the store knows of one version of an object of this contributor."""

    seq: int
    stix_id: str
    spec_version: str
    modified: str
    version: str
    hash: bytes
    latest: bool
    revoked: bool
    lock: str
    key: bytes | None
    note: str | None


async def stamps(connection: Connection, org_id: str, now: int, count: int) -> int:
    """Return the first of ``count`` rising microseconds that are this contributor's alone.

    Holds the contributor's clock until commit, so that a later stamp never shows first.
    """
    name = f"org:{org_id}"
    query = select(clocks.c.last).where(clocks.c.name == name).with_for_update()
    last = (await connection.execute(query)).scalar_one()
    first: int = max(now, last + 1)
    await connection.execute(
        update(clocks).where(clocks.c.name == name).values(last=first + max(count - 1, 0))
    )
    return first


async def hold_projector(connection: Connection) -> None:
    """Keep the projector waiting until commit; whoever holds a contributor's clock has it before.

    For what a cycle writes, too: places that wait, what is held, and canaries.
    """
    query = select(clocks.c.last).where(clocks.c.name == "projector").with_for_update()
    await connection.execute(query)


async def start_clock(connection: Connection, name: str) -> None:
    """Give a contributor, or the projector, a clock."""
    await connection.execute(insert(clocks), {"name": name, "last": 0})


async def known(connection: Connection, org_id: str, ids: Sequence[str]) -> list[Known]:
    """Return every version that this contributor has of these ids."""
    c = contributions.c
    query = select(*(c[name] for name in Known.__struct_fields__)).where(
        c.org_id == org_id,
        c.stix_id.in_(bindparam("ids", expanding=True)),
        c.deleted == false(),
    )
    return [Known(*row) for row in await connection.execute(query, {"ids": list(ids)})]


async def statements(
    connection: Connection, org_id: str, keys: frozenset[str], ids: Iterable[str]
) -> frozenset[str]:
    """Return which of ``ids`` are markings that this contributor sent, or reads in a catalogue.

    What the center defines is one.
    """
    c = contributions.c
    o = organisations.c
    known = or_(o.catalogue == true(), o.kind == Kind.CENTER.value)
    trusted = select(o.id).where(or_(o.id == org_id, known))
    query = select(c.stix_id).where(
        c.org_id.in_(trusted),
        c.stix_id.in_(bindparam("ids", expanding=True)),
        c.type == "marking-definition",
        c.deleted == false(),
        or_(c.org_id == org_id, c.lock.in_(keys)),
    )
    found: set[str] = set()
    for part in parts(sorted(ids)):
        found.update((await connection.execute(query, {"ids": part})).scalars())
    return frozenset(found)


async def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember new contributions; every row carries every column but ``seq``."""
    await bulk.add(connection, contributions, rows)


async def send(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let contributions that stayed with their owner go to others: ``b_seq``, and all of SENT."""
    if rows:
        c = contributions.c
        mine = (c.seq == bindparam("b_seq")) & (c.deleted == false())
        await connection.execute(update(contributions).where(mine), list(rows))


async def supersede(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let older versions stop being the latest: ``b_seq``, ``tightened``, ``pending`` each."""
    if not rows:
        return
    c = contributions.c
    chosen = select(c.seq).where(c.seq.in_(bindparam("seqs", expanding=True))).order_by(c.seq)
    for part in parts(sorted(row["b_seq"] for row in rows)):
        await connection.execute(chosen.with_for_update(), {"seqs": part})
    # What another id of the same contributor had replaced may stand in earlier versions still.
    alive = c.note.is_distinct_from(REPLACED)
    for part in parts([row["b_seq"] for row in rows if row["tightened"]]):
        counting = update(contributions).where(c.seq.in_(part), alive)
        await connection.execute(counting.values(counts=True))
    await connection.execute(
        update(contributions)
        .where(c.seq == bindparam("b_seq"))
        .values(
            latest=False,
            tightened=c.tightened | (bindparam("tightened") & alive),
            pending=func.max(c.pending, bindparam("pending"))
            if connection.dialect.name == "sqlite"
            else func.greatest(c.pending, bindparam("pending")),
        ),
        list(rows),
    )


async def refer(
    connection: Connection, org_id: str, refs: Mapping[tuple[str, str], Sequence[str]]
) -> None:
    """Remember what new contributions refer to; ``refs`` goes by (id, modified)."""
    if not refs:
        return
    c = contributions.c
    query = select(c.seq, c.stix_id, c.modified).where(
        c.org_id == org_id,
        c.stix_id.in_(bindparam("ids", expanding=True)),
        c.deleted == false(),
    )
    rows = [
        {"seq": row.seq, "ref": ref, "key": None}
        for part in parts(sorted({stix_id for stix_id, _ in refs}))
        for row in (await connection.execute(query, {"ids": part})).all()
        for ref in dict.fromkeys(refs.get((row.stix_id, row.modified), ()))
    ]
    if rows:
        await connection.execute(insert(ends), rows)


async def read(
    connection: Connection, org_id: str, filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of an organisation's own contributions, verbatim."""
    return await page(connection, contributions.name, (org_id,), filters, tuple(columns))


async def delete(connection: Connection, org_id: str, stix_id: str, seqs: Sequence[int]) -> None:
    """Withdraw versions: they are gone for every reader, their owner included.

    A version that is the latest again counts nowhere: as with a withdrawal, what a later one had
    replaced goes along, also what waited for its ends. It might have stood under a wider lock; what
    a later one moved out of sight there is remembered, as no row tells of it any more.
    """
    c = contributions.c
    moved = select(c.at_lock, c.key).where(
        *(c.org_id == org_id, c.stix_id == stix_id, c.deleted == false()),
        c.tightened == true(),
    )
    if (await connection.execute(moved.limit(1))).first() is not None:
        await hold_projector(connection)
        await look_again(connection, moved.distinct(), shut=True)
    for part in parts(seqs):
        await connection.execute(
            update(contributions)
            .where(c.org_id == org_id, c.seq.in_(part))
            .values(deleted=True, latest=False, pending=_where_it_counts())
        )
    rest = select(c.seq).where(c.org_id == org_id, c.stix_id == stix_id, c.deleted == false())
    newest = rest.order_by(c.spec_version.desc(), c.modified.desc()).limit(1)
    again = update(contributions).where(c.seq == newest.scalar_subquery(), c.latest == false())
    told = {"counts": false(), "tightened": false(), "pending": PENDING, "note": REPLACED}
    ended = {name: case((counted(), value), else_=c[name]) for name, value in told.items()}
    place = c.at_lock, c.key, c.modified, c.seq, c.note
    now = (await connection.execute(again.values(latest=True, **ended).returning(*place))).first()
    # Only now: what was given since an earlier deletion was not replaced by anything.
    if now is not None and now.note == REPLACED:
        await connection.execute(_replaced_with(org_id, stix_id, now))


def _replaced_with(org_id: str, stix_id: str, one: Any) -> Update:
    """Let nothing count that an object had replaced before its version was replaced itself.

    A cycle in between would have seen to that; whether there was one must not matter.
    """
    c = contributions.c
    return (
        update(contributions)
        .where(
            *(c.key == one.key, c.at_lock == one.at_lock, c.counts == true()),
            *(c.org_id == org_id, c.stix_id != stix_id, c.tightened == false()),
            tuple_(c.modified, c.seq) < tuple_(literal(one.modified), literal(one.seq)),
        )
        .values(counts=False)
    )


async def unreleased(connection: Connection, org_id: str, limit: int) -> Sequence[RowMapping]:
    """Return own contributions that are kept but not released, newest first, with the reason.

    Nothing is said of what waits for something under a lock that the organisation cannot open:
    when that is released depends on others, whom it may not know of.
    """
    c = contributions.c
    keys = keys_of(await members.find(connection, org_id))
    query = (
        select(c.stix_id, c.version, c.lock, c.note)
        .where(c.org_id == org_id, c.latest == true(), c.deleted == false(), c.note.is_not(None))
        .where(c.seq.not_in(_depending(org_id, [*sorted(keys), locks.own(org_id)])))
        .order_by(c.date_added.desc())
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


def _depending(org_id: str, open_locks: Sequence[str]) -> CompoundSelect[Any]:
    """Select what waits for others and is, or refers to something own, under a closed lock."""
    c, end, other = contributions.c, ends.c, ends.alias()
    own = contributions.alias()

    def named(found: CTE) -> ColumnElement[bool]:
        mine = own.c.org_id == org_id, own.c.latest == true()
        return and_(own.c.stix_id == found.c.ref, *mine)

    waiting = c.org_id == org_id, c.latest == true(), c.note.is_not(None)
    first = select(c.seq, end.ref).join(ends, end.seq == c.seq).where(*waiting)
    found = first.cte("found", recursive=True)
    # Via what else of its own it refers to: a report may name a relationship, which has ends.
    further = select(found.c.seq, other.c.ref).join(own, named(found))
    found = found.union(further.join(other, other.c.seq == own.c.seq))
    itself = select(found.c.seq).join(contributions, c.seq == found.c.seq)
    return union(
        itself.where(c.lock.not_in(open_locks)),
        select(found.c.seq).join(own, named(found)).where(own.c.lock.not_in(open_locks)),
    )


def counted() -> ColumnElement[bool]:
    """Say whether a contribution counted somewhere, or waited for its ends to do so."""
    return or_(contributions.c.key.is_not(None), contributions.c.note.in_(sorted(WAITING)))


def undone(c: Any) -> ColumnElement[bool]:
    """Say of a deleted version whether it is as if it had never been given."""
    return and_(c.counts == false(), c.at_lock.is_(None))


async def withdraw(connection: Connection, org_id: str, stix_ids: Sequence[str]) -> None:
    """Withdraw all versions of these objects, as ``delete`` does for one."""
    c = contributions.c
    for part in parts(stix_ids):
        await connection.execute(
            update(contributions)
            .where(c.org_id == org_id, c.stix_id.in_(part), c.deleted == false())
            .values(deleted=True, latest=False, pending=_where_it_counts())
        )


async def withdraw_all(connection: Connection, org_id: str) -> None:
    """Withdraw everything that an organisation contributed, and all trace of it in releases."""
    await hold_projector(connection)
    c = contributions.c
    await connection.execute(
        update(contributions)
        # What was deleted before stands in earlier versions still.
        .where(c.org_id == org_id)
        .values(
            deleted=True, latest=False, tightened=True, pending=_where_it_may_have_counted(org_id)
        )
    )
    # An undone version stands nowhere any more, and one that was replaced counts no more.
    at = func.coalesce(c.at_lock, c.lock)
    places = select(at, c.key).where(c.org_id == org_id, at != locks.own(org_id)).distinct()
    await look_again(connection, places, shut=True)


async def look_again(
    connection: Connection, places: Select[Any] | CompoundSelect[Any], *, shut: bool = False
) -> None:
    """Let the places (lock, key) that a query finds wait for another look, once each.

    With ``shut``, what stood there must go out of sight then.
    """
    found = places.subquery()
    lock, key = found.columns
    waiting = select(recompute.c.lock, recompute.c.key)
    new = select(lock, key, literal(shut)).where(
        lock.is_not(None), key.is_not(None), tuple_(lock, key).not_in(waiting)
    )
    if shut:
        known = tuple_(recompute.c.lock, recompute.c.key).in_(select(lock, key))
        await connection.execute(update(recompute).where(known).values(shut=True))
    await connection.execute(insert(recompute).from_select(["lock", "key", "shut"], new))


def _where_it_counts() -> ColumnElement[int]:
    """Wake the projector for what counts somewhere; the rest changes nothing."""
    return case((contributions.c.at_lock.is_not(None), PENDING), else_=0)


def _where_it_may_have_counted(org_id: str) -> ColumnElement[int]:
    """Wake it for what referred to others, too: it may have lost its place with one of them."""
    c = contributions.c
    referred = and_(c.type.in_(sorted(REFERRING)), c.lock != locks.own(org_id))
    return case((referred, PENDING), else_=_where_it_counts())
