"""Erasing incidents: what an organisation that leaves had of them."""

from sqlalchemy import Table, delete, select

from cybercoop.store.database import Connection
from cybercoop.store.incident_tables import (
    incident_clocks,
    incident_entries,
    incident_files,
    incident_indicators,
    incident_participants,
    incident_people,
    incident_responses,
    incident_shares,
    incidents,
    org_profiles,
)

_PARTS = (
    incident_people,
    incident_entries,
    incident_participants,
    incident_indicators,
    incident_responses,
    incident_files,
    incident_clocks,
    incident_shares,
)


async def erase(connection: Connection, org_id: str) -> None:
    """Delete all incidents of an organisation for good, and which duties hold for it.

    What it shared of them are contributions, and not touched here.
    """
    await overwrite(connection)
    for table in _PARTS:
        await _delete(connection, table, org_id)
    await connection.execute(delete(incidents).where(incidents.c.org_id == org_id))
    await connection.execute(delete(org_profiles).where(org_profiles.c.org_id == org_id))


async def erase_people(connection: Connection, org_id: str) -> None:
    """Delete all people whom incidents of an organisation concern, for good."""
    await overwrite(connection)
    await _delete(connection, incident_people, org_id)


async def overwrite(connection: Connection) -> None:
    """Let what is deleted from here on be gone from the disk, too.

    SQLite would leave the bytes in the free part of a page until that is used again.
    """
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("PRAGMA secure_delete = ON")


async def _delete(connection: Connection, table: Table, org_id: str) -> None:
    mine = select(incidents.c.id).where(incidents.c.org_id == org_id)
    await connection.execute(delete(table).where(table.c.incident_id.in_(mine)))
