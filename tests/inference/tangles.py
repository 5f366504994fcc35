"""Tangles: objects that refer to each other, given, replaced, deleted and undone in any order."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from cybercoop.sharing import locks
from cybercoop.stix import times
from world import SECOND, TLP, World

KINDS = {
    "seen": "indicator",
    "more": "indicator",
    "family": "malware",
    "first": "relationship",
    "second": "relationship",
    "third": "relationship",
    "sight": "sighting",
    "again": "sighting",
    "note": "note",
    "other": "note",
    "report": "report",
    "group": "grouping",
}
ENDS: Mapping[str, Sequence[Sequence[str]]] = {
    "first": (("seen", "family"), ("more", "family")),
    "second": (("first", "more"), ("sight", "family"), ("note", "seen")),
    "third": (("report", "seen"), ("second", "family"), ("again", "more")),
    "sight": (("seen",), ("more",), ("first",)),
    "again": (("family",), ("second",)),
    "note": (("seen", "sight"), ("second", "sight"), ("family",)),
    "other": (("group", "note"), ("sight",), ("third",)),
    "report": (("seen", "first", "note"), ("more", "family", "second"), ("third",)),
    "group": (("report",), ("seen", "report", "again")),
}
"""What an object of each name may refer to, one way or the other."""

_BASE = ("seen", "more", "family")

COUNTIES = ("a", "b")
LEVELS = ("clear", "green", "amber", "home")
LOCKS = (locks.PUBLIC, locks.COMMUNITY)
"""The locks of the first of these levels; AMBER is the one group's, and home is not marked."""

STEP = 20 * SECOND
"""From one deed to the next."""

_DELETIONS = ("delete", "first", "last")
_ENDINGS = (*_DELETIONS, "undo")


Verdict = Mapping[str, Any]
"""What was said of an object that was pushed; empty where none was."""


@dataclass(frozen=True)
class Deed:
    """Hold what a county does to an object of its own; ``choice`` says what it says by then.

    ``how`` is to push it, to send out once more what an earlier deed pushed, to delete all
    versions, the first or the last one, or to undo the push of the deed with the number ``of``.
    """

    county: str
    name: str
    choice: int = 0
    level: str = "green"
    how: str = "push"
    of: int = 0
    revoked: bool = False
    older: bool = False


def paces() -> st.SearchStrategy[frozenset[int]]:
    """Draw after which deeds of a history cycles come: once all are given, or later."""
    return st.frozensets(st.integers(len(KINDS) - 1, len(KINDS) + 8))


@st.composite
def tangles(draw: st.DrawFn) -> list[Deed]:
    """Draw a history: each object is given once, in any order, and then a few have other fates."""
    begun = [
        Deed(draw(st.sampled_from("aaab")), name, draw(st.integers(0, 3)))
        for name in draw(st.permutations(sorted(KINDS)))
    ]
    # What all else hangs on has more fates.
    names = [*sorted(KINDS), *_BASE, *_BASE]
    fated = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    later = st.builds(
        Deed,
        st.sampled_from("aaab"),
        st.sampled_from(fated),
        st.integers(0, 3),
        st.sampled_from(("green", "green", "amber", "amber", "clear", "home")),
        st.sampled_from(("push",) * 5 + ("send",) + _ENDINGS),
        st.integers(0, len(KINDS) + 8),
        st.sampled_from((False,) * 7 + (True,)),
        st.sampled_from((False,) * 7 + (True,)),
    )
    return begun + draw(st.lists(later, min_size=2, max_size=9))


async def do(center: World, deeds: Sequence[Deed], number: int) -> Verdict:
    """Let one deed of a history happen now, and return what was said of an object in it."""
    deed, seat = deeds[number], center.seats[deeds[number].county]
    if deed.how in _DELETIONS:
        path = f"/taxii2/coop/collections/contributions/objects/{_id(deed.name)}/"
        which = {} if deed.how == "delete" else {"match[version]": deed.how}
        await center.request("DELETE", path, seat, params=which)
    elif deed.how == "undo":
        await center.request("DELETE", f"/api/v1/pushes/{_uuid(f'push {deed.of}')}", seat)
    elif (origin := _origin(deeds, number)) is not None:
        said = _body(deeds[origin], origin, center.clock.now - (number - origin) * STEP)
        given = {"push_id": _uuid(f"push {number}"), "named": "1", "with_text": "1"}
        given |= {"tlp": deed.level} if deed.how == "send" and deed.level != "home" else {}
        [verdict] = await center.push(seat, [said], **given)
        return verdict
    return {}


