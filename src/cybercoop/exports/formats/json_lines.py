"""One JSON object per line, for scripts and log pipelines."""

from collections.abc import Iterable, Iterator

import msgspec

from cybercoop.exports.entries import KINDS, About, Entry
from cybercoop.exports.formats._lines import joined
from cybercoop.stix import times

__all__ = ["KINDS", "write"]

NAME = "jsonl"
TITLE_DE = "JSON-Zeilen"
TITLE_EN = "JSON lines"
MEDIA_TYPE = "application/x-ndjson"
ENDING = ".jsonl"

_encoded = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, frozen=True, gc=False):
    kind: str
    value: str
    confidence: int
    since: str
    changed: str
    until: str | None
    tlp: str
    warned: bool
    id: str


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield one object per value; times are RFC 3339 in UTC."""
    return joined(_encoded(_line(entry)).decode() for entry in entries)


def _line(entry: Entry) -> _Line:
    return _Line(
        entry.kind,
        entry.value,
        entry.confidence,
        times.text(entry.since),
        times.text(entry.changed),
        None if entry.until is None else times.text(entry.until),
        entry.level,
        entry.warned,
        entry.stix_id,
    )
