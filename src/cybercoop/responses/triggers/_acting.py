"""Acting: the response that a rule makes of something, and what is only the effect of one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from cybercoop.errors import CoopError
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.playbooks import templates
from cybercoop.responses import starting
from cybercoop.responses.carrying import Carrying
from cybercoop.responses.rules import Book, Rule
from cybercoop.responses.starting import Plan
from cybercoop.responses.triggers import Happened, Met, Scene, _explaining
from cybercoop.responses.triggers._deciding import Decision
from cybercoop.responses.walking import Failed
from cybercoop.sharing import keys_of, wider
from cybercoop.stix import times
from cybercoop.store import firings


class Done(Struct, frozen=True):
    """Hold what was made of something: the verdict, the response, and what else is to be said."""

    decision: Decision
    response_id: str | None = None
    said: Mapping[str, Any] = {}


async def act(
    house: Carrying,
    scene: Scene,
    rule: Rule,
    event: Happened,
    person_id: str | None = None,
    more: Mapping[str, object] | None = None,
) -> Done:
    """Propose or begin the response of a rule; say why not where that cannot be.

    Nothing begins by itself where one approval would not be enough, or where others are to learn
    of what nobody has released. ``more`` are values that a person gave.
    """
    chosen, left_out = counties_of(rule, event, scene)
    counted = {"counties": [one.id for one in chosen], "left_out": left_out}
    if not chosen:
        return Done(Decision("no-county"), said=counted)
    plan = _plan(rule, event, chosen, more or {})
    try:
        checked = await starting.check(house, scene.connection, plan, scene.now)
    except (CoopError, Failed) as error:
        field = getattr(error, "field", "")
        reason = f"{field}: {error}" if field else str(error)
        return Done(Decision("refused", reason), said=counted)
    starts = rule.action == "start" and checked.approvals <= 1 and not event.shy
    response = await starting.propose(house, scene.connection, checked, person_id, waits=not starts)
    if starts:
        await starting.begin(house, scene.connection, response, f"rule {rule.name}")
    counted |= {"response": response.id, "approvals": checked.approvals}
    verdict = "started" if starts else "proposed"
    return Done(Decision(verdict), response.id, counted)


def counties_of(rule: Rule, event: Happened, scene: Scene) -> tuple[list[Organisation], int]:
    """Return whom a rule means and who can open the lock, and how many of them cannot."""
    known = [
        one
        for one in scene.organisations.values()
        if one.kind not in {Kind.CENTER, Kind.SOURCE} and _is_meant(rule, event, one)
    ]
    able = [one for one in known if event.lock in keys_of(one)]
    return able, len(known) - len(able)


def _is_meant(rule: Rule, event: Happened, one: Organisation) -> bool:
    if not isinstance(rule.counties, str):
        return bool({one.id, one.name} & set(rule.counties))
    if rule.counties == "touched":
        return one.id in event.touched
    if rule.counties in {"members", "group:members"}:
        return one.kind is Kind.MEMBER
    kind, _, name = rule.counties.partition(":")
    return name in (one.tags if kind == "tag" else one.groups)


def _plan(
    rule: Rule, event: Happened, chosen: Sequence[Organisation], more: Mapping[str, object]
) -> Plan:
    german, _ = _explaining.sentence(rule.kind, event.gives)
    about = event.gives.get("value")
    title = f"{rule.title}: {templates.shown(str(about))}" if about else rule.title
    return Plan(
        playbook_id=rule.playbook,
        counties=[one.id for one in chosen],
        lock=event.lock,
        version=rule.version,
        values={**rule.values_of(event, german, times.text(event.at)), **more},
        title=title,
        why=_explaining.for_all(rule, event),
        exercise=rule.exercise,
        rule=rule.name,
    )


async def effects(scene: Scene, book: Book, rule: Rule, mets: Sequence[Met]) -> Sequence[Met]:
    """Mark what is only the effect of a response that had begun about the same.

    Only responses count that holders of the lock could know of.
    """
    subjects = list({one.event.subject for one in mets})
    values = list({value for one in mets if isinstance(value := one.event.gives.get("value"), str)})
    since = scene.now - rule.repeats
    begun: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    known = await firings.about(scene.connection, book.rules, subjects, since)
    known += await firings.blocked(scene.connection, values, scene.now)
    for name, lock, response_id, at in known:
        begun[name].append((lock, response_id, at))
    return [_marked(one, begun) for one in mets] if begun else mets


def _marked(met: Met, begun: Mapping[str, list[tuple[str, str, int]]]) -> Met:
    event = met.event
    readable = set(wider(event.lock))
    names = (event.subject, str(event.gives.get("value") or ""))
    for lock, response_id, since in (one for name in names for one in begun.get(name, ())):
        if lock in readable and event.at >= since and not met.own:
            return msgspec.structs.replace(met, own=f"It follows the response {response_id}.")
    return met
