"""One keyset statement per page, the same for releases and for own contributions.

TAXII 2.1 sections 3.4 (filtering), 3.4.1 (versions) and 3.5 (pagination).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cybercoop.store import page_statements, prepared
from cybercoop.store.database import Connection
from cybercoop.store.page_statements import ALL, FIRST, LAST, Shape

__all__ = ["ALL", "FIRST", "LAST", "Filters", "Page", "Position", "page"]


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
    """Hold rows in order of ``date_added``, and where to go on if more follow."""

    rows: Sequence[tuple[Any, ...]]
    following: Position | None

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

    Each row starts with ``date_added`` and its primary key.
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
    rows = await prepared.rows(connection, page_statements.build, shape, values)
    if len(rows) <= filters.limit:
        return Page(rows, None)
    return Page(rows[: filters.limit], _following(rows, filters))


def _following(rows: Sequence[tuple[Any, ...]], filters: Filters) -> Position:
    *shown, left = rows[: filters.limit + 1]
    last = shown[-1][0]
    if left[0] != last:
        return Position(last)
    seen = sum(row[0] == last for row in shown)
    return Position(last, seen + (filters.after.skip if last == filters.after.date_added else 0))
