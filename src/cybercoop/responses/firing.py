"""Firing rules: looking at what has happened, deciding, and proposing or starting responses.

Several workers look at the same time; who takes the row of a watch first goes on, the others find
that it has moved. What was looked at, what was made of it, and the responses themselves are one
transaction: a crash leaves no trace, and nothing is fired twice.

Where something unexpected goes wrong with one rule, twice in a row, the log says so and all others
go on without it: it misses what this look was about, and is tried again with what comes next.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from cybercoop.collect.recognising import recognised
from cybercoop.errors import CoopError, Misused
from cybercoop.responses import rules
from cybercoop.responses.breaking import Broke, apart, without_broken
from cybercoop.responses.carrying import Carrying
from cybercoop.responses.rules import Book, Rule
from cybercoop.responses.triggers import Happened, Kind, Met, Scene, _explaining, _replaying, kinds
from cybercoop.responses.triggers._acting import Done, act, effects
from cybercoop.responses.triggers._deciding import Decision, Memory, decide
from cybercoop.responses.triggers._replaying import State, Would, states
from cybercoop.responses.triggers.release import subject_of
from cybercoop.sharing import stamps
from cybercoop.store import database as databases
from cybercoop.store import firings, members
from cybercoop.store.database import Connection
from cybercoop.store.firings import Firing

__all__ = [
    "Broke",
    "ByHand",
    "State",
    "Would",
    "explained",
    "fire",
    "poll",
    "replay",
    "states",
    "tend",
]

MOST = 2_000
"""How much of what happened one transaction looks at."""

_WAITING = "waiting"
_HOUR = 3_600_000_000
_PAUSE = 1.0
_LOOKS_AT_FILE = 5
_AFTER_FAILURE = 10.0

_log = structlog.get_logger("triggers")


class Cursor(Struct, frozen=True):
    """Hold how far a kind of trigger has looked, and since when each rule has been on."""

    at: int
    since: dict[str, int]


async def tend(house: Carrying) -> None:
    """Fire rules until cancelled; a center without any pays for a look at its file."""
    book, stamp, rounds = rules.NONE, None, 0
    folder = house.settings.playbooks
    while True:
        more, failed = False, False
        try:
            if not (book.watched and rounds % _LOOKS_AT_FILE):
                found = await asyncio.to_thread(rules.stamp, folder)
                if found != stamp:
                    stamp = found
                    book = await _read(house, book)
            with databases.explained():
                more = bool(book.watched) and await databases.unbroken(poll(house, book))
        except (CoopError, OSError, msgspec.MsgspecError, Broke) as error:
            _log.error("rules could not be fired", error=repr(error))
            failed = True
        rounds += 1
        await asyncio.sleep(_pause(book, more=more, failed=failed))


def _pause(book: Book, *, more: bool, failed: bool) -> float:
    """Return the seconds until the next look."""
    if failed:
        return _AFTER_FAILURE
    if more:
        return 0
    return _PAUSE if book.watched else _PAUSE * _LOOKS_AT_FILE


async def _read(house: Carrying, before: Book) -> Book:
    """Return the rules as they are on the disk, or were before somebody broke one."""
    try:
        book = await asyncio.to_thread(rules.read, house.settings.playbooks)
    except Misused as error:
        _log.error("rules cannot be read", reason=str(error))
        return before
    await databases.unbroken(_forget(house, book))
    return book


async def _forget(house: Carrying, book: Book) -> None:
    """Let kinds without rules begin anew when they have some again: not with what was long ago."""
    async with house.database.read() as connection:
        _, seen = await firings.heads(connection)
    idle = seen.keys() - book.watched.keys() - {_WAITING}
    if idle:
        async with house.database.write() as connection:
            await firings.forget(connection, idle)


async def poll(house: Carrying, book: Book) -> bool:
    """Look once at all that rules wait for; say whether there is more to look at.

    Raises ``Broke`` for a kind of trigger that cannot be looked at, once all others were.
    """
    now = house.around.now()
    async with house.database.read() as connection:
        far, seen = await firings.heads(connection)
    heads = {
        "projector": (far.get("projector", 0) + 1) * stamps.SLOT - 1,
        "incidents": far.get("incidents", 0),
        "clock": now,
    }
    more, broke = False, []
    for name in book.watched:
        kind = kinds()[name]
        try:
            more |= await apart(name, _move(house, book, kind, seen.get(name), heads[kind.source]))
        except Broke as error:
            broke.append(error)
    if _WAITING in seen and int(seen[_WAITING]) <= now:
        await without_broken(partial(_wake, house, book))
    if broke:
        raise broke[0]
    return more


async def _move(house: Carrying, book: Book, kind: Kind, text: str | None, head: int) -> bool:
    """Look with the rules of a kind where something has moved; say whether there is more."""
    some = book.on(kind.name)
    cursor = msgspec.json.decode(text, type=Cursor) if text else None
    if cursor is None or cursor.since.keys() != some.keys():
        await _settle(house, kind.name, some, head)
        return False
    if head <= cursor.at:
        return False
    return await without_broken(partial(_look, house, book, kind, cursor, head))


async def _settle(house: Carrying, name: str, some: Mapping[str, Rule], head: int) -> None:
    """Let rules that are new here begin with what comes from now on, and forget those gone."""
    async with house.database.write() as connection:
        text = await firings.take(connection, name)
        known = msgspec.json.decode(text, type=Cursor) if text else Cursor(head, {})
        new = Cursor(known.at, {one: known.since.get(one, head) for one in some})
        await firings.put(connection, name, _text(new))


async def _look(
    house: Carrying, book: Book, kind: Kind, cursor: Cursor, head: int, left_out: frozenset[str]
) -> bool:
    """Look at what has happened since; say whether there is more of it."""
    some = book.on(kind.name)
    async with house.database.read() as connection:
        scene = await scene_of(house, connection)
        asked = {name: rule.when for name, rule in some.items()}
        events, far = await kind.happened(scene, asked, cursor.at, head, MOST)
        if far == cursor.at:
            return False
        found = {
            name: await apart(name, _met(scene, rule, events, cursor))
            for name, rule in some.items()
            if name not in left_out
        }
    async with house.database.write() as connection:
        if await firings.take(connection, kind.name) != _text(cursor):
            return True  # another worker was faster
        scene = await scene_of(house, connection)
        for name, mets in found.items():
            if mets:
                await apart(name, _make(house, scene, book, some[name], mets))
        await firings.put(connection, kind.name, _text(Cursor(far, cursor.since)))
    return far < head


async def _met(
    scene: Scene, rule: Rule, events: Sequence[tuple[Happened, Any]], cursor: Cursor
) -> list[Met]:
    since = cursor.since[rule.name]
    mine = [one for one in events if one[0].at > since and one[0].rule in {"", rule.name}]
    return await rule.trigger.met(scene, rule.when, mine) if mine else []


async def scene_of(house: Carrying, connection: Connection) -> Scene:
    """Return what triggers look with."""
    known = {one.id: one for one in await members.all_organisations(connection)}
    return Scene(connection, house.center.org_id, known, house.around.now())


async def _make(house: Carrying, scene: Scene, book: Book, rule: Rule, mets: Sequence[Met]) -> None:
    """Make of what met a rule what the rule says; what comes to nothing is counted together."""
    memory = await _memory(scene, rule)
    left: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    tried: Counter[str] = Counter()
    for met in await effects(scene, book, rule, mets):
        event = met.event
        decision = decide(rule, met, memory, scene.now)
        done = Done(decision)
        if decision.verdict == "act":
            # What fails costs as much as what goes well, and ten thousand may fail alike.
            tried[event.lock] += 1
            is_over = tried[event.lock] > rule.most[0]
            limited = Done(Decision("limited", rule.limit))
            done = limited if is_over else await act(house, scene, rule, event)
        why = _explaining.why(rule, met, done.decision, **done.said)
        if done.decision.verdict in firings.ACTED:
            memory.note(event.subject, event.lock, scene.now)
            await _remember(scene, rule, met, done, why)
        else:
            left[done.decision.verdict, event.lock].append(why)
    for (verdict, lock), whys in left.items():
        told = _explaining.together(whys)
        new = Firing(rule=rule.name, subject="", at=scene.now, verdict=verdict, why=told, lock=lock)
        await firings.count_up(scene.connection, new, scene.now - _HOUR)


class ByHand(Struct, frozen=True, kw_only=True):
    """Hold what a person says who fires a rule: about which value, with which values, and why."""

    person_id: str | None = None
    value: str = ""
    values: dict[str, Any] = {}
    reason: str = ""


async def fire(house: Carrying, connection: Connection, rule: Rule, said: ByHand) -> Firing:
    """Fire a rule that people fire; neither quiet hours nor limits keep a person from it.

    Raises ``Misused`` for a rule that is off or looks by itself, ``Refused`` for what is no value.
    """
    if rule.kind != "manual" or not rule.enabled:
        raise Misused(f"The rule {rule.name} is not fired by hand, or it is off.")
    scene = await scene_of(house, connection)
    kind, value = recognised(said.value) if said.value else (None, None)
    event = Happened(
        subject=subject_of(kind, value or "by hand"),
        lock=rule.when.lock,
        at=scene.now,
        gives={"kind": kind, "value": value},
        inner={"person": said.person_id, "reason": said.reason},
    )
    met = Met(event=event)
    done = await act(house, scene, rule, event, said.person_id, said.values)
    why = _explaining.why(rule, met, done.decision, **done.said)
    return await _remember(scene, rule, met, done, why)


def explained(fired: Firing) -> tuple[str, str]:
    """Say in German and English what a rule made of what, and why."""
    return _explaining.sentences(fired.why)


async def replay(connection: Connection, rule: Rule, since: int, now: int) -> list[Would]:
    """Return what a rule would have made of what happened since, and touch nothing."""
    known = {one.id: one for one in await members.all_organisations(connection)}
    center = await members.the_center(connection)
    return await _replaying.replay(Scene(connection, center.org_id, known, now), rule, since)


async def _memory(scene: Scene, rule: Rule) -> Memory:
    memory = Memory()
    since = scene.now - max(rule.repeats, rule.most[1])
    for subject, lock, at in await firings.acted(scene.connection, rule.name, since):
        memory.note(subject, lock, at)
    return memory


async def _remember(scene: Scene, rule: Rule, met: Met, done: Done, why: dict[str, Any]) -> Firing:
    """Remember what a rule did, or that it will once its quiet hours are over."""
    until = done.decision.until
    if until is not None:
        why["event"] = msgspec.to_builtins(met.event)
        why["until"] = until
        await firings.put_earlier(scene.connection, _WAITING, until)
    new = Firing(
        rule=rule.name,
        subject=met.event.subject,
        at=scene.now,
        verdict=done.decision.verdict,
        why=why,
        lock=met.event.lock,
        response_id=done.response_id,
    )
    await firings.add(scene.connection, new)
    return new


async def _wake(house: Carrying, book: Book, left_out: frozenset[str]) -> None:
    """Do what waited for the end of quiet hours; what breaks then comes to nothing."""
    async with house.database.write() as connection:
        text = await firings.take(connection, _WAITING)
        scene = await scene_of(house, connection)
        if text is None or int(text) > scene.now:
            return
        later = []
        for one in await firings.waiting(connection):
            if one.why["until"] > scene.now:
                later.append(int(one.why["until"]))
            else:
                known = book.rules.get(one.rule)
                is_broken = str(one.seq) in left_out
                await apart(str(one.seq), _end_wait(house, scene, known, one, is_broken=is_broken))
        await firings.forget(connection, {_WAITING})
        if later:
            await firings.put(connection, _WAITING, str(min(later)))


async def _end_wait(
    house: Carrying, scene: Scene, rule: Rule | None, one: Firing, *, is_broken: bool
) -> None:
    event = msgspec.convert(one.why["event"], Happened)
    if is_broken:
        done = Done(Decision("refused", "Something went wrong with it."))
    elif rule is None or not rule.enabled:
        done = Done(Decision("refused", "The rule was turned off meanwhile."))
    elif not await _still_stands(scene, event):
        done = Done(Decision("refused", "It was taken back meanwhile."))
    else:
        done = await act(house, scene, rule, event)
    told = _explaining.done(done.decision, **done.said)
    why = {name: said for name, said in one.why.items() if name not in {"event", "until"}}
    new = Firing(
        rule=one.rule,
        subject=one.subject,
        at=scene.now,
        verdict=done.decision.verdict,
        why=why | {"done": told},
        lock=one.lock,
        response_id=done.response_id,
    )
    await firings.change(scene.connection, one.seq, new)


async def _still_stands(scene: Scene, event: Happened) -> bool:
    stix_id = event.gives.get("id")
    if event.shy or not isinstance(stix_id, str) or "--" not in stix_id:
        return True
    return bool(await firings.at_ids(scene.connection, [stix_id]))


def _text(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
