"""Taking in one portion of a source: what is new is pushed, what is gone is withdrawn.

A portion is read twice. The first time counts, so that content which turns out broken near its
end has changed nothing; the second time takes in. Both go in parts, in a thread, for a list of
a million lines would hold up everybody else.
"""

import asyncio
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from cybercoop.client import Batch
from cybercoop.collect import indicating, reading
from cybercoop.collect.checking import ACCEPTED, DUPLICATE, Verdict
from cybercoop.collect.definitions import Source
from cybercoop.collect.intake import Push, accept
from cybercoop.collect.reading import Bad, Found, Options, Pattern, Reader, Tally, Value, Whole
from cybercoop.collect.sources import Portion
from cybercoop.errors import Malformed, Misused, Refused
from cybercoop.indicators.patterns import canonical
from cybercoop.indicators.statements import DAY, LIFETIMES, OTHER_LIFETIME
from cybercoop.members.organisations import MEMBERS, Organisation
from cybercoop.sharing import Addressed, locks_for
from cybercoop.sharing.marking import TLP2
from cybercoop.stix import times
from cybercoop.store import contributions, sources
from cybercoop.store.database import Connection, Database, unbroken
from cybercoop.store.members import Center
from cybercoop.store.sources import Version

Keep = Callable[[Connection], Awaitable[None]]
"""Remembers, as a part of a transaction, that a portion is taken in."""

Tell = Callable[[str, int, int], None]
"""Hears of a portion by name, how many of its objects are done, and how many there are."""

_PORTIONS = uuid.UUID("0d0f8a3c-3a8e-4f0e-8c68-9f6f0a9d7c11")
_PART = 1000
_PAGE = 20_000
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Desk:
    """Hold what is collected, as whom, and where it goes."""

    database: Database
    center: Center
    source: Source
    org: Organisation
    tell: Tell

    @property
    def addressed(self) -> Addressed:
        """Return whom everything is meant for that says nothing else."""
        group = self.source.group
        return Addressed(self.source.tlp, None if group in {"", MEMBERS} else group)

    def push_id(self, portion: str) -> str | None:
        """Return the name that all of a portion is pushed under, where it lists what is current."""
        if not self.source.is_snapshot:
            return None
        return str(uuid.uuid5(_PORTIONS, f"{self.source.name} {portion}"))


class Taken(msgspec.Struct):
    """Count what became of portions.

    Of all that was found, ``accepted``, ``kept``, ``repeated`` and ``refused`` are the sum;
    ``refused`` counts by reason. What the reader passed or refused stands in the tally.
    """

    values: Counter[str] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    passed: Counter[str] = msgspec.field(default_factory=Counter)
    unread: Counter[str] = msgspec.field(default_factory=Counter)
    accepted: int = 0
    kept: int = 0
    repeated: int = 0
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    withdrawn: int = 0

    def read(self, tally: Tally) -> None:
        """Add what a reader found."""
        self.values += tally.values
        self.duplicates += tally.duplicates
        self.passed += tally.passed
        self.unread += tally.refused


def found_in(source: Source, portion: Portion) -> Iterator[Found]:
    """Yield what every line of a portion became; raise ``Malformed`` as readers do.

    Raises ``Misused`` for a reader or an option that the definition gets wrong.
    """
    reader: Reader | None = None
    if source.reader != "auto":
        reader = reading.readers().get(source.reader)
        if reader is None:
            msg = f"There is no reader {source.reader!r}; there are {', '.join(reading.readers())}."
            raise Misused(msg)
    try:
        options = msgspec.convert(source.options, Options)
    except msgspec.ValidationError as error:
        msg = f"{source.name}: options: {error}."
        raise Misused(msg) from error
    return reading.read(portion.name, portion.data, options, reader)


async def tallied(source: Source, portion: Portion) -> Tally:
    """Return the count of a portion; raise ``Malformed`` for one that is better not believed."""
    tally = Tally()
    async for part in parts(found_in(source, portion)):
        await asyncio.to_thread(_count, tally, part)
    tally.seen.clear()  # of a million values it is the largest thing there is
    good = tally.values.total() + tally.duplicates
    if not good:
        msg = f"{portion.name} lists nothing{_first_refusal(tally)}."
        raise Malformed(msg)
    if tally.refused.total() > good:
        msg = f"{portion.name}: more than half is refused{_first_refusal(tally)}."
        raise Malformed(msg)
    return tally


def _first_refusal(tally: Tally) -> str:
    return f"; the first: {tally.examples[0].reason.rstrip('.')}" if tally.examples else ""


def _count(tally: Tally, part: Iterable[Found]) -> None:
    for one in part:
        reading.count(tally, one)


