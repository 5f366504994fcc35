"""However many cycles come while a tangled history happens, it ends alike, and nothing is left.

CYBERCOOP_PACE_EXAMPLES says how many histories are tried. They are apart from those whose canary
wakes early: one that stops a lock makes more than a pace of it.
"""

import os
import tempfile
from pathlib import Path

import uvloop
from hypothesis import given, settings

from inference import papers
from inference.standing import Standing, readable, settle, standing
from inference.tangles import COUNTIES, STEP, Deed, do, hidden, paces, tangles
from world import world

EXAMPLES = int(os.environ.get("CYBERCOOP_PACE_EXAMPLES", "15"))


@settings(max_examples=EXAMPLES)
@given(tangles(), paces())
def test_what_is_tangled_ends_alike_at_any_pace(deeds: list[Deed], pace: frozenset[int]) -> None:
    always = frozenset(range(len(deeds)))
    assert uvloop.run(_outcome(deeds, always)) == uvloop.run(_outcome(deeds, pace))


async def _outcome(deeds: list[Deed], pace: frozenset[int]) -> Standing:
    """Return what stands after a history, with cycles after the deeds that ``pace`` numbers.

    What moved to a narrower lock is out of sight then, at any pace.
    """
    with tempfile.TemporaryDirectory(dir=papers.memory()) as name:
        async with world(f"sqlite:///{name}/coop.sqlite", Path(name)) as center:
            for county in COUNTIES:
                await center.org(county)
            verdicts = []
            for number in range(len(deeds)):
                center.clock.forward(STEP)
                begun = center.clock.now
                verdicts.append(await do(center, deeds, number))
                if number in pace:
                    await settle(center)
                # What hangs on the clock is the same, however many cycles there were.
                center.clock.now = begun
            center.clock.forward(STEP)
            await settle(center)
            gone = hidden(deeds, verdicts).items()
            assert [one for one, locks in gone if one in readable(center, locks)] == []
            return standing(center)
