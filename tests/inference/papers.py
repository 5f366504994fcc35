"""Playbooks of the stage, and what its database holds."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from cybercoop.playbooks.duties import EXTENSION
from cybercoop.stix import times
from responses import books

VALUE = "__value__"
MANY = "__many__"
BLOCK, ASK = books.key("action", "block"), books.key("action", "ask")
CHOICE = books.key("if-condition", "choice")
_START = times.micros("2026-01-02T00:00:00Z")


def key(level: str) -> str:
    """Return the id of the playbook that is always there under a level."""
    return books.key("playbook", f"always {level}")


def playbook(slot: str, level: str, modified: int = _START) -> bytes:
    """Return a version of a playbook; those of the same name and level are one."""
    duty: dict[str, Any] = {"arguments": {"value": f"{VALUE}:value", "hours": 24}}
    duty["revert"] = books.key("action", "back")
    weighs = {"sums": {MANY: {"of": MANY, "as": "total"}}}
    raw = books.book(
        f"{slot} {level}",
        BLOCK,
        books.action("block", {"type": "block"}, to=ASK, duty=duty),
        books.manual("ask", to=CHOICE, asks={MANY: "number"}),
        books.step(
            "if-condition",
            "choice",
            condition=f"{MANY} > 2",
            on_true=books.key("end", "many"),
            on_completion=books.key("end", "end"),
            step_extensions={EXTENSION: weighs},
        ),
        books.end("many"),
        books.manual("back", to=books.key("end", "back")),
        books.end("back"),
        books.end(),
        variables={VALUE: {"type": "string", "external": True}, MANY: {"type": "integer"}},
        level=level.upper(),
    )
    return json.dumps(json.loads(raw) | {"modified": times.text(modified)[:23] + "Z"}).encode()


def rows(url: str, query: str, *values: str) -> list[Any]:
    """Return what a database on the disk holds."""
    file = url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return connection.execute(query, values).fetchall()


def memory() -> Path | None:
    """Return a folder in memory, where there is one: databases are many, small and soon gone."""
    folder = Path("/dev/shm")  # noqa: S108 - the same
    return folder if folder.is_dir() else None
