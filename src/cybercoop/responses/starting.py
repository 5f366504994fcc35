"""Proposing and starting responses: by a person or a rule, after as many approvals as it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cybercoop.errors import Forbidden, Misused, Refused
from cybercoop.members.organisations import Organisation
from cybercoop.playbooks import documents, variables
from cybercoop.playbooks.progress import Response, Run
from cybercoop.playbooks.steps import Action, Call, Playbook, is_valid
from cybercoop.playbooks.variables import Value
from cybercoop.responses import telling
from cybercoop.responses.carrying import Carrying
from cybercoop.sharing import locks
from cybercoop.sharing.keys import keys_of
from cybercoop.store import members, playbooks, responses
from cybercoop.store.database import Connection

BLOCKING = frozenset({"block", "http-api", "openc2-http"})
"""Commands that change something at counties by themselves."""
GLASS_MINUTES = 60
MOST_COUNTIES = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what is to be carried out, where, with which values, and why."""

    playbook_id: str
    counties: Sequence[str]
    lock: str
    version: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    title: str = ""
    why: Mapping[str, Any] = field(default_factory=dict)
    exercise: bool = False
    known_at: int | None = None
    incident_id: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold a plan whose every part is there and may be used."""

    plan: Plan
    kept: playbooks.Kept
    playbook: Playbook
    values: Mapping[str, Value]
    counties: tuple[Organisation, ...]
    approvals: int


async def check(house: Carrying, connection: Connection, plan: Plan, now: int) -> Checked:
    """Return a plan as it would be carried out; raise Refused where it cannot be."""
    modified = _version(plan.version)
    kept = await playbooks.usable(connection, plan.playbook_id, modified)
    if kept is None:
        raise Refused("No playbook has this id and version, or it is revoked.", "playbook")
    playbook = await house.book(kept.id, kept.modified)
    if not is_valid(playbook, now):
        raise Refused("The playbook is not valid now.", "playbook")
    if locks.is_own(plan.lock):
        raise Refused("A response needs a marking that counties can open.", "lock")
    if kept.lock not in locks.wider(plan.lock):
        raise Refused("The playbook is marked narrower than the response.", "lock")
    counties = await _counties(house, connection, plan)
    values = given(playbook, plan.values)
    needed = await approvals(house, playbook, plan.lock, len(counties))
    return Checked(plan, kept, playbook, values, counties, needed)


def _version(text: str) -> int | None:
    try:
        return documents.moment(text)
    except ValueError:
        raise Refused("The version is no time stamp.", "version") from None


async def _counties(
    house: Carrying, connection: Connection, plan: Plan
) -> tuple[Organisation, ...]:
    wanted = list(dict.fromkeys(plan.counties))
    if not wanted:
        raise Refused("Name at least one organisation.", "counties")
    if len(wanted) > MOST_COUNTIES:
        raise Refused(f"These are more than {MOST_COUNTIES} organisations.", "counties")
    known = {one.id: one for one in await members.all_organisations(connection)}
    for org_id in wanted:
        if org_id not in known or org_id == house.center.org_id:
            raise Refused(f"No organisation has the id {org_id}.", "counties")
        if plan.lock not in keys_of(known[org_id]):
            msg = f"{known[org_id].name} may not read what is marked so."
            raise Refused(msg, "counties")
    return tuple(known[org_id] for org_id in wanted)


def given(playbook: Playbook, values: Mapping[str, object]) -> dict[str, Value]:
    """Return the values with which a playbook begins; raise Refused for one that does not fit."""
    for name in values:
        declared = playbook.variables.get(name)
        if declared is None or declared.is_constant:
            raise Refused("The playbook has no variable of this name to be given.", name)
    found: dict[str, Value] = {}
    for name, declared in playbook.variables.items():
        if name in values:
            try:
                found[name] = variables.value(declared.kind, values[name])
            except Refused as refused:
                raise Refused(refused.reason, name) from None
        elif declared.value is not None:
            found[name] = declared.value
        elif declared.is_external:
            raise Refused("The playbook needs a value for this variable.", name)
    return found


async def approvals(house: Carrying, playbook: Playbook, lock: str, counties: int) -> int:
    """Return how many people have to agree: two where many counties would block, else one."""
    if await blocks(house, playbook, lock) and counties > house.settings.block_alone:
        return 2
    return 1


async def blocks(house: Carrying, playbook: Playbook, lock: str, depth: int = 8) -> bool:
    """Say whether a playbook, or one that it calls, changes something by itself.

    Raises Refused for a call of what the counties of a response under this lock may not read.
    """
    for step in playbook.steps.values():
        if isinstance(step, Action) and any(one.kind in BLOCKING for one in step.commands):
            return True
        if isinstance(step, Call) and depth:
            async with house.database.read() as connection:
                kept = await called(connection, step, lock)
            if kept is None:
                raise Refused(f"It calls the playbook {step.playbook}, which is not there.")
            if await blocks(house, await house.book(kept.id, kept.modified), lock, depth - 1):
                return True
    return False


async def called(connection: Connection, step: Call, lock: str) -> playbooks.Kept | None:
    """Return the playbook that a step calls for whoever opens a lock; nothing where none may be.

    Its words reach them as tasks, so it is marked no narrower than the response.
    """
    version = documents.moment(step.version)
    return await playbooks.usable(connection, step.playbook, version, locks.wider(lock))


def handed_in(playbook: Playbook, step: Call, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values that a called playbook begins with: its own, and what the step hands in."""
    own = variables.first(playbook.variables)
    return own | {name: values[name] for name in step.in_args if name in values}


