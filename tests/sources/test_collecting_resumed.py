"""Both ends killed in the middle, again and again: nothing is skipped, nothing comes twice."""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from sqlalchemy import func, select

from cli.terminal import PATIENCE, Terminal
from cybercoop.store.database import Database
from cybercoop.store.tables import contributions, organisations, releases
from world import Seat, envelope, indicator, world

COUNT, PAGE = 400, 50
# Where tests are broken off by force, nothing of theirs goes on (Linux has this program).
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
OBJECTS = [indicator(f"n{number}.example", "green") for number in range(COUNT)]
NEW = [indicator(f"new{number}.example", "green") for number in range(30)]


class Other(Protocol):
    """A server of another house that can be killed and started again."""

    definition: str
    secret: str

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Run a process that serves on the same port each time; it is killed, never asked."""

    async def add(self) -> None:
        """Let it have some more objects, while it runs or the next time."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Center:
    """A second cybercoop."""

    terminal: Terminal
    port: int
    giver: Seat
    secret: str
    definition: str

    @classmethod
    async def made(cls, folder: Path) -> "Center":
        url, port = f"sqlite:///{folder / 'coop.sqlite'}", free_port()
        async with world(url, folder) as center:
            giver, partner = await center.org("Landkreis X"), await center.org("Partner")
            await center.push(giver, OBJECTS)
            await center.project()
        place = f'url = "http://127.0.0.1:{port}/taxii2/"\ncollection = "feed"\n'
        return cls(Terminal(folder, url), port, giver, partner.token, place)

    @contextmanager
    def running(self) -> Iterator[None]:
        more = {"CYBERCOOP_LISTEN": f"127.0.0.1:{self.port}", "CYBERCOOP_PAGE_LIMIT": str(PAGE)}
        with self.terminal.started("serve", **more) as process:
            assert "serves on" in process.stdout.readline()
            yield

    async def add(self) -> None:
        with self.running():
            address = f"http://127.0.0.1:{self.port}/api/v1/push"
            headers = {"Authorization": f"Bearer {self.giver.token}"}
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.post(address, data=envelope(NEW)) as answer,
            ):
                assert answer.status == 200
            database = Database(self.terminal.database)
            live = select(func.count()).where(releases.c.type == "indicator")
            await reached(database, live, COUNT + len(NEW))
            await database.close()


@dataclass
class Medallion:
    """The TAXII server of OASIS, with many objects under the same time."""

    folder: Path
    port: int
    secret: str = "admin:Password0"
    begin: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def definition(self) -> str:
        return f'url = "http://127.0.0.1:{self.port}/taxii2/"\nsend_as = "basic"\n'

    def has(self, *parts: list[dict[str, Any]]) -> None:
        added = [
            {"at": (self.begin + timedelta(days=day)).isoformat(), "objects": part}
            for day, part in enumerate(parts)
        ]
        (self.folder / "objects.json").write_text(json.dumps(added))

    @contextmanager
    def running(self) -> Iterator[None]:
        script = Path(__file__).with_name("medallion_server.py")
        words = [script, self.folder / "objects.json", str(self.port)]
        with subprocess.Popen(
            [*ENDS_WITH_US, sys.executable, *words], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert "serves on" in process.stdout.readline()
                yield
            finally:
                process.kill()

    async def add(self) -> None:
        self.has(OBJECTS[:70], OBJECTS[70:], NEW)


async def counted(database: Database, query: Any) -> int:
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one())


async def reached(database: Database, query: Any, count: int) -> None:
    """Wait until there are so many; another process makes them, so it is asked again and again."""
    async with asyncio.timeout(PATIENCE):
        while await counted(database, query) < count:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def taken(column: Any = contributions.c.seq) -> Any:
    """Return the question how many versions of indicators the source gave."""
    mine = select(organisations.c.id).where(organisations.c.kind == "source")
    return select(func.count(column.distinct())).where(
        contributions.c.org_id.in_(mine), contributions.c.type == "indicator"
    )


@pytest.fixture(params=["cybercoop", "medallion"])
async def other(request: pytest.FixtureRequest, tmp_path: Path) -> Other:
    folder = tmp_path / "other"
    folder.mkdir()
    if request.param == "cybercoop":
        return await Center.made(folder)
    made = Medallion(folder, free_port())
    made.has(OBJECTS[:70], OBJECTS[70:])
    return made


def prepared(other: Other, folder: Path, database_url: str) -> Terminal:
    """Return the terminal of a center that collects from ``other``."""
    feeds = folder / "feeds"
    feeds.mkdir(parents=True)
    said = "title = 'Other'\nkind = 'taxii21'\nlicence = 'CC0-1.0'\nterms = 'none'\n"
    said += "attribution = 'nobody'\ntlp = 'green'\nconfidence = 50\nschedule = 'every 1h'\n"
    said += f"internal = true\nallow_http = true\nverified = true\npage_size = {PAGE}\n"
    (feeds / "other.toml").write_text(f"{said}credentials = 'OTHER'\n{other.definition}")
    terminal = Terminal(folder, database_url)
    terminal.run("init", "--name", "Testzentrum")
    terminal.run("source", "add", "other", **settings(other, terminal))
    return terminal


def settings(other: Other, terminal: Terminal) -> dict[str, str]:
    feeds = str(terminal.folder / "feeds")
    return {"CYBERCOOP_FEEDS": feeds, "CYBERCOOP_SECRET_OTHER": other.secret}


async def test_a_collection_is_resumed_after_both_ends_were_killed(
    other: Other, database_url: str, tmp_path: Path
) -> None:
    terminal = prepared(other, tmp_path / "mine", database_url)
    more, database = settings(other, terminal), Database(database_url)
    before = 0
    for _ in range(2):
        with other.running(), terminal.started("collect", "other", **more) as collector:
            await reached(database, taken(), before + 2 * PAGE)
            collector.kill()
            collector.wait(PATIENCE)
        before = await counted(database, taken())
        assert before < COUNT
    failed = terminal.run("collect", "other", code=1, **more)
    assert "takes no connection" in failed.stdout
    with other.running():
        done = terminal.json("collect", "other", **more)["runs"][0]
        assert done["accepted"] >= COUNT - before
        assert await counted(database, taken()) == COUNT
        again = terminal.json("collect", "other", **more)["runs"][0]
        assert (again["accepted"], again["refused"]) == (0, 0)
    await other.add()
    with other.running():
        new = terminal.json("collect", "other", **more)["runs"][0]
    assert new["accepted"] == len(NEW)
    for column in (contributions.c.seq, contributions.c.stix_id):
        assert await counted(database, taken(column)) == COUNT + len(NEW)
    await database.close()
