"""Histories by chance: a few patterns that can tell something, with few actors, interleaved.

Free dice hardly ever meet: two organisations have to say the same value under locks of which one
is wider, and the reader must open just that one. So a history draws its cast first.
"""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from inference.acts import (
    ADDRESS,
    CENTER,
    COMMUNITY,
    EVERYBODY,
    GROUPS,
    HELD,
    LEVELS,
    MARKS,
    MEMBERS,
    NEVER,
    PASSING,
    READERS,
    WARNED,
    Act,
    Book,
    Case,
    Confirm,
    Decide,
    Delete,
    Except,
    Fetch,
    Move,
    Say,
    Sight,
    Steal,
    Undo,
    Wait,
)
from inference.cast import Cast
from inference.room_histories import ROOMS

_LONGEST = 14
_CHAINS = (
    LEVELS,
    ("clear", "green", "amber g", "amber+strict g"),
    ("clear", "amber h", "amber+strict h"),
    ("clear", "amber", "amber g", "amber+strict h"),
    ("green", "amber+strict g", "amber h"),
)
"""Marks that are wider and narrower than each other, and some that are neither."""


def _meeting(cast: Cast) -> list[Act]:
    """Let several say the same, or vote against it, and one of them say it again."""
    value = cast.value()
    kind = cast.one(("indicator", "indicator", "indicator", "observable"))
    acts: list[Act] = []
    for number, (who, mark) in enumerate(cast.two()):
        said = "benign" if number and kind == "indicator" and cast.chance(3) else kind
        acts.append(cast.push(who, mark=mark, value=value, slot=f"s{number}", kind=said))
    again = acts[cast.number(1)]
    return [*acts, replace(again, confidence=50)] if cast.chance(2) else acts  # type: ignore[type-var]


def _relating(cast: Cast) -> list[Act]:
    """Let somebody relate two of his objects, each under a mark of its own."""
    (who, mark), (_, other) = cast.two()
    slot, value = cast.one(("s0", "s1")), cast.number(1)
    marks = cast.draw(st.permutations((mark, mark, other)))
    acts: list[Act] = [
        cast.push(who, slot=slot, mark=marks[0]),
        cast.push(who, slot=f"s{value}", kind="malware", mark=marks[1]),
        cast.push(who, slot=slot, value=value, kind="relationship", mark=marks[2]),
    ]
    if cast.chance(3):
        acts.append(cast.push(who, slot=slot))
    return cast.draw(st.permutations(acts)) if cast.chance(4) else acts


def _relating_the_same(cast: Cast) -> list[Act]:
    """Let two relate the same, each by ends of its own, and one of them move or end a part."""
    value = cast.value()
    acts: list[Act] = []
    (who, mark), (other, narrow) = cast.two()
    for one, under in ((who, mark), (other, narrow)):
        said = {"slot": "s0", "mark": under, "value": value}
        acts += [
            cast.push(one, **said),
            cast.push(one, **said | {"slot": f"s{value}"}, kind="malware"),
        ]
    marks = (mark, cast.one((narrow, cast.mark(other))))
    ties = [
        cast.push(one, slot="s0", value=value, mark=under, kind="relationship", named=True)
        for one, under in zip((who, other), marks, strict=True)
    ]
    acts += [ties[0], *ties]
    last = cast.draw(st.sampled_from([*acts[:4], *ties]))
    if cast.chance(4):
        return [*acts, Delete(last.who, last.slot, last.type)]
    again = cast.push(last.who, slot=last.slot, value=value, kind=last.kind, named=True)
    return [*acts, replace(again, revoked=cast.chance(4))]


