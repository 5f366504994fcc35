"""MISP events: one document with attributes, also those inside of objects.

Source: MISP core format (draft-dulaunoy-misp-core-format). Also what ``restSearch`` answers.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cybercoop.collect.readers import _documents, _moments
from cybercoop.collect.readers._words import each
from cybercoop.collect.reading import Bad, Found, Given, Options, Passed, Value, bad, whole
from cybercoop.errors import Malformed, Refused
from cybercoop.indicators.literals import quote
from cybercoop.indicators.values import shown

NAME = "misp"
TITLE = {"de": "MISP-Ereignis (JSON)", "en": "MISP event (JSON)"}
PREVIEW = False

_SINGLE = {
    **dict.fromkeys(("ip-src", "ip-dst", "domain", "hostname", "url", "uri"), "network"),
    **dict.fromkeys(("email", "email-src", "email-reply-to"), "mail"),
    **{kind: kind for kind in ("md5", "sha1", "sha256", "sha512")},
}
_PORTED = frozenset(("ip-src|port", "ip-dst|port", "hostname|port"))
_NAMED = {
    "filename|md5": "MD5",
    "malware-sample": "MD5",
    "filename|sha1": "'SHA-1'",
    "filename|sha256": "'SHA-256'",
    "filename|sha512": "'SHA-512'",
}
_RULES = frozenset(("yara", "sigma", "snort", "suricata"))
_EVENT = re.compile(r'"Event"\s*:\s*[{\[]').search
_ATTRIBUTES = re.compile(r'"response"\s*:\s*\{\s*"Attribute"|\A\s*\{\s*"Attribute"\s*:').search


class _Tag(msgspec.Struct, frozen=True):
    name: str = ""


class _Attribute(msgspec.Struct, frozen=True):
    type: str
    value: str
    to_ids: bool = False
    deleted: bool = False
    comment: str | None = ""
    first_seen: str | None = None
    Tag: list[_Tag] | None = None


class _Holder(msgspec.Struct, frozen=True):
    """Hold an event, an object, or what a search answered: all have attributes."""

    Attribute: list[msgspec.Raw] | None = None
    Object: list[msgspec.Raw] | None = None
    Tag: list[_Tag] | None = None


class _Around(msgspec.Struct, frozen=True):
    Event: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    Attribute: list[msgspec.Raw] | None = None


def sureness(name: str, head: str) -> int:
    """Return 98 for a document with an event or attributes of MISP."""
    del name
    looks = head.lstrip()[:1] in ("{", "[") and (_EVENT(head) or _ATTRIBUTES(head))
    return 98 if looks else 0


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every attribute became; what MISP does not mean for detection is passed."""
    del options
    return of_document(given.name, whole(given))


def of_document(name: str, raw: bytes, before: str = "") -> Iterator[Found]:
    """Yield what every attribute of one document became; ``before`` goes before each place."""
    holders = list(_holders(name, raw))
    if not holders:
        msg = f"{name} holds neither an event nor attributes of MISP."
        raise Malformed(msg)
    for where, holder in holders:
        yield from _held(f"{before}{where}", holder, ())


def _holders(name: str, raw: bytes) -> Iterator[tuple[str, _Holder]]:
    """Yield events and answers of searches, wherever a server or a person put them."""
    raw = raw.strip()
    if raw.startswith(b"["):
        for number, one in enumerate(_documents.decoded(raw, list[_Around], name)):
            yield from _around(f"[{number}].", one, name)
        return
    around = _documents.decoded(raw, _Around, name)
    response = bytes(around.response)
    if not response:
        yield from _around("", around, name)
    elif response.startswith(b"["):
        for number, one in enumerate(_documents.decoded(response, list[_Around], name)):
            yield from _around(f"response[{number}].", one, name)
    else:
        yield from _around("response.", _documents.decoded(response, _Around, name), name)


def _around(where: str, around: _Around, name: str) -> Iterator[tuple[str, _Holder]]:
    if bytes(around.Event):
        yield f"{where}Event.", _documents.decoded(around.Event, _Holder, name)
    elif around.Attribute is not None:
        yield where, _Holder(Attribute=around.Attribute)


def _held(where: str, holder: _Holder, tags: Sequence[_Tag]) -> Iterator[Found]:
    tags = (*tags, *(holder.Tag or ()))
    for number, raw in enumerate(holder.Attribute or ()):
        yield from _of_raw(f"{where}Attribute[{number}]", raw, tags)
    for number, raw in enumerate(holder.Object or ()):
        place = f"{where}Object[{number}]"
        try:
            inner = _inner(raw)
        except Refused as refusal:
            yield bad(place, _text(raw), refusal.reason)
        else:
            yield from _held(f"{place}.", inner, tags)


def _inner(raw: msgspec.Raw) -> _Holder:
    inner = _documents.part(raw, _Holder)
    if inner.Object:
        raise Refused("An object of MISP holds attributes, not other objects.")
    return inner


def _of_raw(where: str, raw: msgspec.Raw, tags: Sequence[_Tag]) -> Iterator[Found]:
    try:
        attribute = _documents.part(raw, _Attribute)
        facts = _facts(attribute, tags)
    except Refused as refusal:
        yield bad(where, _text(raw), refusal.reason)
        return
    if attribute.deleted:
        yield Passed(where, "deleted attribute")
    elif not attribute.to_ids:
        yield Passed(where, "not meant for detection (to_ids is false)")
    else:
        for found in _of_type(where, attribute, facts):
            yield msgspec.structs.replace(found, **facts) if isinstance(found, Value) else found


def _facts(attribute: _Attribute, tags: Sequence[_Tag]) -> dict[str, Any]:
    names = [tag.name.strip() for tag in (*tags, *(attribute.Tag or ()))]
    levels = [_moments.tlp(name) for name in names if name.lower().startswith("tlp")]
    since = _moments.moment(attribute.first_seen) if attribute.first_seen else None
    return {"tlp": _moments.strictest(levels), "valid_from": since}


def _of_type(where: str, attribute: _Attribute, facts: dict[str, Any]) -> Iterator[Found]:
    kind, value, comment = attribute.type, attribute.value.strip(), attribute.comment or ""
    if kind in _SINGLE:
        yield from each(where, value, comment, _SINGLE[kind])
    elif kind in _PORTED:
        host, _, port = value.partition("|")
        yield from each(where, host, f"port {port}; {comment}".strip("; "), "network")
    elif kind == "domain|ip":
        for part in value.split("|"):
            yield from each(where, part, comment, "network")
    elif kind in _NAMED:
        yield _file(where, value, _NAMED[kind], comment, facts)
    elif kind in _RULES:
        yield _documents.pattern(where, attribute.value, kind, comment=comment, **facts)
    else:
        reason = f"The MISP type {shown(kind)} is none that a device can block by."
        yield bad(where, attribute.value, reason)


def _file(where: str, value: str, algorithm: str, comment: str, facts: dict[str, Any]) -> Found:
    """Return the pattern of a file with this name and this hash: neither alone was meant."""
    name, _, digest = value.rpartition("|")
    text = f"[file:hashes.{algorithm} = {quote(digest)} AND file:name = {quote(name)}]"
    found = _documents.pattern(where, text, "stix", comment=comment, **facts)
    return bad(where, value, found.reason) if isinstance(found, Bad) else found


def _text(raw: msgspec.Raw) -> str:
    return bytes(raw)[:200].decode("utf-8", "replace")
