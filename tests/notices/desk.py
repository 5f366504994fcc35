"""Tasks in the real tables, and a desk that reads and answers them, behind the real pages."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import Integer, Table, insert, select, update

import compiled
import ready_schema
from cybercoop import app as house
from cybercoop.collect import founding
from cybercoop.config import Settings
from cybercoop.errors import Refused
from cybercoop.notices.links import Desk, LinkedTask
from cybercoop.playbooks.duties import Question
from cybercoop.store import members
from cybercoop.store.database import Connection, Database
from cybercoop.store.response_tables import responses, runs, tasks
from cybercoop.surroundings import Surroundings
from cybercoop.web import api
from cybercoop.web.answering import handler_of
from cybercoop.web.api import notices, webhooks
from cybercoop.web.endpoints import ROOT
from cybercoop.web.pages import links
from world import Chance, Clock, Seat, World

QUESTIONS = {
    "__hit__": Question("Sind Sie betroffen?", "yes-no-unknown"),
    "__count__": Question("Wie viele Geräte?", "number", required=False),
    "__how__": Question("Wie wurde es bemerkt?", "choice", ("Meldung", "Zufall"), required=False),
    "__words__": Question("Was fiel auf?", "text", required=False),
    "__log__": Question("Protokoll", "file", required=False),
}


async def task_of(connection: Connection, task_id: str) -> LinkedTask | None:
    row = (await connection.execute(select(tasks).where(tasks.c.id == task_id))).first()
    if row is None:
        return None
    questions = msgspec.json.decode(row.questions, type=dict[str, Question])
    return LinkedTask(row.title, row.text, questions, row.due_at)


async def answer(
    connection: Connection,
    task_id: str,
    person_id: str,
    answers: Mapping[str, str],
    comment: str,
) -> None:
    if not answers.get("__count__", "0").isdigit():
        raise Refused("That is no number.", "__count__")
    done = {"answers": json.dumps(dict(answers)), "reason": comment, "ended_by": person_id}
    open_ = update(tasks).where(tasks.c.id == task_id, tasks.c.ended_at.is_(None))
    assert (await connection.execute(open_.values(**done, ended_at=1, state="done"))).rowcount


DESK = Desk(task_of, answer)


async def add_task(center: World, seat: Seat, task_id: str, **more: Any) -> str:
    """Put a task for a county into the tables, with all that it hangs on."""
    said = {"title": "Adresse sperren", "text": "Erste Zeile\n<b>Zweite</b>"} | more
    said |= {"questions": msgspec.json.encode(QUESTIONS).decode(), "listed": "{}"}
    places = {"response_id": f"response {task_id}", "run_id": f"run {task_id}"}
    async with center.database.write() as connection:
        for table, row in (
            (responses, {"id": places["response_id"]}),
            (runs, {"id": places["run_id"], "org_id": seat.org.id} | places),
            (tasks, {"id": task_id, "org_id": seat.org.id} | places | said),
        ):
            await connection.execute(insert(table), _filled(table, row))
    return task_id


def _filled(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with something in every column that needs something."""
    known = {name: value for name, value in row.items() if name in table.c}
    for column in table.c:
        if not column.nullable and column.server_default is None and column.name not in known:
            known[column.name] = 0 if isinstance(column.type, Integer) else ""
            if column.type.python_type is bool:
                known[column.name] = False
    return known


async def found_task(center: World, task_id: str) -> Mapping[str, Any]:
    async with center.database.read() as connection:
        row = await connection.execute(select(tasks).where(tasks.c.id == task_id))
        return row.mappings().one()


@asynccontextmanager
async def office(database_url: str, folder: Path) -> AsyncIterator[World]:
    """Run a center whose links lead to ``DESK``."""
    clock, chance = Clock(), Chance()
    database = compiled.share(Database(database_url))
    around = Surroundings(clock, chance.uuid, chance.secret)
    chosen = Settings(data=folder, database=database_url, listen="127.0.0.1:0")
    try:
        await ready_schema.build(database)
        await founding.found_center(database, "Testzentrum", around)
        async with database.read() as connection:
            center = await members.the_center(connection)
        app = house.make_app(database, center, chosen, around, lambda: None)
        house.add_doors(app, center, "Testzentrum")
        if links.DESK in app:
            app[links.DESK] = DESK
        else:
            links.add_routes(app, DESK)
        for endpoint in {*webhooks.ENDPOINTS, *notices.ENDPOINTS} - {*api.ENDPOINTS}:
            app.router.add_route(endpoint.method, ROOT + endpoint.path, handler_of(endpoint))
        async with house.listening(app, chosen) as (host, port), aiohttp.ClientSession() as session:
            yield World(database, center, clock, chance, f"http://{host}:{port}", session)
    finally:
        await database.close()
