"""The statements behind pages: an index range per owner, merged, then fetched by primary key.

An owner is what a row's permission hangs on: the lock of a release, the contributor of a
contribution. It is part of every statement here, also of the look-up of single ids.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import NamedFromClause

from cybercoop.store.tables import contributions, releases

LAST, FIRST, ALL = "last", "first", "all"
GLUED = ("glued",)
"""Instead of columns: the bytes of all rows of a page as one, with a comma between two."""

_Rows = Table | NamedFromClause[Any]
_OWNER = {releases.name: "lock", contributions.name: "org_id"}


@dataclass(frozen=True, slots=True)
class Shape:
    """Hold what a page's statement depends on; numbers count the values that will be bound."""

    table: str
    owners: int
    columns: tuple[str, ...]
    ids: int
    types: int
    indicators: bool
    versions: frozenset[str]
    stamps: int
    spec_versions: frozenset[str]
    skips: bool
    merges: bool
    """Whether the database merges ordered ranges lazily, each only as far as the page needs it.

    SQLite does. PostgreSQL would read and sort all that follows, so each range is cut there.
    """

    @property
    def rows(self) -> Table:
        """Return the table."""
        return releases if self.table == releases.name else contributions

    @property
    def newest_only(self) -> bool:
        """Say whether the ``latest`` flag alone answers; it prefers the newer spec version."""
        only_last = self.versions == {LAST} and not self.stamps
        return only_last and self.spec_versions in (frozenset(), frozenset({"2.1"}))


def build(shape: Shape) -> Select[Any] | CompoundSelect[Any]:
    """Return the statement of a shape; it binds ``after``, ``most``, ``owner_0`` and so on."""
    return _glued(shape) if shape.columns == GLUED else _rows(shape)


def _glued(shape: Shape) -> Select[Any]:
    """Select one row: all ``date_added``, the length of each object, and all objects.

    A thousand rows cost more than what is in them, in the driver and in Python.
    """
    one = _rows(replace(shape, columns=("bytes",))).subquery("rows")
    stamps, content = one.c.date_added, one.c.bytes
    if shape.merges:
        listed = func.group_concat(stamps), func.group_concat(func.length(content))
        return select(*listed, cast(func.group_concat(content), LargeBinary()))
    # By no more than the rows are ordered by already, or they are sorted once again.
    order = [stamps] if _key(shape.rows) is shape.rows.c.date_added else [stamps, one.c.place]
    # The largest are left out, so that the sum is bounded; their sizes say so (see ``paging``).
    glued = func.string_agg(content, literal_column("','::bytea")).aggregate_order_by(*order)
    return select(
        func.array_agg(stamps).aggregate_order_by(*order),
        func.array_agg(func.length(content)).aggregate_order_by(*order),
        glued.filter(func.length(content) <= _number("share")),
    )


def _rows(shape: Shape) -> Select[Any] | CompoundSelect[Any]:
    table, key = shape.rows, _key(shape.rows)
    shown = [table.c.date_added, key.label("place"), *(table.c[name] for name in shape.columns)]
    if not shape.merges:
        return _picked(shape, shown)
    # Rows are picked by their primary key alone, so that only what is served is fetched. IN, not
    # JOIN: SQLite walks the picked keys in order and has nothing left to sort.
    places = _picked(shape, [key.label("place"), table.c.date_added]).subquery("places")
    found = select(*shown).order_by(table.c.date_added).where(key.in_(select(places.c.place)))
    return found if key is table.c.date_added else found.order_by(key)


def _key(table: _Rows) -> ColumnElement[int]:
    return table.c.date_added if "shared_id" in table.c else table.c.seq


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, 0, type_=BigInteger())


def _texts(name: str, count: int) -> list[BindParameter[str]]:
    return [bindparam(f"{name}_{number}", "", type_=String()) for number in range(count)]


