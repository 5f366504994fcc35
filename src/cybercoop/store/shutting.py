"""Shutting: what had ended goes out of sight where its object comes back under a narrower lock."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, false, func, select, true, update

from cybercoop.sharing import locks
from cybercoop.store.bulk import parts
from cybercoop.store.contributions import REPLACED, Known, hold_projector, look_again, undone
from cybercoop.store.database import Connection
from cybercoop.store.tables import contributions


async def shut_ended(
    connection: Connection, org_id: str, new: Mapping[str, str], known: Iterable[Known]
) -> None:
    """Let what had ended go out of sight where its object comes back out of its readers' sight.

    That is what was deleted, and what is ``known`` to count nowhere since then. ``new`` maps ids to
    the locks of versions that are about to be the latest. Whoever deletes what he should have
    marked more strictly does that afterwards, and means the same as if he had not deleted it. A
    version since then that was as strict has seen to it: what comes later is nothing that the
    readers of what ended may know of. Asked before any row is held, as it may wait for the
    projector.
    """
    c = contributions.c
    at = func.coalesce(c.at_lock, c.lock).label("at")
    said = c.seq, c.stix_id, c.spec_version, c.modified, c.lock, c.key, c.note
    query = select(*said, at, undone(c).label("undone")).where(
        c.org_id == org_id, c.stix_id.in_(bindparam("ids", expanding=True))
    )

    async def rows(ids: Iterable[str], *, deleted: bool) -> list[Any]:
        some = query.where(c.deleted == (true() if deleted else false()))
        found = [await connection.execute(some, {"ids": part}) for part in parts(sorted(ids))]
        return [row for part in found for row in part]

    deleted = await rows(new, deleted=True)
    replaced = {one.stix_id for one in known if one.note == REPLACED and one.stix_id in new}
    kept = await rows({row.stix_id for row in deleted} | replaced, deleted=False)
    versions = [*(row for row in deleted if not row.undone), *kept]
    lost = [
        one.seq
        for one in (*deleted, *(row for row in kept if row.note == REPLACED))
        if one.key is not None
        and not locks.is_own(one.at)
        and locks.is_tighter(new[one.stix_id], than=one.at)
        and not any(_shut(one, by=other) for other in versions)
    ]
    if lost:
        await hold_projector(connection)
    for part in parts(lost):
        places = select(func.coalesce(c.at_lock, c.lock), c.key).where(c.seq.in_(part))
        await look_again(connection, places.distinct(), shut=True)


def _shut(one: Any, *, by: Any) -> bool:
    """Say whether a version came after another one of its object and was stricter than that."""
    later = by.seq > one.seq and (by.spec_version, by.modified) >= (one.spec_version, one.modified)
    return later and by.stix_id == one.stix_id and locks.is_tighter(by.lock, than=one.at)


async def forget_ended(connection: Connection, org_id: str, sent: Mapping[str, int]) -> None:
    """Let versions that ended be as if never given where an older one goes out only now.

    ``sent`` maps ids to the numbers of what stayed with its owner until now. What came after that
    and was deleted says nothing of it any more: neither that it was replaced, nor that what it says
    from now on has gone out of sight. Asked before any row is held.
    """
    c = contributions.c
    query = select(c.seq, c.stix_id).where(
        *(c.org_id == org_id, c.deleted == true(), ~undone(c)),
        c.stix_id.in_(bindparam("ids", expanding=True)),
    )
    found = [await connection.execute(query, {"ids": part}) for part in parts(sorted(sent))]
    later = [row.seq for rows in found for row in rows if row.seq > sent[row.stix_id]]
    if later:
        await hold_projector(connection)
    for part in parts(later):
        places = select(c.at_lock, c.key).where(c.seq.in_(part))
        await look_again(connection, places.distinct())
        forgotten = update(contributions).where(c.seq.in_(part))
        await connection.execute(forgotten.values(at_lock=None, counts=False))
