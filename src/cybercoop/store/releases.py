"""Releases: the only way by which what others contributed gets out."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from cybercoop.store.database import Connection
from cybercoop.store.paging import Filters, Page, Scope, page
from cybercoop.store.tables import releases


async def read(
    connection: Connection, keys: frozenset[str], filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of what holders of ``keys`` may see; no keys, no rows."""
    if not keys:
        return Page((), None)
    return await page(connection, _scope(keys), filters, columns)


def _scope(keys: frozenset[str]) -> Scope:
    locks = sorted(keys)
    return Scope(
        table=releases,
        branches=tuple(releases.c.lock == lock for lock in locks),
        looked_up=func.coalesce(releases.c.lock, "").in_(locks),
    )


async def readable(connection: Connection, keys: frozenset[str], ids: Sequence[str]) -> set[str]:
    """Return which of ``ids`` are ids that the center gave to something these keys open."""
    query = select(releases.c.stix_id).where(
        releases.c.stix_id.in_(bindparam("ids", expanding=True)),
        func.coalesce(releases.c.lock, "").in_(sorted(keys)),
        releases.c.shared_id.is_(False),
    )
    return set((await connection.execute(query, {"ids": list(ids)})).scalars())
