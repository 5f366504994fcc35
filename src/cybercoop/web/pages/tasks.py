"""My tasks: what waits for people of the organisation, and a page for each to answer it."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from cybercoop.door import RESPONSES
from cybercoop.errors import Forbidden, Malformed, Misused, NotFound, Refused
from cybercoop.members.tokens import Scope
from cybercoop.playbooks.duties import ROLES
from cybercoop.playbooks.progress import OPEN, Task
from cybercoop.responses import doing, papers
from cybercoop.responses.carrying import Carrying
from cybercoop.responses.doing import Who
from cybercoop.stix.times import WALL
from cybercoop.store import remarks, runs, tokens
from cybercoop.store.database import Connection
from cybercoop.store.runs import Reader
from cybercoop.web.pages.rendering import Language
from cybercoop.web.pages.visits import Room, Visit, see_other
from cybercoop.web.taking_part import names_for, note_tasks_reached, reader_for

MOST = 200
_ANSWER = "answer."
_FILE_TYPE = "application/octet-stream"


def at(micros: int | None, language: Language) -> str:
    """Return a time as a clock on the wall shows it."""
    if micros is None:
        return ""
    found = datetime.fromtimestamp(micros // 1_000_000, WALL)
    return found.strftime("%d.%m.%Y %H:%M %Z" if language == "de" else "%Y-%m-%d %H:%M %Z")


def words(visit: Visit) -> dict[str, Any]:
    """Return what templates say of responses: states and times in the visitor's language."""
    return {
        "at": lambda micros: at(micros, visit.language),
        "word": lambda name: papers.word(name, visit.language),
    }


def as_reader(visit: Visit) -> Reader:
    """Return as whom the visitor reads."""
    return reader_for(visit.org, visit.center)


def house(visit: Visit) -> Carrying:
    """Return what responses are carried out with."""
    return visit.request.app[RESPONSES]


async def who(connection: Connection, visit: Visit) -> Who:
    """Return who acts: the organisation, and the person whose token signed in."""
    if visit.reader is None:
        raise Forbidden("Sign in first.")
    token = await tokens.find(connection, visit.reader.token_id)
    return Who(visit.org.id, token.person_id)


async def listing(visit: Visit) -> web.StreamResponse:
    """Show what waits for the organisation, the most urgent first, and what is over."""
    async with visit.database.read() as connection:
        found = await runs.tasks_for(connection, as_reader(visit))
        names = await names_for(connection, visit.org, visit.center)
    note_tasks_reached(visit.request.app, visit.org.id, [task for task, _ in found])
    waiting = [one for one in found if one[0].state in OPEN]
    over = sorted((one for one in found if one[0].state not in OPEN), key=_ended)
    return visit.page(
        "tasks.html",
        waiting=waiting[:MOST],
        over=over[:MOST],
        names=names,
        now=visit.now,
        roles=ROLES,
        **words(visit),
    )


def _ended(one: tuple[Task, object]) -> int:
    return -(one[0].ended_at or 0)


async def show(visit: Visit) -> web.StreamResponse:
    """Show one task with its questions and what was said about it."""
    return await _shown(visit)


async def _shown(visit: Visit, reason: str = "") -> web.Response:
    async with visit.database.read() as connection:
        task = await runs.task(connection, as_reader(visit), _place(visit))
        response = await runs.response(connection, as_reader(visit), task.response_id)
        said = await remarks.of_task(connection, task.id)
        names = await names_for(connection, visit.org, visit.center)
    note_tasks_reached(visit.request.app, visit.org.id, [task])
    return visit.page(
        "task.html",
        422 if reason else 200,
        task=task,
        response=response,
        remarks=said,
        names=names,
        role=ROLES.get(task.role, ""),
        is_own=task.org_id == visit.org.id,
        is_open=task.state in OPEN,
        is_late=task.is_overdue(visit.now),
        given=_given(visit),
        reason=reason,
        **words(visit),
    )


def _place(visit: Visit) -> str:
    return visit.request.match_info["task_id"]


