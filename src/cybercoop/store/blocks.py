"""What the devices of counties are to block for responses, and what became of it.

Whoever writes here takes a stamp and holds the clock until commit, so a list that was read up to a
stamp has seen all that will ever bear an earlier one: what a device fetched proves what it blocks.
Each county has stamps of its own: what is seen of them must not tell what is blocked at others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.members.device_feeds import DeviceFeed
from cybercoop.store import device_feeds
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import blocks, responses
from cybercoop.store.service_tables import device_feeds as feeds
from cybercoop.store.tables import clocks

_CLOCK = "blocks"
_AT_ONCE = 500


async def stamp(connection: Connection, org_id: str, now: int) -> int:
    """Return a stamp of an organisation, ``now`` or later, that is later than every one before.

    The clock is held until commit: nobody reads or writes an earlier stamp afterwards.
    """
    return (await _stamps(connection, [org_id], now))[org_id]


async def _stamps(connection: Connection, org_ids: Sequence[str], now: int) -> dict[str, int]:
    """Return a stamp for each of these organisations.

    The clock of all comes first and is held as well: two who would take those of several counties
    in different orders must not wait for each other.
    """
    names = {f"{_CLOCK} {one}": one for one in org_ids}
    rows = [{"name": _CLOCK, "last": 0}, *({"name": one, "last": now} for one in names)]
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(clocks).values(rows)
    last = clocks.c.last + 1
    later = case((last > new.excluded.last, last), else_=new.excluded.last)
    taken = new.on_conflict_do_update(index_elements=[clocks.c.name], set_={"last": later})
    told = await connection.execute(taken.returning(clocks.c.name, clocks.c.last))
    return {names[row.name]: int(row.last) for row in told if row.name in names}


async def hold(connection: Connection, now: int) -> None:
    """Keep all others from putting blocks, and from ending them, until commit."""
    await _stamps(connection, [], now)


async def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Remember a block; one that was put at the same place of the same run stays as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    stamped = {**row, "since": await stamp(connection, row["org_id"], row["since"])}
    await connection.execute(dialect.insert(blocks).values(**stamped).on_conflict_do_nothing())


async def end(connection: Connection, ids: Iterable[str], now: int, reason: str) -> int:
    """End these blocks; return how many were still in force."""
    return await _end(connection, blocks.c.id.in_(list(ids)), now, reason)


async def end_value(connection: Connection, run_id: str, value: str, now: int, reason: str) -> int:
    """End the blocks of a value that a run has put; return how many."""
    return await _end(
        connection, and_(blocks.c.run_id == run_id, blocks.c.value == value), now, reason
    )


async def end_of_run(connection: Connection, run_id: str, now: int, reason: str) -> int:
    """End all blocks that a run has put; return how many."""
    return await _end(connection, blocks.c.run_id == run_id, now, reason)


async def end_of_response(connection: Connection, response_id: str, now: int, reason: str) -> int:
    """End all blocks that a response has put; return how many."""
    return await _end(connection, blocks.c.response_id == response_id, now, reason)


async def expire(connection: Connection, now: int) -> list[Any]:
    """End the blocks whose time is over, and return them."""
    c = blocks.c
    over = and_(c.ended_at.is_(None), c.until <= now)
    await hold(connection, now)  # so that of several who look one finds them
    found = list((await connection.execute(select(blocks).where(over))).all())
    await _end(connection, c.until <= now, now, "over")
    return found


async def confirm(connection: Connection, run_id: str, who: str, now: int) -> int:
    """Note a person's word that the blocks of a run are in force; return how many."""
    c = blocks.c
    where = and_(c.run_id == run_id, c.ended_at.is_(None), c.confirmed_at.is_(None))
    done = await connection.execute(
        update(blocks).where(where).values(confirmed_at=now, confirmed_by=who)
    )
    return done.rowcount


async def in_force_count(connection: Connection, org_id: str, now: int) -> int:
    """Return how many blocks of an organisation are in force."""
    c = blocks.c
    where = and_(c.org_id == org_id, c.ended_at.is_(None), c.until > now)
    return int(await connection.scalar(select(func.count()).where(where)) or 0)


async def of_response(connection: Connection, response_id: str) -> list[Any]:
    """Return all blocks of a response, oldest first."""
    query = select(blocks).where(blocks.c.response_id == response_id)
    return list((await connection.execute(query.order_by(blocks.c.since, blocks.c.id))).all())


