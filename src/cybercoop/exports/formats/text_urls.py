"""URLs without their scheme, one per line (Palo Alto)."""

import re
from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import joined, plain

NAME = "text-urls"
TITLE_DE = "Textliste von URLs ohne Schema"
TITLE_EN = "Text list of URLs without scheme"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".txt"
KINDS = ("url",)
ONE_KIND = True

_AUTHORITY = re.compile(r"[a-z0-9+.-]+://([^/?#\\]*)").match


def unfit(entry: Entry) -> str | None:
    """Return why the device would block something else, or nothing, for this URL."""
    if "*" in entry.value or "^" in entry.value:
        return "The device reads asterisk and caret as wildcards and would block more."
    found = _AUTHORITY(entry.value)
    if not found or not found[1]:
        return "The URL names no host."
    if "@" in found[1]:
        return "The device sees no user information and would never match."
    if found[1][0] == "[":
        return "The device reads no addresses in brackets."
    return plain(entry)


def write(entries: Iterable[Entry], _about: About) -> Iterator[bytes]:
    """Yield host, port and path, each once: http and https become the same line."""
    return joined(dict.fromkeys(entry.value.partition("://")[2] for entry in entries))