async def parts(found: Iterator[Found]) -> AsyncIterator[list[Found]]:
    """Yield what is found a thousand at a time, each read in a thread."""
    while part := await asyncio.to_thread(list, islice(found, _PART)):
        yield part


async def take_in(desk: Desk, portion: Portion, moment: int, keep: Keep) -> Taken:
    """Push what a portion says anew and withdraw what it lists no longer.

    ``moment`` is the version of what is pushed, in microseconds since 1970; no other portion
    may have it. ``keep`` runs in the last transaction: what is cut off before is repeated, and
    meets itself. Raises ``Malformed`` before anything is changed.
    """
    tally = await tallied(desk.source, portion)
    taken = Taken()
    taken.read(tally)
    whole, done, seen = tally.values.total() + tally.duplicates, 0, set[str]()
    async for part in parts(found_in(desk.source, portion)):
        done += await _take_part(desk, portion.name, part, moment, seen, taken)
        desk.tell(portion.name, done, whole)
    taken.withdrawn = await withdraw(desk, portion.name, seen, keep)
    return taken


async def _take_part(
    desk: Desk, name: str, part: Sequence[Found], moment: int, seen: set[str], taken: Taken
) -> int:
    """Push what is new in a part; return how many values and objects it had."""
    named = await asyncio.to_thread(_named, part)
    fresh = {one_id: one for one_id, one in named if one_id and one_id not in seen}
    wholes = [one for one_id, one in named if not one_id]
    taken.repeated += len(named) - len(fresh) - len(wholes)
    seen.update(fresh)
    said: dict[str, Version] = {}
    if fresh:
        async with desk.database.read() as connection:
            versions = await sources.versions(connection, desk.org.id, list(fresh))
        said = _newest(versions, desk.push_id(name))
    news = await asyncio.to_thread(_news, desk, fresh, said, moment)
    taken.kept += len(fresh) - len(news)

    def refuse(one: Bad) -> None:
        taken.refused[one.reason] += 1

    batches = indicating.envelopes([*wholes, *news], moment, refuse, most=_PART)
    for batch in await asyncio.to_thread(list, batches):
        verdicts = await _push(desk, name, batch, moment, wholes=bool(wholes))
        seen.update(one.id for one in verdicts)
        _judge(taken, verdicts)
    return len(named)


def _named(part: Iterable[Found]) -> list[tuple[str, Value | Pattern | Whole]]:
    """Return what counts with the id that it gets; an object has one of its own, in its bytes."""
    found: list[tuple[str, Value | Pattern | Whole]] = []
    for one in part:
        if isinstance(one, Whole):
            found.append(("", one))
        elif isinstance(one, Value | Pattern):
            kind = one.pattern_type if isinstance(one, Pattern) else "stix"
            found.append((indicating.id_of(indicating.pattern_of(one), kind), one))
    return found


def _newest(versions: Iterable[Version], push_id: str | None) -> dict[str, Version]:
    """Return what this portion itself said last; another's word may differ."""
    newest: dict[str, Version] = {}
    for one in sorted(versions, key=lambda one: one.modified):
        if push_id is None or one.push_id == push_id:
            newest[one.stix_id] = one
    return newest


def _news(
    desk: Desk, fresh: dict[str, Any], said: dict[str, Version], moment: int
) -> list[Value | Pattern]:
    return [
        _filled(desk.source, one, moment)
        for one_id, one in fresh.items()
        if one_id not in said or not _still_said(desk, one, said[one_id], moment)
    ]


def _filled(source: Source, found: Value | Pattern, moment: int) -> Value | Pattern:
    """Return a value with what the definition says where it says nothing itself."""
    if isinstance(found, Value) and found.confidence is None:
        found = msgspec.structs.replace(found, confidence=source.confidence)
    if found.valid_until is None and source.lifetime_days is not None:
        until = moment + source.lifetime_days * DAY
        found = msgspec.structs.replace(found, valid_until=until)
    return found


def _still_said(desk: Desk, found: Value | Pattern, last: Version, moment: int) -> bool:
    """Say whether ``last`` says the same, to the same readers, and for long enough."""
    if found.valid_until is None and _is_ageing(desk.source, last, _kind(found), moment):
        return False
    try:
        lock = _lock(desk, found.tlp)
        then = times.micros(last.version)
        said = indicating.indicator(_filled(desk.source, found, then), then)
    except Refused:
        return False
    return (said, lock) == (last.bytes, last.lock)


def _kind(found: Value | Pattern) -> str:
    return found.kind if isinstance(found, Value) else ""


def _lock(desk: Desk, tlp: str | None) -> str:
    marked = {"object_marking_refs": [TLP2[tlp]]} if tlp else {}
    return locks_for(marked, desk.org, desk.addressed, {}, frozenset())


