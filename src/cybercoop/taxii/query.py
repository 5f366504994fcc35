"""Query parameters: filters, limits and the place to go on from (TAXII 2.1 section 3.4).

A ``next`` token carries the whole question, because clients drop parameters on later pages. It
is packed, because a question of 150 ids must fit into a URL again, and signed, so that nothing
but what the collection gave out itself comes back.
"""

import base64
import hashlib
import hmac
import re
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from multidict import MultiMapping

from cybercoop.errors import Malformed
from cybercoop.stix import times
from cybercoop.store.paging import ALL, FIRST, LAST, Filters, Position

_NAMES = {
    "match[id]": "ids",
    "match[type]": "types",
    "match[version]": "versions",
    "match[spec_version]": "spec_versions",
}
_MOST_VALUES = 200
_SIGNATURE = 16
_FOREIGN = "next is not one that this collection gave out; begin without it."


class _Token(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    date_added: int
    skip: int
    limit: int
    ids: tuple[str, ...]
    types: tuple[str, ...]
    versions: tuple[str, ...]
    spec_versions: tuple[str, ...]


def filters(
    query: MultiMapping[str], most: int, secret: bytes, default: tuple[str, ...] = (LAST,)
) -> Filters:
    """Return what a query string asks for; ``default`` are the versions without a match.

    ``secret`` is what ``next`` was signed with; an empty ``next`` asks for the first page.
    Raises ``Malformed`` naming the parameter that cannot be understood.
    """
    given = _single(query)
    said = {own: _values(name, given[name]) for name, own in _NAMES.items() if name in given}
    if "versions" in said:
        said["versions"] = _versions(said["versions"])
    if any(not re.fullmatch(r"\d{1,3}\.\d{1,3}", one) for one in said.get("spec_versions", ())):
        raise Malformed("match[spec_version] takes 2.0 and 2.1.")
    limit = _limit(given["limit"], most) if "limit" in given else None
    after = _after(given.get("added_after"))
    if given.get("next"):
        return _going_on(_read(given["next"], secret), said, limit, most)
    asked: Mapping[str, Any] = {"versions": default} | said
    return Filters(after=after, limit=limit or most, **asked)


def token(asked: Filters, at: Position, secret: bytes) -> str:
    """Return the ``next`` with which the same question goes on after ``at``, signed."""
    said = _Token(
        at.date_added,
        at.skip,
        asked.limit,
        asked.ids,
        asked.types,
        asked.versions,
        asked.spec_versions,
    )
    packed = zlib.compress(msgspec.json.encode(said))
    return _written(_signature(packed, secret) + packed)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(packed: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"next|" + packed, hashlib.sha256)[:_SIGNATURE]


def _single(query: MultiMapping[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in query.items():
        known = name in _NAMES or name in {"added_after", "limit", "next"}
        if known and name in given:
            msg = f"{name} stands twice; separate several values with commas."
            raise Malformed(msg)
        given[name] = value
    return given


def _values(name: str, text: str) -> tuple[str, ...]:
    values = tuple(text.split(","))
    if not text or "" in values or len(values) > _MOST_VALUES:
        msg = f"{name} takes one to {_MOST_VALUES} values, separated by commas."
        raise Malformed(msg)
    if not text.isprintable():
        msg = f"{name} holds characters that no identifier has."
        raise Malformed(msg)
    return values


def _versions(values: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(one if one in {ALL, FIRST, LAST} else _normal(one) for one in values)
    if len(set(found)) < len(found) or (ALL in found and len(found) > 1):
        raise Malformed("match[version] takes each version once, and all only by itself.")
    return found


def _normal(text: str) -> str:
    try:
        return times.normal(text)
    except ValueError as error:
        msg = f"match[version] takes all, first, last or timestamps: {error}"
        raise Malformed(msg) from error


def _after(text: str | None) -> Position:
    if text is None:
        return Position()
    try:
        return Position(times.micros(text))
    except ValueError as error:
        msg = f"added_after takes a timestamp: {error}"
        raise Malformed(msg) from error


def _limit(text: str, most: int) -> int:
    found = re.fullmatch(r"0*([1-9][0-9]*)", text, re.ASCII)
    if found is None:
        raise Malformed("limit takes a whole number from 1 on.")
    # More digits than that are more than any limit, and int() refuses thousands of them.
    return min(int(found[1][:18]), most)


def _going_on(
    found: _Token, said: Mapping[str, tuple[str, ...]], limit: int | None, most: int
) -> Filters:
    for name, values in said.items():
        if set(getattr(found, name)) != set(values):
            raise Malformed("next belongs to other match parameters; repeat or omit them.")
    return Filters(
        after=Position(found.date_added, found.skip),
        limit=min(limit or found.limit, most),
        ids=found.ids,
        types=found.types,
        versions=found.versions,
        spec_versions=found.spec_versions,
    )


def _read(text: str, secret: bytes) -> _Token:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Malformed(_FOREIGN) from error
    signature, packed = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if _written(raw) != text or not hmac.compare_digest(signature, _signature(packed, secret)):
        raise Malformed(_FOREIGN)
    return msgspec.json.decode(zlib.decompress(packed), type=_Token)
