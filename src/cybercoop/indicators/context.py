"""Context: malware, actors, techniques and texts around indicators.

Each type names what an anonymous contributor's object may carry. Everything else is free text,
or could tell who was attacked, and leaves only where its contributor cleared it.
"""

from collections.abc import Mapping
from typing import Any

from cybercoop.indicators.observables import contributing, deterministic_id
from cybercoop.indicators.statements import (
    Content,
    Statement,
    filled,
    kill_chains,
    named_references,
    per_contributor,
    union,
)
from cybercoop.stix import times

_LISTS: dict[str, tuple[str, ...]] = {
    "attack-pattern": ("aliases",),
    "campaign": ("aliases",),
    "course-of-action": (),
    "infrastructure": ("infrastructure_types", "aliases"),
    "intrusion-set": ("aliases",),
    "malware": ("malware_types", "aliases"),
    "threat-actor": ("threat_actor_types", "aliases"),
    "tool": ("tool_types", "aliases"),
    "vulnerability": (),
}
NAMED = frozenset(_LISTS)
"""Types that are the same when their names are."""

_PHASED = frozenset({"attack-pattern", "infrastructure", "malware", "tool"})

INCIDENT = "incident"

TEXTS = frozenset({"report", "note", "grouping", "opinion", INCIDENT})
"""Types that are text before all else; of an incident, too, only what its contributor cleared."""

DEFINITIONS = frozenset({"identity", "marking-definition"})
"""Types that are released of nobody but the center, of which it publishes its own."""

SIGHTING = "sighting"

REFERRING = TEXTS | {"relationship", SIGHTING}
"""Types that wait for what they refer to."""

_DATE = len("2026-01-31")
_MOST_SEEN = 999_999_999
"""The largest count that STIX knows (2.1, section 5.2)."""

_CATALOGUES = frozenset(
    {"mitre-attack", "mitre-ics-attack", "mitre-mobile-attack", "capec", "cve", "cwe"}
)
_TEXT_FIELDS = {
    "report": ("name", "description", "published", "report_types"),
    "note": ("abstract", "content"),
    "grouping": ("name", "description", "context"),
    "opinion": ("explanation", "opinion"),
    INCIDENT: ("name", "description", "labels"),
}
_CASE = "extension-definition--0f0f3f0c-6c0b-5d0e-8f39-5a1b1b7c2a64"
"""Class, severity and state of an incident; any other extension stays with its contributor."""

_PLAYBOOK = "extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c"
"""OASIS: a playbook within a course of action."""

_PLAYBOOK_FIELDS = (
    *("extension_type", "playbook_id", "created", "modified", "playbook_creator"),
    *("playbook_standard", "playbook_abstraction", "playbook_base64"),
)
_CASE_FIELDS = (
    *("extension_type", "taxonomy", "category", "incident_type", "severity", "status"),
    *("known", "began"),
)


_LABELS_20 = {
    "report": (
        "report_types",
        frozenset(
            (
                *("threat-report", "attack-pattern", "campaign", "identity", "indicator"),
                *("intrusion-set", "malware", "observed-data", "threat-actor", "tool"),
                "vulnerability",
            )
        ),
    ),
    "threat-actor": (
        "threat_actor_types",
        frozenset(
            (
                *("activist", "competitor", "crime-syndicate", "criminal", "hacker"),
                *("insider-accidental", "insider-disgruntled", "nation-state", "sensationalist"),
                *("spy", "terrorist"),
            )
        ),
    ),
    "tool": (
        "tool_types",
        frozenset(
            (
                *("denial-of-service", "exploitation", "information-gathering"),
                *("network-capture", "credential-exploitation", "remote-access"),
                "vulnerability-scanning",
            )
        ),
    ),
}
"""Labels of STIX 2.0 that STIX 2.1 knows as types (2.0 part 1, section 6); others are free text."""


Released = Mapping[tuple[str, int], Mapping[str, str]]
"""Released ids by given ones, for each statement by its place: two contributors may mean different
things by one id."""


def merge_named(statements: list[Statement], lock: str) -> Content | None:
    """Return what contributors say together of one malware, tool, actor or technique."""
    standing = per_contributor(statements)
    if not any(one.lock == lock for one in standing):
        return None
    newest, bodies = standing[-1].body, [one.body for one in standing]
    kind = newest["type"]
    body = {
        "name": newest["name"],
        "is_family": newest.get("is_family") if kind == "malware" else None,
        "description": _cleared(standing, "description"),
        **{name: union(map(_lifted, bodies), name) for name in _LISTS[kind]},
        "kill_chain_phases": kill_chains(bodies if kind in _PHASED else ()),
        "external_references": _numbers(bodies) + named_references(standing),
        "extensions": _playbook(standing) if kind == "course-of-action" else None,
    }
    return Content(filled(body))


