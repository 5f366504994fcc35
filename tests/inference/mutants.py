"""Mistakes to plant: in policy, merging, stamping, paging, guard, canary, lists and look-up."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from sqlalchemy import select, true

from cybercoop.collect import canary, cycle, guarding, intake, places, resolving, sighting
from cybercoop.exports import building, serving
from cybercoop.guard import ALLOWED, Level
from cybercoop.indicators.sameness import sighting_key
from cybercoop.store import guarding as remembered
from cybercoop.store import page_statements, prepared, releases
from cybercoop.store.service_tables import exceptions
from cybercoop.taxii import collections
from inference.acts import Case
from inference.stage import difference

Plant = Callable[[pytest.MonkeyPatch], None]
Ground = tuple[Path, dict[str, Any]]
_NARROW = frozenset(
    f"{kind}:{name}" for kind in ("group", "strict") for name in ("members", "g", "h")
)


def tells(ground: Ground, case: Case) -> bool:
    """Say whether a history tells its reader of what he may never see, or cannot be played."""
    try:
        whole, rest = uvloop.run(difference(*ground, case))
    except (AssertionError, KeyError):
        return True
    return whole != rest


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
    every = _NARROW | {"public", "community"}
    patch.setattr(
        intake.releases,
        "readable",
        lambda connection, keys, ids: real(connection, keys | every, ids),
    )


def merging_draws_on_narrower_locks(patch: pytest.MonkeyPatch) -> None:
    real = places.wider
    patch.setattr(places, "wider", lambda lock: (*real(lock), *sorted(_NARROW - {*real(lock)})))


def merging_releases_references_under_their_own_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolving, "narrowest", lambda locks: next(iter(locks)))


def merging_counts_sightings_under_any_lock(patch: pytest.MonkeyPatch) -> None:
    real = places.merged_at

    def merged_at(place: Any, standing: Any, around: Any) -> Any:
        lock, key = place
        seen = [
            msgspec.structs.replace(row, at_lock=lock)
            for row in standing.get(sighting_key(key), ())
        ]
        return real(place, {**standing, sighting_key(key): seen}, around)

    patch.setattr(cycle, "merged_at", merged_at)


def resolving_looks_beyond_what_the_giver_reads(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolving.locks, "is_tighter", lambda _lock, than: than == "")


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


def guard_releases_under_all_locks_what_is_decided_about_one(patch: pytest.MonkeyPatch) -> None:
    real = guarding.Guard.verdict

    def verdict(self: guarding.Guard, place: Any, kind: str, content: Any) -> Any:
        said = real(self, place, kind, content)
        decided = said.level is Level.HOLD and place[1] in {key for _, key in self.released}
        return ALLOWED if decided else said

    patch.setattr(guarding.Guard, "verdict", verdict)


def guard_holds_what_is_held_anywhere(patch: pytest.MonkeyPatch) -> None:
    async def at(connection: Any, keys: Any) -> dict[Any, str]:
        c = remembered.holds.c
        query = select(c.lock, c.key, c.rule).where(c.key.in_(keys))
        return {(row.lock, row.key): row.rule for row in await connection.execute(query)}

    async def hold(connection: Any, held: Iterable[Any], secret: bytes, now: int) -> None:
        for one in held:
            known = remembered.holds.c.key == one.place[1]
            if (await connection.execute(select(remembered.holds).where(known))).first() is None:
                await real(connection, [one], secret, now)

    real = remembered.hold
    patch.setattr(remembered, "at", at)
    patch.setattr(remembered, "hold", hold)


def canary_counts_over_all_locks(patch: pytest.MonkeyPatch) -> None:
    real = canary.Canary._vanishing
    patch.setattr(
        canary.Canary, "_vanishing", lambda self, _lock, changes: real(self, "all", changes)
    )


def canary_stops_all_locks_with_one(patch: pytest.MonkeyPatch) -> None:
    real = remembered.stopped
    every = _NARROW | {"public", "community"}

    async def stopped(connection: Any) -> frozenset[str]:
        return every if await real(connection) else frozenset()

    patch.setattr(remembered, "stopped", stopped)


def _excepted_by_anybody(patch: pytest.MonkeyPatch, where: Any) -> None:
    async def excepted(connection: Any, _org_id: str, _now: int) -> list[tuple[str, str]]:
        query = select(exceptions.c.kind, exceptions.c.value)
        return [(row.kind, row.value) for row in await connection.execute(query)]

    patch.setattr(where, "excepted", excepted)


def exceptions_of_one_county_count_for_all(patch: pytest.MonkeyPatch) -> None:
    _excepted_by_anybody(patch, remembered)


def lists_leave_out_what_any_county_excepts(patch: pytest.MonkeyPatch) -> None:
    class Other:
        excepted = None

    patch.setattr(serving, "guarding", Other)
    _excepted_by_anybody(patch, Other)


def lists_are_shared_whatever_the_keys(patch: pytest.MonkeyPatch) -> None:
    real, first = serving.Shelf.plan_of, dict[Any, Any]()

    async def plan_of(self: serving.Shelf, asker: Any) -> building.Plan:
        plan = await real(self, asker)
        return first.setdefault((self, plan.format), plan)

    patch.setattr(serving.Shelf, "plan_of", plan_of)


def lists_carry_one_lock_too_many(patch: pytest.MonkeyPatch) -> None:
    real = serving.keys_of
    patch.setattr(serving, "keys_of", lambda org: real(org) | {"group:members"})


def lists_are_new_after_any_cycle(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(building, "_is_same", lambda one, other: one.state == other.state)


def lookup_reads_one_lock_too_many(patch: pytest.MonkeyPatch) -> None:
    real = releases.at_keys
    patch.setattr(
        releases,
        "at_keys",
        lambda connection, keys, *asked: real(connection, keys | {"strict:members"}, *asked),
    )


def sightings_are_about_whatever_anybody_reads(patch: pytest.MonkeyPatch) -> None:
    real = sighting.keys_of
    patch.setattr(sighting, "keys_of", lambda org: real(org) | {"group:members"})
