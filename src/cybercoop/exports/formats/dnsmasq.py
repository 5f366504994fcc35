"""dnsmasq settings that answer NXDOMAIN for a name and all below it."""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import joined

NAME = "dnsmasq"
TITLE_DE = "dnsmasq"
TITLE_EN = "dnsmasq"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".conf"
KINDS = ("domain",)


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield one setting per name; without an address it means: there is no such name."""
    return joined(f"address=/{entry.value}/" for entry in entries)
