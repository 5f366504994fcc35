"""A STIX 2.1 bundle of the released objects, byte for byte as TAXII serves them."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice

from cybercoop.exports.entries import KINDS, About, Entry

__all__ = ["KINDS", "unfit", "write"]

NAME = "stix"
TITLE_DE = "STIX-2.1-Bundle"
TITLE_EN = "STIX 2.1 bundle"
MEDIA_TYPE = "application/stix+json;version=2.1"
ENDING = ".json"
RAW = True

_BUNDLES = uuid.UUID("0b2a5d4c-4c1c-5d63-9d0c-6f8f0b8a8d11")
_AT_ONCE = 128


def unfit(entry: Entry) -> str | None:
    """Return why the entry cannot stand in a bundle."""
    return None if entry.raw[:1] == b"{" else "There is no STIX object for the value."


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield the bundle; its id follows from the list's name and serial."""
    made = uuid.uuid5(_BUNDLES, f"{about.zone}|{about.serial}")
    opening = f'{{"type":"bundle","id":"bundle--{made}"'.encode()
    objects = iter(entries)
    # STIX 2.1, section 8: a bundle without objects has no list of them.
    between = b',"objects":['
    while some := [entry.raw for entry in islice(objects, _AT_ONCE)]:
        yield opening + between + b",".join(some)
        opening, between = b"", b","
    yield opening + b"}\n" if opening else b"]}\n"
