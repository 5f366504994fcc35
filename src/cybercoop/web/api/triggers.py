"""Rules that propose or start responses: how each stands, what it made of what, and by hand."""

import asyncio
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.door import RESPONSES, SETTINGS
from cybercoop.errors import NotFound
from cybercoop.members.tokens import Scope
from cybercoop.responses import firing, rules
from cybercoop.responses.firing import ByHand, State
from cybercoop.responses.rules import Book
from cybercoop.store import firings
from cybercoop.store.firings import Firing
from cybercoop.web.api._common import moment
from cybercoop.web.cursors import MOST, Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

_LONGEST = 2_000


class Which(Asked):
    """Say which firings to show, the newest first."""

    rule: Annotated[str | None, Field(max_length=80, description="name of a rule")] = None
    before: Annotated[
        int | None, Field(ge=0, le=2**53, description="``next`` of the page before")
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST, description="most firings on one page")] = 100


class Fire(Asked):
    """Say what a person fires a rule for."""

    value: Annotated[
        str, Field(max_length=_LONGEST, description="address, name, URL or hash it is about")
    ] = ""
    values: Annotated[
        dict[str, str | int | float | bool],
        Field(
            default_factory=dict,
            max_length=50,
            description="variables of the playbook, beside those of the rule",
        ),
    ]
    reason: Annotated[str, Field(max_length=_LONGEST, description="why, for the center")] = ""


class ShownRule(msgspec.Struct, frozen=True, kw_only=True):
    """Show a rule and how it stands; ``acted`` counts within its limit."""

    name: str
    title: str
    kind: str
    enabled: bool
    action: str
    playbook: str
    counties: list[str]
    limit: str
    repeat_after: str
    quiet: str
    urgent: bool
    exercise: bool
    note: str
    acted: int
    last: str | None
    verdict: str | None
    problem: str | None


class ShownRules(msgspec.Struct, frozen=True):
    """Show a page of rules, by name."""

    rules: list[ShownRule]
    next: str | None


class ShownFiring(msgspec.Struct, frozen=True, kw_only=True):
    """Show what a rule made of something, or of several things alike, and why."""

    rule: str
    at: str | None
    verdict: str
    subject: str
    lock: str
    response: str | None
    count: int
    english: str
    german: str
    why: dict[str, Any]


class ShownFirings(msgspec.Struct, frozen=True):
    """Show a page of firings, the newest first."""

    firings: list[ShownFiring]
    next: int | None


def _rule(state: State) -> ShownRule:
    rule, last = state.rule, state.last
    counties = [rule.counties] if isinstance(rule.counties, str) else list(rule.counties)
    return ShownRule(
        name=rule.name,
        title=rule.title,
        kind=rule.kind,
        enabled=rule.enabled,
        action=rule.action,
        playbook=rule.playbook,
        counties=counties,
        limit=rule.limit,
        repeat_after=rule.repeat_after,
        quiet=rule.quiet,
        urgent=rule.urgent,
        exercise=rule.exercise,
        note=rule.note,
        acted=state.acted,
        last=moment(last.at) if last else None,
        verdict=last.verdict if last else None,
        problem=state.problem or None,
    )


def _firing(one: Firing) -> ShownFiring:
    german, english = firing.explained(one)
    return ShownFiring(
        rule=one.rule,
        at=moment(one.at),
        verdict=one.verdict,
        subject=one.subject,
        lock=one.lock,
        response=one.response_id,
        count=one.why["count"],
        english=english,
        german=german,
        why=one.why,
    )


async def list_triggers(call: Call[Paging, None]) -> ShownRules:
    """Show every rule, on or off."""
    book = await _book(call)
    async with call.database.read() as connection:
        found = await firing.states(connection, book, call.around.now())
    shown, following = page(call, found, lambda one: (one.rule.name,))
    return ShownRules([_rule(one) for one in shown], following)


async def list_firings(call: Call[Which, None]) -> ShownFirings:
    """Show what rules made of what happened, with every reason."""
    asked = call.query
    async with call.database.read() as connection:
        found = await firings.latest(connection, asked.rule, asked.before, asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return ShownFirings([_firing(one) for one in shown], shown[-1].seq if more else None)


async def fire_trigger(call: Call[Nothing, Fire]) -> ShownFiring:
    """Fire a rule that people fire."""
    rule = (await _book(call)).rules.get(call.path["name"])
    if rule is None:
        raise NotFound("There is no rule of that name.")
    said = ByHand(
        person_id=call.reader.person_id,
        value=call.body.value,
        values=dict(call.body.values),
        reason=call.body.reason,
    )
    async with call.database.write() as connection:
        fired = await firing.fire(call.app[RESPONSES], connection, rule, said)
        answer = _firing(fired)
        await call.keep(connection, answer)
    return answer


async def _book(call: Call[Any, Any]) -> Book:
    return await asyncio.to_thread(rules.read, call.app[SETTINGS].playbooks)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/triggers",
        Scope.READ,
        list_triggers,
        "List the rules that propose or start responses, and how each stands.",
        "Die Regeln auflisten, die Einsätze vorschlagen oder beginnen, und wie es um jede steht.",
        for_center=True,
    ),
    Endpoint(
        "GET",
        "/triggers/firings",
        Scope.READ,
        list_firings,
        "Show what rules made of what happened, and why.",
        "Zeigen, was Regeln aus dem gemacht haben, was geschah, und warum.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/triggers/{name}/fire",
        Scope.WRITE,
        fire_trigger,
        "Fire a rule by hand.",
        "Eine Regel von Hand auslösen.",
        for_center=True,
    ),
)