def _telling(cast: Cast) -> list[Act]:
    """Let somebody write about what he gave, and about that, and a part of it move or end."""
    (who, mark), (other, narrow) = cast.two()
    parts = [
        cast.push(who, slot="s0", mark=mark, kind=kind, named=True)
        for kind in ("indicator", "note", "opinion")
    ]
    acts: list[Act] = [*parts[: 2 + cast.number(1)]]
    last = parts[cast.number(1)]
    again = replace(last, mark=cast.one((narrow, mark)), revoked=cast.chance(4))
    acts.append(replace(again, who=other) if cast.chance(4) else again)
    acts.append(Delete(who, "s0", last.type) if cast.chance(4) else parts[2])
    return cast.draw(st.permutations(acts)) if cast.chance(3) else acts


def _reporting(cast: Cast) -> list[Act]:
    """Let somebody report on what he and others gave, and a part of it move or end."""
    (who, mark), (other, narrow) = cast.two()
    value = cast.number(1)
    said = {"slot": "s0", "value": value, "mark": mark, "named": True}
    kinds = ("indicator", "malware", "relationship", "report", "remark")
    parts = [
        cast.push(who, **said | {"slot": f"s{value}" if kind == "malware" else "s0"}, kind=kind)
        for kind in kinds
    ]
    seen = cast.push(other, **said | {"slot": "s1", "mark": narrow}, kind="observable")
    acts: list[Act] = [*parts[: 4 + cast.number(1)], seen][cast.number(2) :]
    last = cast.draw(st.sampled_from([*parts, seen]))
    again = replace(
        last, mark=cast.one((narrow, mark)), revoked=cast.chance(4), named=cast.chance(2)
    )
    acts.append(replace(again, who=other) if cast.chance(4) else again)
    acts.append(Delete(last.who, last.slot, last.type) if cast.chance(4) else parts[3])
    return cast.draw(st.permutations(acts)) if cast.chance(3) else acts


def _ageing(cast: Cast) -> list[Act]:
    """Let somebody push an object as STIX 2.0 and 2.1, and it move, end or come back."""
    (who, mark), (other, narrow) = cast.two()
    kind, value = cast.one(("indicator", "indicator", "malware", "benign")), cast.value()
    acts: list[Act] = []
    for _ in range(2 + cast.number(2)):
        under = cast.one((mark, cast.mark(who)))
        one = cast.push(
            who, slot="s0", mark=under, value=cast.one((value, cast.value())), kind=kind
        )
        acts.append(replace(one, older=cast.chance(2), revoked=cast.chance(5)))
    if cast.chance(2):
        back = Delete if cast.chance(2) else Undo
        acts.insert(1 + cast.number(len(acts) - 1), back(who, "s0", acts[0].type))
    if cast.chance(2):
        acts.append(cast.push(other, slot="s0", mark=narrow, value=value, kind=kind))
    return acts


def _basing(cast: Cast) -> list[Act]:
    """Let somebody refer to what others have observed, and these move or end it."""
    (who, mark), (other, narrow) = cast.two()
    value = cast.value()
    seen = cast.push(other, mark=narrow, slot="s1", value=value, kind="observable")
    tie = cast.push(who, mark=mark, slot="s0", value=value, kind="based-on", named=True)
    acts: list[Act] = [seen, cast.push(who, mark=mark, slot="s0"), tie]
    acts.append(cast.draw(st.sampled_from((seen, tie, replace(seen, who=who, mark=mark)))))
    if cast.chance(2):
        acts.append(Delete(other, "s1", seen.type))
    return cast.draw(st.permutations(acts)) if cast.chance(3) else acts


def _changing_one(cast: Cast) -> list[Act]:
    """Let somebody move, revoke or delete one of his objects, and say it again."""
    who, value = cast.who(), cast.value()
    kind = cast.one(("indicator", "indicator", "malware"))
    acts: list[Act] = [cast.push(who, slot="s0", value=value, kind=kind)]
    acts += [
        cast.push(who, slot="s0", value=value, kind=kind, revoked=cast.chance(3))
        for _ in range(1 + cast.number(1))
    ]
    if cast.chance(3):
        back = Delete if cast.chance(2) else Undo
        acts.insert(1 + cast.number(len(acts) - 1), back(who, "s0", kind))
    return acts


