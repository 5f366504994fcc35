"""Checking: from the exact bytes of one object to a draft, or to the reason against it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from cybercoop.errors import Refused
from cybercoop.indicators import sameness
from cybercoop.indicators.statements import effective_until
from cybercoop.sharing import marking
from cybercoop.stix import schema, strict
from cybercoop.stix.slices import Cut

ACCEPTED, DUPLICATE, REFUSED = "accepted", "duplicate", "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what became of one object: ``accepted``, ``duplicate`` or ``refused``, and why."""

    id: str
    version: str
    outcome: str
    reason: str = ""
    field: str = ""
    lock: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold an object that passed every check which needs no memory."""

    raw: bytes
    hash: bytes
    checked: schema.Checked
    standing: sameness.Standing
    effective_until: int | None

    @property
    def body(self) -> dict[str, Any]:
        """Return the parsed object."""
        return self.checked.body


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold what checking needs to know of the contributor and of the push."""

    now: int
    catalogue: bool
    with_text: bool


def check_all(cut: Cut, rules: Rules) -> list[Draft | Verdict]:
    """Check every object of an envelope; one bad object does not spoil the others."""
    return [_check(raw, cut.spec_version, rules) for raw in cut.objects]


def _check(raw: bytes, bundle_spec: str | None, rules: Rules) -> Draft | Verdict:
    body: dict[str, Any] = {}
    try:
        body = strict.parse(raw)
        checked = schema.check(body, rules.now, bundle_spec)
        if checked.type == "marking-definition":
            marking.check_definition(body)
        standing = sameness.standing(
            body, checked.spec_version, catalogue=rules.catalogue, with_text=rules.with_text
        )
    except Refused as refusal:
        return refused(body, refusal)
    until = None
    if checked.type == "indicator":
        until = effective_until(body, standing.kind, rules.now)
    return Draft(raw, hashlib.sha256(raw).digest(), checked, standing, until)


def refused(body: dict[str, Any], refusal: Refused) -> Verdict:
    """Return the verdict on a refused object, named as far as it names itself."""
    named = body.get("id"), body.get("modified", body.get("created"))
    stix_id, version = (one if isinstance(one, str) else "" for one in named)
    return Verdict(stix_id[:300], version[:64], REFUSED, refusal.reason, refusal.field)
