"""Crashes and crowds: what was acknowledged is there, once, whatever ends or runs beside it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cli.terminal import PATIENCE, Terminal
from cybercoop.collect.projector import Projector
from cybercoop.store import projection
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from forks import Fork
from postgres_server import PostgresServer
from world import Seat, World, envelope, indicator, world

KILLS = 20
WRITERS = 8


@asynccontextmanager
async def served(url: str, folder: Path, *arguments: str) -> AsyncIterator[tuple[Fork, str]]:
    """Run `cybercoop serve` as a process of its own and lend it with its address."""
    with Terminal(folder, url).started("serve", *arguments) as process:
        line = await asyncio.to_thread(process.stdout.readline)
        try:
            yield process, line.split()[-1]
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, PATIENCE)


async def post(session: aiohttp.ClientSession, address: str, seat: Seat, body: bytes) -> bool:
    """POST an envelope; say whether it was acknowledged."""
    headers = {"Authorization": f"Bearer {seat.token}"}
    try:
        async with session.post(f"{address}/api/v1/push", data=body, headers=headers) as answer:
            return answer.status == 200 and len((await answer.json())["verdicts"]) > 0
    except (aiohttp.ClientError, TimeoutError):
        return False


def batch(number: int) -> bytes:
    """Return an envelope of 40 indicators; every second value is in the batch before, too."""
    values = range(number * 20, number * 20 + 40)
    return envelope([indicator(f"host{value}.example", "green", x_b=number) for value in values])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_killed_twenty_times_it_keeps_what_it_acknowledged(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("durable_postgres")
        url = server.start()
    async with world(url, tmp_path) as center:
        county, reader = await center.org("Landkreis A"), await center.org("Landkreis B")
    chance, acknowledged, sent = random.Random(4), set[int](), 0  # noqa: S311 - no secret
    async with aiohttp.ClientSession() as session:
        for _ in range(KILLS):
            async with served(url, tmp_path) as (process, address):
                killer = None
                while process.returncode is None:
                    if not await post(session, address, county, batch(sent)):
                        break
                    acknowledged.add(sent)
                    sent += 1
                    # From the first answer on: a busy machine may take long to give that one.
                    killer = killer or asyncio.get_running_loop().call_later(
                        chance.uniform(0.01, 0.5), process.kill
                    )
                if killer is not None:
                    killer.cancel()
                sent += 1
                process.kill()
                await asyncio.to_thread(process.wait, PATIENCE)
        async with served(url, tmp_path) as (_, address):
            await _settled(url)
            stored = await _all(session, address, county, "contributions")
            released = await _all(session, address, reader, "feed-community")
    wanted = {f"host{value}.example" for number in acknowledged for value in _values(number)}
    assert len(acknowledged) >= KILLS
    assert wanted <= _domains(stored)
    assert len(stored) % 40 == 0
    await _equals_undisturbed(tmp_path, stored, released)


def _values(number: int) -> range:
    return range(number * 20, number * 20 + 40)


def _domains(objects: list[dict[str, Any]]) -> set[str]:
    return {one["pattern"].split("'")[1] for one in objects if "pattern" in one}


async def _settled(url: str) -> None:
    """Wait until nothing is left to release."""
    database, around = Database(url), Surroundings()
    busy = True
    while busy:
        await asyncio.sleep(0.1)
        async with database.read() as connection:
            busy = await projection.anything_to_do(connection, around.now())
    await database.close()


async def _all(
    session: aiohttp.ClientSession, address: str, seat: Seat, collection: str
) -> list[dict[str, Any]]:
    found, params = [], {}
    headers = {"Authorization": f"Bearer {seat.token}"}
    url = f"{address}/taxii2/coop/collections/{collection}/objects/"
    while True:
        async with session.get(url, params=params, headers=headers) as answer:
            page = json.loads(await answer.read())
        found += page.get("objects", [])
        if not page.get("more"):
            return found
        params = {"next": page["next"]}


async def _equals_undisturbed(
    tmp_path: Path, stored: list[dict[str, Any]], released: list[dict[str, Any]]
) -> None:
    """Push what is stored into another center that nobody disturbs, and compare the releases."""
    folder = tmp_path / "undisturbed"
    async with world(f"sqlite:///{folder / 'coop.sqlite'}", folder) as other:
        county, reader = await other.org("Landkreis A"), await other.org("Landkreis B")
        for start in range(0, len(stored), 400):
            await other.push(county, stored[start : start + 400])
        await other.project()
        undisturbed = await other.feed(reader, "feed-community")
    assert _said(released) == _said(undisturbed)


def _said(objects: list[dict[str, Any]]) -> list[str]:
    own = {"id", "created", "modified", "created_by_ref"}
    return sorted(
        json.dumps({name: one for name, one in item.items() if name not in own}, sort_keys=True)
        for item in objects
    )


async def test_a_reader_misses_nothing_while_eight_processes_write(
    postgres_url: str, tmp_path: Path
) -> None:
    async with world(postgres_url, tmp_path) as center:
        counties = [await center.org(f"Landkreis {number}") for number in range(WRITERS)]
        reader = await center.org("reader")
        async with aiohttp.ClientSession() as session:
            writers = [
                asyncio.create_task(_write(postgres_url, tmp_path, session, seat))
                for seat in counties
            ]
            projector = Projector(center.database, center.center, Surroundings())
            projecting = asyncio.create_task(projector.run())
            seen = await _follow(center, reader, writers)
            own = [await center.feed(seat, "contributions") for seat in counties]
        projecting.cancel()
        await asyncio.gather(projecting, return_exceptions=True)
        ids = [one["id"] for one in seen]
        assert len(ids) == len(set(ids))
        wanted = {one["pattern"] for mine in own for one in mine}
        assert {one["pattern"] for one in seen} == wanted
        assert sum(len(mine) for mine in own) == WRITERS * 10 * 25


async def _write(url: str, folder: Path, session: aiohttp.ClientSession, seat: Seat) -> None:
    """Push ten batches through a web process of its own."""
    async with served(url, folder, "--web-only") as (_, address):
        for number in range(10):
            objects = [
                indicator(f"{seat.org.name[-1]}-{number}-{value}.example", "green")
                for value in range(25)
            ]
            assert await post(session, address, seat, envelope(objects))


async def _follow(
    center: World, reader: Seat, writers: list["asyncio.Task[None]"]
) -> list[dict[str, Any]]:
    """Page through the feed by time, as clients do, until all is written and nothing new comes."""
    found: list[dict[str, Any]] = []
    path, params, quiet = "/taxii2/coop/collections/feed/objects/", {"limit": "7"}, 0
    while quiet < 20:
        answer = await center.get(path, reader, **params)
        found += [one for one in answer.objects if one["type"] == "indicator"]
        params["added_after"] = answer.headers["X-TAXII-Date-Added-Last"]
        done = all(writer.done() for writer in writers)
        quiet = quiet + 1 if done and not answer.objects else 0
        if not answer.objects:
            await asyncio.sleep(0.1)
    await asyncio.gather(*writers)
    return found
