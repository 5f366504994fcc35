"""Pushes: what an organisation gave together, and may take back together."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, insert, select, true, tuple_, update

from cybercoop.store.contributions import PENDING
from cybercoop.store.database import Connection
from cybercoop.store.tables import clocks, contributions, ends, recompute

LOOKED_AT = 20_000
"""Objects among which the last pushes are looked for."""


@dataclass(frozen=True, slots=True)
class Push:
    """Hold what stands of one push: when its newest came, how many, and one of them."""

    id: str
    at: int
    count: int
    example: bytes


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
    query = select(func.count()).where(*_given(org_id, push_id))
    return int((await connection.execute(query)).scalar_one())


async def take_back(connection: Connection, org_id: str, push_id: str) -> None:
    """Withdraw every version of a push as if it had never been given.

    What stood before comes back, and all places that are touched wait for another look. The
    projector is kept waiting until commit: it writes to the same rows in another order.
    """
    projector = select(clocks.c.last).where(clocks.c.name == "projector").with_for_update()
    await connection.execute(projector)
    await _look_again(connection, org_id, push_id)
    await _restore_losers(connection, org_id, push_id)
    await _restore_latest(connection, org_id, push_id)
    # A version that counts nowhere is no withdrawal: that would take the older ones along.
    await connection.execute(
        update(contributions)
        .where(*_given(org_id, push_id))
        .values(deleted=True, latest=False, counts=False, at_lock=None, pending=PENDING)
    )


def _given(org_id: str, push_id: str) -> tuple[ColumnElement[bool], ...]:
    c = contributions.c
    return (c.push_id == push_id, c.org_id == org_id, c.deleted == false())


def _before(org_id: str, push_id: str) -> tuple[ColumnElement[bool], ...]:
    c = contributions.c
    return (c.org_id == org_id, c.push_id.is_distinct_from(push_id))


async def _look_again(connection: Connection, org_id: str, push_id: str) -> None:
    """Let every place where the push counted wait, and those whose confidence it changed."""
    c = contributions.c
    own = select(c.at_lock, c.key).where(*_given(org_id, push_id))
    seen = select(c.at_lock, ends.c.key).join(ends, ends.c.seq == c.seq)
    places = own.union(seen.where(*_given(org_id, push_id))).subquery()
    waiting = select(recompute.c.lock, recompute.c.key)
    new = select(places.c.at_lock, places.c.key).where(
        places.c.at_lock.is_not(None),
        places.c.key.is_not(None),
        tuple_(places.c.at_lock, places.c.key).not_in(waiting),
    )
    await connection.execute(insert(recompute).from_select(["lock", "key"], new))


async def _restore_losers(connection: Connection, org_id: str, push_id: str) -> None:
    """Let the newest that lost its place to the push count again.

    It may be withdrawn itself, and then nothing stands there, as before.
    """
    c = contributions.c
    places = select(c.at_lock, c.key).where(
        *_given(org_id, push_id), c.at_lock.is_not(None), c.key.is_not(None)
    )
    order = c.modified.desc(), c.seq.desc()
    rank = func.row_number().over(partition_by=(c.at_lock, c.key), order_by=order)
    lost = select(c.seq, rank.label("rank")).where(
        *_before(org_id, push_id), c.counts == false(), tuple_(c.at_lock, c.key).in_(places)
    )
    await connection.execute(
        update(contributions).where(c.seq.in_(_first(lost))).values(counts=True)
    )


async def _restore_latest(connection: Connection, org_id: str, push_id: str) -> None:
    """Let the version before be the latest, where a version of the push was."""
    c = contributions.c
    ids = select(c.stix_id).where(*_given(org_id, push_id), c.latest == true())
    order = c.spec_version.desc(), c.modified.desc()
    rank = func.row_number().over(partition_by=c.stix_id, order_by=order)
    earlier = select(c.seq, rank.label("rank")).where(
        *_before(org_id, push_id), c.deleted == false(), c.stix_id.in_(ids)
    )
    await connection.execute(
        update(contributions)
        .where(c.seq.in_(_first(earlier)))
        .values(latest=True, tightened=False, pending=PENDING)
    )


def _first(ranked: Select[Any]) -> Select[Any]:
    found = ranked.subquery()
    return select(found.c.seq).where(found.c.rank == 1)
