"""Words and files that people add to tasks."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from cybercoop.errors import NotFound
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import remarks

_SHOWN = tuple(column for column in remarks.c if column.name != "file")


async def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Remember a remark."""
    await connection.execute(insert(remarks), dict(row))


async def of_task(connection: Connection, task_id: str) -> list[Any]:
    """Return the remarks on a task, without the bytes of files, oldest first."""
    query = select(*_SHOWN).where(remarks.c.task_id == task_id).order_by(remarks.c.at, remarks.c.id)
    return list((await connection.execute(query)).all())


async def file(connection: Connection, remark_id: str) -> Any:
    """Return a remark with the bytes of its file; raise ``NotFound`` where there is none."""
    row = (await connection.execute(select(remarks).where(remarks.c.id == remark_id))).one_or_none()
    if row is None or row.file is None:
        raise NotFound(f"No file has the id {remark_id}.")
    return row
