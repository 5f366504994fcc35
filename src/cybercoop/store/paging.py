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
    """Hold a place in a collection: ``date_added`` in microseconds, and a tie-break."""

    date_added: int = -(2**62)
    tie: int = 2**62


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
    tie: ColumnElement[int]


@dataclass(frozen=True, slots=True)
class Page:
    """Hold rows in order of ``date_added``, and whether more follow."""

    rows: Sequence[tuple[Any, ...]]
    more: bool


async def page(
    connection: Connection, scope: Scope, filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of ``columns``; each row starts with ``date_added`` and the tie-break."""
    found = (await connection.execute(_statement(scope, filters, columns))).all()
    rows = cast("Sequence[tuple[Any, ...]]", found)
    return Page(rows[: filters.limit], len(rows) > filters.limit)


def _statement(scope: Scope, filters: Filters, columns: Sequence[str]) -> Select[Any]:
    table = scope.table
    places = _places(scope, filters).subquery("places")
    own = next(iter(table.primary_key.columns))
    shown = [table.c.date_added, scope.tie.label("tie"), *(table.c[name] for name in columns)]
    return (
        select(*shown).join(places, places.c.place == own).order_by(table.c.date_added, scope.tie)
    )


def _places(scope: Scope, filters: Filters) -> Select[Any]:
    """Pick the rows by their primary key alone, so that only what is served is fetched."""
    table = scope.table
    own = next(iter(table.primary_key.columns))
    where = and_(_beyond(scope, filters.after), *_conditions(scope, filters))
    picked = select(own.label("place"), table.c.date_added, scope.tie.label("tie"))
    if filters.ids:
        chosen = [picked.where(table.c.stix_id.in_(filters.ids), scope.looked_up, where)]
    else:
        chosen = [picked.where(branch, where) for branch in _branches(scope, filters)]
    limit = filters.limit + 1
    ranges = [
        one.order_by(table.c.date_added, scope.tie).limit(limit).subquery(f"range{number}")
        for number, one in enumerate(chosen)
    ]
    if len(ranges) == 1:
        return select(ranges[0].c.place)
    merged = union_all(*(select(one) for one in ranges)).subquery("ranges")
    return select(merged.c.place).order_by(merged.c.date_added, merged.c.tie).limit(limit)


def _branches(scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    latest = scope.table.c.latest
    wanted = [True] if _newest_only(filters) else [True, False]
    return [and_(branch, latest == one) for branch in scope.branches for one in wanted]


def _newest_only(filters: Filters) -> bool:
    """Say whether the ``latest`` flag alone answers; it prefers the newer spec version."""
    return filters.versions == (LAST,) and filters.spec_versions in {(), ("2.1",)}


def _beyond(scope: Scope, after: Position) -> ColumnElement[bool]:
    date_added = scope.table.c.date_added
    return and_(
        date_added >= after.date_added,
        or_(date_added > after.date_added, scope.tie > literal(after.tie)),
    )


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
    modified, specs = scope.table.c.modified, filters.spec_versions
    if wanted == FIRST:
        return _none(scope, lambda other: other.c.modified < modified, specs)
    if wanted == LAST:
        return _none(scope, lambda other: other.c.modified > modified, specs)
    return modified == wanted


def _is_newer_place(table: Table) -> Any:
    return lambda other: and_(
        other.c.latest == true(), other.c.date_added > table.c.date_added, table.c.latest == true()
    )


def _none(scope: Scope, differs: Any, specs: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """Say that this reader may see no other row of the same id that ``differs`` so."""
    other = scope.table.alias("other")
    query = select(literal(1)).where(
        other.c.stix_id == scope.table.c.stix_id,
        _for_alias(scope, other),
        differs(other),
    )
    if specs:
        query = query.where(other.c.spec_version.in_(specs))
    return ~query.exists()


def _for_alias(scope: Scope, other: Any) -> ColumnElement[bool]:
    adapted: ColumnElement[bool] = ClauseAdapter(other).traverse(scope.looked_up)
    return adapted
