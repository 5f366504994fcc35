"""Runs and tasks of the asker's organisation: taken part in, done, remarked upon."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from cybercoop.door import RESPONSES
from cybercoop.errors import NotFound, Refused
from cybercoop.members.tokens import Scope
from cybercoop.playbooks.progress import Run
from cybercoop.responses import doing
from cybercoop.store import remarks, responses, runs
from cybercoop.store.database import Connection
from cybercoop.web.api._common import moment
from cybercoop.web.api._responses import (
    Names,
    ShownRun,
    ShownTask,
    name_of,
    names,
    reader,
    shown_run,
    shown_task,
    who,
)
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.taking_part import note_tasks_reached

_LATE = 1 << 62
_FILE_TYPE = "application/octet-stream"
"""What a browser is told of every file: it is kept, never opened."""

Text = Annotated[str, Field(max_length=doing.LONGEST)]
Word = Annotated[str, Field(max_length=250)]


class Accepting(Asked):
    """Say whether others who take part may see how far you are, and sum your answers up."""

    shares_state: bool = False


class Explaining(Asked):
    """Say why."""

    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


class TasksAsked(Paging):
    """Say which tasks to list; without a state all of them."""

    state: Literal["open", "claimed", "done", "failed", "cancelled"] | None = None


class Answering(Asked):
    """Answer what a task asks, by variable; a file is answered by its SHA-256."""

    answers: Annotated[
        dict[Word, str | int | float | bool], Field(max_length=200, default_factory=dict)
    ]
    comment: Text = ""


class Agreeing(Asked):
    """Say whether a step may be carried out."""

    agreed: bool
    reason: Annotated[str, Field(max_length=2_000)] = ""


class NewRemark(Asked):
    """Say something about a task."""

    text: Annotated[str, Field(min_length=1, max_length=doing.LONGEST)]


class FileNamed(Asked):
    """Say what a file is called, and something about it."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    text: Text = ""


class ShownTasks(msgspec.Struct, frozen=True):
    """Show a page of tasks, the most urgent first."""

    tasks: list[ShownTask]
    next: str | None


class ShownRemark(msgspec.Struct, frozen=True, kw_only=True):
    """Show what somebody said about a task; ``file`` is the name of a file that came with it."""

    id: str
    by: str
    at: str | None
    text: str
    file: str | None
    sha256: str | None


class WholeTask(msgspec.Struct, frozen=True):
    """Show a task with all remarks."""

    id: str
    shown: ShownTask
    remarks: list[ShownRemark]


class TaskFile(msgspec.Struct, frozen=True):
    """Show a file; its content is in base64."""

    id: str
    name: str
    sha256: str
    content: bytes


async def accept_run(call: Call[Nothing, Accepting]) -> ShownRun:
    """Take part; what happens by itself may happen from now on."""

    async def deed(connection: Connection, one: str) -> Run:
        shares, by = call.body.shares_state, who(call)
        return await doing.accept(call.app[RESPONSES], connection, one, by, shares_state=shares)

    return await _of_run(call, deed)


async def decline_run(call: Call[Nothing, Explaining]) -> ShownRun:
    """Stay out, with a reason."""
    asked = call.around.now()

    async def deed(connection: Connection, one: str) -> Run:
        words = (one, who(call), call.body.reason)
        return await doing.decline(call.app[RESPONSES], connection, *words, asked=asked)

    return await _of_run(call, deed)


async def _of_run(
    call: Call[Any, Any], deed: Callable[[Connection, str], Awaitable[Run]]
) -> ShownRun:
    run_id = call.path["run_id"]
    async with call.database.write() as connection:
        await _require_seen(connection, call, run_id)
        changed = await deed(connection, run_id)
        known = await names(connection, call)
        answer = shown_run(changed, [], known, call.around.now())
        await call.keep(connection, answer)
    return answer


async def _require_seen(connection: Connection, call: Call[Any, Any], run_id: str) -> None:
    """Raise ``NotFound`` for a run whose response the asker does not see: it says nothing else."""
    try:
        run = await responses.run(connection, run_id)
        await runs.response(connection, reader(call), run.response_id)
    except NotFound:
        raise NotFound(f"No run has the id {run_id}.") from None


async def list_tasks(call: Call[TasksAsked, None]) -> ShownTasks:
    """Show the tasks of the asker's organisation; who sees them is reached by that."""
    states = () if call.query.state is None else (call.query.state,)
    async with call.database.read() as connection:
        found = await runs.tasks_for(connection, reader(call), states)
        known = await names(connection, call)
    note_tasks_reached(call.app, call.org.id, [task for task, _ in found])
    shown, following = page(
        call, found, lambda one: (one[0].due_at or _LATE, one[0].created_at, one[0].id)
    )
    now = call.around.now()
    return ShownTasks([shown_task(*one, known, now) for one in shown], following)


async def show_task(call: Call[Nothing, None]) -> WholeTask:
    """Show a task with its remarks."""
    async with call.database.read() as connection:
        found = await runs.task(connection, reader(call), call.path["task_id"])
        answer = await _whole(connection, call)
    note_tasks_reached(call.app, call.org.id, [found])
    return answer


async def _whole(connection: Connection, call: Call[Any, Any]) -> WholeTask:
    found = await runs.task(connection, reader(call), call.path["task_id"])
    response = await runs.response(connection, reader(call), found.response_id)
    known = await names(connection, call)
    said = await remarks.of_task(connection, found.id)
    shown = shown_task(found, response, known, call.around.now())
    return WholeTask(found.id, shown, [shown_remark(one, known) for one in said])


