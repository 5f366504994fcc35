"""Prepared statements: built and compiled once per shape, then run with plain values.

Building a page's statement costs more than running it, so what differs between two questions of
one shape is bound, never built in.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.sql.expression import ClauseElement

from cybercoop.store.database import Connection, Database

DIALECTS: Mapping[str, Dialect] = {
    "sqlite": aiosqlite.dialect(),
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call] # SQLAlchemy leaves it so
}
"""How the two databases spell SQL."""

Shape = TypeVar("Shape", bound=Hashable)


async def rows(
    connection: Connection,
    build: Callable[[Shape], ClauseElement],
    shape: Shape,
    values: Mapping[str, Any],
) -> Sequence[tuple[Any, ...]]:
    """Run what ``build`` makes of ``shape`` with ``values`` by name, and return all rows."""
    sql, said = _bound(build, shape, connection.dialect.name, values)
    if connection.dialect.name == "sqlite":
        # One hop to SQLite's thread instead of four: a hop costs more than a small read.
        driver: Any = (await connection.get_raw_connection()).driver_connection
        return cast("Sequence[tuple[Any, ...]]", await driver.execute_fetchall(sql, said))
    found = await connection.exec_driver_sql(sql, said)
    return cast("Sequence[tuple[Any, ...]]", found.all())


async def glance(
    database: Database,
    build: Callable[[Shape], ClauseElement],
    shape: Shape,
    values: Mapping[str, Any],
) -> Sequence[tuple[Any, ...]]:
    """Return all rows of a look-up by key: small, and asked on every request."""
    if database.is_sqlite:
        return database.glance(*_bound(build, shape, "sqlite", values))
    async with database.read() as connection:
        return await rows(connection, build, shape, values)


def _bound(
    build: Callable[[Shape], ClauseElement], shape: Shape, name: str, values: Mapping[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    sql, names, fixed = _compiled(build, shape, name)
    bound = {**fixed, **values}
    return sql, tuple([bound[name] for name in names])


@lru_cache(maxsize=512)
def _compiled(
    build: Callable[[Shape], ClauseElement], shape: Shape, name: str
) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    compiled = build(shape).compile(
        dialect=DIALECTS[name], compile_kwargs={"render_postcompile": True}
    )
    names = tuple(getattr(compiled, "positiontup", None) or ())
    return str(compiled), names, dict(compiled.params)
