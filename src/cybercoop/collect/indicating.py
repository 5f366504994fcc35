"""Turn what a reader found into STIX 2.1 indicators, and those into bodies of a push.

Whoever pushes the same list twice gets the same ids: they are made of the pattern alone.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from cybercoop.client import Batch
from cybercoop.collect.reading import Bad, Found, Pattern, Value, Whole, bad
from cybercoop.errors import Refused
from cybercoop.indicators.literals import quote
from cybercoop.sharing.marking import TLP2
from cybercoop.stix import times

NAMESPACE = uuid.UUID("8f1f52c6-6a1e-4c0b-9d3b-6f3f6f0a5b1d")
"""Of the ids of indicators that are made of lists; never changed, or lists miss themselves."""

MOST_OBJECTS = 500
MOST_BYTES = 4 * 1024 * 1024

_PATHS = {
    "ipv4": "ipv4-addr:value",
    "ipv6": "ipv6-addr:value",
    "domain": "domain-name:value",
    "url": "url:value",
    "email": "email-addr:value",
    "md5": "file:hashes.MD5",
    "sha1": "file:hashes.'SHA-1'",
    "sha256": "file:hashes.'SHA-256'",
    "sha512": "file:hashes.'SHA-512'",
}
_encode = msgspec.json.Encoder().encode


def pattern_of(found: Value | Pattern) -> str:
    """Return the canonical pattern of what was found."""
    if isinstance(found, Pattern):
        return found.pattern
    return f"[{_PATHS[found.kind]} = {quote(found.value)}]"


def id_of(pattern: str, pattern_type: str = "stix") -> str:
    """Return the id of every indicator that is made of this canonical pattern."""
    return f"indicator--{uuid.uuid5(NAMESPACE, f'{pattern_type} {pattern}')}"


def indicator(found: Value | Pattern, moment: int) -> bytes:
    """Return a STIX 2.1 indicator as JSON; ``moment`` is in microseconds since 1970.

    A comment becomes the description, which the center keeps to itself and the owner. A level
    that the value itself carries becomes its mark; all else is marked beside the push. Raises
    ``Refused`` when the value had ended before it began.
    """
    text, pattern_type, now = pattern_of(found), "stix", times.text(moment)
    since = moment if found.valid_from is None else found.valid_from
    body: dict[str, Any] = {"type": "indicator", "spec_version": "2.1"}
    if isinstance(found, Pattern):
        pattern_type = found.pattern_type
    body |= {"id": id_of(text, pattern_type), "created": now, "modified": now}
    body |= {
        name: value
        for name, value in (
            ("name", found.name if isinstance(found, Pattern) else ""),
            ("description", found.comment),
            ("confidence", found.confidence if isinstance(found, Value) else None),
            ("labels", found.labels if isinstance(found, Value) else ()),
            ("object_marking_refs", (TLP2[found.tlp],) if found.tlp else ()),
        )
        if value not in {"", None, ()}
    }
    body |= {"indicator_types": ("malicious-activity",), "pattern": text}
    body |= {"pattern_type": pattern_type, "valid_from": times.text(since)}
    if found.valid_until is not None:
        if found.valid_until <= since:
            raise Refused("The value had ended before it began.", "valid_until")
        body["valid_until"] = times.text(found.valid_until)
    return _encode(body)


def envelopes(
    found: Iterable[Found],
    moment: int,
    refuse: Callable[[Bad], object],
    most: int = MOST_OBJECTS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[Batch]:
    """Yield bodies of at most ``most`` objects and ``most_bytes``, in order.

    What was passed or refused is left out: it has been told. What can only be refused here,
    since the time matters, goes to ``refuse``. Objects of a STIX 2.0 bundle keep
    a bundle of that version around them, since they do not name their version themselves.
    """
    part: list[bytes] = []
    size, head = 0, b""
    for one in found:
        if not isinstance(one, Value | Pattern | Whole):
            continue
        try:
            raw = one.raw if isinstance(one, Whole) else indicator(one, moment)
        except Refused as refusal:
            refuse(bad(one.where, _text(one), refusal.reason))
            continue
        around = _head(one)
        if part and (around != head or len(part) >= most or size + len(raw) > most_bytes):
            yield _batch(head, part)
            part, size = [], 0
        head = around
        part.append(raw)
        size += len(raw) + 1
    if part:
        yield _batch(head, part)


def _text(one: Value | Pattern | Whole) -> str:
    return "" if isinstance(one, Whole) else pattern_of(one)


def _head(one: Value | Pattern | Whole) -> bytes:
    if not isinstance(one, Whole) or not one.bundled:
        return b'{"objects":['
    version = _encode({"type": "bundle", "spec_version": one.spec_version})
    said = version[:-1] if one.spec_version else b'{"type":"bundle"'
    return said + b',"objects":['


def _batch(head: bytes, part: list[bytes]) -> Batch:
    return Batch(head + b",".join(part) + b"]}", len(part))
