"""What the documentation names exists."""

import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.terminal import ROOT, Terminal
from cli.test_usage import COMMANDS

PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
FILES = re.compile(r".*\.(?:json|md|py|sqlite|toml)")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def dotted(text: str) -> set[str]:
    """Return the dotted names in backticks that are no files."""
    found = re.findall(r"`((?:[a-z_]+\.)+\w+)(?:\(\))?`", text)
    return {name for name in found if not FILES.fullmatch(name)}


def thing(name: str) -> object:
    """Return what a dotted name below the package stands for."""
    parts = f"cybercoop.{name}".split(".")
    depth = len(parts)
    while not _is_module(".".join(parts[:depth])):
        depth -= 1
    found: object = import_module(".".join(parts[:depth]))
    for part in parts[depth:]:
        found = getattr(found, part)
    return found


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is none, or no package
        return False


@pytest.mark.parametrize("name", sorted(dotted(page("architecture.md"))))
def test_every_function_that_the_architecture_names_exists(name: str) -> None:
    assert thing(name)


def test_a_function_that_is_gone_is_noticed() -> None:
    assert dotted("`a.b.c()` and `x.toml` and `store.releases.gone`") == {
        "a.b.c",
        "store.releases.gone",
    }
    with pytest.raises(AttributeError):
        thing("store.releases.gone")


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{name}" for name in PAGES)])
def test_links_lead_somewhere(name: str) -> None:
    source = ROOT / name
    links = re.findall(r"\]\((?!https?://)([^)#]+)", source.read_text())
    assert [link for link in links if not (source.parent / link).exists()] == []


def test_the_readme_lists_every_command() -> None:
    text = Path(ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"`{name}" not in text] == []


def test_the_feed_of_the_readme_can_be_made(center: Terminal) -> None:
    lines = Path(ROOT / "README.md").read_text().splitlines()
    words = shlex.split(next(line for line in lines if "cybercoop feed create" in line))
    said = center.run(*words[1:-1], "Landkreis A").stdout
    assert "/feeds/" in said


def test_source_files_that_pages_name_are_there() -> None:
    named = {
        (name, file)
        for name in PAGES
        for file in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", page(name))
    }
    roots = (ROOT, ROOT / "src" / "cybercoop")
    assert [one for one in named if not any((root / one[1]).exists() for root in roots)] == []
