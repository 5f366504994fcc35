"""What is shown of responses, runs and tasks: to the center all, to a county its own part."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cybercoop.playbooks.duties import ROLES
from cybercoop.playbooks.progress import OPEN, Response, Run, Task, shown_state
from cybercoop.playbooks.variables import Value
from cybercoop.responses.doing import Who
from cybercoop.store.database import Connection
from cybercoop.store.runs import Reader, Seen
from cybercoop.web.api._common import moment
from cybercoop.web.endpoints import Call
from cybercoop.web.taking_part import names_for, reader_for

Names = Mapping[str, str]


class Led(msgspec.Struct, frozen=True, kw_only=True):
    """Show what only the center sees: who started it, why, and who has to agree."""

    started_by: str
    why: dict[str, Any]
    rule: str | None
    incident: str | None
    approvals_needed: int
    glass_until: str | None
    ratified: str | None


class ShownResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Show a response in a list; ``led`` is for the center alone."""

    id: str
    title: str
    playbook: str
    version: str | None
    state: str
    exercise: bool
    paused: bool
    ending: str
    lock: str
    known: str | None
    created: str | None
    began: str | None
    ended: str | None
    led: Led | None


class ShownRun(msgspec.Struct, frozen=True, kw_only=True):
    """Show one county's part; of a re-run only the last attempt is ``latest``."""

    id: str
    response: str
    organisation: str
    organisation_id: str
    attempt: int
    latest: bool
    state: str
    overdue: bool
    invited: str | None
    reached: str | None
    accepted: str | None
    accepted_by: str | None
    shares_state: bool
    ended: str | None
    reason: str | None


class ShownQuestion(msgspec.Struct, frozen=True):
    """Show what a task asks."""

    ask: str
    kind: str
    choices: Sequence[str]
    required: bool
    confirms: bool


class Listed(msgspec.Struct, frozen=True):
    """Show a value that belongs to a text in which it must not stand."""

    name: str
    value: str


class ShownTask(msgspec.Struct, frozen=True, kw_only=True):
    """Show a task; with ``approvals`` it asks only whether that many people agree."""

    id: str
    response: str
    run: str
    exercise: bool
    organisation: str
    title: str
    text: str
    listed: list[Listed]
    role: str
    role_title: str
    questions: dict[str, ShownQuestion]
    answers: dict[str, Value] | None
    approvals: int
    state: str
    assignee: str | None
    created: str | None
    due: str | None
    overdue: bool
    ended: str | None
    ended_by: str | None
    reason: str | None


class OtherState(msgspec.Struct, frozen=True):
    """Show how far an organisation is that agreed to show it."""

    organisation: str
    state: str


class Said(msgspec.Struct, frozen=True):
    """Show what somebody said about the response, or about one of its steps."""

    person: str
    about: str
    agreed: bool
    reason: str
    at: str | None


class WholeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Show a response with the runs and tasks that the asker may see."""

    id: str
    shown: ShownResponse
    variables: dict[str, Value]
    runs: list[ShownRun]
    tasks: list[ShownTask]
    others: list[OtherState]
    approvals: list[Said]


def reader(call: Call[Any, Any]) -> Reader:
    """Return as whom the asker reads."""
    return reader_for(call.org, call.center)


def who(call: Call[Any, Any]) -> Who:
    """Return who acts: the organisation, and the person whose token it is."""
    return Who(call.org.id, call.reader.person_id)


async def names(connection: Connection, call: Call[Any, Any]) -> Names:
    """Return whom the asker may know by name."""
    return await names_for(connection, call.org, call.center)


def shown_response(one: Response, known: Names, *, is_center: bool) -> ShownResponse:
    """Return what is shown of a response."""
    return ShownResponse(
        id=one.id,
        title=one.title,
        playbook=one.playbook_id,
        version=moment(one.playbook_modified),
        state=one.state,
        exercise=one.exercise,
        paused=one.paused,
        ending=one.wanted,
        lock=one.lock,
        known=moment(one.known_at),
        created=moment(one.created_at),
        began=moment(one.began_at),
        ended=moment(one.ended_at),
        led=_led(one, known) if is_center else None,
    )


def _led(one: Response, known: Names) -> Led:
    return Led(
        started_by=name_of(one.started_by or one.rule or "", known),
        why=dict(one.why),
        rule=one.rule,
        incident=one.incident_id,
        approvals_needed=one.approvals_needed,
        glass_until=moment(one.glass_until),
        ratified=moment(one.ratified_at),
    )


def name_of(one: str, known: Names) -> str:
    """Return the name of a person or organisation where the reader may know it."""
    return known.get(one, one)


def _maybe(one: str | None, known: Names) -> str | None:
    return None if one is None else name_of(one, known)


def shown_run(one: Run, tasks: Sequence[Task], known: Names, now: int) -> ShownRun:
    """Return what is shown of a run, with its own tasks at hand."""
    waiting = sum(task.state in OPEN for task in tasks)
    return ShownRun(
        id=one.id,
        response=one.response_id,
        organisation=name_of(one.org_id, known),
        organisation_id=one.org_id,
        attempt=one.attempt,
        latest=one.latest,
        state=shown_state(one, waiting, int(one.began_at is not None)),
        overdue=any(task.is_overdue(now) for task in tasks),
        invited=moment(one.invited_at),
        reached=moment(one.reached_at),
        accepted=moment(one.accepted_at),
        accepted_by=_maybe(one.accepted_by, known),
        shares_state=one.shares_state,
        ended=moment(one.ended_at),
        reason=one.reason,
    )


def shown_task(one: Task, response: Response, known: Names, now: int) -> ShownTask:
    """Return what is shown of a task."""
    asked = {
        name: ShownQuestion(each.ask, each.kind, each.choices, each.required, each.confirms)
        for name, each in one.questions.items()
    }
    return ShownTask(
        id=one.id,
        response=one.response_id,
        run=one.run_id,
        exercise=response.exercise,
        organisation=name_of(one.org_id, known),
        title=one.title,
        text=one.text,
        listed=[Listed(*each) for each in one.listed],
        role=one.role,
        role_title=ROLES.get(one.role, ""),
        questions=asked,
        answers=None if one.answers is None else dict(one.answers),
        approvals=one.approvals,
        state=one.state,
        assignee=_maybe(one.assignee, known),
        created=moment(one.created_at),
        due=moment(one.due_at),
        overdue=one.is_overdue(now),
        ended=moment(one.ended_at),
        ended_by=_maybe(one.ended_by, known),
        reason=one.reason,
    )


def whole_response(seen: Seen, known: Names, now: int, *, is_center: bool) -> WholeResponse:
    """Return all that is shown of a response."""
    of_run: dict[str, list[Task]] = {}
    for task in seen.tasks:
        of_run.setdefault(task.run_id, []).append(task)
    return WholeResponse(
        id=seen.response.id,
        shown=shown_response(seen.response, known, is_center=is_center),
        variables=dict(seen.response.variables),
        runs=[shown_run(one, of_run.get(one.id, []), known, now) for one in seen.runs],
        tasks=[shown_task(one, seen.response, known, now) for one in seen.tasks],
        others=[OtherState(name_of(one, known), state) for one, state in seen.others],
        approvals=[
            Said(
                name_of(one["person_id"], known),
                one["subject"],
                one["agreed"],
                one["reason"],
                moment(one["at"]),
            )
            for one in seen.approvals
        ],
    )
