"""One keyset statement per page, the same for releases and for own contributions.

TAXII 2.1 sections 3.4 (filtering), 3.4.1 (versions) and 3.5 (pagination).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cybercoop.store import page_statements, prepared
from cybercoop.store.database import Connection
from cybercoop.store.page_statements import ALL, FIRST, GLUED, LAST, Shape

__all__ = ["ALL", "FIRST", "GLUED", "LAST", "Filters", "Page", "Position", "page"]


@dataclass(frozen=True, slots=True)
class Position:
    """Hold a place in a collection: after all rows of ``date_added`` (microseconds).

    Where a page ended between rows of one ``date_added``, ``skip`` of them were seen. A row's
    number in the table is no part of it: its gaps would tell how much others push.
    """

    date_added: int = -(2**62)
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Filters:
    """Hold what a reader asked for; empty tuples ask for everything.

    ``versions`` holds ``last``, ``first``, ``all`` or normal forms of timestamps.
    """

    after: Position = Position()
    limit: int = 1000
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[str, ...] = (LAST,)
    spec_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Hold rows in order of ``date_added``, and where to go on if more follow.

    A page of ``GLUED`` has the objects of its rows in ``glued``, with a comma between two.
    """

    rows: Sequence[tuple[Any, ...]]
    following: Position | None
    glued: bytes = b""

    @property
    def more(self) -> bool:
        """Say whether more rows follow."""
        return self.following is not None


async def page(
    connection: Connection,
    table: str,
    owners: Sequence[str],
    filters: Filters,
    columns: tuple[str, ...],
) -> Page:
    """Return one page of ``columns`` of what ``owners`` (locks, or one contributor) hold.

    Each row starts with ``date_added`` and its primary key; with ``GLUED`` that is all of it.
    """
    stamps = tuple(one for one in filters.versions if one not in {ALL, FIRST, LAST})
    shape = Shape(
        table=table,
        owners=len(owners),
        columns=columns,
        ids=len(filters.ids),
        types=len(filters.types),
        indicators=not filters.types or "indicator" in filters.types,
        versions=frozenset(filters.versions) - set(stamps),
        stamps=len(stamps),
        spec_versions=frozenset(filters.spec_versions),
        skips=filters.after.skip > 0,
        merges=connection.dialect.name == "sqlite",
    )
    values: dict[str, Any] = {"after": filters.after.date_added, "skip": filters.after.skip}
    values["most"] = filters.limit + 1
    lists = {"owner": owners, "id": filters.ids, "type": filters.types, "version": stamps}
    for name, some in lists.items():
        values |= {f"{name}_{number}": one for number, one in enumerate(some)}
    rows, glued = await prepared.rows(connection, page_statements.build, shape, values), b""
    if columns == GLUED:
        (one,) = rows
        rows, glued = _taken_apart(one, filters.limit)
    if len(rows) <= filters.limit:
        return Page(rows, None, glued)
    return Page(rows[: filters.limit], _following(rows, filters), glued)


def _taken_apart(one: tuple[Any, ...], limit: int) -> tuple[list[tuple[int]], bytes]:
    """Return the rows that were glued, and the objects of those on the page."""
    stamps, sizes, content = one
    rows = [(stamp,) for stamp in _numbers(stamps)]
    if len(rows) <= limit:
        return rows, content or b""
    return rows, content[: -_numbers(sizes)[-1] - 1]


def _numbers(said: Sequence[int] | str | None) -> Sequence[int]:
    """Return a list as PostgreSQL gives it, or SQLite as JSON; nothing is the empty one."""
    return msgspec.json.decode(said, type=list[int]) if isinstance(said, str) else said or ()


def _following(rows: Sequence[tuple[Any, ...]], filters: Filters) -> Position:
    *shown, left = rows[: filters.limit + 1]
    last = shown[-1][0]
    if left[0] != last:
        return Position(last)
    seen = sum(row[0] == last for row in shown)
    return Position(last, seen + (filters.after.skip if last == filters.after.date_added else 0))
