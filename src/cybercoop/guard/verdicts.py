"""What the guard says about a value: how strict, by which rule, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal, NamedTuple


class Level(IntEnum):
    """Order what may become of a value, from harmless to strict."""

    ALLOW = 0
    WARN = 1
    HOLD = 2
    NEVER = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say how strict the guard is about a value, by which rule, and why in both languages.

    ``public`` says that everybody may read the rule and its reason; else others than the owner
    and the center are told what ``as_others_see`` leaves.
    """

    level: Level
    rule: str
    reason_de: str
    reason_en: str
    public: bool = True


class Reach(IntEnum):
    """Say which names an entry covers; the parents of a covered name are always protected."""

    BELOW = 0  # the name and everything below it
    EXACT = 1  # the name alone
    CHILDREN = 2  # every name exactly one label below: ``*.ck`` of the public suffix list
    FREE = 3  # this name is no such child: ``!www.ck``


Kind = Literal["network", "domain", "host", "mail", "url", "hash"]


class Entry(NamedTuple):
    """Hold one rule: a network, a name, a URL or a hash, and what is said about it.

    A ``domain`` counts for names, hosts of URLs and e-mail addresses, a ``host`` for all of them
    but e-mail addresses, a ``mail`` (a domain, or a whole address) for these alone.
    """

    kind: Kind
    value: str
    verdict: Verdict
    reach: Reach = Reach.BELOW


_REASONS = {
    "special-use": (
        "Der Wert ist für besondere Zwecke reserviert (private Netze, lokale Namen).",
        "The value is reserved for special use (private networks, local names).",
    ),
    "documentation": (
        "Der Wert ist für Beispiele in Dokumentationen reserviert.",
        "The value is reserved for examples in documentation.",
    ),
    "too-wide": (
        "Das Netz oder Muster umfasst zu viele Adressen oder Namen.",
        "The network or pattern covers too many addresses or names.",
    ),
    "public-suffix": (
        "Unter diesem Namen registrieren viele Fremde ihre eigenen Namen.",
        "Many strangers register names of their own below this name.",
    ),
    "resolver": (
        "Der Wert gehört zu einem bekannten DNS-Dienst, ohne den viele Geräte nichts finden.",
        "The value belongs to a well-known DNS service that many devices depend on.",
    ),
    "administration": (
        "Der Wert gehört zu einer öffentlichen Verwaltung.",
        "The value belongs to a public administration.",
    ),
    "specialist": (
        "Der Wert gehört zu einem Fachverfahren der Verwaltung oder zu dessen Hersteller.",
        "The value belongs to a specialist procedure of administrations or to its vendor.",
    ),
    "empty-file": (
        "Der Hash gehört zu einer leeren Datei.",
        "The hash belongs to an empty file.",
    ),
    "unreadable": (
        "Der Wert lässt sich nicht sicher als Adresse, Name oder Hash lesen.",
        "The value cannot be read with certainty as an address, name or hash.",
    ),
}
_PROTECTED = ("Der Wert ist geschützt.", "The value is protected.")
OWN = ("own-network", "own-domain")


def by_rule(rule: str, level: Level) -> Verdict:
    """Return the verdict of one of the guard's own rules.

    What a member has is not public: its reason names no owner either.
    """
    return Verdict(level, rule, *_REASONS.get(rule, _PROTECTED), public=rule not in OWN)


ALLOWED = Verdict(Level.ALLOW, "", "", "")
UNREADABLE = by_rule("unreadable", Level.HOLD)


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the strictest of ``verdicts``: the first of equals, allowed if there are none."""
    return max(verdicts, key=lambda verdict: verdict.level, default=ALLOWED)


def as_others_see(verdict: Verdict) -> Verdict:
    """Return ``verdict`` as whoever is neither the owner nor the center may read it.

    Even the rule's name would tell that some member has the value, and whether it is a network.
    """
    if verdict.public:
        return verdict
    german, english = _PROTECTED
    return replace(verdict, rule="protected", reason_de=german, reason_en=english)
