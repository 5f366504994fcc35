"""What people of a county do: accept or decline, take a task, answer it, add words and files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cybercoop.errors import Forbidden, Misused, NotFound, Refused
from cybercoop.playbooks import duties
from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.progress import GOING, OPEN, Run, Task
from cybercoop.playbooks.variables import Value
from cybercoop.responses.carrying import Carrying
from cybercoop.store import blocks, remarks, responses, runs
from cybercoop.store.database import Connection

MOST_BYTES = 10 * 1024 * 1024
LONGEST = 10_000
_CONFIRMED = "yes"


@dataclass(frozen=True, slots=True)
class Who:
    """Hold whose token acts: an organisation, and its person where it is a person's."""

    org_id: str
    person_id: str | None = None

    @property
    def name(self) -> str:
        """Return what the log names them by."""
        return self.person_id or self.org_id


async def reached(connection: Connection, run: Run, now: int) -> None:
    """Note that somebody of the county has seen the response."""
    await runs.reach(connection, run.id, now)


async def accept(
    house: Carrying, connection: Connection, run_id: str, who: Who, *, shares_state: bool = False
) -> Run:
    """Let a county take part; what happens by itself may happen from now on."""
    run = await _own_run(connection, run_id, who)
    now = house.around.now()
    if run.state not in GOING:
        raise Misused(f"This part is {run.state}.")
    if run.accepted_at is None:
        await responses.change_run(
            connection,
            run_id,
            now,
            state="accepted",
            accepted_at=now,
            accepted_by=who.name,
            reached_at=run.reached_at or now,
            shares_state=shares_state,
        )
        await responses.note(connection, run.response_id, now, who.name, "accepted", run.org_id)
    elif run.shares_state != shares_state:
        await responses.change_run(connection, run_id, now, shares_state=shares_state)
    return await responses.run(connection, run_id)


async def decline(
    house: Carrying,
    connection: Connection,
    run_id: str,
    who: Who,
    reason: str,
    *,
    asked: int | None = None,
) -> Run:
    """Let a county stay out, with its reason; nothing more is done there.

    ``asked`` is when whoever declines had last looked (microseconds since 1970): what a colleague
    has accepted since then takes a second word to leave.
    """
    # The response first, as whoever leads it holds it: nothing is asked of whom it leaves out.
    run = await responses.run(connection, run_id)
    await responses.response(connection, run.response_id, changing=True)
    run = await _own_run(connection, run_id, who)
    if not reason.strip():
        raise Refused("Say why, so that the center can plan without you.", "reason")
    now = house.around.now()
    if asked is not None and run.accepted_at is not None and run.accepted_at > asked:
        raise Misused("This part was accepted meanwhile; decline once more to leave it.")
    if not await responses.end_run(connection, run_id, now, "declined", reason.strip()):
        raise Misused(f"This part is {run.state}.")
    await responses.close_tasks_of(connection, run_id, now, "declined")
    await blocks.end_of_run(connection, run_id, now, "declined")
    await responses.note(
        connection, run.response_id, now, who.name, "declined", run.org_id, reason=reason.strip()
    )
    return await responses.run(connection, run_id)


async def claim(house: Carrying, connection: Connection, task_id: str, who: Who) -> Task:
    """Let a person take a task; who takes part in it takes part in the response."""
    task = await _own_task(connection, task_id, who)
    changed = await responses.change_task(
        connection, task_id, OPEN, state="claimed", assignee=who.person_id
    )
    if not changed:
        raise Misused(f"This task is {task.state}.")
    await _take_part(house, connection, task, who)
    now = house.around.now()
    await responses.note(
        connection, task.response_id, now, who.name, "claimed", task.org_id, task=task.title
    )
    return await responses.task(connection, task_id)


async def finish(
    house: Carrying,
    connection: Connection,
    task_id: str,
    who: Who,
    answers: Mapping[str, object],
    comment: str = "",
) -> Task:
    """End a task with its answers; raise Refused, naming the question, for one that does not fit.

    The first end counts: a second one is told so and changes nothing.
    """
    task = await _own_task(connection, task_id, who)
    if task.approvals:
        raise Misused("This task asks people to agree: approve or reject it.")
    values = await _answers(house, connection, task, answers)
    await _end(house, connection, task, who, "done", comment, answers=values)
    if _confirms(task, values):
        await blocks.confirm(connection, task.run_id, who.name, house.around.now())
    return await responses.task(connection, task_id)


async def fail(
    house: Carrying, connection: Connection, task_id: str, who: Who, reason: str
) -> Task:
    """End a task as one that cannot be done, with the reason."""
    task = await _own_task(connection, task_id, who)
    if not reason.strip():
        raise Refused("Say why it cannot be done.", "reason")
    await _end(house, connection, task, who, "failed", reason.strip())
    return await responses.task(connection, task_id)