def merge_observable(statements: list[Statement], lock: str) -> Content | None:
    """Return an observable with its id-contributing properties only."""
    if not any(one.lock == lock for one in statements):
        return None
    body = statements[0].body
    properties = contributing(body) or {}
    return Content(properties, own_id=deterministic_id(body["type"], properties))


def merge_catalogue(statements: list[Statement], lock: str) -> Content | None:
    """Return an object of a catalogue as it stands there, id and all."""
    standing = [one for one in statements if one.lock == lock]
    if not standing:
        return None
    newest = max(standing, key=lambda one: one.place)
    return Content(newest.body, own_id=newest.body["id"], verbatim=newest.raw)


def merge_relationship(
    statements: list[Statement], lock: str, released: Released
) -> Content | None:
    """Return a relationship between releases."""
    standing = per_contributor(statements)
    if not any(one.lock == lock for one in standing):
        return None
    newest, ends = standing[-1].body, released[standing[-1].place]
    body = {
        "relationship_type": newest["relationship_type"],
        "description": _cleared(standing, "description"),
        "source_ref": ends[newest["source_ref"]],
        "target_ref": ends[newest["target_ref"]],
        "external_references": named_references(standing),
    }
    return Content(filled(body))


def merge_sighting(statements: list[Statement], lock: str, released: Released) -> Content | None:
    """Return that something was seen: on which days and how often, but not where or by whom."""
    standing = per_contributor(statements)
    if not any(one.lock == lock for one in standing):
        return None
    bodies = [one.body for one in standing]
    first = [one["first_seen"] for one in bodies if "first_seen" in one]
    last = [seen for one in bodies if (seen := one.get("last_seen", one.get("first_seen")))]
    body = {
        "sighting_of_ref": released[standing[-1].place][bodies[-1]["sighting_of_ref"]],
        "first_seen": f"{min(first)[:_DATE]}T00:00:00.000000Z" if first else None,
        "last_seen": times.text(times.day_ceil(max(map(times.micros, last)))) if last else None,
        "count": min(sum(one.get("count", 1) for one in bodies), _MOST_SEEN),
        "external_references": named_references(standing),
    }
    return Content(filled(body))


def merge_text(statements: list[Statement], lock: str, released: Released) -> Content | None:
    """Return a report, note, grouping or opinion whose contributor cleared its text."""
    standing = [one for one in per_contributor(statements) if one.lock == lock]
    if not standing:
        return None
    newest, ends = standing[-1].body, released[standing[-1].place]
    lifted = _lifted(newest)
    body = {name: lifted.get(name) for name in _TEXT_FIELDS[newest["type"]]}
    body["object_refs"] = sorted({ends[ref] for ref in newest.get("object_refs", ())})
    body["extensions"] = _case(newest)
    body["external_references"] = named_references(standing)
    return Content(filled(body))


def _lifted(body: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its types, which STIX 2.0 has among its labels."""
    name, known = _LABELS_20.get(body["type"], ("", frozenset[str]()))
    if not known or name in body or body.get("spec_version") == "2.1":
        return body
    found = [label for label in body.get("labels", ()) if label in known]
    return body | {name: found} if found else body


def _case(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return what our extension says of an incident, as far as it is a line of text."""
    said = body.get("extensions", {}).get(_CASE) if body["type"] == INCIDENT else None
    if not isinstance(said, dict):
        return None
    lines = {name: said[name] for name in _CASE_FIELDS if isinstance(said.get(name), str)}
    return {_CASE: lines}


def _playbook(standing: list[Statement]) -> dict[str, Any] | None:
    """Return the playbook that a course of action carries, where its contributor cleared it."""
    for one in reversed(standing):
        said = one.body.get("extensions", {}).get(_PLAYBOOK) if one.with_text else None
        if isinstance(said, dict):
            lines = {
                name: said[name] for name in _PLAYBOOK_FIELDS if isinstance(said.get(name), str)
            }
            return {_PLAYBOOK: lines}
    return None


def _cleared(standing: list[Statement], name: str) -> str | None:
    texts = [one.body[name] for one in standing if one.with_text and one.body.get(name)]
    return texts[-1] if texts else None


def _numbers(bodies: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the catalogue numbers (ATT&CK, CAPEC, CVE, CWE) that objects carry, sorted."""
    found = {
        (reference["source_name"], reference["external_id"])
        for body in bodies
        for reference in body.get("external_references", ())
        if reference.get("source_name") in _CATALOGUES and "external_id" in reference
    }
    return [{"source_name": name, "external_id": number} for name, number in sorted(found)]
