"""Backup and restore: a center goes on from one file, and nothing else is taken for one."""

import json
import signal
import sqlite3
import stat
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from cli.terminal import PATIENCE, Terminal, address_in
from cybercoop.collect import backup
from cybercoop.store import migrations
from world import envelope, indicator

VERSIONS = Path(migrations.__file__).parent / "versions"
REVISIONS = sorted(path.name.split("_")[0] for path in VERSIONS.glob("0*.py"))
ROOT = "/taxii2/coop/collections/"


def ask(where: str, token: str, body: bytes | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(where, body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the same
        return json.load(response)


def patterns(address: str, token: str, collection: str) -> set[str]:
    """Return the pattern of every object in a collection, page by page."""
    found, after = set(), ""
    while True:
        page = ask(f"{address}{ROOT}{collection}/objects/?limit=1000{after}", token)
        found |= {one["pattern"] for one in page.get("objects", []) if "pattern" in one}
        if not page.get("more"):
            return found
        after = f"&next={page['next']}"


@dataclass
class Pusher:
    """A county that pushes without a pause, and knows what was acknowledged."""

    address: str
    token: str
    acknowledged: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    under_way: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            batch = [indicator(f"n{number}x{one}.example", "green") for one in range(50)]
            answer = ask(f"{self.address}/api/v1/push", self.token, envelope(batch))
            assert {one["outcome"] for one in answer["verdicts"]} == {"accepted"}
            self.acknowledged += [one["pattern"] for one in batch]
            number += 1
            if number == 10:
                self.under_way.set()


@contextmanager
def pushing(address: str, token: str) -> Iterator[Pusher]:
    pusher = Pusher(address, token)
    thread = threading.Thread(target=pusher.run)
    thread.start()
    try:
        assert pusher.under_way.wait(PATIENCE)
        yield pusher
    finally:
        pusher.ended.set()
        thread.join()


def backed_up(
    center: Terminal, pusher: Pusher, folder: Path
) -> tuple[Path, set[str], dict[str, Any]]:
    """Take a backup during which pushes are acknowledged; return what was before it, too.

    On a busy machine a small backup is sooner done than a push: then it is taken again.
    """
    for number in range(30):
        file, before = folder / f"kept{number}.sqlite", set(pusher.acknowledged)
        made = center.json("backup", file)
        if set(pusher.acknowledged) > before:
            return file, before, made
    pytest.fail("No push was acknowledged while a backup was taken.")


def test_a_center_goes_on_from_a_backup_that_was_taken_while_it_was_pushed_to(
    center: Terminal, tmp_path: Path
) -> None:
    county = center.json("token", "create", "Landkreis A")["token"]
    reader = center.json("token", "create", "Landkreis B")["token"]
    with center.serving() as said:
        address = address_in(said)
        with pushing(address, county) as pusher:
            file, before, made = backed_up(center, pusher, tmp_path)
        ids = [one["id"] for one in ask(address + ROOT, reader)["collections"]]
    assert len(before) >= 500
    assert made["counts"]["contributions"] >= len(before)
    fresh = Terminal(tmp_path / "fresh")
    fresh.folder.mkdir()
    assert fresh.json("restore", file)["id"] == made["id"]
    with fresh.serving() as said:
        address = address_in(said)
        kept = patterns(address, county, "contributions")
        assert [one["id"] for one in ask(address + ROOT, reader)["collections"]] == ids
        ask(f"{address}/api/v1/push", county, envelope([indicator("late.example", "green")]))
        late = "[domain-name:value = 'late.example']"
        deadline = time.monotonic() + PATIENCE
        while late not in (released := patterns(address, reader, "feed-community")):
            assert time.monotonic() < deadline
    assert before <= kept
    assert kept | {late} == released


def test_a_backup_is_one_file_of_its_owner_and_says_what_is_in_it(center: Terminal) -> None:
    folder = center.folder / "backups"
    folder.mkdir()
    made = center.json("backup", folder)
    file = Path(made["file"])
    assert list(folder.iterdir()) == [file]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made["counts"]["organisations"] == 4
    assert (made["center"], made["upgrade_needed"]) == ("Testzentrum", False)
    assert center.json("backup", "--verify", file) == made
    shown = center.run("backup", "--verify", file).stdout
    assert made["id"] in shown
    assert "4 organisations" in shown
    assert list(folder.iterdir()) == [file]


def test_a_backup_takes_nobodys_place(center: Terminal) -> None:
    file = center.folder / "kept.sqlite"
    file.write_text("precious")
    assert "is there already" in center.run("backup", file, code=2).stderr
    assert file.read_text() == "precious"
    itself = center.folder / "cybercoop.sqlite"
    assert "is there already" in center.run("backup", itself, code=2).stderr


def test_there_has_to_be_a_center_to_back_up(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for _ in range(2):
        assert "no center" in terminal.run("backup", "kept.sqlite", code=2).stderr
        terminal.run("db", "upgrade")
    assert not (tmp_path / "kept.sqlite").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_brings_its_own(command: str, center: Terminal) -> None:
    url = "postgresql://127.0.0.1:1/coop"
    center.run("backup", "kept.sqlite")
    name = "kept.sqlite" if command == "restore" else "other.sqlite"
    assert "pg_dump" in center.run(command, name, code=2, CYBERCOOP_DATABASE=url).stderr


def of_no_center(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE center (org_id)")


def without_a_center(file: Path) -> None:
    change(file, "DELETE FROM center")


def newer(file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = '9999'")


def with_a_broken_index(file: Path) -> None:
    change(file, "DELETE FROM sqlite_master WHERE name = 'statuses_by_age'")


def with_a_torn_page(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(2 * 4096)
        opened.write(b"\xa5" * 4096)


def with_another_letter(file: Path) -> None:
    """Change what a contribution says, at a place where SQLite has no opinion."""
    file.write_bytes(file.read_bytes().replace(b'"name":"TLP:', b'"name":"TLQ:'))


def cut_off(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def half(file: Path) -> None:
    file.with_name(file.name + "-wal").write_bytes(b"x")


def change(file: Path, statement: str, *values: str | int) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement, values)


BROKEN: dict[str, Callable[[Path], object]] = {
    "is no SQLite database": lambda file: file.write_text("This is no database. " * 100),
    "is no SQLite": lambda file: file.write_bytes(b""),
    "none of a center": of_no_center,
    "has no center in it": without_a_center,
    "the schema 9999, which this version does not know": newer,
    "is broken: ": with_a_broken_index,
    "is broken": with_a_torn_page,
    "is not what was accepted": with_another_letter,
    "is cut off": cut_off,
    "the rest is in kept.sqlite-wal": half,
}


@pytest.mark.parametrize("reason", BROKEN)
def test_what_is_no_sound_backup_is_refused_with_the_reason(
    reason: str, center: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "kept.sqlite"
    center.run("backup", file)
    BROKEN[reason](file)
    whole = (center.folder / "cybercoop.sqlite").read_bytes()
    for line in (["backup", "--verify", file], ["restore", file, "--replace"]):
        said = center.run(*line, code=1).stderr
        assert said.startswith("error: ")
        assert reason in said
    assert (center.folder / "cybercoop.sqlite").read_bytes() == whole
    fresh = Terminal(tmp_path)
    assert reason in fresh.run("restore", file, code=1).stderr
    assert not (tmp_path / "cybercoop.sqlite").exists()


def test_a_database_that_is_broken_makes_no_backup(center: Terminal) -> None:
    with_a_torn_page(center.folder / "cybercoop.sqlite")
    said = center.run("backup", "kept.sqlite", code=1).stderr
    assert "cybercoop.sqlite is broken" in said
    assert not [one for one in center.folder.iterdir() if "kept" in one.name]


def test_a_center_is_replaced_only_when_told_and_is_kept_beside(center: Terminal) -> None:
    center.run("backup", "kept.sqlite")
    center.run("org", "add", "Landkreis C", "--kind", "member")
    assert "--replace" in center.run("restore", "kept.sqlite", code=2).stderr
    assert "Landkreis C" in center.run("org", "list").stdout
    done = center.json("restore", "kept.sqlite", "--replace")
    assert "Landkreis C" not in center.run("org", "list").stdout
    before = f"sqlite:///{done['kept']}"
    assert "Landkreis C" in center.run("org", "list", CYBERCOOP_DATABASE=before).stdout


def test_a_database_that_lost_power_is_kept_with_its_log(center: Terminal) -> None:
    center.run("backup", "kept.sqlite")
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.started("serve") as process:
        assert process.stdout is not None
        address = address_in(process.stdout.readline())
        ask(f"{address}/api/v1/push", token, envelope([indicator("last.example", "green")]))
        process.send_signal(signal.SIGKILL)
    assert (center.folder / "cybercoop.sqlite-wal").stat().st_size
    done = center.json("restore", "kept.sqlite", "--replace")
    old = center.json("backup", "old.sqlite", CYBERCOOP_DATABASE=f"sqlite:///{done['kept']}")
    assert old["counts"]["contributions"] == done["counts"]["contributions"] + 1
    assert old["counts"]["tokens"] == 1


def test_a_broken_database_is_kept_beside_and_its_log_not_played(center: Terminal) -> None:
    center.run("backup", "kept.sqlite")
    broken, log = (center.folder / f"cybercoop.sqlite{ending}" for ending in ("", "-wal"))
    broken.write_text("This is no database any more. " * 1000)
    log.write_text("nor is this its log")
    done = center.json("restore", "kept.sqlite", "--replace")
    assert "Landkreis A" in center.run("org", "list").stdout
    assert Path(done["kept"]).read_text().startswith("This is no database")


def test_nothing_is_restored_under_a_running_server(center: Terminal) -> None:
    center.run("backup", "kept.sqlite")
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        refusal = center.run("restore", "kept.sqlite", "--replace", code=2).stderr
        assert "in use" in refusal
        ask(f"{address_in(said)}/api/v1/push", token, envelope([indicator("a.example", "green")]))
    assert not [one for one in center.folder.iterdir() if one.name.endswith(".part")]
    assert center.json("backup", "later.sqlite")["counts"]["tokens"] == 1


def test_a_place_without_a_center_is_taken_without_asking(center: Terminal, tmp_path: Path) -> None:
    center.run("backup", tmp_path / "kept.sqlite")
    fresh = Terminal(tmp_path)
    fresh.run("db", "upgrade")
    assert fresh.json("restore", "kept.sqlite")["kept"] is None
    assert fresh.run("org", "list").stdout == center.run("org", "list").stdout


def test_what_is_not_there_is_wrong_usage(center: Terminal) -> None:
    for line in (["backup", "--verify", "nowhere"], ["restore", "nowhere"], ["restore", "."]):
        assert "There is no file" in center.run(*line, code=2).stderr
    complaint = center.run("backup", "nowhere/kept.sqlite", code=2).stderr
    assert "There is no folder nowhere" in complaint


def test_a_place_that_cannot_be_is_named(center: Terminal, tmp_path: Path) -> None:
    center.run("backup", tmp_path / "kept.sqlite")
    file = tmp_path / "file"
    file.write_text("")
    database = f"sqlite:///{file}/below/coop.sqlite"
    said = center.run("restore", tmp_path / "kept.sqlite", code=1, CYBERCOOP_DATABASE=database)
    assert f"{file}/below: Not a directory" in said.stderr


@pytest.mark.parametrize("revision", [one for one in REVISIONS if one != REVISIONS[-1]])
def test_a_file_of_an_older_schema_is_taken_and_upgraded_afterwards(
    revision: str, center: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "older.sqlite"
    older(file, revision)
    assert "cybercoop db upgrade" in center.run("backup", "--verify", file).stdout
    assert "cybercoop db upgrade" in center.run("restore", file, "--replace").stdout
    assert "cybercoop db upgrade" in center.run("serve", code=2).stderr
    center.run("db", "upgrade")
    assert "Altes Zentrum" in center.run("org", "list").stdout
    with center.serving() as said:
        assert address_in(said)
    assert center.json("backup", "newer.sqlite")["upgrade_needed"] is False


def older(file: Path, revision: str) -> None:
    """Make a database as the version of that schema left it, with a center in it."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    org = ("1", "Altes Zentrum", "center", 1, "2", 0)
    change(
        file,
        "INSERT INTO organisations (id, name, kind, community, contributions_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *org,
    )
    change(file, "INSERT INTO center VALUES ('1', 'identity--1', x'00', 0)")


def test_somebody_hears_how_far_it_is(center: Terminal, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int | None]] = []

    def tell(*said: Any) -> None:
        heard.append(said)

    url = f"sqlite:///{center.folder / 'cybercoop.sqlite'}"
    backup.back_up(url, tmp_path / "kept.sqlite", datetime(2026, 11, 1, tzinfo=UTC), tell)
    ends = {what: (done, whole) for what, done, whole in heard}
    assert list(ends) == ["copy", "verify pages", "verify contributions", "hash"]
    assert ends.pop("verify pages") == (0, None)  # SQLite does not say how far it is
    assert all(done == whole for done, whole in ends.values())
