"""MISP feeds: a ``manifest.json`` that names events, each a file of its own beside it."""

import re
from collections.abc import Iterator

import msgspec

from cybercoop.collect.readers import _documents, misp
from cybercoop.collect.reading import Found, Given, Options, bad, whole
from cybercoop.errors import Malformed
from cybercoop.indicators.values import shown

NAME = "misp-feed"
TITLE = {
    "de": "MISP-Feed (manifest.json und Ereignisse daneben)",
    "en": "MISP feed (manifest.json and events beside it)",
}
PREVIEW = False

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_FIRST = re.compile(r'\s*\{\s*"[0-9a-fA-F-]{36}"\s*:\s*\{').match


class _Entry(msgspec.Struct, frozen=True):
    info: str = ""


def sureness(name: str, head: str) -> int:
    """Return 99 for a document whose members are named by UUIDs."""
    if not _FIRST(head):
        return 0
    return 99 if name.endswith("manifest.json") else 70


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every attribute of every event became; a missing or broken event is refused."""
    del options
    return _events(given, _documents.decoded(whole(given), dict[str, msgspec.Raw], given.name))


def _events(given: Given, entries: dict[str, msgspec.Raw]) -> Iterator[Found]:
    for uuid, raw in entries.items():
        info = _info(raw)
        if not _UUID(uuid):
            # The name becomes that of a file: anything but a UUID might lead elsewhere.
            yield bad(
                shown(uuid), info, "The manifest names this event by something else than a UUID."
            )
            continue
        content = given.beside(f"{uuid}.json")
        if content is None:
            yield bad(uuid, info, "The manifest names this event, and it is not beside it.")
            continue
        try:
            yield from misp.of_document(f"{uuid}.json", content, f"{uuid}.json: ")
        except Malformed as error:
            yield bad(uuid, info, str(error))


def _info(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Entry).info
    except (msgspec.DecodeError, RecursionError):
        return ""