def _stealing(cast: Cast) -> list[Act]:
    """Let somebody use an id that the center gave away."""
    (who, mark), (thief, other) = cast.two()
    lock = Book().lock(who, mark)
    strangers = [one for one in cast.actors if lock not in Book().opens(one)]
    if strangers and not cast.chance(4):
        thief = cast.one(strangers)
        other = cast.mark(thief)
    acts: list[Act] = [cast.push(who, mark=mark), Steal(thief, cast.number(1), other)]
    return [*acts, cast.push()] if cast.chance(3) else acts


def _seeing(cast: Cast) -> list[Act]:
    """Let others see what was released, and somebody say it again."""
    (who, mark), (seer, other) = cast.two()
    first = cast.push(who, mark=mark, slot="s0")
    acts: list[Act] = [first]
    if cast.chance(2):
        kind = cast.one(("sighting", "sighting", "note", "opinion"))
        acts.append(Sight(seer, cast.number(1), other, kind))
    else:
        acts.append(cast.push(seer, slot="s2", value=first.value, mark=other, kind="benign"))
        acts.append(cast.push(seer, slot="s2", mark=other, kind="sighting"))
    return [*acts, replace(first, confidence=50)] if cast.chance(2) else acts


def _holding(cast: Cast) -> list[Act]:
    """Let several say what the guard holds, and the center decide about one lock."""
    both = cast.two()
    held = NEVER if cast.chance(6) else HELD
    kinds = ("indicator", "benign" if cast.chance(4) else "indicator")
    acts: list[Act] = [
        cast.push(who, slot=f"s{number}", value=held, mark=mark, kind=kinds[number])
        for number, (who, mark) in enumerate(both)
    ]
    if cast.chance(4):
        return acts
    for _ in range(1 + cast.number(1)):
        lock = Book().lock(*cast.draw(st.sampled_from(both)))
        decision = cast.one(("release", "release", "release", "keep", "undo"))
        acts.append(Decide(str(lock), held, decision))
    return acts


def _excepting(cast: Cast) -> list[Act]:
    """Let an organisation, or the center, except what somebody lists."""
    value = cast.value()
    who = CENTER if cast.chance(4) else cast.who()
    days = cast.draw(st.sampled_from((None, None, 3)))
    (first, mark), _ = cast.two()
    acts: list[Act] = [cast.push(first, mark=mark, value=value), Except(who, value, days)]
    return [*acts, Wait(5), cast.push()] if days is not None else acts


def _vanishing(cast: Cast) -> list[Act]:
    """Let much of a list go at once, so that its canary stops it, and somebody say more."""
    both = cast.two()
    if cast.chance(2):
        both = (both[0], both[0])
    pushes = [
        cast.push(who, mark=mark, slot=f"s{value}", value=value)
        for value, (who, mark) in zip((WARNED, PASSING), both, strict=True)
    ]
    more = cast.push(both[0][0], mark=both[0][1], slot="s2", value=ADDRESS)
    acts: list[Act] = [*pushes, *(Delete(one.who, one.slot) for one in pushes), more]
    if cast.chance(2):
        lock = Book().lock(*cast.draw(st.sampled_from(both)))
        acts.append(Confirm(str(lock)))
    return acts


def _changing_keys(cast: Cast) -> list[Act]:
    """Let somebody join or leave a group around a push to it."""
    who, group = cast.one(COMMUNITY), cast.one(GROUPS)
    acts: list[Act] = [cast.push(), Move(who, group)]
    return acts if cast.chance(2) else [*reversed(acts), Move(who, group)]


def _listing(cast: Cast) -> list[Act]:
    """Let devices fetch, and the reader say something of a value, after it was pushed."""
    (who, mark), (other, _) = cast.two()
    first = cast.push(who, mark=mark)
    return [first, Say(first.value, cast.chance(2)) if cast.chance(2) else Fetch(other)]


