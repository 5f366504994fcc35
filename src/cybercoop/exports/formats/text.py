"""One value per line and nothing else: what nearly every firewall reads."""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import KINDS, About, Entry
from cybercoop.exports.formats._lines import joined, plain

__all__ = ["KINDS", "unfit", "write"]

NAME = "text"
TITLE_DE = "Textliste"
TITLE_EN = "Text list"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".txt"
ONE_KIND = True

unfit = plain


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield the values, most important first: devices cut off what is too much for them."""
    return joined(entry.value for entry in entries)
