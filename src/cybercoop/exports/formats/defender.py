"""Microsoft Defender's CSV of indicators, uploaded by hand.

Networks, IPv6 spans, MD5 and mail addresses have no type there. What the guard warned of is
only audited.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import FREE, INNER_FORMULA, joined, plain
from cybercoop.stix import times

NAME = "defender"
TITLE_DE = "Microsoft Defender (CSV)"
TITLE_EN = "Microsoft Defender (CSV)"
MEDIA_TYPE = "text/csv; charset=utf-8"
ENDING = ".csv"

_COLUMNS = "indicatorType,indicatorValue,action,title,description,expirationTime,severity"
_TYPES = {
    "ipv4": "IpAddress",
    "ipv6": "IpAddress",
    "domain": "DomainName",
    "url": "Url",
    "sha1": "FileSha1",
    "sha256": "FileSha256",
}
KINDS = tuple(_TYPES)
_NO_NETWORKS = "The product takes single addresses, no networks."
_UNSAFE = re.compile(r"[,\"']").search


def unfit(entry: Entry) -> str | None:
    """Return why the upload would refuse the value or read another."""
    if entry.kind not in FREE:
        return _NO_NETWORKS if "/" in entry.value else None
    if _UNSAFE(entry.value) or INNER_FORMULA(entry.value):
        return "The upload would split the value, or a spreadsheet run it."
    return plain(entry)


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield the names of the columns and one row per value."""
    return joined(chain([_COLUMNS], (_row(entry, about.zone) for entry in entries)))


def _row(entry: Entry, zone: str) -> str:
    action = "Audit" if entry.warned else "Block"
    until = "" if entry.until is None else f"{times.text(entry.until)[:19]}.0Z"
    severity = "High" if entry.confidence >= 70 else "Medium"  # noqa: PLR2004 - "high" in STIX
    return (
        f"{_TYPES[entry.kind]},{entry.value},{action},cybercoop {zone},"
        f"confidence {entry.confidence} tlp:{entry.level},{until},{severity}"
    )
