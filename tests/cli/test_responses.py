"""A response from the command line: imported, started, approved, answered, shown and reported."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.terminal import PATIENCE, Terminal, address_in
from responses.books import book, end, key, manual

BOOK = book(
    "lage",
    key("action", "look"),
    manual(
        "look",
        to=key("end", "end"),
        asks={"__gesehen__": "yes-no-unknown", "__beleg__": "file"},
        duty={"title": "Nachsehen", "role": "it-operations", "deadline": {"within": "PT4H"}},
    ),
    end(),
    variables={
        "__gesehen__": {"type": "string"},
        "__beleg__": {"type": "sha256-hash"},
        "__wert__": {"type": "string", "external": True},
    },
)
ID = key("playbook", "lage")


@dataclass(frozen=True)
class Desk:
    """Terminals of people at a running center, by token."""

    terminal: Terminal
    url: str
    tokens: dict[str, str]

    def environment(self, who: str) -> dict[str, str]:
        said = {"CYBERCOOP_URL": self.url, "CYBERCOOP_TOKEN": self.tokens[who]}
        return said | {"COLUMNS": "300"}

    def run(self, who: str, *words: object, code: int = 0) -> Any:
        return self.terminal.run(*words, code=code, **self.environment(who))

    def json(self, who: str, *words: object, code: int = 0) -> Any:
        return self.terminal.json(*words, code=code, **self.environment(who))

    def until(self, look: Callable[[], Any]) -> Any:
        ends = time.monotonic() + PATIENCE
        while not (seen := look()):
            assert time.monotonic() < ends
        return seen


@pytest.fixture
def desk(center: Terminal) -> Iterator[Desk]:
    (center.folder / "lage.json").write_bytes(BOOK)
    tokens = {}
    for name in ("lena", "anna"):
        mail = f"{name}@example.org"
        center.run("user", "add", name, "--org", "Testzentrum", "--mail", mail)
        words = ("token", "create", "--person", mail, "--scope", "write")
        tokens[name] = center.json(*words)["token"]
    for name in ("Landkreis A", "Landkreis B"):
        tokens[name] = center.json("token", "create", name, "--scope", "write")["token"]
    with center.serving() as said:
        yield Desk(center, address_in(said), tokens)


def started(desk: Desk, *more: object) -> str:
    """Return the id of a response that lena started and anna approved."""
    desk.run("lena", "playbook", "import", "lage.json")
    plan = (ID, "--of-group", "members", "--tlp", "amber", "--set", "wert=x", *more)
    made = desk.json("lena", "response", "start", *plan)["id"]
    desk.run("anna", "response", "approve", made)
    return str(made)


def task_of(desk: Desk, who: str) -> str:
    return str(desk.until(lambda: desk.json(who, "task", "list")["tasks"])[0]["id"])


def test_a_preview_touches_nothing_and_takes_assumed_answers(desk: Desk) -> None:
    desk.run("lena", "playbook", "import", "lage.json")
    plan = (ID, "--of-group", "members", "--tlp", "amber", "--set", "wert=x", "--exercise")
    seen = desk.run("lena", "response", "preview", *plan).stdout
    assert "ÜBUNG: lage: 2 organisations, approvals: 1" in seen
    desk.terminal.run("org", "tag", "Landkreis B", "--add", "kritis")
    some = desk.json("lena", "response", "preview", *plan, "--tag", "kritis")["counties"]
    assert [each["name"] for each in some] == ["Landkreis B"]
    assert desk.json("lena", "response", "list")["responses"] == []
    assumed = desk.run("lena", "response", "preview", *plan, "--answer", "gesehen=ja").stdout
    assert ("__gesehen__ = no" in seen, "__gesehen__ = yes" in assumed) == (True, True)
    wrong = (("gesehen", 2, "--answer takes"), ("anderes=1", 1, "does not ask this"))
    for answer, code, said in wrong:
        words = ("response", "preview", *plan, "--answer", answer)
        assert said in desk.run("lena", *words, code=code).stderr


def test_a_whole_response(desk: Desk) -> None:
    assert "taken" in desk.run("lena", "playbook", "import", "lage.json").stdout
    assert ID in desk.run("Landkreis A", "playbook", "list").stdout
    assert "__wert__" in desk.run("Landkreis A", "playbook", "show", ID).stdout
    printed = desk.run("Landkreis A", "playbook", "show", ID, "--document").stdout
    assert printed.encode() == BOOK
    plan = (ID, "--of-group", "members", "--tlp", "amber", "--set", "wert=x", "--exercise")
    made = desk.json("lena", "response", "start", *plan)
    one = made["id"]
    refused = desk.run("lena", "response", "approve", one, code=1).stderr
    assert "cannot approve" in refused
    assert "running" in desk.run("anna", "response", "approve", one).stdout
    task = task_of(desk, "Landkreis A")
    assert "Nachsehen" in desk.run("Landkreis A", "task", "list").stdout
    desk.run("Landkreis A", "task", "claim", task)
    desk.run("Landkreis A", "task", "remark", task, "Sehe nach.")
    (desk.terminal.folder / "beleg.txt").write_text("Beleg")
    words = ("gesehen=ja", "beleg=@beleg.txt", "--comment", "erledigt")
    assert "done" in desk.run("Landkreis A", "task", "done", task, *words).stdout
    assert (
        "first answer counts"
        in desk.run("Landkreis A", "task", "done", task, *words, code=1).stderr
    )
    shown = desk.run("Landkreis A", "task", "show", task).stdout
    assert "→ yes" in shown
    assert "beleg.txt" in shown

    def board() -> str:
        return desk.run("lena", "response", "show", one, "--answers").stdout

    def ticked() -> bool:
        """Say whether the step is done, which the worker notes a moment after the task."""
        rows = [line for line in board().splitlines() if line.startswith("Landkreis A")]
        return "✔" in "".join(rows)

    desk.until(ticked)
    assert "ÜBUNG: lage: running" in board()
    assert "yes 1, no 0, unknown 0" in board()
    second = task_of(desk, "Landkreis B")
    desk.run("Landkreis B", "task", "fail", second, "--reason", "Kein Zugriff")

    def over() -> bool:
        found = desk.json("lena", "response", "show", one)
        return bool(found["shown"]["state"] == "done")

    desk.until(over)
    told = desk.run("lena", "response", "log", one, "--german").stdout
    assert "Der Einsatz hat begonnen." in told
    report = desk.run("lena", "response", "report", one).stdout
    assert "deadlines kept 1, missed" in report
    assert "Kein Zugriff" in report
    desk.run("lena", "response", "report", one, "--format", "pdf", "--to", "b.pdf")
    assert (desk.terminal.folder / "b.pdf").read_bytes().startswith(b"%PDF")
    stix = json.loads(desk.run("lena", "response", "report", one, "--format", "stix").stdout)
    assert {each["type"] for each in stix["objects"]} == {"identity", "note", "report"}


def test_leading_and_taking_part(desk: Desk) -> None:
    one = started(desk)
    assert "paused" in desk.run("lena", "response", "pause", one).stdout
    assert "running" in desk.run("lena", "response", "resume", one).stdout
    asked = desk.json(
        *("lena", "response", "ask", one, "Fassung?"),
        *("--question", "choice:7.4|7.6:Welche?", "--county", "Landkreis A"),
    )
    (put,) = asked["tasks"]
    assert put["questions"]["frage_1"]["choices"] == ["7.4", "7.6"]
    desk.run("Landkreis A", "task", "done", put["id"], "frage_1=7.6")
    (line,) = desk.json("Landkreis A", "response", "show", one)["lines"]
    desk.run("Landkreis A", "response", "accept", line["run"], "--share-state")
    (other,) = desk.json("Landkreis B", "response", "show", one)["lines"]
    words = ("response", "decline", other["run"], "--reason", "kein Personal")
    assert "stays out" in desk.run("Landkreis B", *words).stdout
    added = desk.run("lena", "response", "add", one, "Stadt A").stdout
    assert "Stadt A" in added
    assert "cancel" in desk.run("lena", "response", "cancel", one, "--reason", "Ende").stdout


WRONG = (
    ("lena", f"response start {ID} --tlp amber --set wert", 2, "NAME=VALUE"),
    ("lena", f"response start {ID} --tlp amber --county nowhere", 1, "counties"),
    ("lena", "response show nowhere", 1, "404"),
    ("lena", "response ask x Frage --question wie?", 2, "KIND:TEXT"),
    ("lena", "response report x --format pdf", 2, "--to"),
    ("Landkreis A", "response pause x", 1, "403"),
    ("Landkreis A", "task show x", 1, "404"),
    ("Landkreis A", "task done x a", 2, "NAME=ANSWER"),
    ("Landkreis A", "task remark x --file nowhere.txt", 2, "cannot be read"),
    ("Landkreis A", "task remark x", 2, "Say something"),
    ("Landkreis A", "playbook show x", 1, "404"),
    ("Landkreis A", "response list --token=", 2, "--token"),
    ("Landkreis A", "response list --url nonsense", 2, "address"),
)


def test_what_is_wrong_is_said(desk: Desk) -> None:
    for who, line, code, reason in WRONG:
        said = desk.run(who, *line.split(), code=code).stderr
        assert reason in said
        assert said.count("\n") == 1
