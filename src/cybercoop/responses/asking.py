"""Tasks as they are put to people: what they say, whom they wait for, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import structs

from cybercoop.playbooks import templates
from cybercoop.playbooks.duties import Deadline, Question
from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.playbooks.steps import Command
from cybercoop.responses import telling
from cybercoop.responses.commands import Doing
from cybercoop.store import responses
from cybercoop.store.database import Connection

_CENTER = "center"
_EXERCISE = "ÜBUNG: "


def task(doing: Doing, name: str) -> Task:
    """Return the task that a command for people is; ``name`` is its id.

    The text shows values so that they can do no harm by being read. Lines for a shell stay as they
    were written, with the values beside them.
    """
    step, command = doing.step, doing.command
    is_for_people = command.kind == "manual"
    text = templates.rendered(command.text, doing.values) if is_for_people else command.text
    listed = [] if is_for_people else templates.listed(command.text, doing.values)
    new = _blank(doing, name, f"{doing.place}:{doing.number}", _title(doing, command))
    declared = {**doing.playbook.variables, **step.variables}
    answered = {
        name: structs.replace(one, fills=declared[name].kind)
        for name, one in step.duty.questions.items()
        if name in step.out_args
    }
    described = templates.rendered(command.description, doing.values)
    words = "\n\n".join(part for part in (described, text) if part)
    return structs.replace(
        new, text=words, listed=listed, questions=answered if _is_last(doing) else {}
    )


def approval(doing: Doing, name: str) -> Task:
    """Return the task in which people agree to a step before it is carried out."""
    title = f"Freigabe: {_title(doing, doing.command)}"
    new = _blank(doing, name, f"{doing.place}:approval", title)
    text = templates.rendered(doing.step.description, doing.values)
    return structs.replace(new, text=text, approvals=doing.step.duty.approvals)


@dataclass(frozen=True, slots=True)
class Put:
    """Hold what a task says, and to whom: ``name`` is its id, ``place`` where in the run it is."""

    name: str
    place: str
    title: str
    at: int
    text: str = ""
    role: str = ""
    due_at: int | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)


def put(response: Response, run: Run, what: Put) -> Task:
    """Return a task for a county."""
    return Task(
        id=what.name,
        response_id=response.id,
        run_id=run.id,
        org_id=run.org_id,
        place=what.place,
        step_id="",
        title=f"{_EXERCISE}{what.title}" if response.exercise else what.title,
        text=what.text,
        listed=[],
        role=what.role,
        questions=what.questions,
        answers=None,
        approvals=0,
        state="open",
        assignee=None,
        created_at=what.at,
        due_at=what.due_at,
        stage=0,
        next_at=first_stage(what.at, what.due_at),
        ended_at=None,
        ended_by=None,
        reason=None,
    )


async def announce(connection: Connection, new: Task) -> None:
    """Write into the log that a task waits, and tell whom it waits for."""
    told = {"task": new.id, "title": new.title, "role": new.role}
    await responses.note(
        connection, new.response_id, new.created_at, "engine", "task-opened", new.org_id, **told
    )
    response = await responses.response(connection, new.response_id)
    await telling.of_task(connection, response, new)


def moment(span: Deadline, response: Response, run: Run, began_at: int) -> int:
    """Return when a span ends for a run that reached its step at ``began_at``."""
    since = {
        "step": began_at,
        "start": run.began_at or run.invited_at,
        "knowledge": response.known_at,
    }
    return span.after(since[span.since])


def first_stage(created: int, due: int | None) -> int | None:
    """Return when people are reminded: when three quarters of the time have passed."""
    return None if due is None else created + (due - created) * 3 // 4


def _is_last(doing: Doing) -> bool:
    """Say whether this is the last command of its step; the questions come with that one."""
    return doing.number == len(doing.step.commands) - 1


def _title(doing: Doing, command: Command) -> str:
    return doing.step.duty.title or doing.step.name or command.kind


def _blank(doing: Doing, name: str, place: str, title: str) -> Task:
    created = doing.house.around.now()
    due = _due(doing)
    role = doing.step.duty.role
    org_id = doing.house.center.org_id if role == _CENTER else doing.run.org_id
    said = Put(name, place, title, created, role=role, due_at=due)
    new = put(doing.response, doing.run, said)
    return structs.replace(new, org_id=org_id, step_id=doing.step.id)


def _due(doing: Doing) -> int | None:
    deadline = doing.step.duty.deadline
    if deadline is None:
        return None
    return moment(deadline, doing.response, doing.run, doing.began_at)