def _lifetime(source: Source, kind: str) -> int:
    return (source.lifetime_days or LIFETIMES.get(kind, OTHER_LIFETIME)) * DAY


def _is_ageing(source: Source, last: Version, kind: str, moment: int) -> bool:
    half = _lifetime(source, kind) // 2
    return last.effective_until is not None and last.effective_until < moment + half


async def _push(desk: Desk, name: str, batch: Batch, now: int, *, wholes: bool) -> list[Verdict]:
    push_id = desk.push_id(name)

    async def share(connection: Connection, verdicts: Sequence[Verdict]) -> None:
        # The same version of an object cannot be given twice, once for each portion. What
        # several of them hold therefore belongs to none, and stays until it ends by itself.
        again = [one.id for one in verdicts if one.outcome == DUPLICATE]
        if wholes and again and push_id is not None:
            await sources.let_go(connection, desk.org.id, push_id, again)

    push = Push(desk.addressed, push_id=push_id)
    work = accept(desk.database, desk.center, desk.org, batch.body, push, now, share)
    return await unbroken(work)


def _judge(taken: Taken, verdicts: Iterable[Verdict]) -> None:
    for one in verdicts:
        if one.outcome == ACCEPTED:
            taken.accepted += 1
        elif one.outcome == DUPLICATE:
            taken.kept += 1
        else:
            taken.refused[one.reason] += 1


async def withdraw(desk: Desk, name: str, seen: set[str], keep: Keep) -> int:
    """Withdraw what a portion lists beyond ``seen``; return how many objects that are."""
    push_id = desk.push_id(name)
    gone = await _beyond(desk, push_id, seen) if push_id is not None else []
    count = 0
    for start in range(0, max(len(gone), 1), _PART):
        part = gone[start : start + _PART]
        is_last = start + _PART >= len(gone)
        count += await unbroken(
            _withdraw_part(desk, push_id or "", part, keep if is_last else None)
        )
    return count


async def _beyond(desk: Desk, push_id: str, seen: set[str]) -> list[str]:
    gone: set[str] = set()
    after = -1
    while after is not None:
        async with desk.database.read() as connection:
            page = await sources.listed(connection, desk.org.id, push_id, after, _PAGE)
        gone |= {stix_id for _, stix_id in page if stix_id not in seen}
        if len(page) < _PAGE:
            break
        after = page[-1][0]
    return sorted(gone)


async def _withdraw_part(desk: Desk, push_id: str, part: list[str], keep: Keep | None) -> int:
    async with desk.database.write() as connection:
        alone: list[str] = []
        if part:
            await contributions.stamps(connection, desk.org.id, 0, 0)
            alone = await sources.unlist(connection, desk.org.id, push_id, part)
            await contributions.withdraw(connection, desk.org.id, alone)
        if keep is not None:
            await keep(connection)
    return len(alone)


async def refresh(desk: Desk, moment: int, besides: frozenset[str | None]) -> int:
    """Say again what is listed and nears its end; return how many objects that are.

    A list that has not changed still lists what it lists. What carries a date of its own ages by
    it unless it is read again, and so do the portions ``besides``, which could not be read.
    """
    count, since = 0, 0
    shortest = (desk.source.lifetime_days or min(LIFETIMES.values())) * DAY
    while True:
        async with desk.database.read() as connection:
            old = moment - shortest // 2
            page = await sources.ageing(connection, desk.org.id, since, old, _PART)
        again: dict[str, list[bytes]] = defaultdict(list)
        for one in page:
            since = one.date_added
            if one.push_id not in {None, *besides} and (raw := _again(desk.source, one, moment)):
                again[one.push_id or ""].append(raw)
        for push_id, some in again.items():
            body = b'{"objects":[' + b",".join(some) + b"]}"
            push = Push(desk.addressed, push_id=push_id)
            await unbroken(accept(desk.database, desk.center, desk.org, body, push, moment))
            count += len(some)
        if len(page) < _PART:
            return count


def _again(source: Source, last: Version, moment: int) -> bytes | None:
    """Return what ``last`` says with new times, or nothing where that is not ours to say."""
    body: dict[str, Any] = msgspec.json.decode(last.bytes)
    ours = indicating.id_of(body.get("pattern", ""), body.get("pattern_type", ""))
    if body["id"] != ours or body.get("valid_from") != body["modified"]:
        return None
    kind = canonical(body["pattern"], body["pattern_type"]).kind
    if not _is_ageing(source, last, kind or "", moment):
        return None
    now = times.text(moment)
    body |= {"created": now, "modified": now, "valid_from": now}
    if "valid_until" in body:
        lifetime = (source.lifetime_days or 0) * DAY
        if times.micros(body["valid_until"]) != times.micros(last.version) + lifetime:
            return None
        body["valid_until"] = times.text(moment + lifetime)
    return _encode(body)
