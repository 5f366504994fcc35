"""The demo: a center to try out, and three commands that work when they are copied."""

import json
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from cli.terminal import PATIENCE, ROOT, Terminal, address_in


def feed(said: str, token: str) -> list[dict[str, Any]]:
    """Return everything that a token finds in its feed, page by page."""
    found: list[dict[str, Any]] = []
    where = f"{address_in(said)}/taxii2/coop/collections/feed/objects/?limit=1000"
    while True:
        request = urllib.request.Request(where, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the same
            page = json.load(response)
        found += page.get("objects", [])
        if not page.get("more"):
            return found
        where = re.sub("&next=.*|$", "&next=" + page["next"], where, count=1)


def tokens(said: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\S.*?) +(coop_\S+)$", said, re.MULTILINE))


def copied(said: str) -> list[list[str]]:
    """Return the three commands as a shell would start them, but on this Python."""
    text = said.replace("\\\n", " ")
    lines = [
        line.strip() for line in text.splitlines() if line.startswith("  .venv") or "curl -" in line
    ]
    found = [shlex.split(line) for line in lines]
    return [_here(words) for words in found]


def _here(words: list[str]) -> list[str]:
    programs = {".venv/bin/cybercoop": [sys.executable, "-m", "cybercoop"]}
    programs |= {".venv/bin/python": [sys.executable]}
    return [*programs.get(words[0], words[:1]), *words[1:]]


def test_the_demo_can_be_copied_from_and_goes_on_where_it_was(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.serving("demo") as said:
        assert len(tokens(said)) == 9
        push, curl, client = copied(said)
        first = {
            " ".join(words[:2]): subprocess.run(
                words, cwd=ROOT, check=True, capture_output=True, text=True, timeout=PATIENCE
            ).stdout
            for words in (push, curl, client)
        }
        printed = list(first.values())
        assert "accepted" in printed[0]
        read = json.loads(printed[1])["objects"]
        assert [one["type"] for one in read] == ["indicator"] * 3  # short enough for a screen
        assert [one["id"] for one in read if one["id"] not in printed[2]] == []
        cert = tokens(said)["Landes-CERT"]
        before = _settled(said, cert)
        assert len([one for one in before if one["type"] == "indicator"]) > 100
    with terminal.serving("demo") as again:
        assert tokens(again) == tokens(said)
        assert _settled(again, cert) == before


def _settled(said: str, token: str) -> list[dict[str, Any]]:
    """Return the feed once it is filled and two looks, a while apart, find the same."""
    before: list[dict[str, Any]] = []
    while len(before) < 100 or before != feed(said, token):
        before = feed(said, token)
        time.sleep(0.5)
    return before


def test_the_demo_gives_new_tokens_for_those_that_have_ended(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.serving("demo") as said:
        gone = tokens(said)["Landkreis Cochem-Zell"]
    terminal.run("token", "revoke", gone[:10])
    terminal.run("org", "leave", "Landkreis Bitburg-Prüm", "--export", "out.json", "--withdraw")
    with terminal.serving("demo") as said:
        assert tokens(said).get("Landkreis Bitburg-Prüm") is None
        assert _settled(said, tokens(said)["Landkreis Cochem-Zell"])
    assert (tmp_path / "demo-tokens.json").stat().st_mode & 0o077 == 0


def test_the_demo_leaves_the_center_of_others_alone(center: Terminal) -> None:
    assert "another center" in center.run("demo", code=2).stderr
