"""What the readers of JSON share: broken documents are refused as a whole, with the reason."""

from typing import Any, TypeVar

import msgspec

from cybercoop.collect.reading import Bad, Pattern, bad, said
from cybercoop.errors import Malformed, Refused
from cybercoop.indicators.patterns import canonical
from cybercoop.indicators.values import shown

Kind = TypeVar("Kind")
_BROKEN = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def decoded(raw: bytes | msgspec.Raw, kind: type[Kind], name: str) -> Kind:
    """Return ``raw`` as ``kind``; raise ``Malformed`` that names the document."""
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except _BROKEN as error:
        msg = f"{name} is broken JSON or not of its format: {_why(error)}"
        raise Malformed(msg) from error


def part(raw: msgspec.Raw, kind: type[Kind]) -> Kind:
    """Return one part of a document as ``kind``; raise ``Refused`` for that part alone."""
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except _BROKEN as error:
        raise Refused(_why(error)) from error


def pattern(
    where: str, text: str, pattern_type: str, name: str = "", comment: str = "", **facts: Any
) -> Pattern | Bad:
    """Return a pattern in its canonical form, or why it is refused."""
    try:
        form = canonical(text, pattern_type).text
    except Refused as refusal:
        return bad(where, text, refusal.reason)
    return Pattern(where, form, pattern_type, said(name), said(comment), **facts)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    return f"{shown(str(error))[1:-1]}."
