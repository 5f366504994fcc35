"""What the engine does with a question of a playbook: it is put, and its sum decides."""

from typing import Any

from msgspec import structs

from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.progress import GOING, Run
from cybercoop.responses import asking, summing
from cybercoop.responses.asking import Put
from cybercoop.responses.carrying import Carrying
from cybercoop.store import responses
from inference import papers

_QUESTIONS = {papers.MANY: Question("Wie viele?", "number")}


async def weigh(connection: Any, some: list[Run], names: list[str], now: int) -> None:
    """Put the question to the counties of some runs."""
    for run, name in zip(some, names, strict=True):
        response = await responses.response(connection, run.response_id)
        what = Put(name, "weigh", "Wie viele?", now, questions=_QUESTIONS)
        task = asking.put(response, run, what)
        await responses.add_task(connection, structs.replace(task, step_id=papers.ASK))


async def choose(house: Carrying, number: int, some: list[Run], names: list[str]) -> None:
    """Decide by the sum in some runs; the task that follows says which way it went."""
    for run, name in zip(some, names, strict=True):
        async with house.database.read() as connection:
            response = await responses.response(connection, run.response_id)
        book = await house.book(response.playbook_id, response.playbook_modified)
        place = f"act {number}/{papers.CHOICE}"
        came = await summing.summed(house, run.id, book, place, book.steps[papers.CHOICE])
        title = f"Zusammen {came.values[papers.MANY]}"
        async with house.database.write() as connection:
            what = Put(name, place, title, house.around.now())
            await responses.add_task(connection, asking.put(response, run, what))


async def going(connection: Any, response_id: str) -> list[Run]:
    """Return the runs of a response in which the engine goes on."""
    response = await responses.response(connection, response_id)
    found = await responses.runs_of(connection, response_id, latest=True)
    on = response.state == "running" and not response.wanted
    return [one for one in found if on and one.state in GOING and not one.wanted]
