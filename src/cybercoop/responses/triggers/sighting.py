"""A sighting at a member: somebody saw at home what was released."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from cybercoop.members.organisations import Kind
from cybercoop.responses.triggers import Condition, Given, Happened, Met, Scene
from cybercoop.responses.triggers._places import said_at
from cybercoop.responses.triggers.release import check_kinds, subject_of
from cybercoop.store import firings
from cybercoop.store.firings import Released

NAME = "sighting"
SOURCE = "projector"
GIVES = frozenset({"value", "kind", "id", "count"})
TOUCHES = True


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name which kinds of value count, and at how many members they were seen."""

    kinds: tuple[str, ...] = ()
    members: int = 1


class _Sighting(Struct, frozen=True):
    sighting_of_ref: str
    count: int = 1


def check(when: When) -> None:
    """Raise Refused for kinds that nobody knows."""
    check_kinds(when.kinds)


async def happened(
    scene: Scene, _: Mapping[str, When], after: int, until: int, most: int
) -> tuple[list[tuple[Happened, Released]], int]:
    """Return the sightings that were released, the oldest first, with what was seen."""
    rows = await firings.released(scene.connection, ("sighting",), after, until, most)
    far = rows[-1].date_added if len(rows) == most else until
    told = [msgspec.json.decode(row.bytes, type=_Sighting) for row in rows]
    seen = await firings.at_ids(scene.connection, list({one.sighting_of_ref for one in told}))
    return [
        (_event(row, one, seen[one.sighting_of_ref]), row)
        for row, one in zip(rows, told, strict=True)
        if one.sighting_of_ref in seen
    ], far


def _event(row: Released, one: _Sighting, seen: Released) -> Happened:
    gives: dict[str, Given] = {"id": row.stix_id, "kind": seen.kind, "value": seen.value}
    return Happened(
        subject=subject_of(seen.kind, seen.value or seen.stix_id),
        lock=row.lock,
        at=row.date_added,
        gives=gives | {"count": one.count},
    )


async def met(scene: Scene, when: When, events: Sequence[tuple[Happened, Released]]) -> list[Met]:
    """Return what was seen at so many members; what the center says it saw does not count."""
    likely = [one for one in events if not when.kinds or one[0].gives["kind"] in when.kinds]
    said = await said_at(scene.connection, [(row.lock, row.key) for _, row in likely])
    found = []
    for event, row in likely:
        orgs = {one.org_id for one in said[row.lock, row.key]}
        if orgs == {scene.center_id}:
            found.append(Met(event=event, own="Only the center itself says so."))
            continue
        at = sorted(org_id for org_id in orgs if _is_member(scene, org_id))
        if len(at) >= max(when.members, 1):
            touched = msgspec.structs.replace(event, touched=tuple(at), inner={"seen_at": at})
            found.append(Met(event=touched, held=(*_kinds(when, event), _members(when, at))))
    return found


def _is_member(scene: Scene, org_id: str) -> bool:
    org = scene.organisations.get(org_id)
    return org is not None and org.kind is Kind.MEMBER


def _kinds(when: When, event: Happened) -> tuple[Condition, ...]:
    if not when.kinds:
        return ()
    return (Condition("kinds", list(when.kinds), event.gives["kind"]),)


def _members(when: When, at: Sequence[str]) -> Condition:
    return Condition("members", when.members, len(at))


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say what was seen."""
    what = gives.get("value") or gives.get("id")
    return f"Bei einem Mitglied gesehen wurde {what}.", f"A member saw {what}."
