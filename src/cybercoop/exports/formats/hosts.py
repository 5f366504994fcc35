"""A hosts file that sends names nowhere (Pi-hole, single computers).

It blocks the name alone and none of its subdomains: a hosts file cannot say more.
"""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import joined

NAME = "hosts"
TITLE_DE = "Hosts-Datei"
TITLE_EN = "Hosts file"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".txt"
KINDS = ("domain",)


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield one line per name with the address that leads nowhere."""
    return joined(f"0.0.0.0 {entry.value}" for entry in entries)