def _anything(cast: Cast) -> list[Act]:
    """Let one thing happen that is part of no pattern."""
    dice = cast.number(4)
    if dice == 0:
        return [cast.push(mark=cast.draw(st.sampled_from(MARKS)))]
    if dice == 1:
        return [Wait(1 + cast.number(24))]
    if dice == 2:
        return [Fetch(cast.who())]
    if dice == 3:
        return [Delete(cast.who(), cast.one(("s0", "s1")))]
    return [cast.push()]


_MOTIFS: tuple[Callable[[Cast], list[Act]], ...] = (
    _meeting,
    _relating,
    _relating_the_same,
    _telling,
    _reporting,
    _ageing,
    _basing,
    _changing_one,
    _stealing,
    _seeing,
    _holding,
    _excepting,
    _vanishing,
    _changing_keys,
    _listing,
    *ROOMS,
)


_SETTLING = (
    *(_meeting, _relating, _relating_the_same, _telling, _reporting, _ageing, _basing),
    *(_changing_one, _changing_keys),
)
"""Patterns that end alike however many cycles came: nobody takes up what was released meanwhile."""


def _interleaved(draw: st.DrawFn, parts: list[list[Act]]) -> list[Act]:
    """Return all acts, those of one part in their order."""
    if draw(st.booleans()):
        return [act for part in parts for act in part]
    turns = draw(st.permutations([n for n, part in enumerate(parts) for _ in part]))
    left = [iter(part) for part in parts]
    return [next(left[turn]) for turn in turns]


def _actors(draw: st.DrawFn) -> list[str]:
    """Draw organisations, a member among them."""
    actors = draw(st.lists(st.sampled_from(EVERYBODY), min_size=2, max_size=4, unique=True))
    if not set(actors) & set(MEMBERS):
        actors.append(draw(st.sampled_from(MEMBERS)))
    return actors


def _values(draw: st.DrawFn) -> tuple[int, ...]:
    some = st.sampled_from((WARNED, PASSING, ADDRESS))
    return tuple(draw(st.lists(some, min_size=1, max_size=2, unique=True)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a history and who looks at it, mostly somebody who does not open all of its locks."""
    actors = _actors(draw)
    marks = draw(st.sampled_from(_CHAINS))
    book = Book()
    locks = {lock for who in actors for mark in marks if (lock := book.lock(who, mark))}
    outside = [one for one in READERS if not locks <= book.opens(one)]
    # Who takes part sees what his own objects come to; clients have half of the keys.
    outside += [one for one in outside if one in actors or one == "d"]
    motifs = draw(st.lists(st.sampled_from(_MOTIFS), min_size=1, max_size=3, unique=True))
    if set(motifs) & set(ROOMS):
        outside.append(CENTER)
    reader = draw(st.sampled_from(outside or READERS))
    cast = Cast(draw, reader, tuple(actors), _values(draw), marks)
    parts = [motif(cast) for motif in motifs]
    parts += [_anything(cast) for _ in range(draw(st.integers(0, 1)))]
    history = tuple(_interleaved(draw, parts))[:_LONGEST]
    numbers = range(len(history))
    looks = draw(st.frozensets(st.sampled_from(numbers), max_size=1))
    hurried = draw(st.one_of(st.just(frozenset(numbers)), *[_some(numbers)] * 4))
    return Case(history, reader, looks, hurried)


@st.composite
def settling(draw: st.DrawFn) -> Case:
    """Draw a history that ends alike whether a cycle comes after each act or after the last."""
    actors, marks = _actors(draw), draw(st.sampled_from(_CHAINS))
    cast = Cast(draw, draw(st.sampled_from(READERS)), tuple(actors), _values(draw), marks)
    motifs = draw(st.lists(st.sampled_from(_SETTLING), min_size=1, max_size=2))
    return Case(tuple(_interleaved(draw, [motif(cast) for motif in motifs])), "nobody")


def _some(numbers: range) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.sampled_from(numbers), max_size=2)
