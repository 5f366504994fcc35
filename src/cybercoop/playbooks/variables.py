"""Typed values of variables: read from text, compared, and written back in one spelling.

The types are CACAO's (vocabulary variable-type-ov) and ``boolean`` as another word for ``bool``.
"""

import ipaddress
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from cybercoop import errors
from cybercoop.stix import strict

Value: TypeAlias = str | int | float | bool | dict[str, str]

LONGEST = 10_000
MOST_ENTRIES = 100
_LONGEST_URI = 2_000
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")
_HASH_LENGTHS = frozenset({32, 40, 56, 64, 96, 128})
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s\x00-\x1f\x7f<>\"\\^`{|}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGERS = {"integer": 1 << 31, "long": 1 << 63}
_WORDS = {"true": True, "false": False}


class Variable(Struct, frozen=True, kw_only=True):
    """Declare a variable: its type, what it is worth at the start, and who may change it."""

    name: str
    kind: str
    description: str = ""
    value: Value | None = None
    is_constant: bool = False
    is_external: bool = False


def first(declared: Mapping[str, Variable]) -> dict[str, Value]:
    """Return the values that variables are declared with."""
    return {name: one.value for name, one in declared.items() if one.value is not None}


def value(kind: str, given: object) -> Value:
    """Return ``given``, a text or a JSON value, as a value of this type in its one spelling.

    Raises Refused where it does not fit or the type is not known. Nothing is guessed: ``1`` is no
    string, ``010.1.2.3`` no address.
    """
    if kind not in KINDS:
        raise errors.Refused("The type of the variable is not known.")
    try:
        return KINDS[kind](given)
    except ValueError:
        raise errors.Refused(f"The value does not fit the type {kind}.") from None


def text(given: Value) -> str:
    """Return a value as a CACAO document writes it; ``value`` reads it back."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False, sort_keys=True)
    return given if isinstance(given, str) else repr(given)


def _text(given: object, longest: int = LONGEST) -> str:
    if not isinstance(given, str) or len(given) > longest or "\0" in given:
        raise ValueError
    if _SURROGATE.search(given):
        raise ValueError
    return given


def _bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _WORDS:
        return _WORDS[given.lower()]
    raise ValueError


def _whole(limit: int) -> Callable[[object], int]:
    def read(given: object) -> int:
        number = int(_written(given, _INTEGER))
        if not -limit <= number < limit:
            raise ValueError
        return number

    return read


def _float(given: object) -> float:
    number = float(_written(given, _FLOAT))
    if not math.isfinite(number):
        raise ValueError
    return number


def _written(given: object, pattern: re.Pattern[str]) -> str:
    """Return a number, as it is or written out, as its text."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    written = repr(given) if is_number else _text(given)
    if not pattern.fullmatch(written):
        raise ValueError
    return written


def _ipv4(given: object) -> str:
    return _network(given, ipaddress.IPv4Network, 32)


def _ipv6(given: object) -> str:
    address = _text(given, 50)
    if "%" in address:
        raise ValueError
    return _network(address, ipaddress.IPv6Network, 128)


def _network(given: object, kind: Any, bits: int) -> str:
    """Return an address, or a network where its length is given."""
    address, slash, length = _text(given, 50).strip().partition("/")
    if slash and not re.fullmatch(r"[0-9]{1,3}", length):
        raise ValueError
    network = kind((address, int(length)) if slash else address)
    return str(network.network_address) if network.prefixlen == bits else str(network)


def _mac(given: object) -> str:
    written = _text(given, 20).lower()
    if not _MAC.fullmatch(written):
        raise ValueError
    return written.replace("-", ":")


def _hex(*lengths: int) -> Callable[[object], str]:
    def read(given: object) -> str:
        written = _text(given).lower()
        if not re.fullmatch("(?:[0-9a-f]{2})+", written):
            raise ValueError
        if lengths and len(written) not in lengths:
            raise ValueError
        return written

    return read


def _uri(given: object) -> str:
    written = _text(given, _LONGEST_URI)
    if not _URI.fullmatch(written):
        raise ValueError
    parts = urlsplit(written)
    if parts.scheme in {"http", "https"} and not parts.hostname:
        raise ValueError
    return written


def _uuid(given: object) -> str:
    written = _text(given, 36)
    if not re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", written):
        raise ValueError
    return str(uuid.UUID(written))


def _dictionary(given: object) -> dict[str, str]:
    """Return texts by name: from an object, or from a text that is one in strict JSON."""
    if isinstance(given, str):
        try:
            given = strict.parse(_text(given).encode())
        except errors.Refused:
            raise ValueError from None
    if not isinstance(given, Mapping) or len(given) > MOST_ENTRIES:
        raise ValueError
    return {_text(key, 250): _text(one) for key, one in sorted(given.items(), key=_key)}


def _key(item: tuple[object, object]) -> str:
    return _text(item[0], 250)


KINDS: dict[str, Callable[[object], Value]] = {
    "bool": _bool,
    "boolean": _bool,
    "dictionary": _dictionary,
    "float": _float,
    "hash": _hex(*_HASH_LENGTHS),
    "hexstring": _hex(),
    "integer": _whole(_INTEGERS["integer"]),
    "ipv4-addr": _ipv4,
    "ipv6-addr": _ipv6,
    "long": _whole(_INTEGERS["long"]),
    "mac-addr": _mac,
    "md5-hash": _hex(32),
    "sha256-hash": _hex(64),
    "string": _text,
    "uri": _uri,
    "uuid": _uuid,
}
NUMBERS = frozenset({"integer", "long", "float"})
BOOLEANS = frozenset({"bool", "boolean"})