def _origin(deeds: Sequence[Deed], number: int) -> int | None:
    """Return which deed says first what this one says, by number; None where that is nothing."""
    one, before = deeds[number], deeds[:number]
    if one.how == "push":
        return number
    same = (deed.how == "push" and _owner(deed) == _owner(one) for deed in before)
    pushed = [at for at, mine in enumerate(same) if mine]
    return pushed[one.of % len(pushed)] if one.how == "send" and pushed else None


def _owner(deed: Deed) -> tuple[str, str]:
    return deed.county, deed.name


def _uuid(name: str) -> str:
    return str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, name).bytes, version=4))


def _id(name: str) -> str:
    return f"{KINDS[name]}--{_uuid(name)}"


def word(deed: Deed, number: int) -> str:
    """Return what nothing but the push of one deed says."""
    return f"{deed.county}-{deed.name}-{number}."


@dataclass(frozen=True)
class _Saying:
    """Hold that a deed said the words of a push under a level, and whether that ``counts``."""

    at: int
    origin: int
    level: int
    counts: bool


def hidden(deeds: Sequence[Deed], verdicts: Sequence[Verdict]) -> dict[str, tuple[str, ...]]:
    """Return which locks nobody may read what in, since its object moved to a narrower one later.

    Whatever became of the narrower version afterwards; but an undone one was never given.
    """
    by_owner = defaultdict[tuple[str, str], list[_Saying]](list)
    for at, (deed, verdict) in enumerate(zip(deeds, verdicts, strict=True)):
        origin = _origin(deeds, at)
        if origin is not None and verdict["outcome"] == "accepted":
            marked = deeds[origin].level
            level = LEVELS.index(deed.level if marked == "home" else marked)
            saying = _Saying(at, origin, level, "counts instead" not in verdict["reason"])
            by_owner[_owner(deed)].append(saying)
    undone = {(deed.county, deed.of) for deed in deeds if deed.how == "undo"}
    found: dict[str, tuple[str, ...]] = {}
    for (county, _), said in by_owner.items():
        never = {one.origin for one in said if (county, one.at) in undone}
        moves = [one for one in said if one.counts and one.origin not in never]
        for origin in {one.origin for one in said}:
            same = [one for one in said if one.origin == origin]
            later = [one.level for one in moves if one.at > same[-1].at]
            if (narrowest := max(later, default=0)) > min(one.level for one in same):
                found[word(deeds[origin], origin)] = LOCKS[:narrowest]
    return found


def _body(deed: Deed, number: int, now: int) -> dict[str, Any]:
    kind, moment = KINDS[deed.name], times.text(now)
    said: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": _id(deed.name),
        "created": "2026-01-01T00:00:00.000Z",
        "modified": moment,
    }
    said |= {"object_marking_refs": [TLP[deed.level]]} if deed.level in TLP else {}
    said |= {"revoked": True} if deed.revoked else {}
    said |= _said(kind, word(deed, number), deed.choice)
    if deed.name in ENDS:
        ends = ENDS[deed.name]
        said |= _ends(kind, [_id(name) for name in ends[deed.choice % len(ends)]])
    if deed.older and kind in {"indicator", "relationship", "sighting"}:
        said = {name: one for name, one in said.items() if name not in _NEW} | _OLD
    return said


_NEW = {"spec_version", "pattern_type", "indicator_types"}
_OLD = {"labels": ["malicious-activity"]}


def _said(kind: str, word: str, choice: int) -> dict[str, Any]:
    if kind == "indicator":
        pattern = f"[domain-name:value = 'evil-{choice % 2}.example']"
        valid = {"valid_from": "2026-01-01T00:00:00Z", "description": word}
        return {"pattern": pattern, "pattern_type": "stix", **valid}
    if kind == "malware":
        return {"name": f"M{choice % 2}", "is_family": True, "description": word}
    return {
        "relationship": {"relationship_type": "related-to", "description": word},
        "sighting": {"count": 1 + choice},
        "note": {"content": word},
        "report": {"name": word, "published": "2026-01-01T00:00:00Z"},
        "grouping": {"context": "suspicious-activity", "description": word},
    }[kind]


def _ends(kind: str, ids: list[str]) -> dict[str, Any]:
    if kind == "relationship":
        return {"source_ref": ids[0], "target_ref": ids[1]}
    return {"sighting_of_ref": ids[0]} if kind == "sighting" else {"object_refs": ids}
