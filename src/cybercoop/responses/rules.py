"""Rules: what starts which response by itself, read from ``triggers.toml`` beside the playbooks.

The file holds one table for each rule, ``[rules.NAME]``. A rule is off until it says ``enabled``;
what is wrong with one is told by name and field, and nothing of the file counts.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from cybercoop.errors import Misused, Refused
from cybercoop.members.organisations import is_tag
from cybercoop.playbooks.schema import NAME
from cybercoop.responses.triggers import Given, Happened, Kind, kinds
from cybercoop.responses.triggers._spans import hour, quiet_until, span

FILE = "triggers.toml"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_LIMIT = re.compile(r"([1-9][0-9]{0,3}) in ([1-9][0-9]{0,4}[mhd])").fullmatch
_QUIET = re.compile(r"(\S+)-(\S+)").fullmatch
_PLAYBOOK = re.compile(r"playbook--[0-9a-f-]{36}").fullmatch
_FIELD = re.compile(r"\$\.(\w+)|field `(\w+)`").search
_ALWAYS = frozenset({"time", "why"})
"""What every trigger gives: when it happened, and a sentence that says what."""

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Literals = str | int | float | bool


class From(Struct, frozen=True, forbid_unknown_fields=True):
    """Name what a value is taken from."""

    source: str = field(name="from")


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hold one rule; without ``version`` the newest of its playbook that may be used.

    ``counties`` is ``members`` (all who can open the lock), ``touched`` (whom it is about),
    ``group:NAME``, ``tag:NAME``, or a list of names or ids. ``action`` is the most that it does:
    what it is to ``propose`` waits for a person who takes it up, and then for approvals by others;
    to ``approve`` waits for approvals alone, the last of which begins it; ``start`` begins where
    one approval would be enough. ``limit`` counts for each lock, ``repeat_after`` for each subject.
    """

    name: str
    title: Text
    kind: str
    playbook: str
    when: Any = {}
    version: str = ""
    counties: str | tuple[str, ...] = "members"
    values: dict[str, From | Literals] = {}
    action: Literal["propose", "approve", "start"] = "propose"
    enabled: bool = False
    exercise: bool = False
    urgent: bool = False
    quiet: str = ""
    limit: str = "5 in 24h"
    repeat_after: str = "7d"
    note: str = ""

    @property
    def trigger(self) -> Kind:
        """Return the kind of trigger that wakes it."""
        return kinds()[self.kind]

    @property
    def most(self) -> tuple[int, int]:
        """Return how often it may do something, and within how many microseconds."""
        found = _LIMIT(self.limit)
        if found is None:
            raise Refused("Write a limit as 5 in 24h.", "limit")
        return int(found[1]), span(found[2], "limit")

    @property
    def repeats(self) -> int:
        """Return for how many microseconds the same subject is no news."""
        return span(self.repeat_after, "repeat_after")

    def quiet_until(self, now: int) -> int | None:
        """Return when the quiet hours end that ``now`` lies in; nothing where it may act."""
        found = _QUIET(self.quiet)
        if found is None or self.urgent:
            return None
        return quiet_until(hour(found[1], "quiet"), hour(found[2], "quiet"), now)

    def values_of(self, event: Happened, why: str, at: str) -> dict[str, object]:
        """Return the values that its playbook begins with; what the event lacks is left out."""
        given: Mapping[str, Given] = {**event.gives, "why": why, "time": at}
        found: dict[str, object] = {}
        for name, said in self.values.items():
            value = given.get(said.source) if isinstance(said, From) else said
            if value is not None:
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class Book:
    """Hold all rules of a file, by name."""

    rules: Mapping[str, Rule]

    def on(self, kind: str) -> dict[str, Rule]:
        """Return the rules of a kind that are on."""
        some = self.rules.items()
        return {name: one for name, one in some if one.enabled and one.kind == kind}

    @property
    def watched(self) -> dict[str, dict[str, Rule]]:
        """Return the rules that are on and need somebody to look, by kind."""
        sources = {name for name, kind in kinds().items() if kind.source}
        return {name: found for name in sorted(sources) if (found := self.on(name))}


