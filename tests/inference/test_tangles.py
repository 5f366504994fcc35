"""However many cycles come while a tangled history happens, the same stands in the end.

CYBERCOOP_PACE_EXAMPLES says how many histories are tried. They are apart from those whose canary
wakes early: one that stops a lock makes more than a pace of it.
"""

import os
import tempfile
from pathlib import Path

import uvloop
from hypothesis import given, settings

from inference import papers
from inference.standing import Standing, settle, standing
from inference.tangles import COUNTIES, Deed, do, tangles
from world import SECOND, world

EXAMPLES = int(os.environ.get("CYBERCOOP_PACE_EXAMPLES", "15"))


@settings(max_examples=EXAMPLES)
@given(tangles())
def test_what_is_tangled_ends_alike_at_any_pace(deeds: list[Deed]) -> None:
    assert uvloop.run(_outcome(deeds, slow=True)) == uvloop.run(_outcome(deeds, slow=False))


async def _outcome(deeds: list[Deed], *, slow: bool) -> Standing:
    """Return what stands after a history, with cycles after each deed or after all of them."""
    with tempfile.TemporaryDirectory(dir=papers.memory()) as name:
        async with world(f"sqlite:///{name}/coop.sqlite", Path(name)) as center:
            for county in COUNTIES:
                await center.org(county)
            for number in range(len(deeds)):
                center.clock.forward(20 * SECOND)
                begun = center.clock.now
                await do(center, deeds, number)
                if slow:
                    await settle(center)
                # What hangs on the clock is the same, however many cycles there were.
                center.clock.now = begun
            center.clock.forward(20 * SECOND)
            await settle(center)
            return standing(center)
