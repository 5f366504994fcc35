"""Read one object as strict JSON: what two parsers could read differently is refused.

RFC 8259 leaves duplicate keys, huge numbers and lone surrogates to the parser (I-JSON,
RFC 7493, forbids them). SQLite, PostgreSQL and every reader must see the same object.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from cybercoop import errors
from cybercoop.stix import outline, tokens

MAX_BYTES = 1 << 20
MAX_NESTING = 32
MAX_TEXT = 100_000
MAX_ITEMS = 10_000
_MAX_DIGITS = 64
_INT64 = range(-(1 << 63), 1 << 63)
# Surrogates, NUL and bidi controls, escaped or as UTF-8: worth a closer look.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F]|20[26])|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What people decide by must look like what it is; free text may be in any script.
_PLAIN = {"id", "type", "spec_version", "name", "pattern", "relationship_type"}


def parse(raw: bytes) -> dict[str, Any]:
    """Return the one JSON object that ``raw`` is.

    Raises Refused with the reason and, where it is cheap to know, the field.
    """
    if len(raw) > MAX_BYTES:
        raise errors.Refused(f"The object is larger than {MAX_BYTES} bytes.", outline.longest(raw))
    if tokens.is_deeper(raw, MAX_NESTING):
        reason = f"The object is nested deeper than {MAX_NESTING} levels."
        raise errors.Refused(reason, outline.deeper(raw, MAX_NESTING - 1))
    value = _decode(_utf8(raw))
    if not isinstance(value, dict):
        raise errors.Refused("A JSON object is expected here.")
    if len(raw) > 2 * MAX_ITEMS:
        _check_sizes(value)
    if (b"\\u" in raw or not raw.isascii()) and _SUSPECT.search(raw):
        _check_characters(value)
    return value


def _utf8(raw: bytes) -> str:
    try:
        return raw.strip(b" \t\r\n").decode()
    except UnicodeDecodeError as err:
        reason = f"The object is not valid UTF-8 at byte {err.start}."
        raise errors.Refused(reason, outline.at(raw, err.start)) from None


def _decode(text: str) -> Any:
    try:
        value, end = _HOT.raw_decode(text)
    except json.JSONDecodeError as err:
        raise _broken(text, err) from None
    except _NumberError as err:
        raise errors.Refused(str(err), _shown(_number_field(text))) from None
    if end != len(text):
        raise errors.Refused(f"The object is not valid JSON: it goes on at character {end}.")
    return value


def _broken(text: str, err: json.JSONDecodeError) -> errors.Refused:
    reason = f"The object is not valid JSON: {err.msg} at character {err.pos}."
    return errors.Refused(reason, outline.at(text.encode(), len(text[: err.pos].encode())))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise errors.Refused(f"The key {_shown(key)} occurs twice in one object.", _shown(key))
        seen.add(key)
    raise AssertionError(pairs)


class _NumberError(ValueError):
    """Carry what is wrong with a number; the decoder does not know where it stands."""


def _integer(text: str) -> int:
    if len(text) <= _MAX_DIGITS and (number := int(text)) in _INT64:
        return number
    raise _NumberError("The integer does not fit into 64 bits.")


def _float(text: str) -> float:
    if len(text) > _MAX_DIGITS:
        raise _NumberError(f"The number has more than {_MAX_DIGITS} characters.")
    number = float(text)
    if math.isinf(number):
        raise _NumberError("The number is too large to be represented.")
    return number


def _constant(text: str) -> NoReturn:
    raise _NumberError(f"{text} is not a JSON number.")


_HOT = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


class _Spot:
    """Stand where a bad number was."""


def _mark(text: str) -> Any:
    try:
        return _float(text) if "." in text or "e" in text.lower() else _integer(text)
    except _NumberError:
        return _Spot()


def _all_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep both values of a key that occurs twice: the bad number may stand in either."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = [found[key], value] if key in found else value
    return found


_COLD = json.JSONDecoder(
    object_pairs_hook=_all_members,
    parse_int=_mark,
    parse_float=_mark,
    parse_constant=lambda _: _Spot(),
)


def _number_field(text: str) -> str:
    """Read the object again, slower, to say where its first bad number stands.

    Raises Refused where it is no JSON further on: that goes first, as it does without the number.
    """
    try:
        value = _COLD.decode(text)
    except json.JSONDecodeError as err:
        raise _broken(text, err) from None
    return next((path for path, leaf in _leaves(value) if isinstance(leaf, _Spot)), "")


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Walk every value inside ``value`` with its dotted path, without recursion."""
    waiting = [("", value)]
    while waiting:
        path, found = waiting.pop()
        yield path, found
        if isinstance(found, dict):
            inside = [(f"{path}.{key}" if path else key, leaf) for key, leaf in found.items()]
        elif isinstance(found, list):
            inside = [(f"{path}[{at}]", leaf) for at, leaf in enumerate(found)]
        else:
            continue
        waiting.extend(reversed(inside))


def _check_sizes(value: dict[str, Any]) -> None:
    for path, leaf in _leaves(value):
        if isinstance(leaf, str) and len(leaf) > MAX_TEXT:
            raise errors.Refused(f"The text is longer than {MAX_TEXT} characters.", _shown(path))
        if isinstance(leaf, list | dict) and len(leaf) > MAX_ITEMS:
            raise errors.Refused(f"The list has more than {MAX_ITEMS} items.", _shown(path))


def _check_characters(value: dict[str, Any]) -> None:
    # A file may really be called that: the trick is known, and so reported.
    plain = _PLAIN - {"name"} if value.get("type") == "file" else _PLAIN
    for path, leaf in _leaves(value):
        if isinstance(leaf, dict):
            for key in leaf:
                _check_text(key, _shown(key), plain=True)
        elif isinstance(leaf, str):
            _check_text(leaf, _shown(path), plain=path in plain)


def _check_text(text: str, path: str, *, plain: bool) -> None:
    if "\0" in text:
        raise errors.Refused("The text holds a NUL character.", path)
    if _SURROGATE.search(text):
        raise errors.Refused("The text holds half of a surrogate pair.", path)
    if plain and _BIDI.search(text):
        raise errors.Refused("The text holds a character that reverses its direction.", path)


def _shown(key: str) -> str:
    """Return ``key`` in plain ASCII, so that it can be named in an answer."""
    return json.dumps(key[:250])[1:-1]
