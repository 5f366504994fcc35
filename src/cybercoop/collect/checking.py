"""Checking: from the exact bytes of one object to a draft, or to the reason against it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cybercoop.errors import Refused
from cybercoop.indicators import sameness
from cybercoop.indicators.context import DEFINITIONS
from cybercoop.indicators.statements import effective_until
from cybercoop.sharing import marking
from cybercoop.stix import outline, schema, strict, times
from cybercoop.stix.slices import Cut

ACCEPTED, DUPLICATE, REFUSED = "accepted", "duplicate", "refused"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """Hold what became of one object: ``accepted``, ``duplicate`` or ``refused``, and why."""

    id: str
    version: str
    outcome: str
    reason: str = ""
    field: str = ""
    lock: str = ""


class Draft(msgspec.Struct, frozen=True, gc=False):
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
    """Hold what checking needs to know of the contributor and of the push.

    The objects of a catalogue keep their ids; of one that ``defines``, its definitions do.
    """

    now: int
    catalogue: bool
    with_text: bool
    defines: bool = False


def check_all(cut: Cut, rules: Rules) -> list[Draft | Verdict]:
    """Check every object of an envelope; one bad object does not spoil the others."""
    checked = (_check(raw, cut.spec_version, rules) for raw in cut.objects)
    return [_numbered(one, number) for number, one in enumerate(checked, 1)]


def _numbered(one: Draft | Verdict, number: int) -> Draft | Verdict:
    """Name an object that does not name itself by its place."""
    if isinstance(one, Draft) or one.id:
        return one
    return msgspec.structs.replace(one, id=f"object {number} of the envelope")


def _check(raw: bytes, bundle_spec: str | None, rules: Rules) -> Draft | Verdict:
    try:
        body = strict.parse(raw)
    except Refused as refusal:
        return refused(outline.texts(raw, "id", "modified", "created"), refusal)
    try:
        checked = schema.check(body, rules.now, bundle_spec)
        if checked.type == "marking-definition":
            marking.check_definition(body)
        given = rules.catalogue or (rules.defines and checked.type in DEFINITIONS)
        standing = sameness.standing(
            body, checked.spec_version, catalogue=given, with_text=rules.with_text
        )
    except Refused as refusal:
        return refused(body, refusal)
    until = None
    if checked.type == "indicator":
        until = effective_until(body, standing.kind, rules.now)
    return Draft(raw, content_hash(body), checked, standing, until)


def content_hash(body: dict[str, Any]) -> bytes:
    """Return what two spellings of the same object share: spacing and order do not count."""
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()


def refused(body: Mapping[str, Any], refusal: Refused) -> Verdict:
    """Return the verdict on a refused object, named as far as it names itself."""
    stix_id, version = body.get("id"), body.get("modified", body.get("created"))
    named = _shown(stix_id) if isinstance(stix_id, str) else ""
    return Verdict(named, _moment(version), REFUSED, refusal.reason, refusal.field)


def _shown(text: str) -> str:
    """Return ``text`` so that it does no harm to a terminal or a log."""
    return text[:300] if text.isprintable() else json.dumps(text[:300])[1:-1]


def _moment(version: object) -> str:
    """Return a version as sent, or nothing: readers of a status take it for a time."""
    try:
        times.normal(version if isinstance(version, str) else "")
    except ValueError:
        return ""
    return str(version)
