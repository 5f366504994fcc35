"""No inference: what a reader gets is a function of what he may see (DESIGN, section 5).

Stated as a property: delete everything that a reader may never see, with all its history, and
nothing that he observes changes. CYBERCOOP_INFERENCE_EXAMPLES says how many histories are tried.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import Phase, given, settings

from inference.acts import Case
from inference.histories import cases
from inference.stage import difference

EXAMPLES = int(os.environ.get("CYBERCOOP_INFERENCE_EXAMPLES", "300"))
_PARTS = 4
_MANY = 1000
"""From here on a difference is reported as it was found: making it small takes minutes."""

_PHASES = (Phase.generate,) if EXAMPLES >= _MANY else tuple(Phase)


@pytest.mark.parametrize("part", range(_PARTS))
def test_what_a_reader_may_never_see_changes_nothing_for_him(
    ground: tuple[Path, dict[str, Any]], part: int
) -> None:
    @settings(max_examples=EXAMPLES // _PARTS, phases=_PHASES)
    @given(cases())
    def holds(case: Case) -> None:
        whole, rest = uvloop.run(difference(*ground, case))
        assert whole == rest, f"part {part}"

    holds()
