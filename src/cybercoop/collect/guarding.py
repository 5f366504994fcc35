"""Guarding: what of a merged content may go out, by rules, exceptions and decisions."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import structlog

from cybercoop import guard
from cybercoop.errors import Refused
from cybercoop.guard import ALLOWED, Index, Level, Verdict
from cybercoop.guard.verdicts import by_rule
from cybercoop.indicators.statements import Content
from cybercoop.indicators.watched import watched
from cybercoop.store import guarding, projection
from cybercoop.store.database import Connection
from cybercoop.store.guarding import Held
from cybercoop.store.projection import Place

LABEL = "guard"
"""What the label of a release begins with that the guard warns of."""

_log = structlog.get_logger("guard")
_OBSERVED = {
    "domain-name": "domain",
    "email-addr": "email",
    "ipv4-addr": "ipv4",
    "ipv6-addr": "ipv6",
    "url": "url",
}
TYPES = ("indicator", *_OBSERVED)
"""Types of objects that name values which a device could block."""


def values_of(kind: str, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return every value that an object of this type would have a device block."""
    if kind == "indicator" and body.get("pattern_type", "stix") == "stix":
        return watched(body["pattern"])
    if kind in _OBSERVED and "value" in body:
        return ((_OBSERVED[kind], body["value"]),)
    return ()


def values_in(kind: str, raw: bytes) -> tuple[tuple[str, str], ...]:
    """Return what ``values_of`` does of a release as it is served."""
    return values_of(kind, msgspec.json.decode(raw, type=dict[str, Any]))


@cache
def built_in() -> Index:
    """Return the rules that come with cybercoop, indexed once per process."""
    return guard.index_of(guard.built_in())


@dataclass(frozen=True, slots=True)
class Guard:
    """Hold every rule that counts now."""

    rules: Index
    own: Index
    excepted: Index
    released: frozenset[Place] = frozenset()
    version: int = -1
    extra: Index | None = None
    stopped: frozenset[str] = field(default=frozenset())

    def verdict(self, place: Place, kind: str, content: Content) -> Verdict:
        """Return what the guard says about the content of a place."""
        if content.kind is not None and content.value is not None:
            values: tuple[tuple[str, str], ...] = ((content.kind, content.value),)
        else:
            values = values_of(kind, content.body)
        if not values:
            return ALLOWED
        said = self.of_values(values)
        decided = said.level is Level.HOLD and place in self.released
        return ALLOWED if decided else said

    def of_values(self, values: Iterable[tuple[str, str]]) -> Verdict:
        """Return the strictest verdict of all rules on some values."""
        values = tuple(values)
        indexes = (self.excepted, self.own, self.rules, self.extra)
        return guard.strictest(
            guard.verdict_of(index, values) for index in indexes if index is not None
        )


def explained(level: str, rule: str) -> str:
    """Return why a value is held, as its contributor may read it: the rule, never an owner."""
    said = guard.as_others_see(by_rule(rule, Level[level.upper()]))
    return f"{said.rule}: {said.reason_en} / {said.reason_de}"


def held_by(place: Place, kind: str, content: Content, verdict: Verdict) -> Held:
    """Return the entry of the review queue for content that a verdict keeps back."""
    values = values_of(kind, content.body)
    what, value = (content.kind, content.value) if content.kind else values[0]
    said = content.body.get("pattern", value) if len(values) > 1 else value
    return Held(place, what or kind, str(said), verdict.level.name.lower(), verdict.rule)


@dataclass(slots=True)
class Keeper:
    """Keep the guard from one cycle to the next, since building it reads every rule."""

    guard: Guard | None = None


def starting(folder: Path | None) -> Guard:
    """Return a guard that knows the rules which never change while a process runs.

    Those that come with cybercoop, and the warning lists in ``folder``. Takes from a third of
    a second to many, so it belongs into a thread; ``current`` adds what the database has.
    """
    extra = None
    if folder is not None:
        found = guard.warninglists(folder)
        for one in found.unused:
            _log.warning("warning list not used", name=one.name, reason=one.reason, count=one.count)
        extra = guard.index_of(found.entries)
    nothing = guard.index_of(())
    return Guard(built_in(), nothing, nothing, extra=extra)


async def load(connection: Connection, center_id: str, now: int, extra: Index | None) -> Guard:
    """Return the guard as the database has it now."""
    own = [entry for said in await guarding.own_values(connection) for entry in _own(*said)]
    excepted = guard.excepted(await guarding.excepted(connection, center_id, now))
    return Guard(
        built_in(),
        guard.index_of(own),
        guard.index_of(excepted),
        await guarding.decisions(connection),
        await guarding.version(connection),
        extra,
        await guarding.stopped(connection),
    )


def _own(kind: str, value: str) -> list[guard.Entry]:
    # A value that was fine when it was said may have become a public suffix since; one county's
    # line must not stop the whole guard.
    with suppress(Refused):
        return guard.own([value] if kind == "network" else [], [value] if kind == "domain" else [])
    return []


async def current(connection: Connection, center_id: str, now: int, held: Guard | None) -> Guard:
    """Return ``held`` while nothing has changed, else the guard as it is now.

    What an exception that is over held back is looked at again.
    """
    if await guarding.end_what_is_over(connection, now):
        await guarding.changed(connection)
        await projection.queue(connection, await guarding.held_places(connection))
    if held is not None and held.version == await guarding.version(connection):
        return held
    return await load(connection, center_id, now, held.extra if held else None)


async def urgent(connection: Connection, guard_now: Guard, held: Guard | None) -> list[Place]:
    """Return places that the center excepts and that wait under a lock that stands still.

    Looked for only when the guard is another than ``held``: as much may wait as a list has.
    """
    if guard_now is held or not guard_now.stopped:
        return []
    found = await projection.waiting(connection, guard_now.stopped)
    return [(row.lock, row.key) for row in found if _is_excepted(guard_now.excepted, row)]


def _is_excepted(excepted: Index, row: Any) -> bool:
    values = ((row.kind, row.value),) if row.kind else values_in(row.type, row.bytes)
    return guard.verdict_of(excepted, values).level > Level.ALLOW


def labelled(content: Content, verdict: Verdict) -> Content:
    """Return the content with a label that tells what the guard warns of."""
    labels = sorted({*content.body.get("labels", ()), f"{LABEL}:{verdict.rule}"})
    body = content.body | {"labels": labels}
    return msgspec.structs.replace(content, body=body, warned=True)
