"""However many cycles come while a history happens, the same stands in the end.

CYBERCOOP_PACE_EXAMPLES says how many tangled histories are tried.
"""

import json
import os
import tempfile
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
from inference.tangles import COUNTIES, Deed, do, tangles
from world import SECOND, World, world

TANGLES = int(os.environ.get("CYBERCOOP_PACE_EXAMPLES", "15"))

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


@settings(max_examples=TANGLES)
@given(tangles())
def test_what_is_tangled_ends_alike_at_any_pace(deeds: list[Deed]) -> None:
    assert uvloop.run(_tangled(deeds, slow=True)) == uvloop.run(_tangled(deeds, slow=False))


async def _tangled(deeds: list[Deed], *, slow: bool) -> Standing:
    """Return what stands after a history, with cycles after each deed or after all of them."""
    with tempfile.TemporaryDirectory(dir=papers.memory()) as name:
        url = f"sqlite:///{name}/coop.sqlite"
        async with world(url, Path(name)) as center:
            for county in COUNTIES:
                await center.org(county)
            for number in range(len(deeds)):
                center.clock.forward(20 * SECOND)
                begun = center.clock.now
                await do(center, deeds, number)
                if slow:
                    await _settle(center)
                # What hangs on the clock is the same, however many cycles there were.
                center.clock.now = begun
            center.clock.forward(20 * SECOND)
            await _settle(center)
            return _standing(papers.rows(url, _LIVE))


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
    for _ in range(12):
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
