"""Read MISP warning lists as data into rules of the guard.

The lists are other people's: one that is broken is named and left out, an entry that cannot be
taken safely is counted with the reason, and no expression of a list is ever tried on anything.
Source: schema.json of the repository MISP/misp-warninglists.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec

from cybercoop.errors import Refused
from cybercoop.guard import spelling
from cybercoop.guard.spelling import PLAIN
from cybercoop.guard.verdicts import Entry, Kind, Level, Reach, Verdict
from cybercoop.indicators.values import shown
from cybercoop.indicators.watched import written_out

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes; the longest public list, a million names, has about 30 million."""

_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}"
                     r"|[0-9a-f]{128}").fullmatch  # fmt: skip
_ADDRESS = re.compile(r"[0-9.]+(?:/[0-9]+)?|[0-9a-f:.]*:[0-9a-f:.]*(?:/[0-9]+)?").fullmatch
_MAIL_ATTRIBUTE = re.compile(r"email|mail-address").search
_NAME_ATTRIBUTES = frozenset(("domain", "hostname", "domain|ip", "url", "uri", "hostname|port"))
_PLACE_ATTRIBUTE = re.compile(r"ip|domain|hostname|ur[il]|email|mail-address").search
_NO_VALUE = "An entry is neither a name nor an address, a link or a hash."
_NOT_WRITTEN_OUT = "An expression is more than a text that is written out, and is never tried."


class _Content(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    type: str
    values: list[str] = msgspec.field(name="list")
    attributes: list[str] = msgspec.field(name="matching_attributes", default_factory=list)


@dataclass(frozen=True, slots=True)
class Unused:
    """Say what of one list is not used, why, and how often; 0 stands for the whole list."""

    name: str
    reason: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Warninglists:
    """Hold the rules that were read, and all that was left out."""

    entries: tuple[Entry, ...]
    unused: tuple[Unused, ...]


def warninglists(folder: Path) -> Warninglists:
    """Read every ``<name>/list.json`` below ``folder``.

    The rule of an entry is ``warninglist:<name>``.
    """
    entries: list[Entry] = []
    unused: list[Unused] = []
    for file in sorted(folder.glob("*/list.json")):
        name = file.parent.name
        try:
            content = _read(file)
        except Refused as error:
            unused.append(Unused(name, error.reason))
            continue
        reasons: Counter[str] = Counter()
        entries.extend(_entries(content, _verdict(name, content.name, level_of(name)), reasons))
        unused.extend(Unused(name, reason, count) for reason, count in sorted(reasons.items()))
    return Warninglists(tuple(entries), tuple(unused))


def level_of(name: str) -> Level:
    """Return how strict the list ``name`` is taken."""
    return _levels().get(name, _levels()["other"])


@cache
def _levels() -> Mapping[str, Level]:
    text = (files("cybercoop.guard") / "lists" / "warninglists.toml").read_text("utf-8")
    table = tomllib.loads(text)["warninglists"]
    found = {"other": Level[table["other"].upper()]}
    for level in (Level.WARN, Level.HOLD, Level.NEVER):
        found.update(dict.fromkeys(table[level.name.lower()], level))
    return found


def _read(file: Path) -> _Content:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Refused(f"The file is larger than {LARGEST_FILE} bytes.")
        content = msgspec.json.decode(file.read_bytes(), type=_Content)
    except OSError as error:
        raise Refused(f"The file cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"The file is no warning list: {shown(str(error))}.") from error
    if content.type not in _READERS:
        raise Refused(f"The type {shown(content.type)} of the list is not known.")
    return content


def _verdict(name: str, title: str, level: Level) -> Verdict:
    quoted = shown(title)
    return Verdict(
        level,
        f"warninglist:{name}",
        f"Der Wert steht auf der Warnliste {quoted}.",
        f"The value is on the warning list {quoted}.",
    )


def _entries(content: _Content, verdict: Verdict, reasons: Counter[str]) -> Iterator[Entry]:
    reader = _READERS[content.type]
    if content.attributes and not any(map(_PLACE_ATTRIBUTE, content.attributes)):
        reader = _digest
    kind = _kind_of_names(content.attributes)
    for given in content.values:
        try:
            found, value, reach = reader(given.strip(), kind)
        except Refused as error:
            reasons[error.reason] += 1
        else:
            yield Entry(found, value, verdict, reach)


def _kind_of_names(attributes: list[str]) -> Kind:
    """Return what the names of a list stand for.

    Names of mail services are no reason to keep a host of theirs out, and a much visited site is
    none to keep out the address of one of its users.
    """
    mails = any(map(_MAIL_ATTRIBUTE, attributes))
    hosts = not mails or bool(_NAME_ATTRIBUTES & {*attributes} - {"domain|ip"})
    return "domain" if mails and hosts else "mail" if mails else "host"


_Rule = tuple[Kind, str, Reach]


def _exact(value: str, kind: Kind) -> _Rule:
    lowered = value.lower()
    if _DIGEST(lowered):
        return _digest(value, kind)
    if _ADDRESS(lowered):
        return _network(value, kind)
    if "@" in value and "/" not in value:
        return "mail", lowered, Reach.EXACT
    if "/" in value:
        return _link(value)
    # A leading dot says "and all below", also where the type of the list says otherwise.
    reach = Reach.BELOW if value.startswith(".") else Reach.EXACT
    return kind, lowered if PLAIN(lowered) else _name(value), reach


def _digest(value: str, _kind: Kind) -> _Rule:
    if not _DIGEST(value.lower()):
        raise Refused(_NO_VALUE)
    return "hash", value.lower(), Reach.EXACT


def _below(value: str, kind: Kind) -> _Rule:
    lowered = value.lower().strip(".")
    if _ADDRESS(lowered):
        return _network(value, kind)
    if "/" in lowered:
        return _link(value)
    return kind, lowered if PLAIN(lowered) else _name(lowered), Reach.BELOW


def _network(value: str, _kind: Kind) -> _Rule:
    spelling.network(value)
    return "network", value, Reach.BELOW


def _link(value: str) -> _Rule:
    host, slash, path = value.rpartition("://")[2].partition("/")
    if slash and not path:
        return _below(host, "host")
    if spelling.place(spelling.host_of(value)) is None:
        raise Refused(_NO_VALUE)
    return "url", value, Reach.EXACT


def _ending(value: str, kind: Kind) -> _Rule:
    """Return the rule of an expression, or refuse it: it comes with or without delimiters."""
    bare = value.removesuffix("i").strip("/") if value.startswith("/") else value
    written = written_out(bare)
    if written is None:
        raise Refused(_NOT_WRITTEN_OUT)
    text, is_all = written
    if is_all:
        return _exact(text, kind)
    if not text.startswith("."):
        raise Refused(_NOT_WRITTEN_OUT)
    return _below(text, kind)


def _name(value: str) -> str:
    try:
        return spelling.name(value)
    except Refused:
        raise Refused(_NO_VALUE) from None


_READERS = {
    "string": _exact,
    "hostname": _below,
    # A text that may stand anywhere in a value would catch evil-a.de for a.de.
    "substring": _below,
    "cidr": _network,
    "regex": _ending,
}
