"""The commands about notices and webhooks, as the operator of a center runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.terminal import Terminal
from cybercoop.cli import notices
from cybercoop.errors import CoopError

CLI = typer.Typer()
CLI.add_typer(notices.notice, name="notice")
CLI.add_typer(notices.webhook, name="webhook")


@pytest.fixture
def county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    terminal = Terminal(tmp_path)
    for name, text in terminal.environment.items():
        monkeypatch.setenv(name, text)
    terminal.run("init", "--name", "Testzentrum")
    return str(terminal.json("org", "add", "Landkreis A", "--kind", "member")["id"])


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(CLI, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said


def test_a_webhook_is_added_listed_and_ended(county: str) -> None:
    url = "http://127.0.0.1:9000/hook"
    with pytest.raises(CoopError):
        run("webhook", "add", url, "--org", "Landkreis A")
    made = run("webhook", "add", url, "--org", "Landkreis A", "--internal")
    secret = made.pop("secret")
    assert secret.startswith("hook_")
    assert made["organisation"] == county
    for more in ((), ("--org", county)):
        assert run("webhook", "list", *more)["webhooks"] == [made]
    text = CliRunner().invoke(CLI, ["webhook", "list"]).stdout
    assert url in text
    assert secret not in text
    assert run("webhook", "end", made["id"])["id"] == made["id"]
    with pytest.raises(CoopError):
        run("webhook", "end", made["id"])
    assert run("webhook", "list")["webhooks"] == []


def test_notices_are_listed(county: str) -> None:
    assert run("notice", "list", "--org", county, "--state", "kept")["notices"] == []
    done = CliRunner().invoke(CLI, ["notice", "list"])
    assert (done.exit_code, done.stdout.strip()) == (0, "There are no notices yet.")
