"""Planted mistakes: the property catches each, at once in a telling history, and by chance."""

import pytest

from inference import mutants
from inference.acts import (
    HELD,
    PASSING,
    WARNED,
    Case,
    Decide,
    Delete,
    Except,
    Fetch,
    Push,
    Say,
    Sight,
    Steal,
)
from inference.mutants import Ground, Plant, tells

_STRICT = Push("a", "s0", PASSING, "amber+strict")
_AMBER = Push("a", "s0", PASSING, "amber")
_HIDDEN = Push("a", "s0", PASSING, "amber+strict g")
_GREEN = Push("a", "s0", PASSING, "green", 20)

TELLING: tuple[tuple[Plant, Case], ...] = (
    (mutants.policy_gives_clients_the_strict_key, Case((_STRICT,), "d")),
    (mutants.policy_reads_amber_as_green, Case((_AMBER,), "p")),
    (
        mutants.policy_takes_any_released_id_for_an_echo,
        Case((_HIDDEN, Steal("c", 0, "green")), "p"),
    ),
    (
        mutants.merging_draws_on_narrower_locks,
        Case((_GREEN, Push("b", "s0", PASSING, "amber", 80)), "p"),
    ),
    (
        mutants.merging_releases_references_under_their_own_lock,
        Case(
            (
                _AMBER,
                Push("a", "s1", 1, "green", kind="malware"),
                Push("a", "s0", 1, "green", kind="relationship"),
            ),
            "p",
        ),
    ),
    (
        mutants.merging_counts_sightings_under_any_lock,
        Case((_GREEN, Sight("b", 0, "amber"), Push("a", "s0", PASSING, "green", 50)), "p"),
    ),
    (
        mutants.resolving_looks_beyond_what_the_giver_reads,
        Case((_HIDDEN, Sight("p", 0, "green")), "p"),
    ),
    (
        mutants.stamping_counts_over_all_locks,
        Case(
            (Push("b", "s0", WARNED, "amber"), Push("a", "s0", PASSING, "clear")),
            "nobody",
            hurried=frozenset({0}),
        ),
    ),
    (
        mutants.stamping_numbers_ids_one_after_the_other,
        Case((Push("a", "s0", WARNED, "amber"), Push("b", "s0", PASSING, "green")), "p"),
    ),
    (
        mutants.paging_forgets_the_permission_of_single_objects,
        Case((_HIDDEN, Steal("p", 0, None)), "p"),
    ),
    (mutants.paging_reads_one_lock_too_many, Case((_STRICT,), "p")),
    (
        mutants.guard_releases_under_all_locks_what_is_decided_about_one,
        Case(
            (
                Push("a", "s0", HELD, "amber"),
                Decide("group:members", HELD, "release"),
                Push("b", "s0", HELD, "green"),
            ),
            "p",
        ),
    ),
    (
        mutants.guard_holds_what_is_held_anywhere,
        Case((Push("a", "s0", HELD, "amber"), Push("p", "s0", HELD, "green")), "p"),
    ),
    (
        mutants.canary_counts_over_all_locks,
        Case(
            (
                _GREEN,
                Push("b", "s0", WARNED, "amber"),
                Delete("b", "s0"),
                Delete("a", "s0"),
            ),
            "p",
        ),
    ),
    (
        mutants.canary_stops_all_locks_with_one,
        Case(
            (
                Push("b", "s0", WARNED, "amber"),
                Push("b", "s1", PASSING, "amber"),
                Delete("b", "s0"),
                Delete("b", "s1"),
                _GREEN,
            ),
            "p",
        ),
    ),
    (mutants.exceptions_of_one_county_count_for_all, Case((Except("b", PASSING), _GREEN), "p")),
    (mutants.lists_leave_out_what_any_county_excepts, Case((_GREEN, Except("b", PASSING)), "p")),
    (mutants.lists_are_shared_whatever_the_keys, Case((_AMBER, Fetch("a")), "p")),
    (mutants.lists_carry_one_lock_too_many, Case((_AMBER,), "p")),
    (
        mutants.lists_are_new_after_any_cycle,
        Case((_GREEN, Push("b", "s0", WARNED, "amber")), "p", looks=frozenset({0})),
    ),
    (mutants.lookup_reads_one_lock_too_many, Case((_STRICT,), "p")),
    (
        mutants.sightings_are_about_whatever_anybody_reads,
        Case((_AMBER, Say(PASSING, harmless=False)), "p"),
    ),
)


@pytest.mark.parametrize(("plant", "case"), TELLING, ids=lambda one: getattr(one, "__name__", ""))
def test_the_property_catches_a_mistake_in_a_telling_history(
    plant: Plant, case: Case, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not tells(ground, case)
    plant(monkeypatch)
    assert tells(ground, case)
