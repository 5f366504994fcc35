"""Objects as organisations push them."""

import json
import uuid
from typing import Any

from cybercoop.stix import times
from inference.acts import VALUES, Delete, Push, Sight, Steal, Undo, observed
from world import SECOND, TLP, indicator

DAY = 86400 * SECOND
_VERSION = "2.1"
_LABELS = {"indicator": "malicious-activity", "benign": "benign", "malware": "trojan"}
_NEWER = ("spec_version", "pattern_type", "is_family", "indicator_types", "report_types")
_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The namespace of deterministic ids (STIX 2.1, section 2.9)."""


def identifier(slot: str, kind: str = "indicator") -> str:
    """Return the id of the object that whoever pushes keeps in a slot."""
    seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {slot}")
    return f"{kind}--{uuid.UUID(bytes=seed.bytes, version=4)}"


def name(act: Push | Delete | Undo) -> str:
    """Return the id of the object that an act is about."""
    return identifier(act.slot, act.type)


def push_id(number: int) -> str:
    """Return the name of a push, by the number of its act."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"push {number}"))


def marks(mark: str | None, groups: dict[str, str]) -> dict[str, Any]:
    """Return the markings that stand for a mark; ``groups`` maps groups to their definitions."""
    level, _, group = (mark or "").partition(" ")
    refs = [TLP[level]] if level else []
    refs += [groups[group]] if group else []
    return {"object_marking_refs": refs} if refs else {}


def pattern(value: int) -> str:
    """Return the pattern that looks for a value."""
    return f"[{observed(value)}:value = '{VALUES[value]}']"


def envelope(body: dict[str, Any]) -> bytes:
    """Return the bytes of an envelope with one object."""
    return json.dumps({"objects": [body]}).encode()


def body(
    act: Push | Steal | Sight, marked: dict[str, Any], now: int, taken: str = ""
) -> dict[str, Any]:
    """Return the object that an act pushes; ``taken`` is the released id that it uses."""
    said = {"spec_version": _VERSION, "created": "2026-01-01T00:00:00Z"}
    said |= {"modified": times.text(now)} | marked
    if isinstance(act, Steal):
        return indicator("stolen.cybercoop-test.net", id=taken, **said)
    if isinstance(act, Sight):
        return _about(act, taken, now) | said
    if act.kind == "observable":
        core = {"type": act.type, "spec_version": _VERSION, "id": name(act)}
        return core | {"value": VALUES[act.value]} | marked
    made = _object(act, now) | said | ({"revoked": True} if act.revoked else {})
    if act.older:
        made |= {"labels": [_LABELS.get(act.kind, "other")]}
        made = {key: one for key, one in made.items() if key not in _NEWER}
    return made


def _object(act: Push, now: int) -> dict[str, Any]:
    core: dict[str, Any] = {"type": act.type, "id": name(act)}
    if act.kind == "malware":
        return core | {"name": f"Malware {act.value}", "is_family": False}
    if act.kind == "sighting":
        return _sighting(act.slot, identifier(act.slot), now)
    if act.kind == "note":
        return core | _text(act.kind, identifier(act.slot), now)
    if act.kind == "remark":
        return core | _text("note", identifier(act.slot, "report"), now)
    if act.kind == "report":
        kinds = {"indicator": act.slot, "malware": f"s{act.value}", "relationship": act.slot}
        refs = [identifier(slot, kind) for kind, slot in kinds.items()]
        refs += [_deterministic(act.value)] if act.confidence is None else []
        told = {"name": f"Told {now}", "published": "2026-01-01T00:00:00Z"}
        return core | told | {"object_refs": refs, "report_types": ["malware"]}
    if act.kind == "opinion":
        return core | _text(act.kind, identifier(act.slot, "note"), now)
    if act.kind == "relationship":
        ends = {"source_ref": identifier(act.slot), "description": f"Told {now}"}
        ends |= {"target_ref": identifier(f"s{act.value}", "malware")}
        return core | ends | {"relationship_type": "indicates"}
    if act.kind == "based-on":
        ends = {"source_ref": identifier(act.slot), "target_ref": _deterministic(act.value)}
        return core | ends | {"relationship_type": "based-on", "description": f"Told {now}"}
    later = times.text(now + 100 * DAY)
    made = indicator(pattern(act.value), id=name(act), valid_until=later)
    if act.confidence is not None:
        made["confidence"] = act.confidence
    return made | ({"indicator_types": ["benign"]} if act.kind == "benign" else {})


def _deterministic(value: int) -> str:
    """Return the id that whoever has observed a value gives it, and the center, too."""
    named = json.dumps({"value": VALUES[value]}, separators=(",", ":"))
    return f"{observed(value)}--{uuid.uuid5(_OBSERVABLES, named)}"


def _about(act: Sight, taken: str, now: int) -> dict[str, Any]:
    """Return what somebody says of something that was released."""
    if act.kind == "sighting":
        return _sighting(f"sight {now}", taken, now)
    core = {"type": act.kind, "id": identifier(f"sight {now}", act.kind)}
    return core | _text(act.kind, taken, now)


def _text(kind: str, ref: str, now: int) -> dict[str, Any]:
    said = {"note": {"content": f"Told {now}"}, "opinion": {"opinion": "agree"}}
    return {"object_refs": [ref]} | said[kind]


def _sighting(slot: str, ref: str, now: int) -> dict[str, Any]:
    seen = {"first_seen": times.text(now), "last_seen": times.text(now), "count": 2}
    core = {"type": "sighting", "id": identifier(slot, "sighting")}
    return core | seen | {"sighting_of_ref": ref}
