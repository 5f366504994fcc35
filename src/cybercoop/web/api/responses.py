"""Responses: previewed, proposed, approved, and shown to whoever takes part."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from cybercoop.door import RESPONSES
from cybercoop.members.tokens import Scope
from cybercoop.playbooks import templates, variables
from cybercoop.playbooks.steps import Action
from cybercoop.playbooks.variables import Value
from cybercoop.responses import rehearsing, starting
from cybercoop.responses.rehearsing import Line, Rehearsed
from cybercoop.responses.starting import BLOCKING, Checked
from cybercoop.store import runs
from cybercoop.store.database import Connection
from cybercoop.web.api._common import moment
from cybercoop.web.api._responses import (
    ShownResponse,
    WholeResponse,
    names,
    reader,
    shown_response,
    who,
    whole_response,
)
from cybercoop.web.api.planning import Chosen, Name, Planned, chosen
from cybercoop.web.api.playbooks import ShownStep, shown_step
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.taking_part import note_reached

Reason = Annotated[str, Field(max_length=2_000)]


class NewResponse(Planned):
    """Propose a response, or begin at once where there is no time for a second person."""

    break_glass: Annotated[
        bool, Field(description="begin at once; it is ratified within the hour, or goes back")
    ] = False


class Previewing(Planned):
    """Say what would be proposed; ``answers`` are assumed where the playbook asks."""

    answers: Annotated[
        dict[Name, str | int | float | bool], Field(max_length=200, default_factory=dict)
    ]


class Saying(Asked):
    """Say why."""

    reason: Reason = ""


class ResponsesAsked(Paging):
    """Say which responses to list; without a state all of them."""

    state: (
        Literal["proposed", "rejected", "running", "done", "failed", "cancelled", "reverted"] | None
    ) = None


class Invited(msgspec.Struct, frozen=True):
    """Show an organisation that would be asked."""

    id: str
    name: str


class Blocked(msgspec.Struct, frozen=True):
    """Show a command that would change something by itself; ``value`` where it is known."""

    step: str
    command: str
    value: str | None


class DryLine(msgspec.Struct, frozen=True, kw_only=True):
    """Show one step of the dry run; ``assumed`` is what nobody has answered yet."""

    place: str
    kind: str
    title: str
    text: str
    role: str
    asks: dict[str, str]
    assumed: dict[str, Value]
    approvals: int
    waits_for_acceptance: bool


class PreviewedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Show what a response would be; nothing has been done.

    The dry run is the same for all; ``dry_run_failed`` says why it would not come to its end.
    """

    title: str
    playbook: str
    version: str | None
    lock: str
    exercise: bool
    approvals_needed: int
    counties: list[Invited]
    left_out: list[Invited]
    values: dict[str, Value]
    steps: list[ShownStep]
    blocks: list[Blocked]
    dry_run: list[DryLine]
    dry_run_failed: str


class ShownResponses(msgspec.Struct, frozen=True):
    """Show a page of responses, oldest first."""

    responses: list[ShownResponse]
    next: str | None


def blocks_of(checked: Checked) -> list[Blocked]:
    """Return what a response would change at counties by itself."""
    return [
        Blocked(step.duty.title or step.name, command.kind, _value(step, checked))
        for step in checked.playbook.steps.values()
        if isinstance(step, Action)
        for command in step.commands
        if command.kind in BLOCKING
    ]


def _value(step: Action, checked: Checked) -> str | None:
    name = templates.whole(str(step.duty.arguments.get("value", "")))
    given = checked.values.get(name) if name else None
    return None if given is None else variables.text(given)


def _line(one: Line) -> DryLine:
    return DryLine(
        place=one.place,
        kind=one.kind,
        title=one.title,
        text=one.text,
        role=one.role,
        asks=dict(one.asks),
        assumed=dict(one.assumed),
        approvals=one.approvals,
        waits_for_acceptance=one.waits_for_acceptance,
    )


def previewed(found: Chosen, checked: Checked, run: Rehearsed) -> PreviewedResponse:
    """Return what is shown of a plan that was checked."""
    plan, acts = checked.plan, checked.playbook.steps.values()
    return PreviewedResponse(
        title=plan.title or checked.playbook.name,
        playbook=checked.kept.id,
        version=moment(checked.kept.modified),
        lock=plan.lock,
        exercise=plan.exercise,
        approvals_needed=checked.approvals,
        counties=[Invited(one.id, one.name) for one in checked.counties],
        left_out=[Invited(one.id, one.name) for one in found.left_out],
        values=dict(checked.values),
        steps=[shown_step(one) for one in acts if isinstance(one, Action)],
        blocks=blocks_of(checked),
        dry_run=[_line(one) for one in run.lines],
        dry_run_failed=run.failed,
    )