def _picked(
    shape: Shape, columns: Sequence[ColumnElement[Any]]
) -> Select[Any] | CompoundSelect[Any]:
    """Select columns, ``place`` and ``date_added`` among them, of the rows of a page in order."""
    table = shape.rows
    picked = select(*columns)
    where = and_(_beyond(shape), *_conditions(shape))
    order = [text("date_added")]
    if _key(table) is not table.c.date_added:
        order.append(text("place"))
    if shape.ids:
        wanted = table.c.stix_id.in_(_texts("id", shape.ids))
        merged: Select[Any] | CompoundSelect[Any] = picked.where(
            wanted, _permitted(shape, table), where
        )
    else:
        ranges = [picked.where(branch, where) for branch in _branches(shape)]
        if not shape.merges:
            most = _number("most") + _number("skip")
            ranges = [select(one.order_by(*order).limit(most).subquery()) for one in ranges]
        merged = union_all(*ranges) if len(ranges) > 1 else ranges[0]
    ordered = merged.order_by(*order).limit(_number("most"))
    return ordered.offset(_number("skip")) if shape.skips else ordered


def _permitted(shape: Shape, rows: _Rows) -> ColumnElement[bool]:
    """Say that a row is one of the owners', put so that an index on ids is chosen, not theirs."""
    owner: ColumnElement[str] = rows.c[_OWNER[shape.table]]
    if shape.table == releases.name:
        owner = func.coalesce(owner, "")
    return and_(owner.in_(_texts("owner", shape.owners)), *_kept(rows))


def _kept(rows: _Rows) -> list[ColumnElement[bool]]:
    return [rows.c.deleted == false()] if "deleted" in rows.c else []


def _branches(shape: Shape) -> list[ColumnElement[bool]]:
    table = shape.rows
    wanted = [true()] if shape.newest_only else [true(), false()]
    owner = table.c[_OWNER[shape.table]]
    return [
        and_(owner == one, *_kept(table), table.c.latest == latest)
        for one in _texts("owner", shape.owners)
        for latest in wanted
    ]


def _beyond(shape: Shape) -> ColumnElement[bool]:
    date_added, after = shape.rows.c.date_added, _number("after")
    return date_added >= after if shape.skips else date_added > after


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    table, found = shape.rows, list[ColumnElement[bool]]()
    if shape.types:
        found.append(table.c.type.in_(_texts("type", shape.types)))
    if not shape.indicators:
        found.append(table.c.type != literal_column("'indicator'"))
    if shape.spec_versions:
        found.append(table.c.spec_version.in_(sorted(shape.spec_versions)))
    if "shared_id" in table.c:
        found.append(or_(table.c.shared_id == false(), _none(shape, _stands_later(table))))
    if shape.newest_only:
        return [*found, table.c.latest == true()]
    if not shape.spec_versions:
        newer_spec = _none(shape, lambda other: other.c.spec_version > table.c.spec_version)
        found.append(or_(table.c.spec_version != "2.0", newer_spec))
    if ALL not in shape.versions:
        found.append(or_(*_versions(shape)))
    return found


def _versions(shape: Shape) -> list[ColumnElement[bool]]:
    modified, found = shape.rows.c.modified, list[ColumnElement[bool]]()
    if FIRST in shape.versions:
        found.append(_none(shape, _among(shape, lambda other: other.c.modified < modified)))
    if LAST in shape.versions:
        found.append(_none(shape, _among(shape, lambda other: other.c.modified > modified)))
    if shape.stamps:
        found.append(modified.in_(_texts("version", shape.stamps)))
    return found


_Differs = Callable[[NamedFromClause[Any]], ColumnElement[bool]]


def _among(shape: Shape, differs: _Differs) -> _Differs:
    """Compare with versions of the wanted STIX versions, or else of the row's own."""
    if shape.spec_versions:
        specs = sorted(shape.spec_versions)
        return lambda other: and_(differs(other), other.c.spec_version.in_(specs))
    own = shape.rows.c.spec_version
    return lambda other: and_(differs(other), other.c.spec_version == own)


def _stands_later(table: Table) -> _Differs:
    return lambda other: and_(
        other.c.latest == true(), other.c.date_added > table.c.date_added, table.c.latest == true()
    )


def _none(shape: Shape, differs: _Differs) -> ColumnElement[bool]:
    """Say that this reader may see no other row of the same id that ``differs`` so."""
    table, other = shape.rows, shape.rows.alias("other")
    query: Select[Any] = select(literal_column("1")).where(
        other.c.stix_id == table.c.stix_id, _permitted(shape, other), differs(other)
    )
    return ~query.exists()