async def propose(
    house: Carrying,
    connection: Connection,
    checked: Checked,
    person_id: str | None,
    *,
    waits: bool = True,
) -> Response:
    """Remember a response, with the runs that it would have; where it waits, people are told so."""
    now, plan = house.around.now(), checked.plan
    new = _new(checked, house.around.uuid(), person_id, now)
    await responses.add_responses(connection, [new])
    await responses.add_runs(
        connection, [invited(house, new.id, one.id, now) for one in checked.counties]
    )
    await responses.note(
        connection,
        new.id,
        now,
        person_id or f"rule {plan.rule}",
        "proposed",
        house.center.org_id,
        needed=checked.approvals,
        why=dict(plan.why),
    )
    if waits:
        await telling.of_approval(connection, new, house.center.org_id)
    return new


def _new(checked: Checked, name: str, person_id: str | None, now: int) -> Response:
    plan = checked.plan
    return Response(
        id=name,
        playbook_id=checked.kept.id,
        playbook_modified=checked.kept.modified,
        title=plan.title or checked.playbook.name,
        lock=plan.lock,
        state="proposed",
        exercise=plan.exercise,
        paused=False,
        wanted="",
        variables=checked.values,
        why=plan.why,
        rule=plan.rule,
        incident_id=plan.incident_id,
        started_by=person_id,
        approvals_needed=checked.approvals,
        approvals_since=now,
        glass_until=None,
        ratified_at=None,
        known_at=plan.known_at or now,
        created_at=now,
        began_at=None,
        turn=1,
        ended_at=None,
        changed_at=now,
    )


def invited(house: Carrying, response_id: str, org_id: str, now: int, attempt: int = 1) -> Run:
    """Return the run of an organisation that is invited."""
    return Run(
        id=house.around.uuid(),
        response_id=response_id,
        org_id=org_id,
        attempt=attempt,
        latest=True,
        state="invited",
        wanted="",
        invited_at=now,
        reached_at=None,
        accepted_at=None,
        accepted_by=None,
        shares_state=False,
        began_at=None,
        ended_at=None,
        reason=None,
        changed_at=now,
    )


async def begin(house: Carrying, connection: Connection, response: Response, who: str) -> None:
    """Let a proposed response begin."""
    now = house.around.now()
    await responses.change(connection, response.id, now, state="running", began_at=now)
    await responses.note(connection, response.id, now, who, "began", title=response.title)


async def say(
    house: Carrying,
    connection: Connection,
    response_id: str,
    person_id: str | None,
    *,
    agreed: bool,
    reason: str = "",
) -> Response:
    """Take what a person of the center says about a response; the last approval begins it.

    Who is the first to agree to what a rule only proposed takes it up, as its starter. Raises
    Forbidden for the starter and for what no person says, Misused where nobody is asked.
    """
    response = await responses.response(connection, response_id, changing=True)
    if person_id is None:
        raise Forbidden("Approvals are given by people: use the token of a person.")
    if person_id == response.started_by:
        raise Forbidden("Who started a response cannot approve it.")
    is_ratifying = response.glass_until is not None and response.ratified_at is None
    if response.state != "proposed" and not (response.state == "running" and is_ratifying):
        raise Misused("This response waits for no approval.")
    now = house.around.now()
    if agreed and response.is_free:
        return await _take_up(house, connection, response, person_id, reason)
    row = {"subject": response.id, "person_id": person_id, "response_id": response.id}
    await responses.agree(connection, row | {"agreed": agreed, "reason": reason, "at": now})
    what = "approved" if agreed else "rejected"
    await responses.note(
        connection, response.id, now, person_id, what, house.center.org_id, reason=reason
    )
    said = await responses.approved(connection, response.id, response.approvals_since)
    yes = {one.person_id for one in said if one.agreed} - {response.started_by}
    if not agreed:
        await _turned_down(connection, response, now, is_ratifying=is_ratifying)
    elif len(yes) >= response.approvals_needed:
        if is_ratifying:
            await responses.change(connection, response.id, now, ratified_at=now)
            await responses.note(connection, response.id, now, person_id, "ratified")
        else:
            await begin(house, connection, response, person_id)
    return await responses.response(connection, response_id)


async def _take_up(
    house: Carrying, connection: Connection, response: Response, person_id: str, reason: str
) -> Response:
    """Make a person the starter of what a rule proposed; now others are asked to approve."""
    now, center_id = house.around.now(), house.center.org_id
    values = {"started_by": person_id, "approvals_since": now}
    await responses.change(connection, response.id, now, **values)
    told = {"reason": reason, "needed": response.approvals_needed}
    await responses.note(connection, response.id, now, person_id, "taken-up", center_id, **told)
    taken = await responses.response(connection, response.id)
    await telling.of_approval(connection, taken, center_id)
    return taken


async def _turned_down(
    connection: Connection, response: Response, now: int, *, is_ratifying: bool
) -> None:
    if is_ratifying:
        await responses.change(connection, response.id, now, glass_until=now)
        return
    await responses.change(connection, response.id, now, state="rejected", ended_at=now)
    for run in await responses.runs_of(connection, response.id):
        await responses.end_run(connection, run.id, now, "cancelled", "The proposal was rejected.")


async def break_glass(
    house: Carrying, connection: Connection, response: Response, person_id: str | None
) -> None:
    """Begin at once on one person's word; it is ratified within the hour, or goes back."""
    if person_id is None:
        raise Forbidden("Breaking the glass takes a person: use the token of a person.")
    now = house.around.now()
    until = now + GLASS_MINUTES * 60_000_000
    await responses.change(connection, response.id, now, glass_until=until)
    await responses.note(connection, response.id, now, person_id, "glass-broken", until=until)
    await begin(house, connection, response, person_id)
