"""Sessions of the pages that somebody signed out of, remembered until they would have ended."""

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.store.database import Connection
from cybercoop.store.service_tables import signed_out


async def end(connection: Connection, digest: bytes, expires: int, now: int) -> None:
    """Let a session count no more; forget those that would have ended before ``now``."""
    await connection.execute(delete(signed_out).where(signed_out.c.expires <= now))
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"digest": digest, "expires": expires}
    await connection.execute(insert(signed_out).values(row).on_conflict_do_nothing())


async def is_ended(connection: Connection, digest: bytes) -> bool:
    """Say whether somebody has signed out of a session."""
    query = select(exists().where(signed_out.c.digest == digest))
    return bool((await connection.execute(query)).scalar())
