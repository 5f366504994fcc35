"""STIX 2.0 and 2.1: bundles, TAXII envelopes and single objects, as their exact bytes."""

import re
from collections.abc import Iterator

from cybercoop.collect.reading import Found, Given, Options, Whole, whole
from cybercoop.errors import Malformed, TooLarge
from cybercoop.stix.slices import Cut, cut

NAME = "stix"
TITLE = {
    "de": "STIX 2.0 oder 2.1 (Bündel, TAXII-Umschlag oder einzelnes Objekt)",
    "en": "STIX 2.0 or 2.1 (bundle, TAXII envelope or single object)",
}
PREVIEW = False

_BUNDLE = re.compile(r'"type"\s*:\s*"bundle"').search
_OBJECTS = re.compile(r'"objects"\s*:\s*\[').search
_OBJECT = re.compile(r'"id"\s*:\s*"[a-z0-9-]+--[0-9a-fA-F-]{36}"').search
_ENVELOPE = re.compile(r'\s*\{\s*"objects"\s*:\s*\[').match
_FIRST_TYPE = re.compile(r'\s*\{(?:[^{}\[\]]*,)?\s*"type"\s*:\s*"(?!bundle")').match
_DEFINITION = re.compile(rb'"type"\s*:\s*"marking-definition"').search


def sureness(name: str, head: str) -> int:
    """Return how surely this is a bundle (100), an envelope (95, 60) or a single object (80)."""
    del name
    if head.lstrip("\ufeff \t\r\n")[:1] != "{":
        return 0
    if _BUNDLE(head):
        return 100
    if _OBJECT(head):
        return 95 if _OBJECTS(head) and not _FIRST_TYPE(head) else 80
    return 60 if _ENVELOPE(head) else 0


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield every object, definitions of markings first so that what carries them knows them.

    What is wrong inside of an object is for the center to say, object by object.
    """
    del options
    raw = whole(given)
    try:
        if _FIRST_TYPE(given.head):
            found = cut(b'{"objects":[' + raw.strip() + b"]}")
            found = Cut(found.objects, None, bundle=False)
        else:
            found = cut(raw)
    except (Malformed, TooLarge) as error:
        msg = f"{given.name}: {error}"
        raise Malformed(msg) from error
    return _objects(found)


def _objects(found: Cut) -> Iterator[Found]:
    numbered = enumerate(found.objects)
    for number, raw in sorted(numbered, key=lambda one: not _DEFINITION(one[1])):
        yield Whole(f"objects[{number}]", raw, found.bundle, found.spec_version)
