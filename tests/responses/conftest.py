"""A center that carries out responses, one for each file of tests and kind of database."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from responses.stage import Stage, stage


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def one(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("responses")
    targets = folder / "targets.toml"
    targets.write_text("")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'coop.sqlite'}"
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("lender").lend())
        async with stage(url, folder, targets=targets) as found:
            yield found