NONE = Book({})


def span_of(text: str) -> int:
    """Return the microseconds of a span as people write it; raise ``Misused`` for what is none."""
    try:
        return span(text, "since")
    except Refused as error:
        raise Misused(error.reason) from error


def stamp(folder: Path) -> tuple[int, int]:
    """Return what changes when the file does; zeros where there is none."""
    try:
        found = (folder / FILE).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def read(folder: Path) -> Book:
    """Return the rules of a folder, none without a file; raise ``Misused`` where one is wrong."""
    file = folder / FILE
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return NONE
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}."
        raise Misused(msg) from error
    try:
        return parse(raw)
    except Refused as error:
        msg = f"{FILE}: {error.field + ': ' if error.field else ''}{error.reason}"
        raise Misused(msg) from error


def parse(raw: bytes) -> Book:
    """Return the rules of a file; raise Refused with rule and field that are wrong."""
    try:
        document = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"It is no TOML in UTF-8: {error}.") from error
    tables = document.pop("rules", {})
    if document or not isinstance(tables, dict):
        raise Refused("It holds nothing but tables [rules.NAME].", min(document, default="rules"))
    return Book({name: _rule(name, table) for name, table in tables.items()})


def _rule(name: str, table: object) -> Rule:
    try:
        return _checked(name, table)
    except Refused as refused:
        where = f"rules.{name}" + (f".{refused.field}" if refused.field else "")
        raise Refused(refused.reason, where) from None


def _checked(name: str, table: object) -> Rule:
    if not _SLUG(name):
        raise Refused("A name is made of a to z, 0 to 9 and hyphens.")
    if not isinstance(table, dict) or "name" in table:
        raise Refused("A rule is a table, and its name the name of the table.")
    rule: Rule = _converted(table | {"name": name}, Rule)
    if rule.kind not in kinds():
        raise Refused(f"There are {', '.join(sorted(kinds()))}.", "kind")
    rule = msgspec.structs.replace(rule, when=_when(rule))
    _check(rule)
    return rule


def _when(rule: Rule) -> Struct:
    try:
        when: Struct = _converted(rule.when, rule.trigger.when)
        rule.trigger.check(when)
    except Refused as refused:
        raise Refused(refused.reason, f"when.{refused.field}".rstrip(".")) from None
    return when


def _converted(table: object, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        found = _FIELD(str(error))
        raise Refused(f"{error}.", (found[1] or found[2]) if found else "") from error


def _check(rule: Rule) -> None:
    if not _PLAYBOOK(rule.playbook):
        raise Refused("A playbook goes by its id, playbook--UUID.", "playbook")
    if not (rule.most[0], rule.repeats) >= (1, 1):
        raise Refused("A rule does something once at least.", "limit")
    if rule.quiet:
        _check_quiet(rule.quiet)
    if isinstance(rule.counties, str) and not _is_choice(rule.counties):
        raise Refused("Write members, touched, group:NAME, tag:WORD, or names.", "counties")
    if rule.counties == "touched" and not rule.trigger.touches:
        raise Refused(f"A {rule.kind} does not tell whom it touches.", "counties")
    known = rule.trigger.gives | _ALWAYS
    for name, said in rule.values.items():
        if not NAME.fullmatch(name):
            raise Refused(f"{name} is no name of a variable; write __name__.", "values")
        if isinstance(said, From) and said.source not in known:
            raise Refused(f"It gives {', '.join(sorted(known))}.", f"values.{name}")


def _check_quiet(quiet: str) -> None:
    found = _QUIET(quiet)
    if found is None or hour(found[1], "quiet") == hour(found[2], "quiet"):
        raise Refused("Write quiet hours as 22:00-06:00.", "quiet")


def _is_choice(counties: str) -> bool:
    kind, _, name = counties.partition(":")
    if kind == "tag":
        return is_tag(name)
    return counties in {"members", "touched"} or (kind == "group" and bool(_SLUG(name)))
