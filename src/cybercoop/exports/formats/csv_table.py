"""A table with everything that a list says of a value, for spreadsheets and scripts (RFC 4180).

A cell that would begin a formula gets an apostrophe, as spreadsheets write it themselves.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import KINDS, About, Entry
from cybercoop.exports.formats._lines import FREE, INNER_FORMULA, joined
from cybercoop.stix import times

__all__ = ["KINDS", "unfit", "write"]

NAME = "csv"
TITLE_DE = "CSV-Tabelle"
TITLE_EN = "CSV table"
MEDIA_TYPE = "text/csv; charset=utf-8"
ENDING = ".csv"

_COLUMNS = "kind,value,confidence,since,changed,until,tlp,warned,id"
_SPECIAL = re.compile(r'[",; ]').search


def unfit(entry: Entry) -> str | None:
    """Return why a spreadsheet would run a part of the value."""
    if entry.kind in FREE and INNER_FORMULA(entry.value):
        return "A spreadsheet that splits at other signs would run a part of the value."
    return None


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield a row with the names of the columns and one row per value."""
    return joined(chain([_COLUMNS], map(_row, entries)))


def cell(text: str) -> str:
    """Return ``text`` as one harmless cell."""
    if text[:1] in ("=", "+", "-", "@"):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _SPECIAL(text) else text


def _row(entry: Entry) -> str:
    until = "" if entry.until is None else times.text(entry.until)
    warned = "true" if entry.warned else "false"
    value = cell(entry.value) if entry.kind in FREE else entry.value
    return (
        f"{entry.kind},{value},{entry.confidence},{times.text(entry.since)},"
        f"{times.text(entry.changed)},{until},{entry.level},{warned},{entry.stix_id}"
    )
