"""A file for Zeek's intelligence framework: columns separated by tabs."""

from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import KINDS, About, Entry
from cybercoop.exports.formats._lines import joined, plain

__all__ = ["KINDS", "unfit", "write"]

NAME = "zeek"
TITLE_DE = "Zeek-Intel-Datei"
TITLE_EN = "Zeek intelligence file"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".intel"

_FIELDS = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc"
_TYPES = {
    "ipv4": "Intel::ADDR",
    "ipv6": "Intel::ADDR",
    "domain": "Intel::DOMAIN",
    "url": "Intel::URL",
    "email": "Intel::EMAIL",
    "md5": "Intel::FILE_HASH",
    "sha1": "Intel::FILE_HASH",
    "sha256": "Intel::FILE_HASH",
    "sha512": "Intel::FILE_HASH",
}


def unfit(entry: Entry) -> str | None:
    """Return why Zeek would read another value."""
    if "\\" in entry.value:
        return "Zeek reads a backslash as the beginning of another character."
    if entry.kind == "url" and entry.value.partition("://")[2][:1] in ("", "#", "/"):
        return "The URL names no host."
    return plain(entry)


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield the names of the columns and one line per value."""
    return joined(chain([_FIELDS], (_line(entry, about.zone) for entry in entries)))


def _line(entry: Entry, source: str) -> str:
    value, kind = entry.value, _TYPES[entry.kind]
    if entry.kind == "url":  # Zeek knows URLs without their scheme
        value = value.partition("://")[2]
    if kind == "Intel::ADDR" and "/" in value:
        kind = "Intel::SUBNET"
    return f"{value}\t{kind}\t{source}\tconfidence {entry.confidence}, tlp:{entry.level}"
