"""The door for devices: ``/feeds/{key}``, where the key is a path token or the id of a feed."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import msgspec
import structlog
from aiohttp import web
from aiohttp.log import server_logger
from yarl import URL

from cybercoop.collect.guarding import Guard
from cybercoop.door import (
    AUTHENTICATE,
    CENTER,
    DATABASE,
    SETTINGS,
    SURROUNDINGS,
    Handler,
    client_address,
)
from cybercoop.errors import CoopError, Misused, NotFound, Unauthenticated
from cybercoop.exports import formats
from cybercoop.exports.building import Build, Served
from cybercoop.exports.replies import away, names_of, reply
from cybercoop.exports.serving import Shelf
from cybercoop.members import device_feeds as nouns
from cybercoop.members.tokens import Scope
from cybercoop.stix import times
from cybercoop.store import device_feeds
from cybercoop.store.database import explained
from cybercoop.store.device_feeds import Asker, Fetch

SHELF = web.AppKey("shelf", Shelf)
_FETCHED = web.AppKey("fetched", dict[str, Fetch])
_SILENT = web.AppKey("silent", set[str])
_SAID = web.RequestKey("said", str)

SecretOf = Callable[[str], tuple[str, str] | None]
"""Returns name and password of an Authorization header."""

ProblemOf = Callable[[str, str], msgspec.Struct]
"""Returns a problem (RFC 9457) by its code, with what there is to say."""

GuardOf = Callable[[web.Application], Awaitable[Guard]]
"""Returns the guard as the database has it now."""

_PROBLEM_OF: web.AppKey[ProblemOf] = web.AppKey("problem_of")
_log = structlog.get_logger("feeds")
_SECRET = re.compile(rf"{nouns.MARK}[^/]*")
_SECRET_IN_TEXT = re.compile(rf"{nouns.MARK}[\w.~-]*")
_ID = re.compile("[0-9a-f-]{36}").fullmatch
_AGENT_LENGTH = 80
_FAULT = 500


def add_routes(
    app: web.Application, title: str, secret_of: SecretOf, problem_of: ProblemOf, guard_of: GuardOf
) -> None:
    """Open the door for devices of the center with that title; builds go on while it is open."""
    app[_PROBLEM_OF] = problem_of

    async def fetch(request: web.Request) -> web.StreamResponse:
        return await _fetch(request, secret_of)

    for path in ("/feeds/{key}", "/feeds/{key}/", "/feeds/{key}/{file}"):
        app.router.add_get(path, fetch)
    folder = app[SETTINGS].data / "feeds"
    guard_now = partial(guard_of, app)
    app[SHELF] = Shelf(app[DATABASE], app[CENTER], title, folder, app[SURROUNDINGS], guard_now)
    app[_FETCHED], app[_SILENT] = {}, set()
    app.middlewares.insert(0, _discreet)
    server_logger.addFilter(_redacted)
    app.cleanup_ctx.append(_building)


async def _building(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[SHELF].run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await app[SHELF].close()


@web.middleware
async def _discreet(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take the secrets out of a request before anybody who might write them down sees it.

    Outside of everything else, it also makes an answer of any failure that devices understand:
    at 503 they keep the list that they have.
    """
    if not request.path.startswith("/feeds/"):
        return await handler(request)
    shown = URL.build(path=_SECRET.sub(nouns.MARK, request.path))
    # A copy takes nothing that is not UTF-8, which clients may well send.
    headers = [
        (name, value.encode(errors="replace").decode())
        for name, value in request.headers.items()
        if name.lower() != "authorization"
    ]
    quiet = request.clone(rel_url=shown, headers=headers)
    quiet[_SAID] = request.headers.get("Authorization", "")
    response = await handler(quiet)
    return _away(request) if response.status >= _FAULT else response


def _redacted(record: logging.LogRecord) -> bool:
    """Take the secrets out of what the library logs of a request that it could not read."""
    if record.exc_info:
        text = logging.Formatter().formatException(record.exc_info)
        if _SECRET_IN_TEXT.search(text):
            record.exc_info = None
            record.exc_text = _SECRET_IN_TEXT.sub(nouns.MARK, text)
    return True


def _away(request: web.Request) -> web.Response:
    """Say that the list is not there now, in the words of the house."""
    return away(request.app[_PROBLEM_OF])


