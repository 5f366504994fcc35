"""Releases: the only way by which what others contributed gets out."""

from collections.abc import Sequence

from sqlalchemy import bindparam, false, func, select

from cybercoop.store.database import Connection
from cybercoop.store.paging import Filters, Page, page
from cybercoop.store.tables import releases


async def read(
    connection: Connection, keys: frozenset[str], filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of what holders of ``keys`` may see; no keys, no rows."""
    if not keys:
        return Page((), None)
    return await page(connection, releases.name, sorted(keys), filters, tuple(columns))


async def readable(connection: Connection, keys: frozenset[str], ids: Sequence[str]) -> set[str]:
    """Return which of ``ids`` are ids that the center gave to something these keys open."""
    query = select(releases.c.stix_id).where(
        releases.c.stix_id.in_(bindparam("ids", expanding=True)),
        func.coalesce(releases.c.lock, "").in_(sorted(keys)),
        releases.c.shared_id == false(),
    )
    return set((await connection.execute(query, {"ids": list(ids)})).scalars())