async def planned(
    connection: Connection, call: Call[Any, Any], said: Planned
) -> tuple[Chosen, Checked]:
    """Return a plan with what its check found; raise Refused where it cannot be carried out."""
    now = call.around.now()
    found = await chosen(connection, call.org, call.center, said, now)
    return found, await starting.check(call.app[RESPONSES], connection, found.plan, now)


async def preview_response(call: Call[Nothing, Previewing]) -> PreviewedResponse:
    """Show who would be asked, who has to agree, and what would be done."""
    async with call.database.read() as connection:
        found, checked = await planned(connection, call, call.body)
    first, *_ = await rehearsing.rehearse(call.app[RESPONSES], checked, call.body.answers)
    return previewed(found, checked, first)


async def propose_response(call: Call[Nothing, NewResponse]) -> ShownResponse:
    """Propose a response; it waits for approvals unless the glass is broken."""
    house, by = call.app[RESPONSES], who(call)
    async with call.database.write() as connection:
        _, checked = await planned(connection, call, call.body)
        new = await starting.propose(house, connection, checked, by.name)
        if call.body.break_glass:
            await starting.break_glass(house, connection, new, by.person_id)
        answer = await shown_again(connection, call, new.id)
        await call.keep(connection, answer)
    return answer


async def shown_again(
    connection: Connection, call: Call[Any, Any], response_id: str
) -> ShownResponse:
    """Return a response as it is after a deed of the center."""
    seen = await runs.response(connection, reader(call), response_id)
    known = await names(connection, call)
    return shown_response(seen, known, is_center=call.is_center)


async def list_responses(call: Call[ResponsesAsked, None]) -> ShownResponses:
    """Show the responses that the asker leads or takes part in."""
    async with call.database.read() as connection:
        found = await runs.all_of(connection, reader(call))
        known = await names(connection, call)
    wanted = [one for one in found if call.query.state in {None, one.state}]
    shown, following = page(call, wanted, lambda one: (one.created_at, one.id))
    listed = [shown_response(one, known, is_center=call.is_center) for one in shown]
    return ShownResponses(listed, following)


async def show_response(call: Call[Nothing, None]) -> WholeResponse:
    """Show a response; a county that sees its part for the first time is reached by that."""
    async with call.database.read() as connection:
        seen = await runs.read(connection, reader(call), call.path["response_id"])
        known = await names(connection, call)
    note_reached(call.app, call.org.id, seen.runs)
    return whole_response(seen, known, call.around.now(), is_center=call.is_center)


async def approve_response(call: Call[Nothing, Saying]) -> ShownResponse:
    """Agree to a response as one person of the center; the last approval begins it."""
    return await _say(call, agreed=True)


async def reject_response(call: Call[Nothing, Saying]) -> ShownResponse:
    """Turn a proposed response down, or one whose broken glass is not ratified."""
    return await _say(call, agreed=False)


async def _say(call: Call[Nothing, Saying], *, agreed: bool) -> ShownResponse:
    house, response_id = call.app[RESPONSES], call.path["response_id"]
    person, reason = call.reader.person_id, call.body.reason.strip()
    async with call.database.write() as connection:
        await starting.say(house, connection, response_id, person, agreed=agreed, reason=reason)
        answer = await shown_again(connection, call, response_id)
        await call.keep(connection, answer)
    return answer


ENDPOINTS = (
    Endpoint(
        "POST",
        "/responses/preview",
        Scope.WRITE,
        preview_response,
        "Show who would be asked, who has to agree, and what would be done.",
        "Zeigen, wer gefragt würde, wer zustimmen muss und was geschähe.",
        for_center=True,
        changes=False,
    ),
    Endpoint(
        "POST",
        "/responses",
        Scope.WRITE,
        propose_response,
        "Propose a response; it begins with the last approval.",
        "Einen Einsatz vorschlagen; er beginnt mit der letzten Zustimmung.",
        status=201,
        for_center=True,
    ),
    Endpoint(
        "GET",
        "/responses",
        Scope.READ,
        list_responses,
        "List the responses that you lead or take part in.",
        "Die Einsätze auflisten, die Sie leiten oder an denen Sie teilnehmen.",
    ),
    Endpoint(
        "GET",
        "/responses/{response_id}",
        Scope.READ,
        show_response,
        "Show a response with the runs and tasks that you may see.",
        "Einen Einsatz mit den Teilen und Aufgaben zeigen, die Sie sehen dürfen.",
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/approve",
        Scope.WRITE,
        approve_response,
        "Agree to a response, as a person of the center.",
        "Einem Einsatz zustimmen, als Person des Zentrums.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/responses/{response_id}/reject",
        Scope.WRITE,
        reject_response,
        "Turn a response down, as a person of the center.",
        "Einen Einsatz ablehnen, als Person des Zentrums.",
        for_center=True,
    ),
)
