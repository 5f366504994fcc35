"""Schedules: real worker processes collect what is due, once, and a new one takes over."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cli.terminal import PATIENCE, Terminal
from cybercoop.collect.collecting import House
from cybercoop.collect.schedules import Schedules
from forks import Fork
from sources.server import Asked, reply, serving
from world import world


class Slow:
    """A list that takes its time, and counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = asyncio.Event()

    async def __call__(self, _asked: Asked) -> AsyncIterator[bytes]:
        self.asked += 1
        self.begun.set()
        await asyncio.sleep(1)
        yield reply("a.example\nb.example\n")


def definition(url: str) -> str:
    return (
        f"title = 'List'\nkind = 'http'\nurl = '{url}'\nreader = 'plain'\nlicence = 'CC0-1.0'\n"
        "terms = 'none'\nattribution = 'nobody'\ntlp = 'green'\nconfidence = 50\n"
        "schedule = 'every 1h'\ninternal = true\nallow_http = true\nverified = true\n"
        "enabled = true\n"
    )


def center(folder: Path, database_url: str, url: str) -> tuple[Terminal, dict[str, str]]:
    """Return a terminal on a center that is to collect from ``url``, and its settings."""
    feeds = folder / "feeds"
    feeds.mkdir()
    (feeds / "list.toml").write_text(definition(url))
    terminal = Terminal(folder, database_url)
    terminal.run("init", "--name", "Testzentrum")
    return terminal, {"CYBERCOOP_FEEDS": str(feeds)}


def state(terminal: Terminal, more: dict[str, str]) -> dict[str, object]:
    (found,) = terminal.json("source", "list", **more)["sources"]
    return dict(found)


async def until_fresh(terminal: Terminal, more: dict[str, str]) -> dict[str, object]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = await asyncio.to_thread(state, terminal, more)
        if found["state"] == "fresh":
            return found
        await asyncio.sleep(0.5)
    pytest.fail(f"It was not collected: {found}")


@contextmanager
def working(terminal: Terminal, count: int, more: dict[str, str]) -> Iterator[list[Fork]]:
    with ExitStack() as stack:
        yield [stack.enter_context(terminal.started("work", **more)) for _ in range(count)]


async def test_two_workers_collect_what_is_due_once(postgres_url: str, tmp_path: Path) -> None:
    slow = Slow()
    async with serving(slow) as server:
        terminal, more = center(tmp_path, postgres_url, server.url("/list.txt"))
        with working(terminal, 2, more) as workers:
            found = await until_fresh(terminal, more)
            assert (found["objects"], found["failures"], found["alarm"]) == (2, 0, False)
            await asyncio.sleep(5)  # whoever came second has had the time to ask, too
            assert slow.asked == 1
            for worker in workers:
                worker.terminate()
            said = [await asyncio.to_thread(worker.communicate) for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0]
        assert "Traceback" not in str(said)
        assert [line for _, line in said if line] == []


async def test_a_definition_that_breaks_keeps_no_other_from_being_due(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path / "data") as other:
        feeds = tmp_path / "feeds"
        feeds.mkdir()
        (feeds / "list.toml").write_text(definition("https://list.example/list.txt"))
        house = House(other.database, other.surroundings, {})
        schedules = Schedules(house, feeds, lambda: None)
        due = await schedules.look()
        assert list(due) == ["list"]
        (feeds / "broken.toml").write_text("title = ")
        with capture_logs() as lines:
            assert await schedules.look() == due
        assert "broken.toml" in lines[0]["reason"]


async def test_a_server_alone_collects_and_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    slow = Slow()
    async with serving(slow) as server:
        terminal, more = center(tmp_path, "", server.url("/list.txt"))
        with terminal.started("serve", **more) as process:
            await asyncio.wait_for(slow.begun.wait(), PATIENCE)
            process.kill()
        assert state(terminal, more)["state"] == "never"
        with terminal.started("serve", **more) as process:
            assert (await until_fresh(terminal, more))["objects"] == 2
            process.terminate()
            _, complaints = await asyncio.to_thread(process.communicate)
        assert (process.returncode, complaints) == (0, "")
