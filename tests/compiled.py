"""Statements that were compiled once: a fresh database of the same kind need not compile them anew.

SQLAlchemy keeps them by engine, and hundreds of tests have an engine of their own.
"""

from typing import Any

from sqlalchemy.util import LRUCache

from cybercoop.store.database import Database

_MOST = 2000


class _ByKind(LRUCache[tuple[Any, ...], Any]):
    """Keep statements by the kind of database, where SQLAlchemy asks with one engine's dialect."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(_of_kind(key), value)


def _of_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (dialect.name, *rest)


_STATEMENTS = _ByKind(_MOST)


def share(database: Database) -> Database:
    """Let a database use what others of its kind have compiled, and return it."""
    for engine in (database.engine, database._reading):
        engine.update_execution_options(compiled_cache=_STATEMENTS)
    return database
