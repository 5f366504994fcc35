"""A new release of a value: by kind, confidence, labels, and how many say it independently."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from cybercoop.errors import Refused
from cybercoop.indicators.statements import LIFETIMES
from cybercoop.responses.triggers import Condition, Given, Happened, Met, Scene
from cybercoop.responses.triggers._places import calls, said_at, within
from cybercoop.responses.triggers._spans import span
from cybercoop.store import firings
from cybercoop.store.firings import Released

NAME = "release"
SOURCE = "projector"
GIVES = frozenset({"value", "kind", "confidence", "id"})
TOUCHES = False

_LONGEST = 120
_LABELS = ("labels", "indicator_types")


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name what a release has to be; ``contributors`` counts organisations inside ``within``."""

    kinds: tuple[str, ...] = ()
    confidence: Annotated[int, Meta(ge=0, le=100)] = 0
    labels: tuple[str, ...] = ()
    contributors: Annotated[int, Meta(ge=1, le=1000)] = 1
    within: str = ""


def check(when: When) -> None:
    """Raise Refused for kinds that nobody knows, and for a span that is none."""
    check_kinds(when.kinds)
    if when.within:
        span(when.within, "within")


def check_kinds(kinds: Iterable[str]) -> None:
    """Raise Refused for a kind of value that nobody knows."""
    unknown = sorted(set(kinds) - set(LIFETIMES))
    if unknown:
        raise Refused(f"{unknown[0]} is no kind of value.", "kinds")


async def happened(
    scene: Scene, _: Mapping[str, When], after: int, until: int, most: int
) -> tuple[list[tuple[Happened, Released]], int]:
    """Return the indicators that were released, the oldest first."""
    rows = await firings.released(scene.connection, ("indicator",), after, until, most)
    far = rows[-1].date_added if len(rows) == most else until
    return [(event_of(row), row) for row in rows], far


def event_of(row: Released) -> Happened:
    """Return what happened with a release; one that no device can block goes by its id."""
    gives: dict[str, Given] = {"id": row.stix_id, "kind": row.kind, "value": row.value}
    gives["confidence"] = row.confidence
    return Happened(
        subject=subject_of(row.kind, row.value or row.stix_id),
        lock=row.lock,
        at=row.date_added,
        gives=gives,
    )


def subject_of(kind: str | None, value: str) -> str:
    """Return by what two firings are about the same; what is long goes by its hash."""
    text = f"{kind or 'object'}:{value}"
    if len(text) <= _LONGEST:
        return text
    return f"{kind or 'object'}:sha256:{hashlib.sha256(value.encode()).hexdigest()}"


async def met(scene: Scene, when: When, events: Sequence[tuple[Happened, Released]]) -> list[Met]:
    """Return the releases that meet the conditions; what is cheap to know is asked first."""
    likely = [(event, row) for event, row in events if _fits(when, row)]
    said = await said_at(scene.connection, [(row.lock, row.key) for _, row in likely])
    window = span(when.within, "within") if when.within else None
    found = []
    for event, row in likely:
        others = [one for one in calls(said[row.lock, row.key]) if one.org_id != scene.center_id]
        if not others:
            found.append(Met(event=event, own="Only the center itself says so."))
            continue
        counted = within(others, event.at, window)
        if len(counted) >= when.contributors:
            held = (*_held(when, row), Condition("contributors", when.contributors, len(counted)))
            found.append(Met(event=event, held=held))
    return found


def _fits(when: When, row: Released) -> bool:
    if when.kinds and row.kind not in when.kinds:
        return False
    if when.confidence and _confidence(row) < when.confidence:
        return False
    return not when.labels or bool(_labels(row) & set(when.labels))


def _held(when: When, row: Released) -> Iterator[Condition]:
    if when.kinds:
        yield Condition("kinds", list(when.kinds), row.kind)
    if when.confidence:
        yield Condition("confidence", when.confidence, _confidence(row))
    if when.labels:
        yield Condition("labels", list(when.labels), sorted(_labels(row)))
    if when.within:
        yield Condition("within", when.within, True)


def _confidence(row: Released) -> int:
    if row.confidence is not None:
        return row.confidence
    return int(_body(row).get("confidence", 0))


def _labels(row: Released) -> set[str]:
    body = _body(row)
    return {label for name in _LABELS for label in body.get(name, ())}


def _body(row: Released) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(row.bytes, type=dict[str, Any])
    return found


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say what was released."""
    what = gives.get("value") or gives.get("id")
    return f"Veröffentlicht wurde {what}.", f"{what} was released."
