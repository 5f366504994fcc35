"""The linter, the formatter, the type checker and the import checker find nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from house.tree import ROOT

TOOLS = {
    "ruff check": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports", "--no-cache"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_finds_nothing(tool: str) -> None:
    program, *arguments = TOOLS[tool]
    command = [Path(sys.executable).parent / program, *arguments]
    answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
