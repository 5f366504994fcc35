"""The story of the demo, played over HTTP against a demo that runs, and looked at from outside."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from cli.terminal import PATIENCE, Terminal, address_in
from cybercoop import demo, story
from cybercoop.story import VALUE, Cast


def cast_of(kept: dict[str, str]) -> Cast:
    tokens = {name: kept[name] for name in (demo.CENTER, *demo.COUNTIES)}
    people = {name: kept[name] for name in (demo.LEAD, demo.FIRST, demo.SECOND)}
    found = demo.Guide(tokens, people).cast
    assert found is not None
    return found


async def test_the_story_is_what_devices_and_people_see(tmp_path: Path) -> None:
    with Terminal(tmp_path).started("demo", "--no-story") as process:
        said = await asyncio.to_thread(first_words, process)
        address = address_in(said)
        cast = cast_of(json.loads((tmp_path / "demo-tokens.json").read_text()))
        async with aiohttp.ClientSession() as session:
            ask = asking(session, address)
            third = list(cast.counties.values())[2]
            wanted = {"format": "text", "kinds": ["domain"], "responses": True, "title": "Probe"}
            made = await ask("POST", "/feeds", third, json=wanted)
            device = address + URL(made["path_url"]).raw_path
            steps: list[str] = []
            seen: dict[str, str] = {}

            async def look(german: str, _: str) -> None:
                steps.append(german)
                async with session.get(device) as answer:
                    seen[german.split(maxsplit=1)[0]] = await answer.text()

            played = await asyncio.wait_for(story.play(address, cast, look), 2 * PATIENCE)
            assert len(steps) == 10
            assert VALUE not in seen["Eine"]
            assert VALUE in seen["Alle"] or VALUE in seen["Bei"]
            assert VALUE not in seen["Der"]
            await as_it_ended(ask, cast, str(played))
            assert await story.play(address, cast, look) is None
        process.kill()


async def as_it_ended(ask: Callable[..., Awaitable[Any]], cast: Cast, played: str) -> None:
    """Look at board, log and report, as the center and as a county."""
    board = await ask("GET", f"/responses/{played}/board", cast.center)
    assert board["shown"]["state"] == "reverted"
    assert {line["state"] for line in board["lines"] if line["attempt"]} == {"reverted"}
    (hits,) = [one for one in board["sums"] if one["name"] == "__treffer__"]
    assert (hits["answered"], hits["total"], hits["least"], hits["most"]) == (4, 4, 0, 3)
    log = (await ask("GET", f"/responses/{played}/log?limit=1000", cast.center))["log"]
    what = [line["what"] for line in log]
    assert [what.count(one) for one in ("approved", "blocked", "rolled-back")] == [2, 4, 1]
    first = next(iter(cast.counties.values()))
    mine = (await ask("GET", f"/responses/{played}/log?limit=1000", first))["log"]
    assert len({line["organisation"] for line in mine}) <= 2
    report = await ask("GET", f"/responses/{played}/report", cast.center)
    assert report


def asking(session: aiohttp.ClientSession, address: str) -> Callable[..., Awaitable[Any]]:
    async def ask(method: str, path: str, token: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{address}/api/v1{path}"
        async with session.request(method, url, headers=headers, **options) as answer:
            found = await answer.json(content_type=None)
            assert answer.status < 300, found
            return found

    return ask


def first_words(process: Any) -> str:
    said = ""
    while "http://" not in said:
        line = process.stdout.readline()
        if not line:
            pytest.fail("The demo prints nothing.")
        said += line if isinstance(line, str) else line.decode()
    return said
