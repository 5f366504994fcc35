"""Terminals for the tests of the command."""

import shutil
from pathlib import Path

import pytest

from cli.terminal import Terminal


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    """Lend a terminal on an empty database; the test runs once for each kind."""
    return Terminal(tmp_path, database_url)


@pytest.fixture(scope="session")
def _founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    terminal = Terminal(folder)
    terminal.run("init", "--name", "Testzentrum")
    for name in ("Landkreis A", "Landkreis B"):
        terminal.run("org", "add", name, "--kind", "member")
    terminal.run("org", "add", "Stadt A", "--kind", "client", "--of", "Landkreis A")
    return folder


@pytest.fixture
def center(_founded: Path, tmp_path: Path) -> Terminal:
    """Lend a terminal on an SQLite center with two counties and the client of one."""
    shutil.copytree(_founded, tmp_path / "center")
    return Terminal(tmp_path / "center")
