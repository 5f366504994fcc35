"""Looking values up as a county does it: from arguments, a file or standard input, over HTTP."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.terminal import COMMAND, PATIENCE, Terminal, address_in
from world import indicator


@dataclass(frozen=True)
class County:
    """A terminal of a county, with the address of the center and a token."""

    terminal: Terminal
    client: dict[str, str]

    def lookup(self, *words: object, code: int = 0) -> Any:
        return self.terminal.run("lookup", *words, code=code, COLUMNS="200", **self.client)

    def lookup_json(self, *words: object, code: int = 0) -> Any:
        return self.terminal.json("lookup", *words, code=code, **self.client)["values"]


@pytest.fixture
def county(center: Terminal) -> Iterator[County]:
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        known = County(center, {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": token})
        file = center.folder / "push.json"
        file.write_text(json.dumps({"objects": [indicator("evil-host.net")]}))
        center.run("push", file, "--tlp", "green", "--named", **known.client)
        ends = time.monotonic() + PATIENCE
        while not known.lookup_json("evil-host.net")[0]["listed"]:
            assert time.monotonic() < ends
        yield known


def test_a_table_says_what_is_listed_since_when_and_by_whom(county: County) -> None:
    shown = county.lookup("hxxps://evil-host[.]net/a", "Evil-Host.net.", "bund.de").stdout
    heading, link, name, protected = shown.splitlines()
    assert heading.split() == ["value", "listed", "since", "until", "sure", "remarks"]
    assert "covered by evil-host.net" in link
    assert name.split()[:2] == ["evil-host.net", "green"]
    assert "by Landkreis A" in name
    assert "guard: never, administration" in protected


def test_feeds_that_carry_a_value_and_the_reasons_of_others_are_told(county: County) -> None:
    make = ("feed", "create", "--org", "Landkreis A", "--format", "text", "--kind")
    county.terminal.run(*make, "domain", "--title", "Sperrliste")
    county.terminal.run(*make, "ipv4", "--title", "Netze")
    shown = " ".join(county.lookup("evil-host.net").stdout.split())
    assert "in feed Sperrliste" in shown
    assert "not in feed Netze: The feed lists no values of this kind." in shown
    told = county.lookup_json("evil-host.net")[0]["feeds"]
    assert [(one["title"], one["listed"]) for one in told] == [
        ("Sperrliste", True), ("Netze", False),
    ]  # fmt: skip


def test_values_come_from_a_file_or_from_standard_input(county: County) -> None:
    file = county.terminal.folder / "values.txt"
    file.write_text("\ufeffevil-host.net\r\n\n  198.51.100.7  \n", "utf-8")
    asked = ["evil-host.net", "198.51.100.7"]
    assert [one["asked"] for one in county.lookup_json("--file", file)] == asked
    done = subprocess.run(
        [*COMMAND, "lookup", "--file", "-", "--json"],
        input="evil-host.net\n198.51.100.7\n",
        env=county.terminal.environment | county.client,
        cwd=county.terminal.folder,
        timeout=PATIENCE,
        capture_output=True,
        check=True,
        text=True,
    )
    assert [one["asked"] for one in json.loads(done.stdout)["values"]] == asked


def test_more_values_than_one_request_takes_are_answered_in_order(county: County) -> None:
    file = county.terminal.folder / "values.txt"
    values = [f"x{number}.evil-host.net" for number in range(12_000)]
    file.write_text("\n".join(values))
    found = county.lookup_json("--file", file)
    assert [one["asked"] for one in found] == values
    assert all("covered_by" in one for one in found)


def test_what_cannot_be_read_is_told_and_ends_with_1(county: County) -> None:
    done = county.lookup("010.1.2.3", "evil-host.net", code=1)
    assert "leading zero" in done.stdout
    assert "evil-host.net" in done.stdout
    assert "reason" in county.lookup_json("???", code=1)[0]


def test_what_is_missing_is_said(county: County) -> None:
    assert "Name values" in county.lookup(code=2).stderr
    assert "cannot be read" in county.lookup("--file", "nowhere.txt", code=2).stderr
    assert "401" in county.lookup("a.net", "--token", "coop_nobody", code=1).stderr
    bare = county.terminal.run("lookup", "a.net", code=2).stderr
    assert "CYBERCOOP_TOKEN" in bare
