"""Planted mistakes in the rooms: the property catches each at once in a telling history."""

import pytest

from inference import room_mutants as mutants
from inference.acts import CENTER, PASSING, Case, Move
from inference.mutants import Ground, Plant, tells
from inference.rooms import (
    Answer,
    Ask,
    Block,
    Choose,
    Give,
    Import,
    Join,
    Lead,
    Report,
    Start,
    Tell,
    Weigh,
)

_BOTH = ("a", "p")
_START = Start("r0", "green", _BOTH)
_ASKED = (_START, Ask("r0", _BOTH, 4), Answer("a", "r0"))
_OWN = Report("a", "i0")

TELLING: tuple[tuple[Plant, Case], ...] = (
    (
        mutants.responses_reach_whoever_opens_their_lock,
        Case((Start("r0", "green", ("a", "b")),), "p"),
    ),
    (
        mutants.responses_stay_with_who_has_lost_the_key,
        Case((Start("r0", "amber g", ("a", "b")), Move("b", "g"), Lead("r0", "pause")), "b"),
    ),
    (
        mutants.responses_are_seen_before_they_begin,
        Case((Start("r0", "green", _BOTH, outcome="cancel"),), "p"),
    ),
    (mutants.boards_sum_the_answers_of_all, Case(_ASKED, "p")),
    (mutants.logs_show_the_lines_of_all, Case(_ASKED, "p")),
    (
        mutants.sums_count_who_did_not_agree,
        Case((_START, Weigh("r0", _BOTH), Tell("a", "r0", 5), Choose("r0", _BOTH)), "p"),
    ),
    (mutants.others_are_shown_who_did_not_agree, Case((_START, Join("a", "r0")), "p")),
    (
        mutants.events_tell_of_all_that_is_done_by_who_agreed,
        Case((_START, Ask("r0", _BOTH), Join("a", "r0", shares=True), Answer("a", "r0")), "p"),
    ),
    (
        mutants.blocks_of_all_counties_have_one_clock,
        Case((_START, Join("a", "r0"), Join("p", "r0"), Block("r0", _BOTH, PASSING)), "p"),
    ),
    (mutants.notices_are_listed_whoever_they_are_for, Case(_ASKED, "p")),
    (
        mutants.mail_carries_what_is_strict,
        Case((Start("r0", "amber+strict", ("a",)), Ask("r0", ("a",), 4)), "a"),
    ),
    (mutants.incidents_are_shown_to_the_center, Case((_OWN,), CENTER)),
    (mutants.incidents_are_found_whoever_asks, Case((_OWN,), "p")),
    (mutants.incidents_are_shared_with_their_words, Case((_OWN, Give("a", "i0", "green")), "p")),
    (mutants.playbooks_are_listed_whatever_their_mark, Case((Import("p0", "amber"),), "p")),
)


@pytest.mark.parametrize(("plant", "case"), TELLING, ids=lambda one: getattr(one, "__name__", ""))
def test_the_property_catches_a_mistake_in_the_rooms(
    plant: Plant, case: Case, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not tells(ground, case)
    plant(monkeypatch)
    assert tells(ground, case)
