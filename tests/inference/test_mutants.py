"""Planted mistakes in policy, merging, stamping and paging: the property catches each."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from sqlalchemy import true

from cybercoop.collect import cycle, intake, places, resolving
from cybercoop.store import page_statements, prepared, releases
from cybercoop.taxii import collections
from inference.acts import TELLING
from inference.stage import difference

Plant = Callable[[pytest.MonkeyPatch], None]


def policy_gives_clients_the_strict_key(patch: pytest.MonkeyPatch) -> None:
    real = collections.keys_of
    patch.setattr(
        collections,
        "keys_of",
        lambda org: real(org) | {lock.replace("group:", "strict:") for lock in real(org)},
    )


def policy_reads_amber_as_green(patch: pytest.MonkeyPatch) -> None:
    real = intake.locks_for
    patch.setattr(
        intake, "locks_for", lambda *told: real(*told).replace("group:members", "community")
    )


def policy_takes_any_released_id_for_an_echo(patch: pytest.MonkeyPatch) -> None:
    real = intake.releases.readable
    every = frozenset(
        f"{kind}:{name}" for kind in ("group", "strict") for name in ("members", "g", "h")
    )
    patch.setattr(
        intake.releases,
        "readable",
        lambda connection, keys, ids: real(connection, keys | every | {"public", "community"}, ids),
    )


def merging_draws_on_narrower_locks(patch: pytest.MonkeyPatch) -> None:
    real = places.wider
    patch.setattr(
        places,
        "wider",
        lambda lock: (*real(lock), "group:members", "strict:members", "group:g", "strict:g"),
    )


def merging_releases_references_under_their_own_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolving, "narrowest", lambda locks: next(iter(locks)))


def stamping_counts_over_all_locks(patch: pytest.MonkeyPatch) -> None:
    def stamp(self: cycle.Cycle, lock: str) -> int:
        self._used["all"] += 1
        return self._lanes[lock].stamp(self.slot, self._used["all"])

    patch.setattr(cycle.Cycle, "_stamp", stamp)


def stamping_numbers_ids_one_after_the_other(patch: pytest.MonkeyPatch) -> None:
    real, numbers = places.released_id, itertools.count()
    patch.setattr(
        places,
        "released_id",
        lambda center, kind, place, _generation: real(center, kind, place, next(numbers)),
    )


def paging_forgets_the_permission_of_single_objects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(page_statements, "_permitted", lambda _shape, _rows: true())
    # What was compiled before the mistake, or with it, must not serve the other.
    patch.setattr(prepared, "_compiled", prepared._compiled.__wrapped__)


def paging_reads_one_lock_too_many(patch: pytest.MonkeyPatch) -> None:
    real = releases.read
    patch.setattr(
        releases,
        "read",
        lambda connection, keys, *asked: real(connection, keys | {"strict:members"}, *asked),
    )


MUTANTS: tuple[Plant, ...] = (
    policy_gives_clients_the_strict_key,
    policy_reads_amber_as_green,
    policy_takes_any_released_id_for_an_echo,
    merging_draws_on_narrower_locks,
    merging_releases_references_under_their_own_lock,
    stamping_counts_over_all_locks,
    stamping_numbers_ids_one_after_the_other,
    paging_forgets_the_permission_of_single_objects,
    paging_reads_one_lock_too_many,
)


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_the_property_catches(
    plant: Plant, ground: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        _holds_for_what_is_telling(*ground)


def test_without_a_mistake_the_same_histories_tell_nothing(
    ground: tuple[Path, dict[str, Any]],
) -> None:
    _holds_for_what_is_telling(*ground)


def _holds_for_what_is_telling(base: Path, known: dict[str, Any]) -> None:
    for history, reader in TELLING:
        whole, rest = uvloop.run(difference(base, known, history, reader, set()))
        assert whole == rest
