"""Pushing as a county does it: files over HTTP to a real server, with a verdict on every object."""

import asyncio
import json
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cli.terminal import PATIENCE, Terminal, address_in
from world import TAXII, indicator


@dataclass(frozen=True)
class County:
    """A terminal of a county, with the address of the center and a token."""

    terminal: Terminal
    client: dict[str, str]

    def file(self, *objects: Any, name: str = "push.json", bundle: bool = False) -> Path:
        kind = {"type": "bundle", "id": "bundle--1"} if bundle else {}
        file = self.terminal.folder / name
        file.write_text(json.dumps(kind | {"objects": list(objects)}))
        return file

    def push(self, *arguments: object, code: int = 0) -> Any:
        return self.terminal.run("push", *arguments, code=code, **self.client)

    def push_json(self, *arguments: object, code: int = 0) -> Any:
        return self.terminal.json("push", *arguments, code=code, **self.client)


@pytest.fixture
def county(center: Terminal) -> Iterator[County]:
    center.run("group", "add", "Krisenstab")
    center.run("group", "join", "krisenstab", "Landkreis A")
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        yield County(center, {"CYBERCOOP_URL": address_in(said), "CYBERCOOP_TOKEN": token})


def test_a_push_tells_what_became_of_every_object(county: County) -> None:
    good = [indicator(f"evil{number}.example") for number in range(1200)]
    broken = indicator("evil.example") | {"confidence": 101}
    file = county.file(*good, broken, bundle=True)
    first = county.push_json(file, "--tlp", "green", code=1)
    assert first["counts"] == {"accepted": 1200, "refused": 1}
    refused = [one for one in first["verdicts"] if one["outcome"] == "refused"]
    assert [(one["id"], one["field"]) for one in refused] == [(broken["id"], "confidence")]
    shown = county.push(county.file(*good[:3], broken), "--tlp", "green", code=1)
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:3]] == [
        ["duplicate", "community", "3"],
        ["refused", "-", "1"],
    ]
    assert broken["id"] in shown.stdout
    assert "confidence" in shown.stdout


def test_a_dry_run_names_who_would_see_it_and_changes_nothing(county: County) -> None:
    file = county.file(
        indicator("a.example"), indicator("b.example", "clear"), indicator("c.example", "amber")
    )
    said = county.push_json(file, "--group", "krisenstab", "--dry-run")
    assert said["counts"] == {"accepted": 3}
    assert said["audience"] == {"group:krisenstab": ["Landkreis A", "Stadt A"]}
    shown = county.push(file, "--dry-run").stdout
    rows = dict(line.split(maxsplit=1) for line in shown.split("see it:\n")[1].splitlines()[1:])
    assert rows["own"].strip() == "only you"
    assert "everybody without credentials" in rows["public"]
    assert {"Landkreis B", "Stadt A"} <= set(rows["group:members"].strip().split(", "))
    assert county.push_json(file, "--tlp", "green")["counts"] == {"accepted": 3}


def test_a_push_that_is_not_taken_says_why(county: County) -> None:
    file = county.file(indicator("a.example"))
    assert "nowhere" in county.push(file, "--group", "nowhere", code=1).stderr
    (county.terminal.folder / "broken.json").write_text('{"objects":[{')
    assert "broken.json" in county.push("broken.json", code=1).stderr
    assert "There are no objects" in county.push(county.file()).stdout
    stranger = replace(county, client=county.client | {"CYBERCOOP_TOKEN": "coop_nobody"})
    assert "401" in stranger.push(county.file(indicator("a.example")), code=1).stderr


async def test_a_push_waits_for_a_server_that_comes_up_late(county: County) -> None:
    file = county.file(indicator("a.example", "green"))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    client = county.client | {"CYBERCOOP_URL": f"http://127.0.0.1:{port}"}
    real = int(county.client["CYBERCOOP_URL"].rpartition(":")[2])

    async def forward(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection("127.0.0.1", real)
        await asyncio.gather(_pour(here, away), _pour(there, back))

    with county.terminal.started("push", file, **client) as early:
        await asyncio.sleep(2)
        async with await asyncio.start_server(forward, "127.0.0.1", port):
            printed, complaints = await asyncio.to_thread(early.communicate, timeout=PATIENCE)
    assert early.returncode == 0, complaints
    assert printed.splitlines()[1].split()[:3] == ["accepted", "community", "1"]


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while part := await source.read(65536):
        sink.write(part)
        await sink.drain()
    sink.close()


def test_a_center_that_is_not_there_is_no_riddle(center: Terminal) -> None:
    file = County(center, {}).file(indicator("a.example", "green"))
    said = center.run("push", file, "--url", "http://127.0.0.1:1", "--token", "coop_x", code=1)
    assert "127.0.0.1:1" in said.stderr


def test_a_dry_run_of_many_objects_knows_the_markings_that_came_first(county: County) -> None:
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--5c0ffee0-0000-4000-8000-000000000000",
        "created": "2026-10-01T08:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "Nur für den Dienstgebrauch"},
    }
    marked = [indicator(f"evil{number}.example", marking["id"]) for number in range(1200)]
    file = county.file(*marked, marking, bundle=True)
    dry = county.push_json(file, "--tlp", "green", "--dry-run")
    assert dry["counts"] == {"accepted": 1201}
    real = county.push_json(file, "--tlp", "green")
    assert dry["verdicts"] == real["verdicts"]


def test_one_push_is_meant_for_one_group(county: County) -> None:
    file = county.file(indicator("evil.example"))
    for groups in (("krisenstab", "members"), ("",)):
        said = [word for group in groups for word in ("--group", group)]
        complaint = county.push(file, *said, code=2).stderr
        assert "one group" in complaint
    (verdict,) = county.push_json(file, "--group", "krisenstab")["verdicts"]
    assert verdict["lock"] == "group:krisenstab"


def test_only_what_was_taken_can_be_undone(county: County) -> None:
    file = county.file(indicator("evil.example"))
    assert "--undo" in county.push(file, "--tlp", "green").stderr
    assert "--undo" not in county.push(file, "--tlp", "green").stderr
    other = county.file(indicator("red.example"), name="red.json")
    assert "--undo" not in county.push(other, "--tlp", "red", code=1).stderr


def test_a_push_that_is_broken_off_says_how_to_take_it_back(county: County) -> None:
    file = county.file(*(indicator(f"evil{number}.example") for number in range(20_000)))
    token = county.client["CYBERCOOP_TOKEN"]
    with county.terminal.started("push", file, "--tlp", "green", **county.client) as process:
        while not _own(county, token):
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(PATIENCE)
    assert process.returncode == 130
    (hint,) = [line for line in complaint.splitlines() if line.startswith("undo with: ")]
    assert len(_own(county, token)) > 0
    county.push("--undo", hint.split()[-1])
    assert _own(county, token) == []


def _own(county: County, token: str) -> list[Any]:
    """Return the first of what the county has given."""
    url = f"{county.client['CYBERCOOP_URL']}/taxii2/coop/collections/contributions/objects/"
    headers = {"Authorization": f"Bearer {token}", "Accept": TAXII}
    with urlopen(Request(url, headers=headers)) as answer:  # noqa: S310 - our own http
        return json.load(answer).get("objects", [])
