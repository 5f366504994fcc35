"""Measure responses of 427 organisations against bare workflows with as many steps.

    .venv/bin/python bench/responses.py --organisations 100
    .venv/bin/python bench/responses.py --database both --out docs/table.md

The floor are DBOS workflows of the same process that return at once from each step; ours read the
playbook, write what happened into our own tables, and tell people. Both are one parent that starts
a workflow for each organisation. The board is read over HTTP while every organisation has a task.
"""

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from dbos import DBOS

from choosing import alone, kinds, parser, store_of
from cybercoop import app as house_of
from cybercoop import durable
from cybercoop.collect import founding, tokens
from cybercoop.config import Settings
from cybercoop.durable import Durable, Part
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.members.tokens import Scope
from cybercoop.playbooks.duties import EXTENSION
from cybercoop.playbooks.progress import Response
from cybercoop.responses import engine, importing, starting
from cybercoop.responses.carrying import Carrying, carrying
from cybercoop.responses.starting import Plan
from cybercoop.store import members, responses, upgrade
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from stores import Store

COUNTIES = 31
NOTICES = 4
STEPS = NOTICES + 2
"""Steps of the workflow of one organisation: begin, the actions, end."""

LEAST_RATIO = 0.5
MOST_BOARD_MS = 100
_BOARDS = 15
_ROUNDS = 3
_COUNTY = "organization--11111111-1111-4111-8111-111111111111"
_MARK = "marking-tlp--11111111-1111-4111-8111-111111111111"
_AT = "2026-01-01T00:00:00Z"


def book(name: str, commands: Sequence[dict[str, Any]], duty: dict[str, Any]) -> bytes:
    """Return a playbook that carries one command out after the other."""
    space = uuid.UUID(int=0)
    ids = [f"action--{uuid.uuid5(space, f'{name} {number}')}" for number in range(len(commands))]
    end = f"end--{uuid.uuid5(space, name)}"
    start = f"start--{uuid.uuid5(space, name)}"
    workflow: dict[str, Any] = {
        start: {"type": "start", "on_completion": ids[0]},
        end: {"type": "end"},
    }
    for one, command, following in zip(ids, commands, [*ids[1:], end], strict=True):
        workflow[one] = {
            "type": "action",
            "name": name,
            "commands": [command],
            "agent": _COUNTY,
            "on_completion": following,
            "step_extensions": {EXTENSION: duty},
        }
    made = {"created_by": f"identity--{uuid.uuid5(space, 'bench')}"}
    document = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{uuid.uuid5(space, name)}",
        "name": name,
        "created": _AT,
        "modified": _AT,
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {_COUNTY: {"type": "organization", "name": "Landkreis"}},
        "extension_definitions": {
            EXTENSION: made
            | {"type": "extension-definition", "name": "x", "schema": "y", "version": "1"}
        },
        "markings": [_MARK],
        "data_marking_definitions": {
            _MARK: made
            | {"type": "marking-tlp", "id": _MARK, "created": _AT, "tlpv2_level": "TLP:AMBER"}
        },
    }
    return json.dumps(document | made).encode()


TELLING = book(
    "telling",
    [{"type": "notify"}] * NOTICES,
    {"arguments": {"to": "it-lead", "urgency": "digest", "text": "Text"}},
)
ASKING = book("asking", [{"type": "manual", "command": "Bitte prüfen."}], {"role": "it-lead"})


@dataclass
class Bare:
    """Workflows that do nothing, under the same parent and on the same queue."""

    count: int
    durable: Durable | None = None

    def part(self) -> Part:
        """Return them as a part of the durable work."""

        async def needed() -> bool:
            return True

        return Part(needed, self.register)

    def register(self, made: Durable) -> None:
        """Register the two workflows."""

        async def nothing() -> dict[str, int]:
            return {"done": 1}

        async def child(_name: str) -> str:
            for number in range(STEPS):
                await DBOS.run_step_async({"name": str(number)}, nothing)
            return "done"

        async def parent(names: list[str]) -> None:
            for name in names:
                await made.start("bare", children, name, name)
            for name in names:
                await made.result(name)

        made.queue("bare")
        children = made.workflow("bare", child)
        self.parent = made.workflow("bare parent", parent)
        self.durable = made

    def begun(self) -> Durable:
        """Return what they run on, once that is there."""
        if self.durable is None:
            raise RuntimeError("Durable work has not begun.")
        return self.durable

    async def seconds(self) -> float:
        """Return how long all of them take."""

        async def launched() -> bool:
            return self.durable is not None

        async def done() -> bool:
            status = await asyncio.to_thread(DBOS.get_workflow_status, run)
            return status is not None and status.status == "SUCCESS"

        await _until(launched)
        await asyncio.sleep(3)  # whatever starts up has started
        run = uuid.uuid4().hex
        begun = time.perf_counter()
        names = [f"{run} {number}" for number in range(self.count)]
        await self.begun().begin("bare", self.parent, run, names)
        await _until(done)
        return time.perf_counter() - begun


