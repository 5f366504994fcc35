"""Help that can be copied, and exit codes: 0 done, 1 refused or failed, 2 wrong usage."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cli.terminal import Terminal
from cybercoop.__main__ import cli


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Return every command with the words that call it."""
    for name, known in group.commands.items():
        command = getattr(known, "real", known)
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands(cli))


def examples(name: str) -> list[str]:
    text = COMMANDS[name].help.partition("For example:\n\n")[2]
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_can_be_parsed(name: str) -> None:
    assert examples(name)
    for line in examples(name):
        assert len(line) < 80
        words = [one for one in shlex.split(line) if not re.match("CYBERCOOP_[A-Z_]+=", one)]
        assert words[: len(name.split()) + 1] == ["cybercoop", *name.split()]
        given = words[len(name.split()) + 1 :]
        needed = ["--token", "x"] if name == "push" else []
        COMMANDS[name].make_context(name, [*given, *needed])


@pytest.mark.parametrize("name", cli.commands)
def test_the_list_of_commands_says_of_each_what_it_says_itself(name: str) -> None:
    known: Any = cli.commands[name]
    assert known.get_short_help_str(200) == known.real.get_short_help_str(200)


@pytest.mark.parametrize("words", [["--help"], ["push", "--help"]], ids=" ".join)
def test_a_small_command_does_not_wait_for_large_libraries(words: list[str]) -> None:
    script = (
        "import sys; from cybercoop.__main__ import cli; cli(sys.argv[1:], standalone_mode=False)"
    )
    script += "; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], check=True, capture_output=True, text=True
    )
    imported = set(done.stdout.splitlines()[-1].split())
    assert "cybercoop" in imported
    large = {"alembic", "antlr4", "aiosmtplib", "dbos", "publicsuffixlist", "sqlalchemy", "typst"}
    assert large & imported == set()


def test_help_shows_each_example_on_a_line_of_its_own(center: Terminal) -> None:
    shown = center.run("org", "add", "--help", COLUMNS="80", NO_COLOR="1").stdout
    lines = [line.strip() for line in shown.splitlines()]
    assert [one for one in examples("org add") if one not in lines] == []


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("org add X --kind center", 2, "center"),
        ("org add '' --kind member", 2, "is no name"),
        (f"org add {'x' * 201} --kind member", 2, "is no name"),
        ("group join nowhere 'Landkreis A'", 2, "no group 'nowhere'"),
        ("user add IT --org 'Landkreis A' --mail it", 2, "not a mail address"),
        ("token create", 2, "Name an organisation"),
        ("token rotate coop_nobody", 2, "token list"),
        ("push nowhere.json --token x", 2, "No such file"),
        ("push . --token x", 2, "directory"),
        ("push center.json --token x --tlp blue", 2, "clear, green, amber"),
        ("push center.json --token x --url nonsense", 2, "HOST:PORT"),
        ("work", 2, "SQLite"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    line: str, code: int, reason: str, center: Terminal
) -> None:
    (center.folder / "center.json").write_text('{"objects":[{"type":"x"}]}')
    assert reason in center.run(*shlex.split(line), code=code, COLUMNS="200").stderr


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("CYBERCOOP_PAGE_LIMIT", "many", 2),
        ("CYBERCOOP_LISTEN", "8080", 2),
        ("CYBERCOOP_LISTEN", "127.0.0.1:99999", 2),
        ("CYBERCOOP_LISTEN", "127.0.0.1:²", 2),
        ("CYBERCOOP_WARNINGLISTS", "none", 2),
        ("CYBERCOOP_PLAYBOOK_KEYS", "none", 2),
        ("CYBERCOOP_TARGETS", "none.toml", 2),
        ("CYBERCOOP_SMTP_PASSWORD_FILE", "none.txt", 2),
        ("CYBERCOOP_TLS_CERT", "chain.pem", 2),
        ("CYBERCOOP_TLS_KEY", "key.pem", 2),
        ("CYBERCOOP_DATABASE", "mysql://x", 2),
        ("CYBERCOOP_DATABASE", "postgresql://127.0.0.1:port/x", 2),
        ("CYBERCOOP_DATABASE", "postgresql://127.0.0.1:1/x", 1),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, code: int, center: Terminal) -> None:
    said = center.run("serve", code=code, **{name: value}).stderr
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert name in said


@pytest.mark.parametrize("content", [b"listen = ", "# Einstellungen für uns\n".encode("latin-1")])
def test_a_broken_settings_file_is_named(center: Terminal, content: bytes) -> None:
    (center.folder / "cybercoop.toml").write_bytes(content)
    assert "cybercoop.toml" in center.run("org", "list", code=2).stderr


def test_a_server_asks_for_a_center_first(terminal: Terminal) -> None:
    assert "cybercoop init" in terminal.run("serve", code=2).stderr
    terminal.run("db", "upgrade")
    terminal.run("db", "upgrade")
    assert "cybercoop init" in terminal.run("serve", code=2).stderr


def test_nothing_at_all_shows_what_there_is(center: Terminal) -> None:
    shown = center.run(code=2)
    assert "push" in shown.stdout + shown.stderr
