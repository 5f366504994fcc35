"""One spelling for each object path, and what kind of value it leads to.

Source: STIX 2.1 section 9.7 (object path syntax) and 10.7 (hash algorithms).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cybercoop.indicators import values

STEPS_LIMIT = 32
KEYWORDS = frozenset(
    (
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "LAST",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "true",
        "false",
        "WITHIN",
        "REPEATS",
        "TIMES",
    )
)

_DIGITS = {
    "MD5": 32,
    "SHA-1": 40,
    "SHA-224": 56,
    "SHA-256": 64,
    "SHA-384": 96,
    "SHA-512": 128,
    "SHA3-224": 56,
    "SHA3-256": 64,
    "SHA3-384": 96,
    "SHA3-512": 128,
    "RIPEMD-160": 40,
}
_ALGORITHMS = {name.replace("-", ""): name for name in (*_DIGITS, "SSDEEP", "TLSH")}
_KINDS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_EMAIL = re.compile(r"email-message:(?:(?:from|sender)_ref|(?:to|cc|bcc)_refs\[[^]]*\])\.value")
_REFERENCE = re.compile(r".*_ref(?:s\[[^]]*\])?\.value")
_STEP = r"""(?:[A-Za-z_][A-Za-z0-9_]*|'[A-Za-z0-9_ -]+'|"[A-Za-z0-9_ -]+")"""
_LATER = r"""(?:\.(?:[A-Za-z_][A-Za-z0-9_-]*|'[A-Za-z0-9_ -]+'|"[A-Za-z0-9_ -]+")|"""
_LATER += r"""\[(?:\*|0|[1-9][0-9]{0,8})\])"""
_PATH = re.compile(rf"([A-Za-z_][A-Za-z0-9_-]*):({_STEP}{_LATER}{{0,30}})").fullmatch
_STEPS = re.compile(r"""(\[[^]]*\])|\.?(?:'([^']*)'|"([^"]*)"|([A-Za-z0-9_-]+))""").finditer


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one step of a path: a property's plain name, or an index with its brackets."""

    name: str
    is_index: bool = False


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """Promise one spelling, the form of its values, and the kind that devices block by."""

    text: str
    form: Callable[[str], str] | None = None
    kind: str | None = None

    @property
    def has_any_element(self) -> bool:
        """Say whether the path looks at any element of a list."""
        return "[*]" in self.text


_KNOWN = {
    "ipv4-addr:value": ObjectPath("ipv4-addr:value", values.ipv4, "ipv4"),
    "ipv6-addr:value": ObjectPath("ipv6-addr:value", values.ipv6, "ipv6"),
    "domain-name:value": ObjectPath("domain-name:value", values.domain_or_ipv4, "domain"),
    "url:value": ObjectPath("url:value", values.url, "url"),
    "email-addr:value": ObjectPath("email-addr:value", values.email, "email"),
    "mac-addr:value": ObjectPath("mac-addr:value", values.mac),
}


def object_path(object_type: str, steps: Sequence[Step]) -> ObjectPath:
    """Return the path in its one spelling with the form of its values."""
    pieces = [object_type, ":"]
    algorithm = before = ""
    for step in steps:
        name = step.name
        if _holds_hashes(before) and not step.is_index:
            name = algorithm = _algorithm(name)
        pieces.append(name if step.is_index else f".{_quoted(name)}")
        before = "" if step.is_index else name
    pieces[2] = pieces[2].removeprefix(".")
    text = "".join(pieces)
    return _hash_path(text, algorithm) if algorithm == before != "" else _path(text)


@lru_cache(maxsize=2048)
def simple_path(raw: str) -> ObjectPath | None:
    """Return the path that ``raw`` spells, or none if only the grammar may judge it."""
    found = _PATH(raw)
    if not found or found[1] in KEYWORDS:
        return None
    steps = []
    for index, single, double, bare in (match.groups() for match in _STEPS(found[2])):
        if bare in KEYWORDS:
            return None
        steps.append(Step(index, is_index=True) if index else Step(single or double or bare))
    return object_path(found[1], steps)


def _holds_hashes(name: str) -> bool:
    return name == "hashes" or name.endswith("_hashes")


def _algorithm(name: str) -> str:
    return _ALGORITHMS.get(name.upper().replace("-", "").replace("_", ""), name)


def _quoted(name: str) -> str:
    if _IDENTIFIER(name) and name not in KEYWORDS:
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _hash_path(text: str, algorithm: str) -> ObjectPath:
    if algorithm == "TLSH":
        return ObjectPath(text, values.tlsh)
    if algorithm not in _DIGITS:
        return ObjectPath(text)
    # Only the hash of a file's content is a kind: a list of bad files must not be fed with
    # hashes of certificates or of parts of a file.
    kind = _KINDS.get(algorithm) if text.startswith("file:hashes.") else None
    return ObjectPath(text, values.digest(algorithm, _DIGITS[algorithm]), kind)


def _path(text: str) -> ObjectPath:
    if text in _KNOWN:
        return _KNOWN[text]
    if _EMAIL.fullmatch(text):
        return ObjectPath(text, values.email)
    if _REFERENCE.fullmatch(text):
        return ObjectPath(text, values.name_or_address)
    return ObjectPath(text)
