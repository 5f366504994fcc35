"""The door for devices: ``/feeds/{key}``, where the key is a path token or the id of a feed."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import structlog
from aiohttp import web
from aiohttp.log import server_logger
from yarl import URL

from cybercoop.door import (
    AUTHENTICATE,
    CENTER,
    DATABASE,
    SETTINGS,
    SURROUNDINGS,
    Handler,
    client_address,
)
from cybercoop.errors import CoopError, NotFound, Unauthenticated
from cybercoop.exports import formats
from cybercoop.exports.building import Build, Served
from cybercoop.exports.replies import names_of, problem, reply
from cybercoop.exports.serving import Shelf
from cybercoop.members import device_feeds as nouns
from cybercoop.members.tokens import Scope
from cybercoop.stix import times
from cybercoop.store import device_feeds
from cybercoop.store.device_feeds import Asker, Fetch

SHELF = web.AppKey("shelf", Shelf)
_FETCHED = web.AppKey("fetched", dict[str, Fetch])
_SILENT = web.AppKey("silent", set[str])
_SAID = web.RequestKey("said", str)

SecretOf = Callable[[str], tuple[str, str] | None]
"""Returns name and password of an Authorization header."""

_log = structlog.get_logger("feeds")
_SECRET = re.compile(rf"{nouns.MARK}[^/]*")
_SECRET_IN_TEXT = re.compile(rf"{nouns.MARK}[\w.~-]*")
_ID = re.compile("[0-9a-f-]{36}").fullmatch
_AGENT_LENGTH = 80
_FAULT = 500


def add_routes(app: web.Application, title: str, secret_of: SecretOf) -> None:
    """Open the door for devices of the center with that title; builds go on while it is open."""

    async def fetch(request: web.Request) -> web.StreamResponse:
        return await _fetch(request, secret_of)

    for path in ("/feeds/{key}", "/feeds/{key}/", "/feeds/{key}/{file}"):
        app.router.add_get(path, fetch)
    folder = app[SETTINGS].data / "feeds"
    app[SHELF] = Shelf(app[DATABASE], app[CENTER], title, folder, app[SURROUNDINGS])
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
    return problem() if response.status >= _FAULT else response


def _redacted(record: logging.LogRecord) -> bool:
    """Take the secrets out of what the library logs of a request that it could not read."""
    if record.exc_info:
        text = logging.Formatter().formatException(record.exc_info)
        if _SECRET_IN_TEXT.search(text):
            record.exc_info = None
            record.exc_text = _SECRET_IN_TEXT.sub(nouns.MARK, text)
    return True


async def _fetch(request: web.Request, secret_of: SecretOf) -> web.StreamResponse:
    app, key = request.app, request.match_info["key"]
    unknown: CoopError = Unauthenticated("Send the token of this feed: Basic or Bearer.")
    if key.startswith(nouns.MARK):
        unknown = NotFound("There is no such feed.")
    asker = await _asker(request, key, secret_of)
    if asker is None or not asker.feed.lets_in(address := client_address(request)):
        raise unknown
    plan = await app[SHELF].plan_of(asker)
    if not plan.locks:
        # An empty list would end all blocking; the key to what it listed is lost.
        raise unknown
    build = await app[SHELF].build_of(plan)
    if build is None:
        return problem()
    media_type, served = _file(build, asker.feed.format, request.match_info.get("file", ""))
    agent = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))
    by = f"{address} {agent[:_AGENT_LENGTH]}".rstrip()
    now = app[SURROUNDINGS].now()
    app[_FETCHED][asker.feed.id] = Fetch(asker.feed.id, now, by, served.digest[:16])
    return await reply(request, served, media_type, build.record.made)


async def _asker(request: web.Request, key: str, secret_of: SecretOf) -> Asker | None:
    """Return who may fetch what: by path token, or by the credentials of a feed named by id."""
    database, now = request.app[DATABASE], request.app[SURROUNDINGS].now()
    if key.startswith(nouns.MARK):
        return await device_feeds.by_path(database, nouns.digest(key), now)
    header = request[_SAID]
    said = secret_of(header)
    if said is None or not _ID(key):
        return None
    found = await device_feeds.by_header(database, key, nouns.digest(said[1]), now)
    if found is not None:
        return found
    reader = await request.app[AUTHENTICATE](header, request)
    if reader is None or not reader.scope.covers(Scope.READ):
        return None
    return await device_feeds.of_organisation(database, key, reader.org.id, now)


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
    fetched = list(app[_FETCHED].values())
    app[_FETCHED].clear()
    if fetched:
        async with app[DATABASE].write() as connection:
            await device_feeds.note_fetches(connection, fetched)


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
