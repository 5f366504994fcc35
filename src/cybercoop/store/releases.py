"""Releases: the only way by which what others contributed gets out."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Select,
    SmallInteger,
    String,
    bindparam,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from cybercoop.members.device_feeds import Cut
from cybercoop.store import prepared
from cybercoop.store.database import Connection
from cybercoop.store.paging import Filters, Page, page
from cybercoop.store.tables import releases

_CHUNK = 4096
_MOST_KEYS = 1024
_DAY = 86_400_000_000

ENTRY: tuple[str, ...] = (
    *("kind", "value", "confidence", "created", "date_added", "effective_until"),
    *("stix_id", "lock", "warned", "bytes"),
)
"""The columns of an entry of a list for devices."""

_ABSENT: Mapping[str, ColumnElement[Any]] = {
    "confidence": literal(0, SmallInteger()),
    "created": literal(0, BigInteger()),
    "date_added": literal(0, BigInteger()),
    "stix_id": literal("", String()),
    "lock": literal("", String()),
    "warned": literal(0, SmallInteger()),
    "bytes": literal(b"", LargeBinary()),
}


async def read(
    connection: Connection, keys: frozenset[str], filters: Filters, columns: Sequence[str]
) -> Page:
    """Return one page of what holders of ``keys`` may see; no keys, no rows."""
    if not keys:
        return Page()
    return await page(connection, releases.name, sorted(keys), filters, tuple(columns))


async def readable(connection: Connection, keys: frozenset[str], ids: Sequence[str]) -> set[str]:
    """Return which of ``ids`` are ids that the center gave to something these keys open."""
    query = select(releases.c.stix_id).where(
        releases.c.stix_id.in_(bindparam("ids", expanding=True)),
        func.coalesce(releases.c.lock, "").in_(sorted(keys)),
        releases.c.shared_id == false(),
    )
    return set((await connection.execute(query, {"ids": list(ids)})).scalars())


async def at_keys(
    connection: Connection,
    keys: frozenset[str],
    pattern_keys: Sequence[bytes],
    columns: Sequence[str],
) -> list[tuple[Any, ...]]:
    """Return ``columns`` of what stands at these pattern keys and holders of ``keys`` may see."""
    if not keys:
        return []
    locks = {f"lock_{number}": lock for number, lock in enumerate(sorted(keys))}
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(pattern_keys), _MOST_KEYS):
        part = list(pattern_keys[start : start + _MOST_KEYS])
        # Few shapes, so that each is built and compiled once; asking twice changes nothing.
        part += part[-1:] * (_shape_for(len(part)) - len(part))
        values = locks | {f"key_{number}": key for number, key in enumerate(part)}
        shape = (len(locks), len(part), tuple(columns))
        found += await prepared.rows(connection, _at_keys, shape, values)
    return found


def _shape_for(count: int) -> int:
    return 1 << max(count - 1, 0).bit_length()


def _at_keys(shape: tuple[int, int, tuple[str, ...]]) -> Select[Any]:
    locks, keys, columns = shape
    c = releases.c
    opened = [bindparam(f"lock_{number}", "", type_=String()) for number in range(locks)]
    asked = [bindparam(f"key_{number}", b"", type_=LargeBinary()) for number in range(keys)]
    return select(*(c[name] for name in columns)).where(
        c.head == true(),
        c.revoked == false(),
        c.key.in_(asked),
        # Out of the index, or every key is looked up once for each lock.
        func.coalesce(c.lock, "").in_(opened),
    )


async def entries(
    connection: Connection, keys: frozenset[str], cut: Cut, now: int, wanted: Collection[str]
) -> AsyncGenerator[list[Sequence[Any]], None]:
    """Yield in parts what holders of ``keys`` may block by, most important first.

    Rows have the columns ``ENTRY``, zero or empty but for kind, value, end and those ``wanted``:
    each costs a second for a million rows. Higher confidence goes first, then what changed last.
    A value that stands under several locks comes once, as its first: no two kinds have a value in
    common. The ``most`` of a cut is not counted here.
    """
    locks = cut.locks(keys)
    if not locks:
        return
    shown = [
        _ABSENT[name].label(name) if name in _ABSENT and name not in wanted else releases.c[name]
        for name in ENTRY
    ]
    query = select(*shown).where(*_listed(locks, cut, now)).order_by(*_IMPORTANT)
    seen: set[str] = set()
    add = seen.add
    async with aclosing(_parts(connection, query)) as parts:
        async for part in parts:
            # ``add`` returns None, and is asked once for each value.
            yield [row for row in part if row[1] not in seen and add(row[1]) is None]


async def _parts(
    connection: Connection, query: Select[Any]
) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
    """Yield the rows of a query as the driver gives them: a list may have a million."""
    name = connection.dialect.name
    said = query.compile(
        dialect=prepared.DIALECTS[name], compile_kwargs={"render_postcompile": True}
    )
    values = [said.params[one] for one in getattr(said, "positiontup", None) or ()]
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if name == "sqlite":
        async with driver.execute(str(said), values) as cursor:
            while part := await cursor.fetchmany(_CHUNK):
                yield part
        return
    async with driver.transaction(readonly=True):
        cursor = await driver.cursor(str(said), *values)
        while part := await cursor.fetch(_CHUNK):
            yield part


_IMPORTANT = (releases.c.confidence.desc(), releases.c.date_added.desc())


def _listed(locks: Sequence[str], cut: Cut, now: int) -> list[ColumnElement[bool]]:
    c = releases.c
    found = [
        c.lock.in_(locks),
        c.latest == true(),
        c.revoked == false(),
        c.kind.is_not(None),
        c.kind.in_(cut.kinds),
        c.confidence >= cut.least,
        or_(c.effective_until.is_(None), c.effective_until > now),
    ]
    if cut.age_days is not None:
        found.append(c.date_added > now - cut.age_days * _DAY)
    return found


async def count(connection: Connection, keys: frozenset[str], cut: Cut, now: int) -> int:
    """Return how many entries a cut lists, before exceptions and what its format leaves out."""
    locks = cut.locks(keys)
    if not locks:
        return 0
    values = func.count(releases.c.value.distinct())
    found: int = (
        await connection.execute(select(values).where(*_listed(locks, cut, now)))
    ).scalar_one()
    return found if cut.most is None else min(found, cut.most)


async def last_listed(
    connection: Connection, keys: frozenset[str], cut: Cut, now: int
) -> tuple[int, int] | None:
    """Return confidence and ``date_added`` of the last entry within ``most``.

    None says that the maximum cuts nothing off. A value under several locks counts for each.
    """
    locks = cut.locks(keys)
    if not locks or cut.most is None:
        return None
    query = select(releases.c.confidence, releases.c.date_added).where(*_listed(locks, cut, now))
    after = query.order_by(*_IMPORTANT).offset(max(cut.most - 1, 0)).limit(1)
    row = (await connection.execute(after)).first()
    return None if row is None else (row[0], row[1])


async def newest(connection: Connection, locks: Sequence[str]) -> Mapping[str, int]:
    """Return the ``date_added`` of the newest release under each lock; 0 where there is none."""
    if not locks:
        return {}
    values = {f"lock_{number}": lock for number, lock in enumerate(locks)}
    found = await prepared.rows(connection, _newest, len(locks), values)
    return {lock: stamp or 0 for lock, stamp in found}


def _newest(locks: int) -> CompoundSelect[Any] | Select[str, Any]:
    each: list[Select[str, Any]] = []
    for number in range(locks):
        lock = bindparam(f"lock_{number}", "", type_=String())
        stamp = func.max(releases.c.date_added, type_=BigInteger())
        each.append(
            select(cast(lock, String()), stamp).where(
                releases.c.lock == lock, releases.c.latest == true()
            )
        )
    return union_all(*each) if locks > 1 else each[0]
