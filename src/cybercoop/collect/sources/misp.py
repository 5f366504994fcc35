"""A MISP feed over HTTP: a manifest, and one file for each event that is new or changed."""

import re
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus

import msgspec

from cybercoop import egress
from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion
from cybercoop.egress import Credentials, Exit, Fetched, Rules
from cybercoop.errors import Malformed, TooLarge, Unreachable

NAME = "misp"
SNAPSHOT = True

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
# A feed of thousands of events would rewrite a cursor of thousands of entries for each; the
# price of this many at once is that so many are read again after a crash.
_BATCH = 25
_MISSING = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class _Entry(msgspec.Struct, frozen=True):
    timestamp: str | int = ""


class _Known(msgspec.Struct, frozen=True):
    """What is remembered: whose manifest, its ETag once all of it is had, each event's time."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""
    events: dict[str, str] = {}


async def fetch(
    source: Source, cursor: Cursor, rules: Rules, credentials: Credentials | None
) -> AsyncGenerator[Portion, None]:
    """Yield each new or changed event, then those that the manifest no longer lists.

    An event that is missing or too large is a portion with ``trouble`` and tried again the next
    time. Raise ``Malformed`` for a manifest that cannot be read or lists nothing.
    """
    known = _known(source, cursor)
    base = source.url.removesuffix("/")
    async with egress.opened(rules, credentials) as way:
        got = await way.fetch(
            f"{base}/manifest.json", etag=known.etag, last_modified=known.last_modified
        )
        if got.unchanged:
            yield Portion("manifest.json", b"", cursor, unchanged=True)
            return
        listed = _manifest(source, got.body)
        held, whole = dict(known.events), True
        remembered = cursor
        for number, (uuid, timestamp) in enumerate(_changed(listed, held), 1):
            portion = await _event(way, f"{base}/{uuid}.json", uuid)
            if portion.trouble:
                whole = False
            else:
                held[uuid] = timestamp
            if number % _BATCH == 0:
                remembered = _cursor(source, held)
            yield _with(portion, remembered)
        for uuid in sorted(held.keys() - listed.keys()):
            del held[uuid]
            yield Portion(f"{uuid}.json", b"", remembered, gone=True)
        yield Portion("manifest.json", b"", _cursor(source, held, got, whole=whole), unchanged=True)


def _known(source: Source, cursor: Cursor) -> _Known:
    try:
        known = msgspec.convert(cursor, _Known)
    except msgspec.ValidationError:
        return _Known()
    return known if known.url == source.url else _Known()


def _cursor(
    source: Source, held: Mapping[str, str], got: Fetched | None = None, *, whole: bool = False
) -> Cursor:
    """Return what to remember; the ETag only when nothing of this manifest is left to fetch."""
    done = got if whole else None
    known = _Known(
        source.url,
        done.etag if done else "",
        done.last_modified if done else "",
        dict(held),
    )
    remembered: Cursor = msgspec.to_builtins(known)
    return remembered


def _manifest(source: Source, body: bytes) -> dict[str, str]:
    try:
        entries = msgspec.json.decode(body, type=dict[str, _Entry])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{source.name}: manifest.json is not the manifest of a MISP feed."
        raise Malformed(msg) from error
    if not entries:
        msg = f"{source.name}: manifest.json lists no events; what was had before stays."
        raise Malformed(msg)
    if not all(_UUID(uuid) for uuid in entries):
        msg = f"{source.name}: manifest.json names an event by something that is no UUID."
        raise Malformed(msg)
    return {uuid: str(entry.timestamp) for uuid, entry in entries.items()}


def _changed(listed: Mapping[str, str], held: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what is to be fetched, oldest first."""
    new = ((uuid, time) for uuid, time in listed.items() if held.get(uuid) != time)
    return sorted(new, key=lambda one: (len(one[1]), one[1], one[0]))


async def _event(way: Exit, url: str, uuid: str) -> Portion:
    name = f"{uuid}.json"
    try:
        got = await way.fetch(url)
    except TooLarge as error:
        return Portion(name, b"", {}, trouble=str(error))
    except Unreachable as error:
        if error.status not in _MISSING:
            raise
        return Portion(name, b"", {}, trouble=str(error))
    return Portion(name, got.body, {}, content_type=got.content_type)


def _with(portion: Portion, cursor: Cursor) -> Portion:
    return Portion(
        portion.name,
        portion.data,
        cursor,
        trouble=portion.trouble,
        content_type=portion.content_type,
    )
