"""However many cycles come while a history happens, the same stands in the end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from hypothesis import assume, given, settings

from cybercoop.store import guarding
from inference.acts import Case, Facts
from inference.histories import settling
from inference.stage import stage
from inference.standing import Standing, settle, standing


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
        await settle(center)
        return standing(center)
