"""Hold one parsed object against STIX 2.1, or 2.0 where it says so.

What is not known is let through where STIX lets it: custom properties, extensions, and
custom types, of which only the common properties are checked.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec

from cybercoop import errors
from cybercoop.stix import domain, meta, observables, older, refusals, times
from cybercoop.stix.fields import MAX_TYPE, MIN_TYPE, TYPE, UUID, Common, Time, read

_DAY = 86_400_000_000
_TYPE = re.compile(TYPE)
_UUID = re.compile(UUID)
_REF = re.compile(f"{TYPE}--{UUID}")
_OURS = {"created_by_ref", "object_marking_refs"}
_V21: dict[str, type[Common]] = {**domain.SCHEMAS, **observables.SCHEMAS, **meta.SCHEMAS}
_BY_VERSION = {"2.0": older.SCHEMAS, "2.1": _V21}
# These came with 2.1, so their presence says more than a missing spec_version.
_NEW = _V21.keys() - older.SCHEMAS.keys()


class Checked(msgspec.Struct, frozen=True):
    """An object that keeps the rules. Times: ``version`` as sent, ``modified`` normal."""

    id: str
    type: str
    spec_version: str
    version: str | None
    modified: str | None
    body: dict[str, Any]


def check(obj: dict[str, Any], now: int, bundle_spec: str | None = None) -> Checked:
    """Return ``obj`` as checked against STIX, at ``now`` in microseconds since 1970.

    ``bundle_spec`` is what the bundle around it says about its version. Raises Refused
    with the reason and the field.
    """
    kind = _kind(obj)
    identifier = _identifier(obj, kind)
    spec = _spec_version(obj, kind, bundle_spec)
    shape = _convert(obj, _BY_VERSION[spec].get(kind, Common))
    field = "modified" if shape.modified else "created"
    moment: Time | msgspec.UnsetType = getattr(shape, field)
    if not moment:
        return Checked(identifier, kind, spec, None, None, obj)
    if moment > _tomorrow(now):
        raise errors.Refused("The time lies more than a day in the future.", field)
    return Checked(identifier, kind, spec, obj[field], str(moment), obj)


def refs_of(body: dict[str, Any]) -> list[str]:
    """Return the ids that ``body`` points at, in order, besides creator and markings."""
    found: list[Any] = []
    for key, value in body.items():
        if "_ref" not in key or key in _OURS:
            continue
        if key.endswith("_ref"):
            found.append(value)
        elif key.endswith("_refs") and isinstance(value, list):
            found.extend(value)
    return [value for value in found if isinstance(value, str) and _REF.fullmatch(value)]


def _kind(obj: dict[str, Any]) -> str:
    kind = obj.get("type")
    if not isinstance(kind, str):
        raise errors.Refused("The object has no type.", "type")
    if kind in _V21:
        return kind
    if not MIN_TYPE <= len(kind) <= MAX_TYPE or not _TYPE.fullmatch(kind):
        raise errors.Refused("The type is 3 to 250 lower-case letters, digits and hyphens.", "type")
    if kind == "bundle":
        raise errors.Refused("A bundle cannot stand inside another one.", "type")
    return kind


def _identifier(obj: dict[str, Any], kind: str) -> str:
    identifier = obj.get("id")
    if not isinstance(identifier, str):
        raise errors.Refused("The object has no id.", "id")
    if not identifier.startswith(f"{kind}--"):
        raise errors.Refused("The id does not begin with the type of the object.", "id")
    if not _UUID.fullmatch(identifier, len(kind) + 2):
        raise errors.Refused("The id does not end with a UUID (RFC 9562) in lower case.", "id")
    return identifier


def _spec_version(obj: dict[str, Any], kind: str, bundle_spec: str | None) -> str:
    """Return the version to check against; STIX 2.1 says that none means 2.0."""
    said = obj.get("spec_version")
    if said is None and "spec_version" not in obj:
        said = "2.1" if kind in _NEW else bundle_spec or "2.0"
    if not isinstance(said, str) or said not in _BY_VERSION:
        raise errors.Refused("Only STIX 2.0 and 2.1 are taken.", "spec_version")
    if said == "2.0" and kind in _NEW:
        raise errors.Refused(f"STIX 2.0 has no {kind} objects.", "spec_version")
    return said


@lru_cache(maxsize=8)
def _tomorrow(now: int) -> str:
    return times.normal(times.text(min(now + _DAY, times.LAST)))


def _convert(obj: dict[str, Any], schema: type[Common]) -> Common:
    try:
        return msgspec.convert(obj, schema, dec_hook=read)
    except msgspec.ValidationError as err:
        raise refusals.explain(str(err)) from None