async def _fetch(request: web.Request, secret_of: SecretOf) -> web.StreamResponse:
    app, key = request.app, request.match_info["key"]
    unknown: CoopError = Unauthenticated("Send the token of this feed: Basic or Bearer.")
    if key.startswith(nouns.MARK):
        unknown = NotFound("There is no such feed.")
    asker, is_device = await _asker(request, key, secret_of)
    if asker is None or not asker.feed.lets_in(address := client_address(request)):
        raise unknown
    plan = await app[SHELF].plan_of(asker)
    if not (plan.locks or plan.blocks_of):
        # An empty list would end all blocking; the key to what it listed is lost.
        raise unknown
    build = await app[SHELF].build_of(plan)
    if build is None:
        return _away(request)
    media_type, served = _file(build, asker.feed.format, request.match_info.get("file", ""))
    agent = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))
    by = f"{address} {agent[:_AGENT_LENGTH]}".rstrip()
    fetch = Fetch(asker.feed.id, app[SURROUNDINGS].now(), by, served.digest[:16])
    _note(app, fetch)
    response = await reply(request, served, media_type, build.record.made)
    if plan.blocks_of and is_device and request.method == "GET":
        await _handed_over(request, response)
        _note(app, replace(fetch, as_of=build.record.as_of))
        if asker.feed.fetched_as_of != build.record.as_of:
            await _write_down_now(app)
    return response


def _note(app: web.Application, fetch: Fetch) -> None:
    """Remember a fetch until it is written down, and what an earlier one has proved."""
    before = app[_FETCHED].get(fetch.feed_id)
    if before is not None and fetch.as_of is None:
        fetch = replace(fetch, as_of=before.as_of)
    app[_FETCHED][fetch.feed_id] = fetch


async def _handed_over(request: web.Request, response: web.StreamResponse) -> None:
    """Send an answer to its end: only then a device has what its list says."""
    if not response.prepared:
        response.headers["X-Content-Type-Options"] = "nosniff"
        await response.prepare(request)
        await response.write_eof()


async def _asker(request: web.Request, key: str, secret_of: SecretOf) -> tuple[Asker | None, bool]:
    """Return who may fetch what, and whether that is a device: it shows a token of the feed.

    Devices send it in the path or with the id of the feed; people of its owner may look, too.
    """
    database, now = request.app[DATABASE], request.app[SURROUNDINGS].now()
    if key.startswith(nouns.MARK):
        return await device_feeds.by_path(database, nouns.digest(key), now), True
    header = request[_SAID]
    said = secret_of(header)
    if said is None or not _ID(key):
        return None, False
    found = await device_feeds.by_header(database, key, nouns.digest(said[1]), now)
    if found is not None:
        return found, True
    reader = await request.app[AUTHENTICATE](header, request)
    if reader is None or not reader.scope.covers(Scope.READ):
        return None, False
    return await device_feeds.of_organisation(database, key, reader.org.id, now), False


def _file(build: Build, format_name: str, name: str) -> tuple[str, Served]:
    format_ = formats.found()[format_name]
    if not name and format_.several:
        return "text/plain; charset=utf-8", names_of(build)
    if not name:
        (served,) = build.files.values()
    elif name in build.files:
        served = build.files[name]
    else:
        raise NotFound("This feed has no file of that name.")
    is_table = format_.several and name.endswith(".csv")
    return "text/csv; charset=utf-8" if is_table else format_.media_type, served


async def write_down(app: web.Application) -> None:
    """Write down who fetched last; one statement for all feeds, not one per request."""
    fetched = app[_FETCHED].copy()
    app[_FETCHED].clear()
    if not fetched:
        return
    try:
        async with app[DATABASE].write() as connection:
            await device_feeds.note_fetches(connection, fetched.values())
    except BaseException:
        newer = list(app[_FETCHED].values())
        app[_FETCHED].update(fetched)
        for one in newer:
            _note(app, one)
        raise


async def _write_down_now(app: web.Application) -> None:
    """Write down what a fetch has proved; where that fails it is done with the others."""
    with suppress(Misused, OSError), explained():
        await write_down(app)


async def raise_alarms(app: web.Application) -> None:
    """Log each feed that no device has fetched for too long, once until it is fetched again."""
    now, told = app[SURROUNDINGS].now(), app[_SILENT]
    async with app[DATABASE].read() as connection:
        silent = {
            one.id: one for one in await device_feeds.all_feeds(connection) if one.is_silent(now)
        }
    for feed_id in sorted(silent.keys() - told):
        feed = silent[feed_id]
        last = None if feed.fetched_at is None else times.text(feed.fetched_at)
        _log.warning("feed not fetched", feed=feed_id, hours=feed.alarm_hours, last=last)
    told.intersection_update(silent)
    told.update(silent)