def shown_remark(one: Any, known: Names) -> ShownRemark:
    """Return what is shown of a remark (a row)."""
    return ShownRemark(
        id=one.id,
        by=name_of(one.by, known),
        at=moment(one.at),
        text=one.text,
        file=one.file_name,
        sha256=one.file_hash,
    )


async def _changed(
    call: Call[Any, Any], deed: Callable[[Connection, str], Awaitable[object]]
) -> WholeTask:
    """Do a deed with a task that the asker sees, and return the task as it is then."""
    async with call.database.write() as connection:
        found = await runs.task(connection, reader(call), call.path["task_id"])
        await deed(connection, found.id)
        answer = await _whole(connection, call)
        await call.keep(connection, answer)
    return answer


async def claim_task(call: Call[Nothing, None]) -> WholeTask:
    """Take a task over."""

    async def deed(connection: Connection, one: str) -> None:
        await doing.claim(call.app[RESPONSES], connection, one, who(call))

    return await _changed(call, deed)


async def finish_task(call: Call[Nothing, Answering]) -> WholeTask:
    """End a task with its answers; the first end counts."""

    async def deed(connection: Connection, one: str) -> None:
        said = call.body
        answers, comment = dict(said.answers), said.comment.strip()
        await doing.finish(call.app[RESPONSES], connection, one, who(call), answers, comment)

    return await _changed(call, deed)


async def fail_task(call: Call[Nothing, Explaining]) -> WholeTask:
    """End a task as one that cannot be done, with the reason."""

    async def deed(connection: Connection, one: str) -> None:
        await doing.fail(call.app[RESPONSES], connection, one, who(call), call.body.reason)

    return await _changed(call, deed)


async def agree_to_task(call: Call[Nothing, Agreeing]) -> WholeTask:
    """Say as one person whether a step may be carried out."""

    async def deed(connection: Connection, one: str) -> None:
        said, by = call.body, who(call)
        house, reason = call.app[RESPONSES], said.reason.strip()
        await doing.agree(house, connection, one, by, agreed=said.agreed, reason=reason)

    return await _changed(call, deed)


async def remark_on_task(call: Call[Nothing, NewRemark]) -> WholeTask:
    """Say something about a task."""

    async def deed(connection: Connection, one: str) -> None:
        await doing.remark(call.app[RESPONSES], connection, one, who(call), call.body.text)

    return await _changed(call, deed)


async def add_task_file(call: Call[FileNamed, bytes]) -> WholeTask:
    """Keep a file with a task: the body as it is."""
    if not call.body:
        raise Refused("The file is empty.", "file")

    async def deed(connection: Connection, one: str) -> None:
        said = call.query
        file = (said.name, _FILE_TYPE, call.body)
        await doing.remark(call.app[RESPONSES], connection, one, who(call), said.text, file)

    return await _changed(call, deed)


async def show_task_file(call: Call[Nothing, None]) -> TaskFile:
    """Return a file of a task."""
    async with call.database.read() as connection:
        found = await runs.task(connection, reader(call), call.path["task_id"])
        row = await remarks.file(connection, call.path["remark_id"])
    if row.task_id != found.id:
        raise NotFound(f"No file has the id {call.path['remark_id']}.")
    return TaskFile(row.id, row.file_name, row.file_hash, bytes(row.file))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/runs/{run_id}/accept",
        Scope.WRITE,
        accept_run,
        "Take part in a response; what happens by itself may happen from then on.",
        "An einem Einsatz teilnehmen; was von selbst geschieht, darf ab dann geschehen.",
    ),
    Endpoint(
        "POST",
        "/runs/{run_id}/decline",
        Scope.WRITE,
        decline_run,
        "Stay out of a response, with the reason.",
        "An einem Einsatz nicht teilnehmen, mit dem Grund.",
    ),
    Endpoint(
        "GET",
        "/tasks",
        Scope.READ,
        list_tasks,
        "List the tasks of your organisation, the most urgent first.",
        "Die Aufgaben Ihrer Organisation auflisten, die dringendsten zuerst.",
    ),
    Endpoint(
        "GET",
        "/tasks/{task_id}",
        Scope.READ,
        show_task,
        "Show a task with its questions and remarks.",
        "Eine Aufgabe mit ihren Fragen und Bemerkungen zeigen.",
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/claim",
        Scope.WRITE,
        claim_task,
        "Take a task over.",
        "Eine Aufgabe übernehmen.",
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/done",
        Scope.WRITE,
        finish_task,
        "End a task with its answers; the first end counts.",
        "Eine Aufgabe mit ihren Antworten beenden; das erste Ende zählt.",
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/fail",
        Scope.WRITE,
        fail_task,
        "End a task as one that cannot be done, with the reason.",
        "Eine Aufgabe als nicht machbar beenden, mit dem Grund.",
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/agree",
        Scope.WRITE,
        agree_to_task,
        "Say as one person whether a step may be carried out.",
        "Als eine Person sagen, ob ein Schritt ausgeführt werden darf.",
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/remarks",
        Scope.WRITE,
        remark_on_task,
        "Say something about a task.",
        "Etwas zu einer Aufgabe bemerken.",
        status=201,
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/files",
        Scope.WRITE,
        add_task_file,
        "Keep a file with a task, with its hash: the body as it is.",
        "Eine Datei mit ihrer Prüfsumme zu einer Aufgabe legen: der Körper, wie er ist.",
        status=201,
        also=frozenset({422}),
    ),
    Endpoint(
        "GET",
        "/tasks/{task_id}/files/{remark_id}",
        Scope.READ,
        show_task_file,
        "Return a file of a task.",
        "Eine Datei einer Aufgabe ausgeben.",
    ),
)
