"""What a newcomer meets first is there and true: README, CHANGELOG, settings, no foreign places."""

import os
import re
import tomllib
from importlib import import_module
from importlib.util import find_spec

import pytest
from pydantic_settings import BaseSettings

from house import rules
from house.tree import ROOT, files, name, python_files

README = (ROOT / "README.md").read_text()
SET_UP = ("./run", "./test")
# Whoever has to type one of these has more to do than ./run and ./test.
INSTALLERS = r"(sudo |python3? -m )?(apt|apt-get|brew|conda|make|npm|pip3?|pipx|poetry|uv|venv)\b"
# Written in two parts, so that this file does not contain what it looks for.
PLACES = {
    "/wo" + r"rk/": "a machine path",
    "/ro" + r"ot/": "a machine path",
    "files.python" + "hosted": "a registry address",
    "index" + "-url": "a registry address",
    r"^\s*(-f|--find" + "-links)": "a registry address",
    'resolved"' + ': "http': "a registry address",
}


def documentation() -> str:
    pages = [path for path in files() if path.suffix == ".md"]
    return "\n".join(page.read_text() for page in pages if page.name != "CHANGELOG.md")


def settings() -> set[str]:
    """Return the name of every variable that the product reads."""
    module = import_module("cybercoop.config")
    fields = {
        f"{kind.model_config['env_prefix']}{field}".upper()
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind is not BaseSettings
        for field in kind.model_fields
    }
    written = "".join(path.read_text() for path in python_files("src"))
    return fields | set(re.findall(r"\bCYBERCOOP_[A-Z_]*[A-Z]\b", written))


@pytest.mark.parametrize("command", SET_UP)
def test_the_readme_shows_the_two_commands_and_they_can_be_started(command: str) -> None:
    assert command in rules.commands(README)
    assert os.access(ROOT / command, os.X_OK)


def test_the_readme_asks_for_no_other_set_up() -> None:
    shown = rules.commands(README)
    assert {line.split()[0] for line in shown if line.startswith("./")} <= set(SET_UP)
    assert [line for line in shown if re.match(INSTALLERS, line)] == []


def test_the_changelog_tells_about_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert {"Unreleased", version} & set(headings)


@pytest.mark.skipif(find_spec("cybercoop.config") is None, reason="there are no settings yet")
def test_every_setting_is_documented() -> None:
    text = documentation()
    assert sorted(setting for setting in settings() if not re.search(rf"{setting}\b", text)) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    found = []
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content:
            text = content.decode("utf-8", "replace")
            found += [f"{name(path)}:{line}" for line in rules.foreign_places(text, PLACES)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    ["cd /wo" + "rk/x", "  --index" + "-url x", "-f x", "https://files.python" + "hosted.org"],
)
def test_a_place_of_one_machine_is_found(line: str) -> None:
    assert list(rules.foreign_places(f"\n{line}\n", PLACES))


def test_commands_are_read_from_fenced_blocks() -> None:
    text = (
        "x\n```sh\n$ ./run --port 1  # starts\n# no\npip install x\n```\n./test\n```json\n{}\n```\n"
    )
    assert rules.commands(text) == ["./run --port 1", "pip install x"]
    assert re.match(INSTALLERS, "python3 -m venv x")
    assert re.match(INSTALLERS, "sudo apt-get install x")
