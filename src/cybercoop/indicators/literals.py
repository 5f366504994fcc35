"""One spelling for each constant of the STIX patterning language.

Source: STIX 2.1 section 9.2 (constants).
"""

import binascii
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from cybercoop.indicators.values import refused, shown

_WHOLE_SECOND = 19  # the length of 2026-01-31T12:00:00


def quote(value: str) -> str:
    """Return ``value`` as a string constant."""
    if "\\" in value or "'" in value:
        value = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{value}'"


def unquote(literal: str) -> str:
    """Return what the string constant ``literal``, quotes included, says."""
    inner = literal[1:-1]
    if "\\" not in inner:
        return inner
    # The grammar knows two escapes only, so a pair of backslashes can be cut on first.
    return "\\".join(part.replace("\\'", "'") for part in inner.split("\\\\"))


def constant(literal: str) -> str:
    """Return the one spelling of a number, truth value, timestamp, hex or binary constant."""
    if literal in ("true", "false"):
        return literal
    if literal[0] == "t":
        return timestamp(literal)
    if literal[0] == "h":
        return literal.lower()
    if literal[0] == "b":
        return _binary(literal)
    return number(literal)


def number(literal: str) -> str:
    """Return a number without plus sign and needless zeros.

    The digits are never turned into a machine number: they may be thousands.
    """
    sign = "-" if literal[0] == "-" else ""
    whole, dot, fraction = literal.lstrip("+-").partition(".")
    digits = whole.lstrip("0") or "0"
    if dot:
        digits = f"{digits}.{fraction.rstrip('0') or '0'}"
    return digits if not digits.strip("0.") else sign + digits


def timestamp(literal: str) -> str:
    """Return a timestamp constant without needless zeros; refuse days that never were."""
    text = literal[2:-2]
    whole, fraction = text[:_WHOLE_SECOND], text[_WHOLE_SECOND + 1 :].rstrip("0")
    try:
        # A leap second is a real moment that datetime cannot hold.
        datetime.fromisoformat(whole.replace(":60", ":59")).replace(tzinfo=UTC)
    except ValueError:
        raise refused(f"{shown(text)} is not a moment of the calendar.") from None
    return f"t'{whole}.{fraction}Z'" if fraction else f"t'{whole}Z'"


def _binary(literal: str) -> str:
    try:
        return f"b'{b64encode(b64decode(literal[2:-1], validate=True)).decode('ascii')}'"
    except binascii.Error:
        raise refused(f"{shown(literal)} is not base64.") from None
