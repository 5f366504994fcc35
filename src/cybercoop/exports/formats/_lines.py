"""Lines put together into pieces of a size worth sending."""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice

from cybercoop.exports.entries import Entry

ADDRESSES = ("ipv4", "ipv6")
# What a stranger may write nearly anything into; all other forms are visible, harmless ASCII.
FREE = {"url", "email"}

# German spreadsheets split at semicolons whatever the quotes say: a formula may begin inside.
INNER_FORMULA = re.compile(r"[;|]['\" ]*[=+@-]").search

# Of the 31 that the kernel and Suricata take, with room for "-ipv4" and "-new".
_NAME_LENGTH = 22
_LINES = 2048  # about 64 KiB of usual values
_LINE = re.compile(r"(?!#)[!-~]+\Z").match


def joined(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield ``lines``, each ended by one LF, in pieces of some 64 KiB."""
    lines = iter(lines)
    while some := list(islice(lines, _LINES)):
        some.append("")
        yield "\n".join(some).encode()


def plain(entry: Entry) -> str | None:
    """Return why a line of visible ASCII without blanks cannot hold the value, or None."""
    if entry.kind not in FREE or _LINE(entry.value):
        return None
    return "The value has blanks or characters that are not ASCII, or would be a comment."


def short(zone: str) -> str:
    """Return a name of at most 22 characters that no other list has."""
    if len(zone) <= _NAME_LENGTH:
        return zone
    return f"{zone[:13]}-{sha256(zone.encode()).hexdigest()[:8]}"
