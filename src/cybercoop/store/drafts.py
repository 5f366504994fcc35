"""Drafts of reports that playbooks filled; nobody but people sends them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.store.database import Connection
from cybercoop.store.response_tables import drafts


async def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Remember a draft; one of the same id stays as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(drafts).values(**row).on_conflict_do_nothing())


async def of(connection: Connection, org_id: str, response_id: str | None = None) -> list[Any]:
    """Return the drafts of an organisation, newest first, or those of one response."""
    query = select(drafts).where(drafts.c.org_id == org_id)
    if response_id is not None:
        query = query.where(drafts.c.response_id == response_id)
    return list((await connection.execute(query.order_by(drafts.c.created_at.desc()))).all())
