"""What the TAXII tests may ask for: a center, and the fixture server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from taxii.lab import Lab, laboratory
from world import World, world


@pytest.fixture
async def center(tmp_path: Path) -> AsyncIterator[World]:
    """Lend a center on SQLite."""
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as one:
        yield one


@pytest.fixture
async def stored_center(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Lend a center on each kind of database."""
    async with world(database_url, tmp_path) as one:
        yield one


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Lend the fixture server on SQLite."""
    async with laboratory(tmp_path) as one:
        yield one


@pytest.fixture
async def stored_lab(database_url: str, tmp_path: Path) -> AsyncIterator[Lab]:
    """Lend the fixture server on each kind of database."""
    async with laboratory(tmp_path, database_url=database_url) as one:
        yield one


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def standing_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lab]:
    """Lend the fixture server on each kind of database to tests that change nothing."""
    folder = tmp_path_factory.mktemp("lab")
    if request.param == "sqlite":
        async with laboratory(folder) as one:
            yield one
        return
    with request.getfixturevalue("lender").lend() as url:
        async with laboratory(folder, database_url=url) as one:
            yield one
