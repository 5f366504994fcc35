"""Exceptions: values that nothing may block, whatever other rules say."""

from collections.abc import Iterable

from cybercoop.guard.verdicts import Entry, Kind, Level, by_rule

RULE = "exception"
_KINDS: dict[str, Kind] = {
    "ipv4": "network",
    "ipv6": "network",
    "domain": "domain",
    "url": "url",
    "email": "mail",
}


def excepted(values: Iterable[tuple[str, str]]) -> list[Entry]:
    """Return the rules that keep what overlaps these (kind, value) pairs off every list.

    An address stands for the networks around it, a name for its parents and all below it: to
    block any of those would block the value.
    """
    verdict = by_rule(RULE, Level.NEVER)
    return [Entry(_KINDS.get(kind, "hash"), value, verdict) for kind, value in values]
