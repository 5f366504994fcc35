"""Lines put together into pieces of a size worth sending."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from cybercoop.exports.entries import Entry

ADDRESSES = ("ipv4", "ipv6")
HASHES = ("md5", "sha1", "sha256", "sha512")

# German spreadsheets split at semicolons whatever the quotes say: a formula may begin inside.
INNER_FORMULA = re.compile(r"[;|]['\" ]*[=+@-]").search

_LINES = 2048  # about 64 KiB of usual values
_FREE = {"url", "email"}  # the normal forms of all other kinds are visible ASCII
_LINE = re.compile(r"(?!#)[!-~]+\Z").match


def joined(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield ``lines``, each ended by one LF, in pieces of some 64 KiB."""
    lines = iter(lines)
    while some := list(islice(lines, _LINES)):
        some.append("")
        yield "\n".join(some).encode()


def plain(entry: Entry) -> str | None:
    """Return why a line of visible ASCII without blanks cannot hold the value, or None."""
    if entry.kind not in _FREE or _LINE(entry.value):
        return None
    return "The value has blanks or characters that are not ASCII, or would be a comment."
