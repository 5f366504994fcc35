"""Markings: which lock the marks of an object and the words of its contributor give it.

TLP 2.0 (FIRST), STIX 2.1 sections 7.2 and 7.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cybercoop.errors import Refused
from cybercoop.members.organisations import MEMBERS, Organisation
from cybercoop.sharing import locks

_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_PREFIX = "marking-definition--"
_FIELD = "object_marking_refs"
_GRANULAR = "granular_markings"

_NOTHING = "A granular marking names neither a marking nor a language."
_RED = "TLP:RED is not taken here; use a sealed message instead."

LEVELS = ("clear", "green", "amber", "amber+strict", "red")
"""TLP levels, widest first."""

TLP2 = {
    "clear": f"{_PREFIX}94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": f"{_PREFIX}bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": f"{_PREFIX}55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": f"{_PREFIX}939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": f"{_PREFIX}e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP1 = {
    "clear": f"{_PREFIX}613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": f"{_PREFIX}34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": f"{_PREFIX}f88d31f6-486f-44da-b317-01333bde0b82",
    "red": f"{_PREFIX}5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
_LEVEL_OF = {ref: level for table in (TLP2, _TLP1) for level, ref in table.items()}


@dataclass(frozen=True, slots=True)
class Addressed:
    """Hold what a contributor said beside the bytes: a default level, and a group."""

    tlp: str | None = None
    group: str | None = None


UNSAID = Addressed()


@dataclass(frozen=True, slots=True)
class _Marks:
    whole: str | None = None
    granular: str | None = None
    group: str | None = None


def locks_for(
    body: Mapping[str, Any],
    contributor: Organisation,
    addressed: Addressed,
    groups: Mapping[str, str],
    statements: frozenset[str],
) -> str:
    """Return the lock of an object, or refuse it with the mark that is at fault.

    ``groups`` maps marking-definition ids to the groups that the contributor may address,
    ``statements`` are the ids of statement markings that are known. An object that carries no
    level gets the default that its contributor gave with it, else his declared one; without
    any, or with one that names a group he has left, it stays with its owner. Granular marks can
    only make the whole object stricter.
    """
    marks = _marks(body, groups, statements)
    name, level = marks.group or addressed.group, marks.whole
    if level is None and name is None:
        level, name = _default(addressed, contributor)
    elif level is None:
        level = addressed.tlp or "amber"
    if level is not None:
        level = _strictest(level, marks.granular)
    if marks.granular == "red":
        raise Refused(_RED, _GRANULAR)
    return _lock(level, name, contributor)


def _default(addressed: Addressed, contributor: Organisation) -> tuple[str | None, str | None]:
    if addressed.tlp is not None:
        return addressed.tlp, None
    group = contributor.default_group
    if group not in {None, MEMBERS, *contributor.groups}:
        # The level alone would show everybody what was meant for the group.
        return None, None
    return contributor.default_tlp or (group and "amber"), group


def _marks(
    body: Mapping[str, Any], groups: Mapping[str, str], statements: frozenset[str]
) -> _Marks:
    levels: dict[str, str | None] = {_FIELD: None, _GRANULAR: None}
    group = None
    for ref, field in _refs(body):
        if ref in _LEVEL_OF:
            levels[field] = _strictest(levels[field], _LEVEL_OF[ref])
        elif ref in groups:
            if group not in {None, groups[ref]}:
                raise Refused("The object is addressed to two groups; address one.", field)
            group = groups[ref]
        elif ref not in statements:
            raise Refused(f"The marking {ref} is not known here; send its definition along.", field)
    return _Marks(levels[_FIELD], levels[_GRANULAR], group)


def _refs(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(ref, _FIELD) for ref in body.get(_FIELD, ())]
    granular = body.get(_GRANULAR, ())
    for mark in granular if isinstance(granular, list) else ():
        if not isinstance(mark, dict):
            raise Refused("A granular marking is not an object.", _GRANULAR)
        if "marking_ref" in mark:
            found.append((str(mark["marking_ref"]), _GRANULAR))
        elif "lang" not in mark:
            raise Refused(_NOTHING, _GRANULAR)
    return found


def _strictest(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=LEVELS.index)


def _lock(level: str | None, group: str | None, contributor: Organisation) -> str:
    if level is None:
        return locks.own(contributor.id)
    if level == "red":
        raise Refused(_RED, _FIELD)
    if level == "amber+strict":
        return locks.strict(group or MEMBERS)
    if level == "amber" or group is not None:
        return locks.group(group or MEMBERS)
    return locks.COMMUNITY if level == "green" else locks.PUBLIC


def is_level(ref: str) -> bool:
    """Say whether a marking-definition id is one of the published TLP definitions."""
    return ref in _LEVEL_OF


def check_definition(body: Mapping[str, Any]) -> None:
    """Refuse a marking-definition that redefines TLP, or is of an unknown kind.

    Statements pass. Raises ``Refused`` with the field that differs from the published
    definition, or that names what nobody here could obey.
    """
    level = _LEVEL_OF.get(body["id"])
    declared = _declared(body)
    if level is None and declared is None:
        if body.get("definition_type") != "statement":
            raise Refused("Only TLP and statement markings are understood.", "definition_type")
        return
    if level is None:
        raise Refused("Only the published TLP definitions may claim to be TLP.", "id")
    if declared != level:
        raise Refused(
            "This id belongs to a published TLP definition of other content.", "definition"
        )


def _declared(body: Mapping[str, Any]) -> str | None:
    """Return the level a definition claims: a known one, or whatever else it calls TLP."""
    claims = set()
    extension = (body.get("extensions") or {}).get(_EXTENSION)
    if extension is not None:
        claims.add(_level_named(extension.get("tlp_2_0") if isinstance(extension, dict) else None))
    if body.get("definition_type") == "tlp":
        definition = body.get("definition")
        claims.add(_level_named(definition.get("tlp") if isinstance(definition, dict) else None))
    name = body.get("name")
    if isinstance(name, str) and name.strip().upper().startswith("TLP"):
        claims.add(_level_named(name.strip()[4:]))
    return None if not claims else claims.pop() if len(claims) == 1 else "contradictory"


def _level_named(text: object) -> str:
    name = str(text).strip().lower()
    return {"white": "clear"}.get(name, name)


def marks_of(lock: str, groups: Mapping[str, str]) -> list[str]:
    """Return the marking-definition ids that a release under ``lock`` carries.

    ``groups`` maps group names to the ids of their marking-definitions.
    """
    if lock == locks.PUBLIC:
        return [TLP2["clear"]]
    if lock == locks.COMMUNITY:
        return [TLP2["green"]]
    kind, name = lock.split(":", 1)
    return [TLP2["amber" if kind == "group" else "amber+strict"], groups[name]]


def tlp_definitions() -> list[dict[str, Any]]:
    """Return the published TLP 2.0 definitions that releases refer to, as STIX 2.1 objects."""
    return [
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": TLP2[level],
            "created": "2022-10-01T00:00:00.000Z",
            "name": f"TLP:{level.upper()}",
            "extensions": {_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level}},
        }
        for level in LEVELS
        if level != "red"
    ]