@asynccontextmanager
async def land(url: str, folder: Path, count: int):  # noqa: ANN201 - an iterator of house and token
    """Lend a center with so many organisations, its engine, and the floor beside it."""
    database, around = Database(url), Surroundings()
    bare = Bare(count)
    try:
        await upgrade.upgrade(database)
        await founding.found_center(database, "Messzentrum", around)
        async with database.write() as connection:
            center = await members.the_center(connection)
            orgs: list[str] = []
            for number in range(count):
                parent = orgs[number % COUNTIES] if number >= COUNTIES else None
                kind = Kind.CLIENT if parent else Kind.MEMBER
                one = Organisation(
                    around.uuid(), f"Stelle {number}", kind, True, around.uuid(), parent
                )
                await members.add(connection, one, around.now())
                orgs.append(one.id)
            _, token = await tokens.create(connection, around, center.org_id, Scope.READ)
        settings = Settings(data=folder, database=url, listen="127.0.0.1:0")
        house = carrying(database, center, settings, around)
        parts = [engine.part(house), bare.part()]
        work = asyncio.create_task(durable.keep(parts, database, folder, around))
        app = house_of.make_app(database, center, settings, around, lambda: None)
        house_of.add_doors(app, center, "Messzentrum")
        async with house_of.listening(app, settings) as (host, port):
            yield house, orgs, bare, f"http://{host}:{port}", token
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    finally:
        await database.close()


async def start(house: Carrying, raw: bytes, orgs: list[str]) -> Response:
    """Import a playbook and begin with it everywhere."""
    async with house.database.write() as connection:
        now = house.around.now()
        kept = (await importing.take(connection, raw, house.center.org_id, [], now)).kept
    if kept is None:
        raise RuntimeError("The playbook of the bench is refused.")
    async with house.database.write() as connection:
        plan = Plan(kept.id, orgs, "group:members")
        checked = await starting.check(house, connection, plan, house.around.now())
        new = await starting.propose(house, connection, checked, "starter")
        return await starting.say(house, connection, new.id, "approver", agreed=True)


async def tasks_visible(house: Carrying, orgs: list[str]) -> tuple[float, Response]:
    """Return the seconds until everybody has a task, and the response."""
    begun = time.perf_counter()
    response = await start(house, ASKING, orgs)
    while True:
        async with house.database.read() as connection:
            _, waiting = await responses.open_counts(connection, response.id)
        if waiting == len(orgs):
            return time.perf_counter() - begun, response
        await asyncio.sleep(0.1)


async def walked(house: Carrying, orgs: list[str]) -> float:
    """Return the seconds that a response takes whose steps are done by themselves."""
    begun = time.perf_counter()
    response = await start(house, TELLING, orgs)
    while True:
        async with house.database.read() as connection:
            found = await responses.response(connection, response.id)
        if found.state == "done":
            return time.perf_counter() - begun
        if found.state != "running":
            raise RuntimeError(f"The response of the bench is {found.state}.")
        await asyncio.sleep(0.1)


async def board(address: str, token: str, response: Response) -> float:
    """Return the milliseconds in which the board is answered, at the median."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{address}/api/v1/responses/{response.id}/board"
    taken = []
    async with aiohttp.ClientSession(headers=headers, trust_env=False) as session:
        for _ in range(_BOARDS):
            begun = time.perf_counter()
            async with session.get(url) as answer:
                answer.raise_for_status()
                await answer.read()
            taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken)


async def _round(house: Carrying, orgs: list[str], bare: Bare, number: int) -> tuple[float, float]:
    """Return the seconds of ours and of the floor, which take turns at being first."""
    if number % 2:
        ours = await walked(house, orgs)
        return ours, await bare.seconds()
    floor = await bare.seconds()
    return await walked(house, orgs), floor


async def measure(store: Store, count: int) -> list[str]:
    """Return the lines of one database; rates are medians, as is the ratio of the rounds."""
    url = await store.fresh("bench_responses")
    with tempfile.TemporaryDirectory() as folder:
        async with land(url, Path(folder), count) as (house, orgs, bare, address, token):
            rounds = [await _round(house, orgs, bare, number) for number in range(_ROUNDS)]
            visible, response = await tasks_visible(house, orgs)
            shown = await board(address, token, response)
    await store.remove("bench_responses")
    ours, floor = (count * STEPS / statistics.median(some) for some in zip(*rounds, strict=True))
    ratio = statistics.median(floor / ours for ours, floor in rounds)
    rates = (f"{ours:,.0f}/s", f"{floor:,.0f}/s", f"{ratio:.2f}")
    limits = (f"ratio ≥ {LEAST_RATIO}", _kept(ratio >= LEAST_RATIO))
    seen = (f"{shown:.0f} ms", "", "", f"< {MOST_BOARD_MS} ms", _kept(shown < MOST_BOARD_MS))
    return [
        _line(store.name, f"steps of {count} organisations", *rates, *limits),
        _line(store.name, f"start until {count} tasks are visible", f"{visible:.1f} s", *[""] * 4),
        _line(store.name, f"board of {count} organisations", *seen),
    ]


def _kept(is_kept: bool) -> str:
    return "yes" if is_kept else "**no**"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


async def _until(look: Callable[[], Awaitable[bool]]) -> None:
    while not await look():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.1)


async def _all(databases: Sequence[str], count: int, cache: Path) -> list[str]:
    lines = ["| database | measure | ours | floor | ratio | target | met |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name in databases:
        with store_of(name, cache) as store:
            lines += await measure(store, count)
            print("\n".join(lines[-3:]))
    return lines


def main() -> None:
    """Measure and print a table."""
    about = parser(__doc__)
    about.add_argument("--organisations", type=int, default=427)
    about.add_argument("--out", type=Path, help="write the table there as well")
    chosen = about.parse_args()
    with alone(chosen.cache):
        table = asyncio.run(_all(kinds(chosen.database), chosen.organisations, chosen.cache))
    if chosen.out:
        chosen.out.write_text("\n".join(table) + "\n")


if __name__ == "__main__":
    main()
