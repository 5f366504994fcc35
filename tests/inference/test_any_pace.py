"""However many cycles come while a history happens, the same stands in the end."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from hypothesis import assume, given, settings

from cybercoop.collect.projector import cycle
from cybercoop.store import guarding, projection
from inference import papers
from inference.acts import Case, Facts
from inference.histories import settling
from inference.stage import stage
from world import SECOND, World

_LIVE = (
    "SELECT lock, hex(key), stix_id, bytes FROM releases WHERE latest AND NOT revoked "
    "ORDER BY lock, key"
)
_MADE = ("id", "created", "modified", "valid_from")
"""What tells when it was released, and as which generation."""

Standing = list[tuple[str, str, Any]]
"""Lock and key of all that is live, and what it says; each id in that is lock and key again."""


@settings(max_examples=40)
@given(settling())
def test_a_cycle_after_each_act_and_one_for_all_end_alike(
    ground: tuple[Path, dict[str, Any]], case: Case
) -> None:
    hurried = replace(case, hurried=frozenset(range(len(case.history))))
    slow, fast = (uvloop.run(_outcome(*ground, one)) for one in (case, hurried))
    assume(slow is not None and fast is not None)
    assert slow == fast


async def _outcome(base: Path, known: dict[str, Any], case: Case) -> Standing | None:
    """Return what stands after a history; None where a canary stopped a list of it."""
    async with stage(base, known, case, Facts()) as made:
        await made.play(case, case.history)
        center = made.center
        async with center.database.read() as connection:
            if await guarding.stopped(connection):
                return None
        await _settle(center)
        return _standing(papers.rows(center.database.url, _LIVE))


async def _settle(center: World) -> None:
    for _ in range(8):
        async with center.database.read() as connection:
            if not await projection.anything_to_do(connection, center.clock.now):
                return
        center.clock.forward(SECOND)
        await cycle(center.database, center.center, center.clock.now)
    raise AssertionError("The projector finds no end.")


def _standing(rows: list[tuple[Any, ...]]) -> Standing:
    places = {stix_id: f"{lock} {key}" for lock, key, stix_id, _ in rows}

    def said(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: said(one) for name, one in value.items() if name not in _MADE}
        if isinstance(value, list):
            return sorted(map(said, value), key=str)
        return places.get(value, value)

    return [(lock, key, said(json.loads(raw))) for lock, key, _, raw in rows]
