"""Entries for the tests of formats: one of each kind, and whatever a hostile source may send."""

from collections import Counter

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats import Format

ABOUT = About(
    "Alle Sperrlisten", "sperren.coop.example", 1_764_000_000, 1_764_000_000_000_000, "VC"
)
DAY = 1_764_000_000_000_000
VALUES = {
    "ipv4": "198.51.100.7",
    "ipv6": "2001:db8::7",
    "domain": "boese.example",
    "url": "https://boese.example:8443/a?b=c&d=%20",
    "email": "post@boese.example",
    "md5": "0" * 32,
    "sha1": "1" * 40,
    "sha256": "2" * 64,
    "sha512": "3" * 128,
}


def entry(kind: str, value: str | None = None, *, confidence: int = 70, since: int = DAY) -> Entry:
    """Return an entry, by default with the usual value of its kind."""
    stix_id = "indicator--5a1ad1d2-5d4c-4d8f-8f0e-1f0b6f7a0001"
    given = VALUES[kind] if value is None else value
    raw = b'{"type":"indicator","id":"' + stix_id.encode() + b'"}'
    return Entry(kind, given, confidence, since, since, None, stix_id, "green", False, raw)


def files(
    format_: Format, some: list[Entry], left_out: Counter[str] | None = None
) -> dict[str, str]:
    """Return the files of a list as text."""
    made = format_.files(some, ABOUT, left_out)
    return {name: b"".join(pieces).decode() for name, pieces in made.items()}
