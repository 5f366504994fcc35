"""A response survives an upgrade: what was begun under one program is ended by the next one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cybercoop import durable
from cybercoop.config import Settings
from cybercoop.responses import carrying, engine
from cybercoop.store import responses
from responses.books import book, end, key, manual
from responses.stage import Real, Stage
from world import World, world

END = key("end", "end")


@asynccontextmanager
async def running(one: World, folder: Path) -> AsyncIterator[Stage]:
    """Lend a stage whose engine is a fresh one, as after a restart."""
    settings = Settings(data=folder, database=one.database.url)
    house = carrying.carrying(one.database, one.center, settings, one.surroundings)
    parts = [engine.part(house)]
    work = asyncio.create_task(durable.keep(parts, one.database, folder, one.surroundings))
    try:
        yield Stage(one, house, list(one.seats.values()))
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await house.watch.stop()


async def test_a_response_in_the_middle_ends_under_the_changed_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = book(
        "upgrade",
        key("action", "first"),
        manual("first", to=key("action", "second")),
        manual("second", to=END),
        end(),
    )
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path, clock=Real()) as one:
        for number in range(2):
            name = f"Kreis {number}"
            one.seats[name] = await one.org(name)
        async with running(one, tmp_path) as old:
            response = await old.start(await old.keep(raw))
            done, waiting = await old.tasks(response, 2)
            await old.finish(done)
            await old.until(lambda: old.titled(response, "second"))

        real = carrying.act

        async def changed(*words: object, **more: object) -> carrying.Came:
            """Carry out as before, and say so: a step that the next version has changed."""
            came = await real(*words, **more)  # type: ignore[arg-type]
            seen.append(str(words[3]))
            return came

        seen: list[str] = []
        monkeypatch.setattr(carrying, "act", changed)
        async with running(one, tmp_path) as new:
            await new.finish(waiting)
            second = await new.tasks(response, 2)
            for task in second:
                await new.finish(task)
            assert (await new.ended(response)).state == "done"
            tasks = await new.read(responses.tasks_of, response.id)
        # What was done under the old program is not carried out again.
        assert sorted(seen) == sorted([key("action", "first"), *[key("action", "second")] * 2])
        assert [task.state for task in tasks] == ["done"] * 4
