"""One keyset statement per page, the same for releases and for own contributions.

TAXII 2.1 sections 3.4 (filtering), 3.4.1 (versions) and 3.5 (pagination).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.util import ClauseAdapter

from cybercoop.store.database import Connection

LAST, FIRST, ALL = "last", "first", "all"


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

    def from_there(self, after: Position) -> "Filters":
        """Return the same question, asked from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, slots=True)
class Scope:
    """Hold the rows that a reader may see, as SQL.

    ``branches`` are index ranges that together make up the permission; ``looked_up`` is the
    same permission in one piece, put so that an index on ids is chosen instead of theirs.
    """

    table: Table
    branches: tuple[ColumnElement[bool], ...]
    looked_up: ColumnElement[bool]


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
    connection: Connection, scope: Scope, filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of ``columns``; each row starts with ``date_added`` and its primary key."""
    found = (await connection.execute(_statement(scope, filters, columns))).all()
    rows = cast("Sequence[tuple[Any, ...]]", found)
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


def _statement(scope: Scope, filters: Filters, columns: Sequence[str]) -> Select[Any]:
    table = scope.table
    places = _places(scope, filters).subquery("places")
    own = next(iter(table.primary_key.columns))
    shown = [table.c.date_added, own.label("place"), *(table.c[name] for name in columns)]
    return select(*shown).join(places, places.c.place == own).order_by(table.c.date_added, own)


def _places(scope: Scope, filters: Filters) -> Select[Any]:
    """Pick the rows by their primary key alone, so that only what is served is fetched."""
    table = scope.table
    own = next(iter(table.primary_key.columns))
    where = and_(_beyond(scope, filters.after), *_conditions(scope, filters))
    picked = select(own.label("place"), table.c.date_added)
    if filters.ids:
        chosen = [picked.where(table.c.stix_id.in_(filters.ids), scope.looked_up, where)]
    else:
        chosen = [picked.where(branch, where) for branch in _branches(scope, filters)]
    skip, limit = filters.after.skip, filters.limit + 1
    ranges = [
        one.order_by(table.c.date_added, own).limit(limit + skip).subquery(f"range{number}")
        for number, one in enumerate(chosen)
    ]
    if len(ranges) == 1 and not skip:
        return select(ranges[0].c.place)
    merged = union_all(*(select(one) for one in ranges)).subquery("ranges")
    ordered = select(merged.c.place).order_by(merged.c.date_added, merged.c.place)
    return ordered.limit(limit).offset(skip)


def _branches(scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    latest = scope.table.c.latest
    wanted = [True] if _newest_only(filters) else [True, False]
    return [and_(branch, latest == one) for branch in scope.branches for one in wanted]


def _newest_only(filters: Filters) -> bool:
    """Say whether the ``latest`` flag alone answers; it prefers the newer spec version."""
    return filters.versions == (LAST,) and filters.spec_versions in {(), ("2.1",)}


def _beyond(scope: Scope, after: Position) -> ColumnElement[bool]:
    date_added = scope.table.c.date_added
    return date_added >= after.date_added if after.skip else date_added > after.date_added


def _conditions(scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    table = scope.table
    found: list[ColumnElement[bool]] = []
    if filters.types:
        found.append(table.c.type.in_(filters.types))
        if "indicator" not in filters.types:
            found.append(table.c.type != literal("indicator", literal_execute=True))
    if filters.spec_versions:
        found.append(table.c.spec_version.in_(filters.spec_versions))
    if "shared_id" in table.c:
        found.append(or_(not_(table.c.shared_id), _none(scope, _is_newer_place(table))))
    if _newest_only(filters):
        return [*found, table.c.latest == true()]
    if not filters.spec_versions:
        newer_spec = _none(scope, lambda other: other.c.spec_version > table.c.spec_version)
        found.append(or_(table.c.spec_version != "2.0", newer_spec))
    if ALL not in filters.versions:
        found.append(or_(*(_version(scope, filters, wanted) for wanted in filters.versions)))
    return found


def _version(scope: Scope, filters: Filters, wanted: str) -> ColumnElement[bool]:
    modified = scope.table.c.modified
    if wanted == FIRST:
        earlier = _among(scope, filters, lambda other: other.c.modified < modified)
        return _none(scope, earlier)
    if wanted == LAST:
        later = _among(scope, filters, lambda other: other.c.modified > modified)
        return _none(scope, later)
    return modified == wanted


def _among(scope: Scope, filters: Filters, differs: Any) -> Any:
    """Compare with versions of the wanted STIX versions, or else of the row's own."""
    if filters.spec_versions:
        return lambda other: and_(differs(other), other.c.spec_version.in_(filters.spec_versions))
    return lambda other: and_(differs(other), other.c.spec_version == scope.table.c.spec_version)


def _is_newer_place(table: Table) -> Any:
    return lambda other: and_(
        other.c.latest == true(), other.c.date_added > table.c.date_added, table.c.latest == true()
    )


def _none(scope: Scope, differs: Any) -> ColumnElement[bool]:
    """Say that this reader may see no other row of the same id that ``differs`` so."""
    other = scope.table.alias("other")
    query = select(literal(1)).where(
        other.c.stix_id == scope.table.c.stix_id,
        _for_alias(scope, other),
        differs(other),
    )
    return ~query.exists()


def _for_alias(scope: Scope, other: Any) -> ColumnElement[bool]:
    adapted: ColumnElement[bool] = ClauseAdapter(other).traverse(scope.looked_up)
    return adapted