async def _end(connection: Connection, where: ColumnElement[bool], now: int, reason: str) -> int:
    c, count = blocks.c, 0
    still = and_(where, c.ended_at.is_(None))
    await hold(connection, now)  # so that nobody puts a block that is not seen here
    whose = await connection.scalars(select(c.org_id).where(still).distinct().order_by(c.org_id))
    org_ids = list(whose)
    for at in range(0, len(org_ids), _AT_ONCE):
        stamps = await _stamps(connection, org_ids[at : at + _AT_ONCE], now)
        ended = update(blocks).where(still, c.org_id.in_(stamps))
        said = {"ended_at": case(stamps, value=c.org_id), "reason": reason}
        count += (await connection.execute(ended.values(said))).rowcount
    return count


async def in_force(connection: Connection, org_id: str, now: int) -> list[Any]:
    """Return the blocks of an organisation in force, newest first, each with its ``lock``.

    An exercise blocks nothing.
    """
    c, now_ = blocks.c, bindparam("now", now, type_=BigInteger())
    query = _with_lock().where(
        c.org_id == org_id,
        c.since <= now_,
        c.until > now_,
        c.ended_at.is_(None),
        responses.c.exercise == false(),
    )
    return list((await connection.execute(query.order_by(c.since.desc(), c.id))).all())


def _with_lock() -> Select[Any]:
    return select(blocks, responses.c.lock, responses.c.exercise).join(
        responses, responses.c.id == blocks.c.response_id
    )


async def changed_at(connection: Connection, org_id: str) -> int:
    """Return the stamp of the newest block or end of one; 0 where there is none."""
    query = select(func.max(blocks.c.since), func.max(blocks.c.ended_at))
    row = (await connection.execute(query.where(blocks.c.org_id == org_id))).one()
    return max(row[0] or 0, row[1] or 0)


@dataclass(frozen=True, slots=True)
class State:
    """Hold a block (a row, with the ``lock`` of its response) and what is known of it.

    ``listed``: its time is not over, it is no exercise, and a feed of the county lists its kind.
    ``fetched``: a device has fetched such a list since; of a block that is over: since it is, and
    no device that fetched it has not come back. ``confirmed``: a person said that it is in force.
    """

    block: Any
    listed: bool
    fetched: bool
    confirmed: bool


async def states(connection: Connection, response_id: str, now: int) -> list[State]:
    """Return what is known of all blocks of a response, oldest first.

    Exceptions and rules of the guard are not looked at here; ``collect.device_feeds`` does.
    """
    query = _with_lock().where(blocks.c.response_id == response_id)
    rows = (await connection.execute(query.order_by(blocks.c.since, blocks.c.id))).all()
    whose = select(blocks.c.org_id).where(blocks.c.response_id == response_id)
    following = await _following(connection, feeds.c.org_id.in_(whose))
    return [_state(row, _of(row.org_id, row.kind, following), now) for row in rows]


def _state(block: Any, lists: Sequence[DeviceFeed], now: int) -> State:
    over = block.ended_at or (block.until if block.until <= now else None)
    seen = [one.fetched_as_of for one in lists if one.fetched_as_of is not None]
    fetched = any(at >= (over or block.since) for at in seen)
    if over is not None and any(block.since <= at < over for at in seen):
        fetched = False
    listed = over is None and bool(lists) and not block.exercise
    return State(block, listed, fetched, block.confirmed_at is not None)


async def covering(connection: Connection, org_id: str, kind: str) -> list[DeviceFeed]:
    """Return the feeds by which devices of an organisation follow blocks of that kind."""
    return _of(org_id, kind, await _following(connection, feeds.c.org_id == org_id))


def _of(org_id: str, kind: str, some: Iterable[DeviceFeed]) -> list[DeviceFeed]:
    return [one for one in some if one.org_id == org_id and kind in one.cut.kinds]


async def _following(connection: Connection, where: ColumnElement[bool]) -> list[DeviceFeed]:
    query = select(feeds).where(where, feeds.c.responses == true(), feeds.c.ended_at.is_(None))
    rows = (await connection.execute(query.order_by(feeds.c.created_at, feeds.c.id))).mappings()
    return [device_feeds.feed_of(dict(row)) for row in rows]
