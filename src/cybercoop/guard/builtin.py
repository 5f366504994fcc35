"""What is protected everywhere, and what a member asks to have protected."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from cybercoop.errors import Refused
from cybercoop.guard import spelling
from cybercoop.guard.names import Names, names
from cybercoop.guard.suffixes import public_suffixes
from cybercoop.guard.verdicts import Entry, Kind, Level, Reach, by_rule
from cybercoop.indicators.values import shown

_WIDEST = {32: 8, 128: 20}
_FIELDS: tuple[tuple[str, Kind, Reach], ...] = (
    ("networks", "network", Reach.BELOW),
    ("domains", "domain", Reach.BELOW),
    ("names", "domain", Reach.EXACT),
    ("hashes", "hash", Reach.EXACT),
)


def built_in() -> list[Entry]:
    """Return the rules that come with cybercoop, strictest facts first.

    Each file in ``lists`` says where its facts come from. Public suffixes come last, so that a
    name on both is explained by the more telling rule.
    """
    return [*facts(), *public_suffixes()]


def facts() -> Iterator[Entry]:
    """Yield the rules of the packaged files: addresses, names and hashes, without the suffixes."""
    folder = files("cybercoop.guard") / "lists"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield from _read(file)


def _read(file: Traversable) -> Iterator[Entry]:
    content: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    for rules in content.get("rules", ()):
        verdict = by_rule(rules["rule"], Level[rules["level"].upper()])
        for field, kind, reach in _FIELDS:
            for value in rules.get(field, ()):
                yield Entry(kind, value, verdict, reach)


def own(networks: Iterable[str], domains: Iterable[str]) -> list[Entry]:
    """Return the rules that protect what a member has; others read "protected" and no more.

    Raise ``Refused`` for what is no network or domain, and for what no county owns: a network
    wider than /8 (IPv6: /20), a bare top-level name or a public suffix. Such a "protection" would
    keep the values of all others out of every blocklist.
    """
    network, domain = (by_rule(f"own-{what}", Level.NEVER) for what in ("network", "domain"))
    entries = []
    for value in networks:
        span = spelling.network(value)
        if span.prefix < _WIDEST[span.bits]:
            raise Refused(f"{shown(value)} is wider than any county's network.", "networks")
        entries.append(Entry("network", value, network))
    for value in domains:
        name = spelling.name(value)
        if _suffixes().verdict(name).level > Level.ALLOW:
            raise Refused(f"{shown(value)} is a name that many share, no county's own.", "domains")
        entries.append(Entry("domain", name, domain))
    return entries


@cache
def _suffixes() -> Names:
    return names(
        (spelling.name(entry.value), entry.verdict, entry.reach) for entry in public_suffixes()
    )
