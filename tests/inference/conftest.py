"""The center that every example starts from."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from cybercoop.collect import canary
from cybercoop.exports import serving
from inference.papers import memory
from inference.stage import found


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Lend the folder of a founded center, and what is known of it.

    Two entries that vanish wake its canary, since histories are short; and lists are looked
    after only when a history says so.
    """
    with (
        tempfile.TemporaryDirectory(dir=memory()) as name,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(canary, "FEWEST", 2)
        patch.setattr(serving, "PAUSE", 3600.0)
        folder = Path(name) / "ground"
        folder.mkdir()
        yield folder, uvloop.run(found(folder))
