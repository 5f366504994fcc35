"""Playbooks of the stage, and what its database holds."""

import contextlib
import json
import sqlite3
from typing import Any

from cybercoop.stix import times
from responses import books

VALUE = "__value__"
BLOCK = books.key("action", "block")
_START = times.micros("2026-01-02T00:00:00Z")


def key(level: str) -> str:
    """Return the id of the playbook that is always there under a level."""
    return books.key("playbook", f"always {level}")


def playbook(slot: str, level: str, modified: int = _START) -> bytes:
    """Return a version of a playbook; those of the same name and level are one."""
    duty: dict[str, Any] = {"arguments": {"value": f"{VALUE}:value", "hours": 24}}
    duty["revert"] = books.key("action", "back")
    raw = books.book(
        f"{slot} {level}",
        BLOCK,
        books.action("block", {"type": "block"}, to=books.key("end", "end"), duty=duty),
        books.manual("back", to=books.key("end", "back")),
        books.end("back"),
        books.end(),
        variables={VALUE: {"type": "string", "external": True}},
        level=level.upper(),
    )
    return json.dumps(json.loads(raw) | {"modified": times.text(modified)[:23] + "Z"}).encode()


def rows(url: str, query: str, *values: str) -> list[Any]:
    """Return what a database on the disk holds."""
    file = url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return connection.execute(query, values).fetchall()
