"""No inference: what a reader gets is a function of what he may see (DESIGN, section 5).

Stated as a property: delete everything that a reader may never see, with all its history, and
nothing that he observes changes.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.acts import READERS, Act, acts
from inference.stage import difference

EXAMPLES = int(os.environ.get("CYBERCOOP_INFERENCE_EXAMPLES", "300"))
_PARTS = 4


@pytest.mark.parametrize("part", range(_PARTS))
def test_what_a_reader_may_never_see_changes_nothing_for_him(
    ground: tuple[Path, dict[str, Any]], part: int
) -> None:
    @settings(max_examples=EXAMPLES // _PARTS)
    @given(acts, st.sampled_from(READERS), st.sets(st.integers(0, 13), max_size=1))
    def holds(history: list[Act], reader: str, looks: set[int]) -> None:
        whole, rest = uvloop.run(difference(*ground, history, reader, looks))
        assert whole == rest, f"part {part}"

    holds()
