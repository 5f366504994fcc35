"""Unbound local zones that answer NXDOMAIN for a name and all below it."""

from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import joined

NAME = "unbound"
TITLE_DE = "Unbound (lokale Zonen)"
TITLE_EN = "Unbound (local zones)"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".conf"
KINDS = ("domain",)


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield a server clause that may be included anywhere in the settings."""
    zones = (f'local-zone: "{entry.value}." always_nxdomain' for entry in entries)
    return joined(chain(["server:"], zones))