def _given(visit: Visit) -> dict[str, str]:
    """Return the answers of the form, by question."""
    texts = visit.form.texts
    found = {name.removeprefix(_ANSWER): some[0] for name, some in texts.items() if some}
    return {name: found[name] for name in found if f"{_ANSWER}{name}" in texts}


async def act(visit: Visit) -> web.StreamResponse:
    """Do what the form says with the task; what is refused is shown with what was filled in."""
    deed = _DEEDS.get(visit.form.text("deed"))
    if deed is None:
        raise Malformed("The form does not say what to do.")
    try:
        async with visit.database.write() as connection:
            task = await runs.task(connection, as_reader(visit), _place(visit))
            await deed(connection, visit, task)
    except (Refused, Misused, Forbidden) as refused:
        return await _shown(visit, str(refused))
    return see_other(f"/tasks/{_place(visit)}")


async def _claim(connection: Connection, visit: Visit, task: Task) -> None:
    await doing.claim(house(visit), connection, task.id, await who(connection, visit))


async def _done(connection: Connection, visit: Visit, task: Task) -> None:
    by, given = await who(connection, visit), _given(visit)
    if visit.form.content:
        asked = [name for name, one in task.questions.items() if one.kind == "file"]
        await _keep_file(connection, visit, task, by)
        given |= dict.fromkeys(asked[:1], hashlib.sha256(visit.form.content).hexdigest())
    comment = visit.form.text("text").strip()
    await doing.finish(house(visit), connection, task.id, by, given, comment)


async def _keep_file(connection: Connection, visit: Visit, task: Task, by: Who) -> None:
    name = "".join(filter(str.isprintable, visit.form.name))[:200] or "file"
    file = (name, _FILE_TYPE, visit.form.content)
    await doing.remark(house(visit), connection, task.id, by, "", file)


async def _fail(connection: Connection, visit: Visit, task: Task) -> None:
    by, reason = await who(connection, visit), visit.form.text("text")
    await doing.fail(house(visit), connection, task.id, by, reason)


async def _agree(connection: Connection, visit: Visit, task: Task) -> None:
    await _say(connection, visit, task, agreed=True)


async def _reject(connection: Connection, visit: Visit, task: Task) -> None:
    await _say(connection, visit, task, agreed=False)


async def _say(connection: Connection, visit: Visit, task: Task, *, agreed: bool) -> None:
    by, reason = await who(connection, visit), visit.form.text("text").strip()
    await doing.agree(house(visit), connection, task.id, by, agreed=agreed, reason=reason)


async def _remark(connection: Connection, visit: Visit, task: Task) -> None:
    by = await who(connection, visit)
    if visit.form.content:
        await _keep_file(connection, visit, task, by)
    if visit.form.text("text").strip() or not visit.form.content:
        text = visit.form.text("text")
        await doing.remark(house(visit), connection, task.id, by, text)


_Deed = Callable[[Connection, Visit, Task], Awaitable[None]]
_DEEDS: Mapping[str, _Deed] = {
    "claim": _claim,
    "done": _done,
    "fail": _fail,
    "agree": _agree,
    "reject": _reject,
    "remark": _remark,
}


async def file(visit: Visit) -> web.StreamResponse:
    """Return a file of a task; a browser keeps it and opens nothing."""
    async with visit.database.read() as connection:
        task = await runs.task(connection, as_reader(visit), _place(visit))
        row = await remarks.file(connection, visit.request.match_info["remark_id"])
    if row.task_id != task.id:
        raise NotFound("There is no such file.")
    headers = {
        "Content-Disposition": f'attachment; filename="{row.id}"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=bytes(row.file), content_type=_FILE_TYPE, headers=headers)


ROOMS: tuple[tuple[str, str, Room, Scope | None], ...] = (
    ("GET", "/tasks", listing, Scope.READ),
    ("GET", "/tasks/{task_id}", show, Scope.READ),
    ("POST", "/tasks/{task_id}", act, Scope.WRITE),
    ("GET", "/tasks/{task_id}/files/{remark_id}", file, Scope.READ),
)
