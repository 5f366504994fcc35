"""Pushing what is no STIX: lists, tables, mails and MISP, looked at first and told line by line."""

import json
import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import COMMAND, PATIENCE, Terminal, address_in

LIST = "# seen today\nevil.example.org\n010.1.2.3\n198.51.100.7 # c2\nevil.example.org\n\n"
MAIL = """Guten Tag,
bitte sperren Sie hxxps://evil.example[.]org/login und 198[.]51[.]100[.]9.
Details stehen in readme.md. Version 10.0.190.1 ist betroffen.
"""
EVENT = {
    "Event": {
        "info": "x",
        "Attribute": [
            {"type": "domain", "value": "amber.example.org", "to_ids": True},
            {
                "type": "domain",
                "value": "red.example.org",
                "to_ids": True,
                "Tag": [{"name": "tlp:red"}],
            },
        ],
    }
}


@pytest.fixture
def desk(center: Terminal) -> Iterator["Desk"]:
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        yield Desk(center, {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": token})


class Desk:
    """A county at its terminal, with files to push."""

    def __init__(self, terminal: Terminal, client: dict[str, str]) -> None:
        self.terminal, self.client = terminal, client

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.terminal.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def push(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.terminal.run("push", *arguments, code=code, **self.client)

    def push_json(self, *arguments: object, code: int = 0) -> Any:
        return self.terminal.json("push", *arguments, code=code, **self.client)

    def typed(
        self, *arguments: object, stdin: int | None = None, text: bytes = b"", **more: str
    ) -> tuple[int, str]:
        """Run a push with something on its standard input; return its end and all it said."""
        done = subprocess.run(
            [*COMMAND, "push", *map(str, arguments)],
            cwd=self.terminal.folder,
            env=self.terminal.environment | self.client | {"LC_ALL": "C.UTF-8"} | more,
            stdin=stdin,
            input=None if stdin is not None else text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout.decode()


def test_every_line_of_a_list_is_accounted_for(desk: Desk) -> None:
    file = desk.file("liste.txt", LIST)
    shown = desk.push(file, "--tlp", "green", code=1)
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:2]] == [
        ["accepted", "community", "2"]
    ]
    for part in ("plain", "domain", "ipv4", "duplicate", "blank", "line 3", "010.1.2.3"):
        assert part in shown.stderr
    told = desk.push_json(file, "--tlp", "green", "--dry-run", code=1)
    (read,) = told["read"]
    assert (read["reader"], read["values"], read["duplicates"]) == (
        "plain",
        {"domain": 1, "ipv4": 1},
        1,
    )
    assert [bad["where"] for bad in read["examples"]] == ["line 3"]
    assert [one["where"] for one in told["verdicts"]] == ["line 2", "line 4"]
    assert "Landkreis B" in told["audience"]["community"]
    assert "push_id" not in told


def test_free_text_is_looked_at_before_it_is_pushed(desk: Desk) -> None:
    file = desk.file("warnung.txt", MAIL)
    refused = desk.push(file, "--tlp", "amber", code=2)
    assert "--yes" in refused.stderr
    for value in ("https://evil.example.org/login", "198.51.100.9", "readme.md", "10.0.190.1"):
        assert value in refused.stderr
    dry = desk.push(file, "--tlp", "amber", "--dry-run")
    assert "Landkreis B" in dry.stdout
    assert "accepted" in desk.push(file, "--tlp", "amber", "--yes").stdout


def test_a_terminal_asks_and_a_no_pushes_nothing(desk: Desk) -> None:
    file = desk.file("liste.txt", "evil.example.org\n")
    for answer, language, question, pushed in (
        (b"n\n", "en_GB.UTF-8", "push? [y/N]", False),
        (b"\n", "de_DE.UTF-8", "Senden? [j/N]", False),
        (b"j\n", "de_DE.UTF-8", "Senden? [j/N]", True),
    ):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        code, said = desk.typed(file, "--tlp", "green", stdin=theirs, LC_ALL=language)
        os.close(ours)
        os.close(theirs)
        assert (code, "accepted" in said) == ((0, True) if pushed else (1, False)), said
        assert question in said


def test_a_list_comes_from_standard_input(desk: Desk) -> None:
    code, said = desk.typed("-", "--tlp", "green", text="evil[.]example[.]org\r\n".encode("utf-16"))
    assert (code, "accepted" in said) == (0, True), said


def test_a_list_comes_from_a_pipe_that_can_be_read_once(desk: Desk) -> None:
    pipe = desk.terminal.folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=("198.51.100.7\n" * 9000,)).start()
    assert desk.push_json(pipe, "--tlp", "green")["counts"] == {"accepted": 1}


def test_a_table_and_json_are_read_as_somebody_says(desk: Desk) -> None:
    table = desk.file("liste.csv", "Wert;Wann;Wer\nevil.example.org;2026-01-02;ich@hier.de\n")
    nested = desk.file("liste.json", json.dumps({"data": [{"ioc": "198.51.100.8", "n": 1}]}))
    said = ("--tlp", "green", "--confidence", 35, "--labels", "phishing,vpn")
    columns = ("--map", "Wert=value", "--map", "Wann=valid_from")
    assert desk.push_json(table, *said, *columns)["counts"] == {"accepted": 1}
    assert desk.push_json(nested, *said, "--path", "data[].ioc")["counts"] == {"accepted": 1}
    done = subprocess.run(
        [
            *("curl", "-sf", "-u", f"x:{desk.client['CYBERCOOP_TOKEN']}"),
            desk.client["CYBERCOOP_URL"] + "/taxii2/coop/collections/contributions/objects/",
        ],
        capture_output=True,
        check=True,
    )
    first, second = json.loads(done.stdout)["objects"]
    assert (first["pattern"], first["valid_from"][:10]) == (
        "[domain-name:value = 'evil.example.org']",
        "2026-01-02",
    )
    assert second["pattern"] == "[ipv4-addr:value = '198.51.100.8']"
    assert {(one["confidence"], *one["labels"]) for one in (first, second)} == {
        (35, "phishing", "vpn")
    }


def test_a_refusal_of_the_center_names_the_place_in_the_file(desk: Desk) -> None:
    many = "".join(f"host{number}.example.org\n" for number in range(1100))
    files = desk.file("event.json", json.dumps(EVENT)), desk.file("many.txt", many)
    told = desk.push_json(*files, "--tlp", "green", code=1)
    assert told["counts"] == {"accepted": 1101, "refused": 1}
    (refused,) = [one for one in told["verdicts"] if one["outcome"] == "refused"]
    assert refused["where"].startswith("event.json ")
    assert "Attribute[1]" in refused["where"]
    assert told["verdicts"][-1]["where"] == "many.txt line 1100"


def test_a_folder_is_a_misp_feed(desk: Desk) -> None:
    name = "5c0ffee0-0000-4000-8000-000000000000"
    desk.file(f"feed/{name}.json", json.dumps(EVENT))
    desk.file("feed/manifest.json", json.dumps({name: {"info": "x", "timestamp": "1"}}))
    told = desk.push_json(desk.terminal.folder / "feed", "--tlp", "green", code=1)
    assert told["counts"] == {"accepted": 1, "refused": 1}
    assert told["read"][0]["reader"] == "misp-feed"
    desk.file("leer/x.txt", "x")
    assert "manifest.json" in desk.push(desk.terminal.folder / "leer", code=2).stderr


def test_a_push_is_undone_as_one(desk: Desk) -> None:
    many = "".join(f"host{number}.example.org\n" for number in range(600))
    files = desk.file("liste.txt", LIST), desk.file("many.txt", many)
    first = desk.push(*files, "--tlp", "green", code=1)
    (hint,) = [line for line in first.stderr.splitlines() if line.startswith("undo with: ")]
    number = hint.split()[-1]
    assert "602" in desk.push("--undo", number).stdout
    assert "Nothing is left" in desk.push("--undo", number, code=1).stderr
    assert "404" in desk.push("--undo", "a/../b", code=1).stderr
    told = desk.push_json(files[1], "--tlp", "green")
    assert told["counts"] == {"accepted": 600}
    assert desk.push_json("--undo", told["push_id"])["withdrawn"] == 600


def test_wrong_words_are_told_before_anything_is_sent(desk: Desk) -> None:
    file = desk.file("liste.txt", "evil.example.org\n")
    for words, told in (
        ((file, "--reader", "yaml"), "plain"),
        ((file, "--map", "value"), "COLUMN=ROLE"),
        ((file, "--map", "a=magic"), "confidence"),
        ((file, "--kind", "name"), "domain"),
        ((file, "--undo", "x"), "--undo"),
        ((), "--undo"),
    ):
        assert told in desk.push(*words, code=2).stderr
    page = desk.file("seite.txt", "<!DOCTYPE html><html><body>Anmelden</body></html>")
    assert "web page" in desk.push(file, page, code=1).stderr
    assert desk.push_json(file, "--tlp", "green")["counts"] == {"accepted": 1}
