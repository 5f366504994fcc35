"""Collecting: sources are added, collected from when they are due, and watched for their age.

A run goes on from the last portion that it took in. It holds the source for itself, so that two
runs never work on the same one; when a process dies its lock dies with it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from cybercoop.collect import definitions
from cybercoop.collect.definitions import Source
from cybercoop.collect.portions import Desk, Keep, Taken, Tell, refresh, take_in, withdraw
from cybercoop.collect.sources import Cursor, Portion, kinds
from cybercoop.errors import CoopError, Malformed, Misused, Unreachable
from cybercoop.members.organisations import MEMBERS, Kind, Organisation
from cybercoop.store import contributions, members, sources
from cybercoop.store.database import Connection, Database, unbroken
from cybercoop.store.sources import Row
from cybercoop.surroundings import Surroundings

SECOND = 1_000_000
_SHOWN = 3
_UNSAID = ("title", "licence", "terms", "attribution", "schedule", "enabled", "verified", "note")
"""What a definition may say otherwise without another word in what is taken in."""

_log = structlog.get_logger("sources")


class State(StrEnum):
    """Name how a source is: ``late`` without success for two intervals."""

    OFF = "off"
    NEVER = "never"
    FRESH = "fresh"
    LATE = "late"
    FAILING = "failing"


ALARMING = frozenset({State.LATE, State.FAILING})


class Memory(msgspec.Struct, frozen=True):
    """Hold how far a source has come: its cursor, under which definition, and the state told."""

    cursor: dict[str, Any] = {}
    definition: str = ""
    told: str = State.NEVER.value


@dataclass(frozen=True, slots=True)
class House:
    """Hold what every run works with; ``variables`` hold secrets by name."""

    database: Database
    around: Surroundings
    variables: Mapping[str, str]


@dataclass(slots=True)
class Run:
    """Hold what became of one run: what was taken, and why the whole or a part of it failed.

    ``broken`` names portions that could not be read, and ``missing`` those that could not be had.
    """

    name: str
    moment: int
    taken: dict[str, Taken] = field(default_factory=dict)
    refreshed: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    retry_after: int = 0

    @property
    def failed(self) -> bool:
        """Say whether nothing came of it, or more portions were broken than not."""
        return bool(self.failure) or len(self.broken) > len(self.taken)

    @property
    def reason(self) -> str:
        """Return why all or a part of it failed, or nothing."""
        parts = [*filter(None, [self.failure]), *self.broken.values()]
        parts += [f"{name}: {why}" for name, why in self.missing.items()]
        more = f" And {len(parts) - _SHOWN} more." if len(parts) > _SHOWN else ""
        return " ".join(parts[:_SHOWN]) + more


def state_of(row: Row | None, source: Source, now: int) -> State:
    """Return how a source is; ``now`` is in microseconds since 1970."""
    if row is None or not row.enabled:
        return State.OFF
    if row.failures:
        return State.FAILING
    if row.succeeded_at is None:
        return State.NEVER
    late = row.succeeded_at + 2 * source.interval * SECOND
    return State.LATE if late < now else State.FRESH


async def add(
    database: Database, source: Source, around: Surroundings, *, accept_terms: bool
) -> Organisation:
    """Let a source take part as an organisation of its own, due at once, or turn it on again.

    Raises ``Misused`` where nobody has read its terms, and for a group that is not there.
    """
    if not (source.verified or accept_terms):
        msg = (
            f"Nobody here has read the terms of {source.name} yet: {source.terms}. "
            "Read them, then add it with --accept-terms."
        )
        raise Misused(msg)
    async with database.write() as connection:
        known = {row.name: row for row in await sources.every(connection)}
        if (row := known.get(source.name)) is not None:
            if row.enabled:
                msg = f"The source {source.name} is collected already."
                raise Misused(msg)
            await sources.switch(connection, source.name, around.now(), on=True)
            return await members.find(connection, row.org_id)
        return await _enrol(connection, source, around)


async def add_enabled(database: Database, known: Iterable[Source], around: Surroundings) -> None:
    """Add what its definition turns on, once; terms that nobody has read keep a source off."""
    async with database.read() as connection:
        there = {row.name for row in await sources.every(connection)}
    for source in known:
        if source.enabled and source.verified and source.name not in there:
            await add(database, source, around, accept_terms=False)


async def any_on(database: Database) -> bool:
    """Say whether there is a source to collect from at any time."""
    async with database.read() as connection:
        return any(row.enabled for row in await sources.every(connection))


async def _enrol(connection: Connection, source: Source, around: Surroundings) -> Organisation:
    """Make the organisation: it has no key but ``public``, and is in a group only to address it."""
    now = around.now()
    org = Organisation(
        around.uuid(),
        source.name,
        Kind.SOURCE,
        community=False,
        contributions_id=around.uuid(),
        default_tlp=source.tlp,
        default_group=source.group or None,
        catalogue=source.catalogue,
    )
    await members.add(connection, org, now)
    await contributions.start_clock(connection, f"org:{org.id}")
    if source.group not in {"", MEMBERS}:
        if source.group not in {group.id for group in await members.all_groups(connection)}:
            msg = f"There is no group {source.group!r}; `cybercoop group add` makes it."
            raise Misused(msg)
        await members.join(connection, source.group, org.id)
    await sources.add(connection, source.name, org.id, now)
    return await members.find(connection, org.id)


async def stop(database: Database, name: str, now: int) -> None:
    """Let a source be collected no longer; what it gave stays until its time is over."""
    async with database.write() as connection:
        if not (await sources.find(connection, name)).enabled:
            msg = f"The source {name} is off already."
            raise Misused(msg)
        await sources.switch(connection, name, now, on=False)


async def due(database: Database, known: Iterable[Source], now: int) -> dict[str, int]:
    """Return which of these sources are due, and since when."""
    async with database.read() as connection:
        rows = await sources.every(connection)
    intervals = {source.name: source.interval * SECOND for source in known}
    return {
        row.name: row.next_at
        for row in rows
        if row.enabled
        and row.name in intervals
        and row.next_at is not None
        # A source that was tried later than now was put off by a clock that was wrong.
        and (row.next_at <= now or (row.tried_at or 0) > now + intervals[row.name])
    }


async def claim(database: Database, source: Source, since: int, now: int) -> bool:
    """Take what was due ``since``, once among all workers; say whether it was still there.

    Should the worker die, the source is due again after its interval.
    """
    async with database.write() as connection:
        later = now + source.interval * SECOND
        return await sources.claim(connection, source.name, since, later)


async def collect(house: House, source: Source, tell: Tell) -> Run:
    """Take in what a source has, and remember how far that went and how it ended.

    What fails on the way is told by the run. Raises ``Misused`` for a source that is off, or that
    another process is collecting.
    """
    database, now = house.database, house.around.now()
    async with sources.alone(database, source.name):
        async with database.write() as connection:
            row = await sources.find(connection, source.name)
            if not row.enabled:
                msg = f"The source {source.name} is off; `cybercoop source add` turns it on."
                raise Misused(msg)
            center = await members.the_center(connection)
            org = await members.find(connection, row.org_id)
            await sources.begin(connection, source.name, now, now + source.interval * SECOND)
        run, desk = Run(source.name, now), Desk(database, center, source, org, tell)
        try:
            await _portions(house, desk, _memory(row, source).cursor, run)
            besides = frozenset(desk.push_id(name) for name in (*run.broken, *run.missing))
            run.refreshed = await refresh(desk, _next(house, run), besides)
        except CoopError as error:
            run.failure = str(error)
            run.retry_after = (isinstance(error, Unreachable) and error.retry_after) or 0
        except Exception as error:
            run.failure = f"It could not be collected ({type(error).__name__})."
            await unbroken(_end(database, source, row, run, house.around.now()))
            raise
        await unbroken(_end(database, source, row, run, house.around.now()))
    return run


async def _portions(house: House, desk: Desk, cursor: Cursor, run: Run) -> None:
    source, kind = desk.source, kinds()[desk.source.kind]
    credentials = definitions.credentials_of(source, house.variables)
    rules = definitions.rules_of(source)
    async with aclosing(kind.fetch(source, cursor, rules, credentials)) as portions:
        async for portion in portions:
            keep = _keep(source, portion, run)
            if portion.trouble:
                run.missing[portion.name] = portion.trouble
            elif portion.unchanged:
                async with desk.database.write() as connection:
                    await keep(connection)
            elif portion.gone:
                run.taken[portion.name] = Taken(
                    withdrawn=await withdraw(desk, portion.name, set(), keep)
                )
            else:
                await _take(house, desk, portion, keep, run)


async def _take(house: House, desk: Desk, portion: Portion, keep: Keep, run: Run) -> None:
    try:
        run.taken[portion.name] = await take_in(desk, portion, _next(house, run), keep)
    except Malformed as error:
        # Each file stands for itself; behind a page that cannot be read one would miss it.
        if not kinds()[desk.source.kind].SNAPSHOT:
            raise
        run.broken[portion.name] = str(error)


def _next(house: House, run: Run) -> int:
    """Return a moment that no portion of this run had; it is the version of what is pushed."""
    run.moment = max(house.around.now(), run.moment + 1)
    return run.moment


def _keep(source: Source, portion: Portion, run: Run) -> Keep:
    async def keep(connection: Connection) -> None:
        row = await sources.find(connection, source.name, hold=True)
        cursor = _without(portion.cursor, run.broken)
        kept = Memory(cursor, _digest(source), _memory(row, source).told)
        await sources.remember(connection, source.name, _text(kept))

    return keep


def _without(cursor: Mapping[str, Any], broken: Iterable[str]) -> dict[str, Any]:
    """Return a cursor that has not seen the ``broken`` portions, so that they are tried again.

    Where a source has many, its cursor maps their names, or these without their ending, to what
    was seen of each; and it must not be told that nothing has changed since.
    """
    names = {*broken, *(name.removesuffix(".json") for name in broken)}
    if not names:
        return dict(cursor)
    return {
        name: {key: one for key, one in part.items() if key not in names}
        if isinstance(part, Mapping)
        else part
        for name, part in cursor.items()
        if name not in {"etag", "last_modified", "sha256"}
    }


def _digest(source: Source) -> str:
    """Name what a definition says of contents: another one has everything read again."""
    said = {name: part for name, part in msgspec.to_builtins(source).items() if name not in _UNSAID}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]


def _memory(row: Row, source: Source) -> Memory:
    memory = msgspec.json.decode(row.memory, type=Memory)
    if memory.definition == _digest(source):
        return memory
    return Memory(told=memory.told)


def _text(memory: Memory) -> str:
    return msgspec.json.encode(memory).decode()


async def _end(database: Database, source: Source, row: Row, run: Run, now: int) -> None:
    """Remember how a run ended; after a failure the pauses double, up to the interval."""
    interval = source.interval * SECOND
    if not run.failed:
        ended = msgspec.structs.replace(
            row, succeeded_at=now, next_at=now + interval, failure=run.reason or None
        )
        async with database.write() as connection:
            await sources.succeed(connection, ended)
        return
    pause = min(interval // 10 * 2 ** min(row.failures, 10), interval)
    pause = max(pause, run.retry_after * SECOND)
    ended = msgspec.structs.replace(
        row, failures=row.failures + 1, next_at=now + pause, failure=run.reason
    )
    async with database.write() as connection:
        await sources.fail(connection, ended)


async def tell_changes(database: Database, known: Iterable[Source], now: int) -> dict[str, State]:
    """Log each source whose state is another than the last one that was told, once.

    Return these states.
    """
    found = {source.name: source for source in known}
    changed: dict[str, State] = {}
    async with database.read() as connection:
        rows = [row for row in await sources.every(connection) if row.name in found]
    for row in rows:
        told = msgspec.json.decode(row.memory, type=Memory).told
        if state_of(row, found[row.name], now) != told:
            changed |= await _tell(database, found[row.name], now)
    return changed


async def _tell(database: Database, source: Source, now: int) -> dict[str, State]:
    """Log a change of state, unless another process has just done so."""
    async with database.write() as connection:
        row = await sources.find(connection, source.name, hold=True)
        memory, state = msgspec.json.decode(row.memory, type=Memory), state_of(row, source, now)
        if state == memory.told:
            return {}
        kept = msgspec.structs.replace(memory, told=state)
        await sources.remember(connection, source.name, _text(kept))
    log = _log.warning if state in ALARMING else _log.info
    log("source is", source=source.name, state=state.value, reason=row.failure or "")
    return {source.name: state}
