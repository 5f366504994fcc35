"""Many rows at once: one prepared statement, plain values, nothing done per row but binding.

And many values: PostgreSQL takes 32,767 in a statement, which one push can exceed.

SQLAlchemy's own way costs a dictionary and a list of processors for each row, which is more than
SQLite needs to write it. Columns here need no processors (see ``tables``).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, insert

from cybercoop.store.database import Connection
from cybercoop.store.prepared import DIALECTS
from cybercoop.store.tables import metadata

_CHUNK = 1000


def parts(values: Sequence[Any]) -> Iterable[list[Any]]:
    """Cut values into lists that one statement can take."""
    for start in range(0, len(values), _CHUNK):
        yield list(values[start : start + _CHUNK])


async def add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all carry the same columns."""
    if not rows:
        return
    sql, names = _statement(table.name, tuple(rows[0]), connection.dialect.name)
    values = itemgetter(*names)
    await connection.exec_driver_sql(sql, [values(row) for row in rows])


@lru_cache(maxsize=64)
def _statement(table: str, columns: tuple[str, ...], name: str) -> tuple[str, tuple[str, ...]]:
    compiled = insert(metadata.tables[table]).compile(
        dialect=DIALECTS[name], column_keys=list(columns)
    )
    return str(compiled), tuple(compiled.positiontup or ())
