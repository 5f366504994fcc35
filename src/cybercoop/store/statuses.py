"""TAXII statuses: what became of one POST, for its poster, for a while."""

from sqlalchemy import delete, insert, select

from cybercoop.errors import NotFound
from cybercoop.store.database import Connection
from cybercoop.store.tables import statuses


async def add(
    connection: Connection, status_id: str, org_id: str, content: bytes, now: int
) -> None:
    """Remember the status of a POST."""
    row = {"id": status_id, "org_id": org_id, "created_at": now, "bytes": content}
    await connection.execute(insert(statuses), row)


async def read(connection: Connection, status_id: str, org_id: str, since: int) -> bytes:
    """Return the poster's own status; raise ``NotFound`` for all else, and for older ones."""
    query = select(statuses.c.bytes).where(
        statuses.c.id == status_id, statuses.c.org_id == org_id, statuses.c.created_at >= since
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound("There is no such status.")
    return bytes(row.bytes)


async def prune(connection: Connection, before: int) -> None:
    """Forget statuses that were made before ``before``."""
    await connection.execute(delete(statuses).where(statuses.c.created_at < before))
