"""The canonical form of a pattern: equal text and key for equal meaning.

A single equality, or a flat list of them, is read by its shape in microseconds; all else by
the official grammar in milliseconds. Both give the same answer; a property test holds them
to it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cybercoop.errors import Refused
from cybercoop.indicators import grammar
from cybercoop.indicators.bounds import COMPARISONS_LIMIT
from cybercoop.indicators.expressions import equality
from cybercoop.indicators.literals import unquote
from cybercoop.indicators.paths import ObjectPath, simple_path
from cybercoop.indicators.values import refused

LENGTH_LIMIT = 20_000
RULE_LENGTH_LIMIT = 100_000
REMEMBERED = 2_000
"""Characters of the longest pattern whose form is kept for the next contributor of the same."""

_BLANK = r"[ \t\r\n]*"
_EQUALITY = (
    rf"{_BLANK}([A-Za-z0-9_:.'\"*\[\]-]{{3,200}}){_BLANK}==?{_BLANK}"
    rf"('[^'\\]*(?:\\['\\][^'\\]*)*'){_BLANK}"
)
_SINGLE = re.compile(rf"{_BLANK}\[{_EQUALITY}\]{_BLANK}").fullmatch
_OPENING = re.compile(rf"{_BLANK}\[").match
_TERM = re.compile(rf"{_EQUALITY}(?:(AND|OR)(?![A-Za-z0-9_-])|(\]){_BLANK}\Z)").match
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]").search
_TYPE = re.compile(r"[a-z0-9-]{1,64}").fullmatch
_VERSIONS = frozenset((None, "2.0", "2.1"))


@dataclass(frozen=True, slots=True)
class Canonical:
    """Promise one text and key for all spellings of one pattern.

    ``key`` is the SHA-256 of type, NUL and text. ``kind`` (ipv4, ipv6, domain, url, email,
    md5, sha1, sha256, sha512) and ``value`` stand only where the pattern is one ``=`` that a
    device can block by; an ipv4 or ipv6 value may be a network in CIDR form.
    """

    text: str
    pattern_type: str
    key: bytes
    kind: str | None = None
    value: str | None = None


def canonical(
    pattern: str, pattern_type: str = "stix", pattern_version: str | None = None
) -> Canonical:
    """Return the canonical form of ``pattern``.

    Raise ``Refused`` with a reason and the field at fault for patterns that are malformed,
    too large, or compare with values that cannot exist.
    """
    # Long rules are not kept: thousands of them would fill a gigabyte.
    form = _remembered if len(pattern) <= REMEMBERED else _form
    return form(pattern, pattern_type, pattern_version)


def _form(pattern: str, pattern_type: str, pattern_version: str | None) -> Canonical:
    # Real feeds say "stix2" where the open vocabulary of STIX 2.1 (10.12) says "stix".
    if pattern_type in ("stix", "stix2"):
        return _stix(pattern, pattern_version)
    if not _TYPE(pattern_type):
        raise Refused(
            "The pattern type must be 1 to 64 lower-case letters, digits and hyphens.",
            "pattern_type",
        )
    return _rule(pattern, pattern_type)


_remembered = lru_cache(maxsize=8192)(_form)


def _stix(pattern: str, version: str | None) -> Canonical:
    if version not in _VERSIONS:
        raise Refused("The version of a STIX pattern must be 2.0 or 2.1.", "pattern_version")
    if len(pattern) > LENGTH_LIMIT:
        raise refused("The pattern is longer than 20000 characters.")
    if not pattern.isprintable():
        _refuse_unreadable(pattern)
    return by_shape(pattern) or by_grammar(pattern, version)


def _refuse_unreadable(pattern: str) -> None:
    found = _UNREADABLE(pattern)
    if found:
        raise refused(
            f"The pattern has the control character {found[0]!a} at character {found.start() + 1}."
        )


def by_shape(pattern: str) -> Canonical | None:
    """Return the canonical form of one equality or a flat list; none for other shapes."""
    found = _SINGLE(pattern)
    if found is None:
        return _flat_list(pattern)
    path = simple_path(found[1])
    if path is None:
        return None
    return _canonical(*equality(path, unquote(found[2])))


def _flat_list(pattern: str) -> Canonical | None:
    terms = _terms(pattern)
    if terms is None:
        return None
    word, pairs = terms
    found = {part[0]: part for part in (equality(path, value) for path, value in pairs)}
    if len(found) > 1:
        return _canonical(f" {word} ".join(sorted(found)), None, None)
    (only,) = found.values()
    return _canonical(*only)


def _terms(pattern: str) -> tuple[str, list[tuple[ObjectPath, str]]] | None:
    opening = _OPENING(pattern)
    position = opening.end() if opening else len(pattern)
    pairs: list[tuple[ObjectPath, str]] = []
    word = ""
    while found := _TERM(pattern, position):
        path = simple_path(found[1])
        if path is None or len(pairs) == COMPARISONS_LIMIT:
            return None
        pairs.append((path, unquote(found[2])))
        if found[4]:
            return word, pairs
        if word not in ("", found[3]):
            return None
        word, position = found[3], found.end()
    return None


def by_grammar(pattern: str, version: str | None = None) -> Canonical:
    """Return the canonical form of any pattern that the official grammar can read."""
    observation = grammar.read(pattern, version)
    only = observation.comparison
    if only is None:
        return _whole(observation.text, None, None)
    return _whole(observation.text, only.kind, only.value)


def _canonical(comparison: str, kind: str | None, value: str | None) -> Canonical:
    return _whole(f"[{comparison}]", kind, value if kind else None)


def _whole(text: str, kind: str | None, value: str | None) -> Canonical:
    if len(text) > LENGTH_LIMIT:
        raise refused("The pattern is longer than 20000 characters when it is written out.")
    return Canonical(text, "stix", sha256(b"stix\0" + text.encode()).digest(), kind, value)


def _rule(pattern: str, pattern_type: str) -> Canonical:
    """Return a rule of another language (YARA, Sigma, Snort) with its blanks tidied."""
    if len(pattern) > RULE_LENGTH_LIMIT:
        raise refused("The pattern is longer than 100000 characters.")
    _refuse_unreadable(pattern)
    lines = pattern.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    if not text:
        raise refused("The pattern is empty.")
    return Canonical(text, pattern_type, sha256(f"{pattern_type}\0{text}".encode()).digest())
