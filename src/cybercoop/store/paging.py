"""One keyset statement per page, the same for releases and for own contributions.

TAXII 2.1 sections 3.4 (filtering), 3.4.1 (versions) and 3.5 (pagination).
"""

import sqlite3
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from cybercoop.store import hops, page_statements, prepared
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

    ``first`` and ``last`` are the ``date_added`` of its ends, if there are any; ``stamps`` are all
    of them as the database gave them, with that of the row that follows. Instead of rows, a page
    of ``GLUED`` has their objects, with a comma between two.
    """

    count: int = 0
    first: int = 0
    last: int = 0
    stamps: Sequence[int] | str = ()
    following: Position | None = None
    rows: Sequence[tuple[Any, ...]] = ()
    glued: bytes | memoryview = b""

    @property
    def more(self) -> bool:
        """Say whether more rows follow."""
        return self.following is not None

    def up_to_a_stamp(self) -> "Page":
        """Return the page without those last rows whose ``date_added`` goes on after it.

        Whoever goes on by ``date_added`` would miss the rest of them. Where all rows have the same
        one, they stay.
        """
        kept = [row for row in self.rows if row[0] != self.last]
        if not kept or self.following is None or not self.following.skip:
            return self
        last = kept[-1][0]
        return replace(self, count=len(kept), last=last, following=Position(last), rows=kept)


async def page(
    connection: Connection,
    table: str,
    owners: Sequence[str],
    filters: Filters,
    columns: tuple[str, ...],
    share: int = 0,
) -> Page:
    """Return one page of ``columns`` of what ``owners`` (locks, or one contributor) hold.

    Each row starts with ``date_added`` and its primary key. Of large ``GLUED`` objects a page may
    have fewer than were asked for: no more than ``hops.LARGEST`` bytes, of which each object may
    have ``share`` before PostgreSQL leaves it out.
    """
    versions = tuple(one for one in filters.versions if one not in {ALL, FIRST, LAST})
    shape = Shape(
        table=table,
        owners=len(owners),
        columns=columns,
        ids=len(filters.ids),
        types=len(filters.types),
        indicators=not filters.types or "indicator" in filters.types,
        versions=frozenset(filters.versions) - set(versions),
        stamps=len(versions),
        spec_versions=frozenset(filters.spec_versions),
        skips=filters.after.skip > 0,
        merges=connection.dialect.name == "sqlite",
    )
    values: dict[str, Any] = {"after": filters.after.date_added, "skip": filters.after.skip}
    values |= {"most": filters.limit + 1, "share": share or hops.LARGEST // (filters.limit + 1)}
    lists = {"owner": owners, "id": filters.ids, "type": filters.types, "version": versions}
    for name, some in lists.items():
        values |= {f"{name}_{number}": one for number, one in enumerate(some)}
    try:
        rows = await prepared.rows(connection, page_statements.build, shape, values)
    except sqlite3.DataError:
        if columns != GLUED or filters.limit == 1:
            raise
        # The objects are more than SQLite gives at once (``hops.LARGEST``).
        fewer = replace(filters, limit=filters.limit // 2)
        return await page(connection, table, owners, fewer, columns)
    if columns == GLUED:
        stamps, sizes, content = rows[0]
        if not share and _is_cut(sizes, content):
            fewer = replace(filters, limit=_fitting(sizes, filters.limit))
            return await page(connection, table, owners, fewer, columns, hops.LARGEST)
        return _glued(filters, stamps, sizes, content)
    return replace(_ends([row[0] for row in rows], filters), rows=rows[: filters.limit])


def _is_cut(sizes: Any, content: bytes | None) -> bool:
    """Say whether PostgreSQL left out objects that are larger than their share."""
    return isinstance(sizes, list) and sum(sizes) + len(sizes) - 1 > len(content or b"")


def _fitting(sizes: Sequence[int], limit: int) -> int:
    """Return how many objects a page may have, the one that follows them being read with them."""
    fit = bisect(list(accumulate(sizes)), hops.LARGEST)
    return limit if fit == len(sizes) else max(1, fit - 1)


_Listed = Sequence[int] | str | None
"""Numbers as PostgreSQL gives them, or SQLite as text with commas; nothing is none."""


def _glued(filters: Filters, stamps: _Listed, sizes: _Listed, content: bytes | None) -> Page:
    """Return a page of the one row that all of its rows came as."""
    found, glued = _ends(stamps, filters), memoryview(content or b"")
    if found.following and sizes:
        glued = glued[: -_last_two(sizes)[-1] - 1]
    return replace(found, glued=glued)


def _ends(stamps: _Listed, filters: Filters) -> Page:
    """Return a page without content, by the stamps of its rows and of one more if more follow."""
    if not stamps:
        return Page()
    # Of a thousand numbers that come as text hardly any is needed as a number.
    if isinstance(stamps, str):
        count, first = stamps.count(",") + 1, int(stamps.partition(",")[0])
    else:
        count, first = len(stamps), stamps[0]
    *shown, last = _last_two(stamps)
    if count <= filters.limit:
        return Page(count, first, last, stamps)
    (seen,) = shown
    following = Position(seen) if last != seen else _within(stamps, filters, seen)
    return Page(filters.limit, first, seen, stamps, following)


def _last_two(listed: Sequence[int] | str) -> list[int]:
    return [int(one) for one in (listed.rsplit(",", 2) if isinstance(listed, str) else listed)[-2:]]


def _within(stamps: Sequence[int] | str, filters: Filters, last: int) -> Position:
    """Return the position between rows of one stamp, the last of which is left for the next."""
    all_of = [int(one) for one in stamps.split(",")] if isinstance(stamps, str) else stamps
    seen = sum(stamp == last for stamp in all_of) - 1
    return Position(last, seen + (filters.after.skip if last == filters.after.date_added else 0))
