"""Single addresses, one per line, for devices that do not read networks (Sophos)."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined

NAME = "text-addresses"
TITLE_DE = "Textliste einzelner Adressen (ohne Netze)"
TITLE_EN = "Text list of single addresses (no networks)"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".txt"
KINDS = ADDRESSES
ONE_KIND = True

_NARROWEST = 24


def unfit(entry: Entry) -> str | None:
    """Return why the network cannot be spelled out address by address."""
    _, slash, prefix = entry.value.partition("/")
    if slash and (entry.kind == "ipv6" or int(prefix) < _NARROWEST):
        return "The network has more addresses than a list of single ones can hold."
    return None


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield each address once; a network of up to 256 stands as all of its addresses.

    The guard lets nothing wider than /24 out, so a device that reads no networks misses no
    IPv4 address. The price is up to 256 lines for one entry, against the device's limit.
    """
    return joined(dict.fromkeys(_spelled_out(entries)))


def _spelled_out(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        if "/" in entry.value:
            yield from map(str, IPv4Network(entry.value))
        else:
            yield entry.value
