"""Pushes: what an organisation gave together, and may take back together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)

from cybercoop.sharing import locks
from cybercoop.store.contributions import (
    PENDING,
    REPLACED,
    counted,
    hold_projector,
    look_again,
    undone,
)
from cybercoop.store.database import Connection
from cybercoop.store.tables import contributions, ends

LOOKED_AT = 20_000
"""Objects among which the last pushes are looked for."""


@dataclass(frozen=True, slots=True)
class Push:
    """Hold what stands of one push: when its newest came, how many, and one of them."""

    id: str
    at: int
    count: int
    example: bytes


@dataclass(frozen=True, slots=True)
class _Given:
    """Name versions: all of these pushes, or only those of some objects."""

    org_id: str
    push_ids: Sequence[str]
    stix_ids: Sequence[str] | None = None


async def recent(connection: Connection, org_id: str, most: int) -> list[Push]:
    """Return the last pushes of an organisation of which something stands, newest first.

    They are looked for among its newest objects: counting all would take as long as it gave much.
    """
    c = contributions.c
    newest = (
        select(c.push_id, c.date_added, c.seq)
        .where(c.org_id == org_id, c.latest == true(), c.deleted == false())
        .order_by(c.date_added.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    at = func.max(newest.c.date_added)
    query = (
        select(newest.c.push_id, at, func.count(), func.max(newest.c.seq))
        .where(newest.c.push_id.is_not(None))
        .group_by(newest.c.push_id)
        .order_by(at.desc())
        .limit(most)
    )
    rows = (await connection.execute(query)).all()
    seqs = [row[3] for row in rows]
    found = await connection.execute(select(c.seq, c.bytes).where(c.seq.in_(seqs)))
    examples = {seq: bytes(raw) for seq, raw in found}
    return [Push(row[0], row[1], row[2], examples[row[3]]) for row in rows]


async def count(connection: Connection, org_id: str, push_id: str) -> int:
    """Return how many versions of a push of this organisation still stand."""
    query = select(func.count()).where(*_of(_Given(org_id, (push_id,))))
    return int((await connection.execute(query)).scalar_one())


async def with_object(connection: Connection, org_id: str, stix_id: str) -> list[str]:
    """Return the pushes under which versions of an object stand."""
    c = contributions.c
    query = select(c.push_id).where(
        c.org_id == org_id, c.stix_id == stix_id, c.deleted == false(), c.push_id.is_not(None)
    )
    return sorted(set((await connection.execute(query)).scalars()))


async def of_objects(
    connection: Connection, org_id: str, stix_ids: Sequence[str]
) -> dict[str, str]:
    """Return by object under which push the version was given that stands."""
    c = contributions.c
    query = select(c.stix_id, c.push_id).where(
        *(c.org_id == org_id, c.stix_id.in_(stix_ids), c.push_id.is_not(None)),
        *(c.latest == true(), c.deleted == false()),
    )
    return {row.stix_id: row.push_id for row in await connection.execute(query)}


async def take_back(
    connection: Connection,
    org_id: str,
    push_ids: Sequence[str],
    stix_ids: Sequence[str] | None = None,
) -> None:
    """Withdraw every version of these pushes, or of some objects, as if it had never been given.

    What stood before comes back, and all places that are touched wait for another look. The
    projector is kept waiting until commit: it writes to the same rows in another order.
    """
    given = _Given(org_id, push_ids, stix_ids)
    await hold_projector(connection)
    await _look_again(connection, given)
    await _restore_losers(connection, given)
    await _restore_latest(connection, given)
    # A version that counts nowhere is no withdrawal: that would take the older ones along.
    await connection.execute(
        update(contributions)
        .where(*_of(given))
        .values(deleted=True, latest=False, counts=False, at_lock=None, pending=_unless_own(org_id))
    )


def _unless_own(org_id: str) -> ColumnElement[int]:
    """Wake the projector but for what never left home: it does not ask for that."""
    return case((contributions.c.lock != locks.own(org_id), PENDING), else_=0)


def _of(given: _Given) -> tuple[ColumnElement[bool], ...]:
    c = contributions.c
    some = () if given.stix_ids is None else (c.stix_id.in_(given.stix_ids),)
    return (c.push_id.in_(given.push_ids), c.org_id == given.org_id, c.deleted == false(), *some)


def _besides(given: _Given) -> tuple[ColumnElement[bool], ...]:
    c = contributions.c
    other = or_(c.push_id.is_(None), c.push_id.not_in(given.push_ids))
    if given.stix_ids is not None:
        other = or_(other, c.stix_id.not_in(given.stix_ids))
    return (c.org_id == given.org_id, other)


async def _look_again(connection: Connection, given: _Given) -> None:
    """Let every place where the push counted wait, and those whose confidence it changed."""
    c = contributions.c
    own = select(c.at_lock, c.key).where(*_of(given))
    seen = select(c.at_lock, ends.c.key).join(ends, ends.c.seq == c.seq)
    await look_again(connection, own.union(seen.where(*_of(given))))
    # What has just moved to a narrower lock was said under the wider one all the same.
    await look_again(connection, own.where(c.tightened == true()), shut=True)


async def _restore_losers(connection: Connection, given: _Given) -> None:
    """Let the newest that lost its place to the push count again.

    It may be withdrawn itself, and then nothing stands there, as before. What a deletion said is
    replaced stays so, and so does what that had replaced.
    """
    c, one = contributions.c, contributions.alias()
    places = select(c.at_lock, c.key).where(*_of(given), c.at_lock.is_not(None), c.key.is_not(None))
    order = c.modified.desc(), c.seq.desc()
    rank = func.row_number().over(partition_by=(c.at_lock, c.key), order_by=order)
    replaced = select(one.c.seq).where(
        *(one.c.org_id == given.org_id, one.c.note == REPLACED, one.c.seq > c.seq),
        one.c.counts == false(),  # they never count, but that is what the index knows
        *(one.c.at_lock == c.at_lock, one.c.key == c.key, one.c.modified >= c.modified),
    )
    lost = select(c.seq, rank.label("rank")).where(
        *_besides(given),
        *(c.counts == false(), c.note.is_distinct_from(REPLACED), ~replaced.exists()),
        tuple_(c.at_lock, c.key).in_(places),
    )
    await connection.execute(
        update(contributions).where(c.seq.in_(_first(lost))).values(counts=True)
    )


async def _restore_latest(connection: Connection, given: _Given) -> None:
    """Let the version before be the latest, where a version of the push was.

    Where that came too late to count, it counts now. What stood before a version that was deleted
    meanwhile counts nowhere: in which order somebody deletes and undoes must not matter.
    """
    c, one = contributions.c, contributions.alias()
    gone = select(one.c.seq).where(
        *(one.c.org_id == c.org_id, one.c.stix_id == c.stix_id, one.c.seq > c.seq),
        *(one.c.deleted == true(), ~undone(one.c), counted()),
        tuple_(one.c.spec_version, one.c.modified) > tuple_(c.spec_version, c.modified),
    )
    ids = select(c.stix_id).where(*_of(given), c.latest == true())
    order = c.spec_version.desc(), c.modified.desc()
    rank = func.row_number().over(partition_by=c.stix_id, order_by=order)
    earlier = select(c.seq, rank.label("rank")).where(
        *_besides(given), c.deleted == false(), c.stix_id.in_(ids)
    )
    late = and_(c.at_lock.is_(None), c.key.is_not(None), c.note.is_(None), ~gone.exists())
    await connection.execute(
        update(contributions)
        .where(c.seq.in_(_first(earlier)))
        .values(
            latest=True,
            at_lock=case((late, c.lock), else_=c.at_lock),
            counts=and_(c.counts, ~gone.exists()),
            note=case((gone.exists(), REPLACED), else_=c.note),
            tightened=False,
            pending=_unless_own(given.org_id),
        )
    )


def _first(ranked: Select[Any]) -> Select[Any]:
    found = ranked.subquery()
    return select(found.c.seq).where(found.c.rank == 1)
