"""Leading a response while it runs: the center alone does that."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.door import RESPONSES
from cybercoop.errors import Refused
from cybercoop.members.tokens import Scope
from cybercoop.playbooks.duties import Kind, Question
from cybercoop.responses import leading
from cybercoop.responses.asking import Put
from cybercoop.store import runs
from cybercoop.store.database import Connection
from cybercoop.web.api._common import Moment, micros
from cybercoop.web.api._responses import (
    ShownResponse,
    ShownRun,
    ShownTask,
    names,
    reader,
    shown_run,
    shown_task,
    who,
)
from cybercoop.web.api.planning import Counties, named, others
from cybercoop.web.api.responses import Saying, shown_again
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Word = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_-]{0,79}$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class MoreCounties(Asked):
    """Name organisations to invite."""

    counties: Annotated[Counties, Field(min_length=1)]


class NewQuestion(Asked):
    """Ask something; a choice has choices."""

    ask: Annotated[str, Field(min_length=1, max_length=500)]
    kind: Kind
    choices: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    required: bool = True


class NewTask(Asked):
    """Say what is to be done or answered, by whom and until when; by all unless some are named."""

    title: Line
    text: Annotated[str, Field(max_length=10_000)] = ""
    role: Annotated[str, Field(max_length=40)] = ""
    due: Moment | None = None
    questions: Annotated[dict[Word, NewQuestion], Field(max_length=50, default_factory=dict)]
    counties: Counties = ()


class ChangedRuns(msgspec.Struct, frozen=True):
    """Show the runs that are new."""

    id: str
    runs: list[ShownRun]


class PutTasks(msgspec.Struct, frozen=True):
    """Show the tasks that are new."""

    id: str
    tasks: list[ShownTask]


Deed = Callable[[Connection, str], Awaitable[Any]]


async def _led(call: Call[Any, Any], deed: Deed) -> ShownResponse:
    """Do a deed and return the response as it is then."""
    response_id = call.path["response_id"]
    async with call.database.write() as connection:
        await deed(connection, response_id)
        answer = await shown_again(connection, call, response_id)
        await call.keep(connection, answer)
    return answer


async def pause_response(call: Call[Nothing, None]) -> ShownResponse:
    """Let no further step begin."""
    return await _pause(call, paused=True)


async def resume_response(call: Call[Nothing, None]) -> ShownResponse:
    """Let steps begin again."""
    return await _pause(call, paused=False)


async def _pause(call: Call[Nothing, None], *, paused: bool) -> ShownResponse:
    async def deed(connection: Connection, one: str) -> None:
        await leading.pause(call.app[RESPONSES], connection, one, who(call).name, paused=paused)

    return await _led(call, deed)


async def cancel_response(call: Call[Nothing, Saying]) -> ShownResponse:
    """End a response where it stands."""

    async def deed(connection: Connection, one: str) -> None:
        by, reason = who(call).name, call.body.reason.strip()
        await leading.cancel(call.app[RESPONSES], connection, one, by, reason)

    return await _led(call, deed)


async def roll_response_back(call: Call[Nothing, Saying]) -> ShownResponse:
    """Take back what was done."""

    async def deed(connection: Connection, one: str) -> None:
        by, reason = who(call).name, call.body.reason.strip()
        await leading.roll_back(call.app[RESPONSES], connection, one, by, reason)

    return await _led(call, deed)


async def rerun_response(call: Call[Nothing, None]) -> ChangedRuns:
    """Begin once more where it failed or is late, and nowhere else."""
    response_id = call.path["response_id"]
    async with call.database.write() as connection:
        by = who(call).name
        fresh = await leading.rerun(call.app[RESPONSES], connection, response_id, by)
        known, now = await names(connection, call), call.around.now()
        answer = ChangedRuns(response_id, [shown_run(one, [], known, now) for one in fresh])
        await call.keep(connection, answer)
    return answer


async def add_counties(call: Call[Nothing, MoreCounties]) -> ChangedRuns:
    """Invite further organisations."""
    response_id = call.path["response_id"]
    async with call.database.write() as connection:
        await runs.response(connection, reader(call), response_id)
        chosen = named(await others(connection, call.center), call.body.counties)
        by, house = who(call).name, call.app[RESPONSES]
        fresh = await leading.add_counties(house, connection, response_id, chosen, by)
        known, now = await names(connection, call), call.around.now()
        answer = ChangedRuns(response_id, [shown_run(one, [], known, now) for one in fresh])
        await call.keep(connection, answer)
    return answer


async def put_task(call: Call[Nothing, NewTask]) -> PutTasks:
    """Put a task or a question to those who take part."""
    response_id, house, now = call.path["response_id"], call.app[RESPONSES], call.around.now()
    what = _put(call.body, call.around.uuid(), now)
    async with call.database.write() as connection:
        response = await runs.response(connection, reader(call), response_id)
        chosen = named(await others(connection, call.center), call.body.counties)
        by = who(call).name
        made = await leading.ask(house, connection, response_id, what, by, chosen)
        known = await names(connection, call)
        answer = PutTasks(response_id, [shown_task(one, response, known, now) for one in made])
        await call.keep(connection, answer)
    return answer


def _put(said: NewTask, name: str, now: int) -> Put:
    if not said.title.isprintable():
        raise Refused("A title is one line.", "title")
    due = micros(said.due)
    if due is not None and due <= now:
        raise Refused("This moment is over.", "due")
    for asked, one in said.questions.items():
        if (one.kind == "choice") != bool(one.choices):
            raise Refused("A choice has choices, and nothing else has.", f"questions.{asked}")
    questions = {
        asked: Question(one.ask, one.kind, one.choices, one.required)
        for asked, one in said.questions.items()
    }
    return Put(name, "", said.title.strip(), now, said.text, said.role, due, questions)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/responses/{response_id}/pause",
        Scope.WRITE,
        pause_response,
        "Let no further step begin.",
        "Keinen weiteren Schritt beginnen lassen.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/resume",
        Scope.WRITE,
        resume_response,
        "Let steps begin again.",
        "Schritte wieder beginnen lassen.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/cancel",
        Scope.WRITE,
        cancel_response,
        "End a response where it stands; what was done stays done.",
        "Einen Einsatz abbrechen; was getan ist, bleibt.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/rollback",
        Scope.WRITE,
        roll_response_back,
        "Take back what was done: blocks at once, then the steps that name a way back.",
        "Zurücknehmen, was getan wurde: Sperren sofort, dann Schritte mit Rücknahme.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/rerun",
        Scope.WRITE,
        rerun_response,
        "Begin once more where it failed or is late, and nowhere else.",
        "Noch einmal beginnen, wo es gescheitert oder überfällig ist, sonst nirgends.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/counties",
        Scope.WRITE,
        add_counties,
        "Invite further organisations.",
        "Weitere Organisationen einladen.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/tasks",
        Scope.WRITE,
        put_task,
        "Put a further task or question to all who take part, or to some.",
        "Eine weitere Aufgabe oder Frage an alle Teilnehmenden oder an einige stellen.",
        status=201,
        for_center=True,
    ),
)