async def agree(
    house: Carrying, connection: Connection, task_id: str, who: Who, *, agreed: bool, reason: str
) -> Task:
    """Take what a person says about a step that needs people to agree; each person counts once."""
    task = await _own_task(connection, task_id, who)
    if not task.approvals:
        raise Misused("This task asks for no approval.")
    if who.person_id is None:
        raise Forbidden("Approvals are given by people: use the token of a person.")
    if task.state not in OPEN:
        raise Misused(f"This task is {task.state}.")
    now = house.around.now()
    row = {"subject": task.id, "person_id": who.person_id, "response_id": task.response_id}
    await responses.agree(connection, row | {"agreed": agreed, "reason": reason, "at": now})
    said = await responses.approved(connection, task.id, 0)
    if not agreed:
        await _end(house, connection, task, who, "failed", reason or "It was rejected.")
    elif sum(one.agreed for one in said) >= task.approvals:
        await _end(house, connection, task, who, "done", reason)
    return await responses.task(connection, task_id)


async def remark(
    house: Carrying,
    connection: Connection,
    task_id: str,
    who: Who,
    text: str,
    file: tuple[str, str, bytes] | None = None,
) -> str:
    """Add words, and a file as evidence (name, media type, bytes), to a task; return the id."""
    task = await _own_task(connection, task_id, who)
    if len(text) > LONGEST or "\0" in text:
        raise Refused(f"A remark has at most {LONGEST} characters.", "text")
    if not text.strip() and file is None:
        raise Refused("Say something, or add a file.", "text")
    if file is not None and len(file[2]) > MOST_BYTES:
        raise Refused(f"A file has at most {MOST_BYTES} bytes.", "file")
    row: dict[str, Any] = {
        "id": house.around.uuid(),
        "task_id": task.id,
        "org_id": task.org_id,
        "by": who.name,
        "at": house.around.now(),
        "text": text.strip(),
    }
    if file is not None:
        name, media, content = file
        hashed = hashlib.sha256(content).hexdigest()
        row |= {"file_name": name[:200], "file_type": media[:100], "file_hash": hashed}
        row["file"] = content
    await remarks.add(connection, row)
    return str(row["id"])


async def _end(
    house: Carrying,
    connection: Connection,
    task: Task,
    who: Who,
    state: str,
    reason: str,
    **values: Any,
) -> None:
    now = house.around.now()
    changed = await responses.change_task(
        connection,
        task.id,
        OPEN,
        state=state,
        ended_at=now,
        ended_by=who.name,
        next_at=None,
        reason=reason or None,
        **values,
    )
    if not changed:
        raise Misused(f"This task is {task.state}; the first answer counts.")
    await _take_part(house, connection, task, who)
    await responses.change_run(connection, task.run_id, now)
    await responses.note(
        connection,
        task.response_id,
        now,
        who.name,
        f"task-{state}",
        task.org_id,
        task=task.title,
        answers=values.get("answers") or {},
        reason=reason,
    )


async def _take_part(house: Carrying, connection: Connection, task: Task, who: Who) -> None:
    """Let whoever does a part of it have accepted it."""
    run = await responses.run(connection, task.run_id)
    if run.org_id == who.org_id and run.state in GOING and run.accepted_at is None:
        await accept(house, connection, run.id, who)


async def _answers(
    house: Carrying, connection: Connection, task: Task, given: Mapping[str, object]
) -> dict[str, Value]:
    unknown = sorted(set(given) - set(task.questions))
    if unknown:
        raise Refused("The task does not ask this.", unknown[0])
    response = await responses.response(connection, task.response_id)
    book = await house.book(response.playbook_id, response.playbook_modified)
    step = book.steps.get(task.step_id)
    declared = {**book.variables, **(step.variables if step else {})}
    found: dict[str, Value] = {}
    for name, question in task.questions.items():
        if given.get(name) in (None, ""):
            if question.required:
                raise Refused("This question needs an answer.", name)
            continue
        # Tasks that were put before questions said it are of the response's own playbook.
        kind = question.fills or (declared[name].kind if name in declared else _kind(question))
        try:
            found[name] = duties.answer(question, kind, given[name])
        except Refused as refused:
            raise Refused(refused.reason, name) from None
    return found


def _kind(question: Question) -> str:
    """Return the type of an answer that goes into no variable of the playbook."""
    return {"number": "float", "file": "sha256-hash"}.get(question.kind, "string")


def _confirms(task: Task, values: Mapping[str, Value]) -> bool:
    return any(
        question.confirms and values.get(name) == _CONFIRMED
        for name, question in task.questions.items()
    )


async def _own_run(connection: Connection, run_id: str, who: Who) -> Run:
    run = await responses.run(connection, run_id, changing=True)
    response = await responses.response(connection, run.response_id)
    if run.org_id != who.org_id or response.began_at is None:
        raise NotFound(f"No run has the id {run_id}.")
    return run


async def _own_task(connection: Connection, task_id: str, who: Who) -> Task:
    """Return an own task, and let nobody else change its run: who declines holds that first."""
    task = await responses.task(connection, task_id)
    if task.org_id != who.org_id:
        raise NotFound(f"No task has the id {task_id}.")
    await responses.run(connection, task.run_id, changing=True)
    return await responses.task(connection, task_id)
