"""Check Point's CSV for custom intelligence feeds.

Networks become ranges, and IPv6 has no type. Confidence decides what the gateway may prevent;
severity follows it, since the center knows no other.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import FREE, INNER_FORMULA, joined, plain
from cybercoop.exports.formats._spans import address, span

NAME = "checkpoint"
TITLE_DE = "Check Point (CSV)"
TITLE_EN = "Check Point (CSV)"
MEDIA_TYPE = "text/csv; charset=utf-8"
ENDING = ".csv"

_COLUMNS = "#UNIQ-NAME,VALUE,TYPE,CONFIDENCE,SEVERITY,PRODUCT,COMMENT"
# The blade that looks for each type: only Anti-Virus knows files and URLs.
_TYPES = {
    "ipv4": ("IP", "AB"),
    "domain": ("Domain", "AB"),
    "url": ("URL", "AV"),
    "email": ("Mail-from", "AV"),
    "md5": ("MD5", "AV"),
    "sha1": ("SHA1", "AV"),
    "sha256": ("SHA256", "AV"),
}
KINDS = tuple(_TYPES)
_UNSAFE = re.compile(r"[,\"']|^[=+@-]").search


def unfit(entry: Entry) -> str | None:
    """Return why the gateway would read another value."""
    if entry.kind not in FREE:
        return None
    if _UNSAFE(entry.value) or INNER_FORMULA(entry.value):
        return "The gateway would split the value, or a spreadsheet run it."
    return plain(entry)


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield the names of the columns as a comment and one row per value."""
    return joined(chain([_COLUMNS], (_row(entry, about.zone) for entry in entries)))


def _row(entry: Entry, zone: str) -> str:
    value, (type_, blade) = entry.value, _TYPES[entry.kind]
    if entry.kind == "ipv4" and "/" in value:
        first, last = span(entry)
        value = f"{address(first, 'ipv4')}-{address(last, 'ipv4')}"
        type_ = "IP Range"
    level = _level(entry.confidence)
    return f"{entry.stix_id[-36:]},{value},{type_},{level},{level},{blade},{zone}"


def _level(confidence: int) -> str:
    """Return the word for a confidence, after the scale of STIX 2.1, appendix A."""
    if confidence < 30:  # noqa: PLR2004 - the scale's own numbers
        return "low"
    return "medium" if confidence < 70 else "high"  # noqa: PLR2004 - the same
