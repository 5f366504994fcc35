"""Cut a request body into the exact bytes of its objects.

Stored bytes must be the bytes that were sent: hashes and signatures hold, and what a
reader gets back is what the owner gave. So nothing here is parsed and written again.
"""

import codecs
import json
from dataclasses import dataclass

import msgspec

from cybercoop import errors
from cybercoop.stix import tokens


@dataclass(frozen=True)
class Cut:
    """Hold the exact bytes of each object, and what the body says about itself."""

    objects: list[bytes]
    spec_version: str | None
    bundle: bool


class _Body(msgspec.Struct):
    objects: msgspec.Raw = msgspec.Raw()


_BODY = msgspec.json.Decoder(_Body)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
MAX_OBJECTS = 100_000
# Real objects have a comma every thirty bytes. Bodies of crumbs are walked instead, up to the
# limit: a list of five million of them would take half a gigabyte before it is counted.
_CRUMBS = 8
_NO_ENVELOPE = "The body is neither a TAXII envelope nor a STIX bundle"


def cut(body: bytes) -> Cut:
    """Return the objects of a TAXII envelope or STIX bundle as exact slices of ``body``.

    An object may be broken inside: it is cut as well as it can be, for ``strict.parse`` to
    refuse it alone. Raises Malformed when the body itself cannot be read, and TooLarge for
    more than ``MAX_OBJECTS`` objects.
    """
    # RFC 8259 lets a parser ignore a byte order mark, and files from Windows carry one.
    body = body.removeprefix(codecs.BOM_UTF8)
    fast = _fast_list(body)
    members = _members(body, fast)
    if not fast:
        _must_be_sound(members)
    kind = _text(members, "type")
    if "type" in members and kind != "bundle":
        raise errors.Malformed(f"{_NO_ENVELOPE}: its type is not bundle.")
    listed = members.get("objects", b"[]")
    if not listed.startswith(b"["):
        raise errors.Malformed(f"{_NO_ENVELOPE}: objects is not a list.")
    whole = fast and len(listed) > _CRUMBS * listed.count(b",")
    if whole:
        objects = [bytes(raw) for raw in _LIST.decode(listed)]
    else:
        objects = _elements(body, body.find(listed)) if "objects" in members else []
    if len(objects) > MAX_OBJECTS:
        raise errors.TooLarge(f"A request may have {MAX_OBJECTS} objects; send fewer at once.")
    return Cut(objects, _text(members, "spec_version"), kind == "bundle")


def _fast_list(body: bytes) -> bytes:
    """Return the list of objects if the whole body is sound, else nothing."""
    # One NaN, lone surrogate or deep nest in one object fails the whole of msgspec. The
    # slower tokens then find the boundaries, at about ten times the price.
    try:
        return bytes(_BODY.decode(body).objects)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return b""


def _members(body: bytes, fast: bytes) -> dict[str, bytes]:
    """Return the outermost members; ``fast`` spares walking through a known list."""
    at = tokens.after_space(body, 0)
    if body[at : at + 1] != b"{":
        raise errors.Malformed(f"{_NO_ENVELOPE}: it is not a JSON object in UTF-8.")
    members: dict[str, bytes] = {}
    at, more = tokens.enter(body, at)
    while more:
        name, at = _name(body, at)
        if name in members:
            raise errors.Malformed(f"{_NO_ENVELOPE}: {name[:100]!r} occurs twice in it.")
        known = name == "objects" and fast and body.startswith(fast, at)
        end = at + len(fast) if known else tokens.value_end(body, at)
        members[name] = body[at:end]
        at, more = tokens.onward(body, end, b"}")
    if body[at:].strip(b" \t\r\n"):
        raise errors.Malformed("The body goes on after the end of its JSON object.")
    return members


def _name(body: bytes, at: int) -> tuple[str, int]:
    """Return the member name at ``at`` and where its value begins."""
    end = tokens.string_end(body, at)
    colon = tokens.after_space(body, end)
    if body[colon : colon + 1] != b":":
        raise errors.Malformed(f"The JSON is broken at byte {colon}: a colon is missing there.")
    return str(_sound(body[at:end])), tokens.after_space(body, colon + 1)


def _elements(body: bytes, at: int) -> list[bytes]:
    """Return the elements of the list that begins at ``at``; errors count the body's bytes."""
    found: list[bytes] = []
    at, more = tokens.enter(body, at)
    while more and len(found) <= MAX_OBJECTS:
        end = tokens.value_end(body, at)
        found.append(body[at:end])
        at, more = tokens.onward(body, end, b"]")
    return found


def _must_be_sound(members: dict[str, bytes]) -> None:
    """Refuse broken JSON beside the objects: there it spoils the whole body."""
    for name in members.keys() - {"objects"}:
        _sound(members[name])


def _text(members: dict[str, bytes], name: str) -> str | None:
    value = _sound(members.get(name, b"null"))
    return value if isinstance(value, str) else None


def _sound(value: bytes) -> object:
    try:
        return json.loads(value.decode())
    except (ValueError, RecursionError):
        raise errors.Malformed(f"{_NO_ENVELOPE}: it holds broken JSON.") from None
