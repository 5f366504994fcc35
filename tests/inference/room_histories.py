"""Patterns of what happens with incidents, playbooks and responses."""

from collections.abc import Callable

from inference.acts import COMMUNITY, EVERYBODY, LEVELS, Act, Move
from inference.cast import Cast
from inference.rooms import (
    Advance,
    Answer,
    Ask,
    Block,
    Choose,
    Give,
    Import,
    Join,
    Lead,
    Leave,
    Link,
    Note,
    Report,
    Start,
    TakeBack,
    Tell,
    Tie,
    Weigh,
)

_SLOT = "r0"
_DEEDS = ("pause", "pause", "resume", "cancel", "rollback", "approve", "reject")


def _reporting(cast: Cast) -> list[Act]:
    """Let somebody keep an incident, and perhaps share it once or twice."""
    (who, mark), (other, _) = cast.two()
    acts: list[Act] = [Report(who, "i0"), Note(who, "i0")]
    if cast.chance(2):
        acts.append(Link(who, "i0", cast.value()))
    acts.append(Give(who, "i0", mark, reduced=not cast.chance(3)))
    if cast.chance(2):
        acts += [Advance(who, "i0", "high"), Give(who, "i0", cast.mark(who))]
    if cast.chance(3):
        acts.append(TakeBack(who, "i0"))
    return [Report(other, "i0", "eigen"), *acts] if cast.chance(3) else acts


def _importing(cast: Cast) -> list[Act]:
    """Let the center import a playbook, or two versions of it."""
    level = cast.one(LEVELS)
    acts: list[Act] = [Import("p0", level)]
    return [*acts, Import("p0", level)] if cast.chance(2) else acts


def _start(cast: Cast, outcome: str) -> Start:
    """Draw a response for the reader and all actors; who may not see it is left out later."""
    mark = cast.one(cast.marks)
    level = mark.partition(" ")[0]
    book = LEVELS[cast.number(LEVELS.index(level))]
    counties = (*cast.actors, cast.reader) if cast.chance(2) else (cast.reader, *cast.actors)
    some = tuple(one for one in dict.fromkeys(counties) if one in EVERYBODY)
    return Start(_SLOT, mark, some, book, outcome)


def _responding(cast: Cast) -> list[Act]:
    """Let some take part in a response: joined, asked, answered, blocked."""
    start = _start(cast, "glass" if cast.chance(5) else "begin")
    return [start, *(_part(cast, start.counties) for _ in range(2 + cast.number(4)))]


def _part(cast: Cast, counties: tuple[str, ...]) -> Act:
    who = cast.one((*counties, *cast.actors))
    dice = cast.number(8)
    if dice <= 2:
        return Join(who, _SLOT, cast.chance(2))
    if dice == 3:
        return Leave(who, _SLOT)
    if dice == 4:
        return Ask(_SLOT, counties, cast.draw_one((None, 4, 60)))
    if dice == 5:
        return Block(_SLOT, counties, cast.value())
    if dice == 6:
        return Lead(_SLOT, cast.one(_DEEDS))
    return Answer(who, _SLOT, cast.one(("done", "done", "fail", "remarks", "claim")))


def _telling(cast: Cast) -> list[Act]:
    """Let all be asked, and some agree to be seen, answer, and be blocked at."""
    start = _start(cast, "begin")
    some = start.counties
    first, second = cast.one(some or cast.actors), cast.one(some or cast.actors)
    acts: list[Act] = [start, Join(first, _SLOT, shares=True), Join(second, _SLOT)]
    acts.append(Ask(_SLOT, some, cast.draw_one((None, 4))))
    acts.append(Answer(first, _SLOT, "done", 3))
    acts.append(Block(_SLOT, some, cast.value()))
    return acts


def _deciding(cast: Cast) -> list[Act]:
    """Let counties answer a question of the playbook, and its sum decide in each of them."""
    start = _start(cast, "begin")
    some = start.counties
    acts: list[Act] = [start, Weigh(_SLOT, some)]
    for who in some:
        acts += [Join(who, _SLOT, cast.chance(2)), Tell(who, _SLOT, 1 + cast.number(4))]
    return [*acts, Choose(_SLOT, some), _part(cast, some), Choose(_SLOT, some)]


def _proposing(cast: Cast) -> list[Act]:
    """Let a response be proposed, and something become of it, or nothing."""
    start = _start(cast, cast.one(("propose", "propose", "reject", "cancel")))
    acts: list[Act] = [start]
    acts += [Lead(_SLOT, cast.one(_DEEDS)) for _ in range(cast.number(2))]
    if cast.reader in cast.actors:
        acts += [Report(cast.reader, "i1"), Tie(cast.reader, "i1", _SLOT)]
    return [*acts, Join(cast.who(), _SLOT)]


def _leaving(cast: Cast) -> list[Act]:
    """Let somebody lose a key while a response goes on."""
    start = _start(cast, "begin")
    _, _, group = start.mark.partition(" ")
    who = cast.one(start.counties or cast.actors)
    acts: list[Act] = [start, Join(who, _SLOT)]
    if group and who in COMMUNITY:
        acts.append(Move(who, group))
    return [*acts, Lead(_SLOT, "pause"), Answer(who, _SLOT)]


ROOMS: tuple[Callable[[Cast], list[Act]], ...] = (
    _reporting,
    _importing,
    _responding,
    _telling,
    _deciding,
    _proposing,
    _leaving,
)
