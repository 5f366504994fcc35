"""One blocklist entry, and what a list says about itself."""

import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from cybercoop.errors import Misused, Refused
from cybercoop.indicators import values

Level = Literal["clear", "green", "amber", "amber+strict"]

ZONE_LENGTH = 64
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://").match
_ZONE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Promise one value that a device can act on; times are microseconds since 1970.

    ``value`` is the normal form of its kind; ipv4 and ipv6 may be networks in CIDR form.
    ``until`` is when blocklists drop it. ``warned`` says that the guard asked for a label.
    ``raw`` is the STIX object, empty unless the format asks for it.
    """

    kind: str
    value: str
    confidence: int
    since: int
    changed: int
    until: int | None
    stix_id: str
    level: Level
    warned: bool = False
    raw: bytes = b""


class About(msgspec.Struct, frozen=True):
    """Promise a list's names and version; equal entries and equal ``About`` give equal bytes.

    ``zone`` names the list on the device: DNS zone, set or file. ``serial`` counts seconds and
    rises with each change; ``made`` is the time of that change in microseconds.
    """

    title: str
    zone: str
    serial: int
    made: int
    center: str

    def __post_init__(self) -> None:
        if len(self.zone) > ZONE_LENGTH or not _ZONE.fullmatch(self.zone):
            raise Misused(
                f"The list name {values.shown(self.zone)} must be lower-case letters, digits,"
                f" hyphens and dots, at most {ZONE_LENGTH}, and its last part begin with a letter."
            )


def _printable(value: str) -> str:
    # The space alone of all blanks is printable; the formats that split at spaces say so.
    if not value.isprintable():
        raise values.refused("control")
    return value


def _email(value: str) -> str:
    local, _, host = _printable(value).rpartition("@")
    return f"{local}@{values.domain(host)}"


def _url(value: str) -> str:
    if not _SCHEME(value):
        raise values.refused("no scheme")
    return _printable(value)


_FORMS: Mapping[str, Callable[[str], str]] = {
    "ipv4": values.ipv4,
    "ipv6": values.ipv6,
    "domain": values.domain,
    "url": _url,
    "email": _email,
    "md5": values.digest("MD5", 32),
    "sha1": values.digest("SHA-1", 40),
    "sha256": values.digest("SHA-256", 64),
    "sha512": values.digest("SHA-512", 128),
}
KINDS = frozenset(_FORMS)

# What is surely in its form, found in a third of the time: a feed has a million values.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_SURE: Mapping[str, Callable[[str], re.Match[str] | None]] = {
    "ipv4": re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}\Z").match,
    "domain": re.compile(r"(?:[a-z0-9_][a-z0-9_-]{0,62}\.){1,3}[a-z]{2,60}\Z").match,
    "url": re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+\Z").match,
    "sha1": re.compile(r"[0-9a-f]{40}\Z").match,
    "sha256": re.compile(r"[0-9a-f]{64}\Z").match,
    "md5": re.compile(r"[0-9a-f]{32}\Z").match,
}


def malformed(entry: Entry) -> str | None:
    """Return why no list at all may carry the value, or None.

    Values come normalised; a list that a firewall obeys does not rely on it.
    """
    sure = _SURE.get(entry.kind)
    return None if sure is not None and sure(entry.value) else _malformed(entry)


def _malformed(entry: Entry) -> str | None:
    form = _FORMS.get(entry.kind)
    try:
        if form is not None and form(entry.value) == entry.value:
            return None
    except Refused:
        pass
    return "The value is not in the normal form of its kind."
