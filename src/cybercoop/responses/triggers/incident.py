"""An incident that a county shares with others: by category, type and severity."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from cybercoop.errors import Refused
from cybercoop.incidents import taxonomy
from cybercoop.incidents.cases import ENDS, Severity
from cybercoop.responses.triggers import Condition, Given, Happened, Met, Scene
from cybercoop.store import incidents
from cybercoop.store.incidents import Shared

NAME = "incident"
SOURCE = "incidents"
GIVES = frozenset({"category", "type", "severity", "id"})
TOUCHES = True

_ORDER = list(Severity)


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name what an incident has to be; ``severity`` is the least."""

    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severity: Severity = Severity.LOW


def check(when: When) -> None:
    """Raise Refused for categories that the taxonomy does not have."""
    unknown = sorted(set(when.categories) - set(taxonomy.taxonomy().categories))
    if unknown:
        raise Refused(f"{unknown[0]} is no category of incidents.", "categories")


async def happened(
    scene: Scene, _: Mapping[str, When], after: int, until: int, most: int
) -> tuple[list[tuple[Happened, Shared]], int]:
    """Return what was shared of incidents, or shared again, in order."""
    rows = await incidents.changed_since(scene.connection, after, most)
    far = rows[-1].stamp if len(rows) == most else max([until, *(one.stamp for one in rows)])
    told = [one for one in rows if not one.withdrawn and one.state not in ENDS]
    return [(_event(one), one) for one in told], far


def _event(one: Shared) -> Happened:
    return Happened(
        subject=one.stix_id,
        lock=one.lock,
        at=one.stamp,
        gives={
            "id": one.stix_id,
            "category": one.category,
            "type": one.type,
            "severity": one.severity.value,
        },
        inner={"incident": one.incident_id, "organisation": one.org_id},
        touched=(one.org_id,),
    )


async def met(_: Scene, when: When, events: Sequence[tuple[Happened, Shared]]) -> list[Met]:
    """Return the incidents that meet the conditions."""
    return [Met(event=event, held=_held(when, one)) for event, one in events if _fits(when, one)]


def _fits(when: When, one: Shared) -> bool:
    if when.categories and one.category not in when.categories:
        return False
    if when.types and one.type not in when.types:
        return False
    return _ORDER.index(one.severity) >= _ORDER.index(when.severity)


def _held(when: When, one: Shared) -> tuple[Condition, ...]:
    asked = (
        ("categories", list(when.categories), one.category),
        ("types", list(when.types), one.type),
        ("severity", when.severity.value, one.severity.value),
    )
    return tuple(Condition(*some) for some in asked if some[1])


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say what was shared."""
    kind, severity = gives.get("category"), gives.get("severity")
    return (
        f"Geteilt wurde ein Vorfall: {kind}, {severity}.",
        f"An incident was shared: {kind}, {severity}.",
    )
