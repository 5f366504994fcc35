"""Observables: deterministic ids and the properties that make them.

STIX 2.1 section 2.9 and the "ID Contributing Properties" of section 6.
"""

import uuid
from typing import Any

import msgspec

from cybercoop.indicators import values

_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-512")
_CONTRIBUTING = {
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "file": ("hashes", "name"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "windows-registry-key": ("key",),
    "x509-certificate": ("hashes", "serial_number"),
}


_NORMAL = {
    "domain-name": values.domain,
    "email-addr": values.email,
    "ipv4-addr": values.ipv4,
    "ipv6-addr": values.ipv6,
    "mac-addr": values.mac,
    "url": values.url,
}


def contributing(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the properties that an observable is known by, or None where it has none.

    Values stand in their normal form, so that spellings meet; only one hash is kept, the
    first of MD5, SHA-1, SHA-256 and SHA-512 (STIX 2.1, section 2.9). Raises ``Refused`` for a
    value that has no normal form.
    """
    names = _CONTRIBUTING.get(body["type"], ())
    found = {name: body[name] for name in names if name in body}
    if "hashes" in found:
        found["hashes"] = _one_hash(found["hashes"])
    if "value" in found:
        found["value"] = _NORMAL[body["type"]](found["value"])
    found = {name: value for name, value in found.items() if value}
    return found or None


def deterministic_id(kind: str, properties: dict[str, Any]) -> str:
    """Return the id of an observable with these contributing properties."""
    canonical = msgspec.json.encode(properties, order="deterministic").decode()
    return f"{kind}--{uuid.uuid5(_NAMESPACE, canonical)}"


def _one_hash(hashes: dict[str, str]) -> dict[str, str] | None:
    for name in _HASHES:
        if name in hashes:
            return {name: hashes[name].lower()}
    for name in sorted(hashes):
        return {name: hashes[name]}
    return None
