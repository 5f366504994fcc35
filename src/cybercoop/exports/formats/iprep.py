"""A reputation file for Suricata alone: who has rules of his own wants no others."""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined
from cybercoop.exports.formats.suricata import CATEGORY

NAME = "iprep"
TITLE_DE = "Suricata-IP-Reputation"
TITLE_EN = "Suricata IP reputation"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".list"
KINDS = ADDRESSES


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield address or network, category 42 and the confidence as score (1 to 127)."""
    return joined(f"{entry.value},{CATEGORY},{max(entry.confidence, 1)}" for entry in entries)
