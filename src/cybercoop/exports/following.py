"""Lists of what responses block at one county: made anew before a fetch when anything changed.

Nothing is looked after behind the scenes. Such a list is short, a new block has to be on it at
once, and up to when it follows the blocks decides what a fetch of it proves.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cybercoop.collect.device_feeds import kept_out, own_index
from cybercoop.collect.guarding import Guard
from cybercoop.exports.building import Given, Pair, Plan, Record, State
from cybercoop.exports.cut import LEVELS, level_of
from cybercoop.exports.entries import Entry
from cybercoop.guard import ALLOWED, Level
from cybercoop.store import blocks
from cybercoop.store.database import Database

SURE = 100
"""The confidence of what a response blocks: people decided on it."""


async def is_over(database: Database, plan: Plan, record: Record, state: State, now: int) -> bool:
    """Say whether a list has to be made anew: blocks, exceptions or rules are not what they were.

    ``state`` is what it would be made from now.
    """
    if record.state != state or (record.ends is not None and record.ends <= now):
        return True
    async with database.read() as connection:
        return await blocks.changed_at(connection, plan.blocks_of) > record.as_of


def state_of(rules: Guard, own: Sequence[Pair]) -> State:
    """Return what a list is made from beside the blocks; ``own`` the county excepted for itself."""
    return State({}, tuple(own), rules.version)


async def given(
    database: Database, plan: Plan, rules: Guard, own: Sequence[Pair], now: int
) -> Given:
    """Return what a list is to be made of, and up to when it is right."""
    async with database.write() as connection:
        as_of = await blocks.stamp(connection, plan.blocks_of, now)
        rows = await blocks.in_force(connection, plan.blocks_of, as_of)
    return Given(entries(rows, rules, own, plan.cut.kinds), as_of)


def entries(
    rows: Sequence[Any], rules: Guard, own: Sequence[Pair], kinds: Sequence[str]
) -> list[Entry]:
    """Return the entries of blocks in force: each value once, until its last block ends.

    Values that the guard or an exception keeps out are none.
    """
    index, found = own_index(own), dict[Pair, Entry]()
    for row in rows:
        pair = (row.kind, row.value)
        if row.kind not in kinds or kept_out(rules, index, *pair) is not ALLOWED:
            continue
        new = _entry(row, rules)
        found[pair] = _both(found[pair], new) if pair in found else new
    return list(found.values())


def _entry(row: Any, rules: Guard) -> Entry:
    warned = rules.of_values([(row.kind, row.value)]).level is Level.WARN
    # No object of this id is released: the list alone tells of it.
    told = (f"x-cybercoop-block--{row.id}", level_of(row.lock), warned)
    return Entry(row.kind, row.value, SURE, row.since, row.since, row.until, *told)


def _both(one: Entry, other: Entry) -> Entry:
    return msgspec.structs.replace(
        one,
        since=min(one.since, other.since),
        changed=max(one.changed, other.changed),
        until=max(one.until or 0, other.until or 0),
        level=max(one.level, other.level, key=LEVELS.index),
    )
