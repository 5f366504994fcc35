"""Merging: what the contributions to one pattern say together."""

from collections.abc import Set as AbstractSet
from typing import Any

from cybercoop.indicators.confidence import combined
from cybercoop.indicators.patterns import canonical
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

_DATE = len("2026-01-31")

LONGEST_VALUE = 1000
"""Characters of what goes onto device lists; no device takes longer ones, and no index either."""

TYPES_20 = frozenset(
    {
        "anomalous-activity",
        "anonymization",
        "attribution",
        "benign",
        "compromised",
        "malicious-activity",
    }
)
"""Indicator labels of STIX 2.0 that STIX 2.1 knows as ``indicator_types`` (sections 6.5, 10.13)."""


def indicator_types(body: dict[str, Any]) -> list[str]:
    """Return the types of an indicator of either STIX version."""
    if "indicator_types" in body or body.get("spec_version") == "2.1":
        return list(body.get("indicator_types", ()))
    return [label for label in body.get("labels", ()) if label in TYPES_20]


def merge_indicator(
    statements: list[Statement], lock: str, seen_by: AbstractSet[str] = frozenset()
) -> Content | None:
    """Return what a release under ``lock`` says, or None where nobody calls the value bad.

    Takes statements under ``lock`` and wider ones, and which organisations saw the value. Each
    organisation counts once. Shows the
    pattern in normal form, validity rounded to whole days, types, kill chains and stepped
    confidence; names and text only of those who chose to be named.
    """
    standing = per_contributor(statements)
    types = [indicator_types(one.body) for one in standing]
    calls = [one for one, said in zip(standing, types, strict=True) if "benign" not in said]
    if not any(one.lock == lock for one in calls):
        return None
    bodies = [one.body for one in calls]
    first = calls[0].body
    pattern = canonical(
        first["pattern"], first.get("pattern_type", "stix"), _pattern_version(calls[0])
    )
    body = {
        "indicator_types": sorted(
            {name for said in types if "benign" not in said for name in said}
        ),
        "pattern": pattern.text,
        "pattern_type": pattern.pattern_type,
        "pattern_version": "2.1" if pattern.pattern_type == "stix" else None,
        "valid_from": min(one["valid_from"][:_DATE] for one in bodies) + "T00:00:00.000000Z",
        "valid_until": _valid_until(bodies),
        "kill_chain_phases": kill_chains(bodies),
        "confidence": combined(
            (one.get("confidence") for one in bodies),
            len(standing) - len(calls),
            len(seen_by - {one.org_id for one in standing}),
        ),
        "labels": union((one.body for one in calls if one.named), "labels"),
        "external_references": named_references(calls),
    }
    listed = pattern.value is not None and len(pattern.value) <= LONGEST_VALUE
    return Content(
        filled(body),
        passing=frozenset({"valid_from"}),
        effective_until=max(one.effective_until or 0 for one in calls),
        kind=pattern.kind if listed else None,
        value=pattern.value if listed else None,
    )


def _pattern_version(statement: Statement) -> str | None:
    return statement.body.get("pattern_version") or (
        "2.0" if statement.spec_version == "2.0" else None
    )


def _valid_until(bodies: list[dict[str, Any]]) -> str | None:
    """Return the day by which all contributors see it end, or None while one sees no end."""
    if not all("valid_until" in body for body in bodies):
        return None
    last = max(times.normal(body["valid_until"]) for body in bodies)
    # A day goes on after its first nanosecond, too: it must not end when it begins.
    begun = not last.endswith("000Z")
    return times.text(times.day_ceil(times.micros(last) + begun))
