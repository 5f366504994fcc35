"""No inference: what a reader gets is a function of what he may see (DESIGN, section 5).

Stated as a property: delete everything that a reader may never see, with all its history, and
nothing that he observes changes. CYBERCOOP_INFERENCE_EXAMPLES says how many histories are tried.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import Phase, given, seed, settings

from inference.acts import (
    ADDRESS,
    HELD,
    PASSING,
    WARNED,
    Act,
    Case,
    Confirm,
    Decide,
    Delete,
    Move,
    Push,
    Steal,
)
from inference.histories import cases
from inference.rooms import Answer, Ask, Block, Choose, Join, Lead, Report, Start, Tell, Tie, Weigh
from inference.stage import difference

EXAMPLES = int(os.environ.get("CYBERCOOP_INFERENCE_EXAMPLES", "300"))
_PARTS = 4
_MANY = 1000
"""From here on a difference is reported as it was found: making it small takes minutes."""

_AMBER = Push("a", "s0", PASSING, "amber")
_HELD = Push("a", "s0", HELD, "amber")
_VOTE = Push("p", "s0", PASSING, "amber", kind="benign")
_HELD_VOTE = Push("p", "s0", HELD, "amber", kind="benign")
_MALWARE = Push("p", "s0", WARNED, "green", kind="malware")
_SEEN = Push("p", "s0", WARNED, "amber", kind="sighting")
_TIED = Tie("p", "i0", "r0")
_VANISHING: tuple[Act, ...] = (
    Push("b", "s0", WARNED, "amber"),
    Push("b", "s1", PASSING, "amber"),
    Delete("b", "s0"),
    Delete("b", "s1"),
)


def _related(mark: str) -> Push:
    return Push("p", "s0", WARNED, mark, kind="relationship")


def _tying(who: str, mark: str, ends: str) -> tuple[Push, ...]:
    """Let somebody relate two of his objects under one mark, whose ends are under another."""
    tied = Push(who, "s0", WARNED, mark, kind="relationship", named=True)
    seen = Push(who, "s0", WARNED, ends)
    return seen, replace(seen, kind="malware"), tied


ONCE_TOLD: tuple[Case, ...] = (
    Case((_HELD, _HELD_VOTE), "p"),
    Case((_HELD, Decide("group:members", HELD, "release"), Push("p", "s0", HELD, "amber")), "p"),
    Case((*_VANISHING, Push("p", "s0", HELD, "amber"), Confirm("group:members")), "p"),
    Case((_AMBER, _VOTE, _SEEN), "p"),
    Case((_AMBER, _VOTE, _MALWARE, _related("amber")), "p"),
    Case((_AMBER, _VOTE, _MALWARE, _related("green")), "p"),
    Case((*_VANISHING, Push("p", "s0", ADDRESS, "amber"), _MALWARE, _related("green")), "p"),
    Case(
        (
            Push("a", "s0", PASSING, "amber+strict g"),
            Steal("c", 0, "green"),
            Move("c", "g"),
            Steal("c", 1, "green"),
        ),
        "p",
        looks=frozenset({1}),
    ),
    Case(
        (
            *(*_tying("b", "green", "green"), _tying("b", "green", "green")[-1]),
            *(*_tying("a", "green", "amber g"), _tying("a", "amber+strict g", "")[-1]),
        ),
        "p",
    ),
)
"""Histories that told something once: of what others gave under locks that he gives to himself."""

ONCE_TOLD_IN_ROOMS: tuple[Case, ...] = (
    Case((Start("r0", "green", ("a", "p"), outcome="cancel"),), "p"),
    Case((Start("r0", "green", ("a", "p"), outcome="cancel"), Lead("r0", "rollback")), "p"),
    Case(
        (Start("r0", "green", ("a", "p"), outcome="propose"), Report("p", "i0"), _TIED),
        "p",
    ),
    Case(
        (
            Start("r0", "green", ("a", "p")),
            Join("a", "r0"),
            Join("p", "r0"),
            Block("r0", ("a", "p"), PASSING),
        ),
        "p",
    ),
    Case(
        (
            Start("r0", "green", ("a", "p")),
            Ask("r0", ("a", "p")),
            Join("a", "r0", shares=True),
            Answer("a", "r0"),
        ),
        "p",
    ),
    Case(
        (
            Start("r0", "green", ("a", "b", "p")),
            Weigh("r0", ("a", "b", "p")),
            Join("a", "r0", shares=True),
            Tell("a", "r0", 2),
            Tell("b", "r0", 3),
            Tell("p", "r0", 1),
            Choose("r0", ("a", "b", "p")),
        ),
        "p",
    ),
)
"""The same of responses: of those that never began, of what other counties do, and of sums."""

_PHASES = (Phase.generate,) if EXAMPLES >= _MANY else tuple(Phase)


@pytest.mark.parametrize("case", [*ONCE_TOLD, *ONCE_TOLD_IN_ROOMS])
def test_a_history_that_told_something_once_tells_nothing_now(
    ground: tuple[Path, dict[str, Any]], case: Case
) -> None:
    whole, rest = uvloop.run(difference(*ground, case))
    assert whole == rest


@pytest.mark.parametrize("part", range(_PARTS))
def test_what_a_reader_may_never_see_changes_nothing_for_him(
    ground: tuple[Path, dict[str, Any]], part: int
) -> None:
    @settings(max_examples=EXAMPLES // _PARTS, phases=_PHASES)
    @given(cases())
    def holds(case: Case) -> None:
        whole, rest = uvloop.run(difference(*ground, case))
        assert whole == rest, f"part {part}"

    # Where examples are the same in each run, they follow from the source, which all parts share.
    (seed(part)(holds) if settings().derandomize else holds)()
