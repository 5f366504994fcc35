"""The house put together for those who ask: one web application, and the process that serves it."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import HttpVersion11, http_exceptions, web

from cybercoop import body
from cybercoop.beside import Beside
from cybercoop.config import Settings
from cybercoop.door import (
    AUTHENTICATE,
    CENTER,
    DATABASE,
    RESPONSES,
    SETTINGS,
    SURROUNDINGS,
    TAXII_PATHS,
    WAKE,
    Authenticate,
    Handler,
)
from cybercoop.errors import CoopError, Misused
from cybercoop.exports import carrying, recipes
from cybercoop.exports import routes as feeds
from cybercoop.responses import linked
from cybercoop.responses.carrying import carrying as carrying_of
from cybercoop.store import answers, statuses, upgrade
from cybercoop.store.database import Database, explained
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings
from cybercoop.taxii import collections
from cybercoop.taxii import routes as taxii
from cybercoop.web import api, pages, problems, repeating, rules_now, signin
from cybercoop.web.handed_in import LISTS
from cybercoop.web.middleware import middleware
from cybercoop.web.pages import links

_SERVER = "cybercoop"
_HOUR = 3600
_FAULT = 500
"""From here on a status says that the fault is ours."""

_GRACE = 15
"""Seconds that requests have to end when the process shall; systemd and Compose kill after 30."""

_PATIENCE = 30
"""Seconds for one statement of PostgreSQL: a request that waits longer is asked to come again."""

Announce = Callable[[str], Awaitable[None]]
"""Tells somebody the address of a server."""

_SILENT: set[object] = set()
"""Connections that have not sent a whole request head yet."""


def make_app(
    database: Database,
    center: Center,
    settings: Settings,
    surroundings: Surroundings,
    wake: Callable[[], None],
    authenticate: Authenticate = signin.by_token,
) -> web.Application:
    """Return an application without routes; every door finds what it needs in it."""
    app = web.Application(middlewares=[_hear, middleware])
    app.on_response_prepare.append(_name)
    app[DATABASE], app[CENTER] = database, center
    app[SETTINGS], app[SURROUNDINGS] = settings, surroundings
    app[WAKE], app[AUTHENTICATE] = wake, authenticate
    app[RESPONSES] = carrying_of(database, center, settings, surroundings)
    signin.keep_track(app)
    body.give_room(app)
    return app


def add_doors(app: web.Application, center: Center, name: str) -> None:
    """Open the product's doors: TAXII with its two roots, the REST API, feeds for devices."""
    of_reader = partial(collections.of_reader, center=center)
    roots = (
        taxii.Root("/taxii2/coop/", name, of_reader),
        taxii.Root(
            "/taxii2/public/",
            f"{name}: public / öffentlich",
            lambda _reader: collections.public(center),
            open=True,
        ),
    )
    app[TAXII_PATHS] = ("/taxii2",)
    taxii.add_routes(app, taxii.Discovery(name, roots))
    api.add_routes(app)
    feeds.add_routes(app, name, signin.secret_of, problems.problem, rules_now.guard_now)
    pages.add_routes(app, name, recipes)
    links.add_routes(app, linked.desk(app[RESPONSES]))
    app[LISTS] = carrying.lists(app[feeds.SHELF])


@web.middleware
async def _hear(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note that this connection has sent a whole request head."""
    _SILENT.discard(request.protocol)
    return await handler(request)


async def _name(_request: web.Request, response: web.StreamResponse) -> None:
    """Tell nobody which versions answer, as the library would."""
    response.headers["Server"] = _SERVER


@contextlib.asynccontextmanager
async def listening(app: web.Application, settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """Serve ``app`` and lend the address; port 0 takes a free one.

    A connection that sends no request head within ``read_timeout`` is closed, and so is one
    whose peer does not take its answer for twice as long.
    """
    tls = _tls(settings)
    for route in app.router.routes():
        route.handle_expect_header = _continue_if_it_fits  # type: ignore[method-assign] # see there
    runner = web.AppRunner(app, shutdown_timeout=_GRACE)
    await runner.setup()
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {"access_log": None, "auto_decompress": False}
    options["keepalive_timeout"] = settings.read_timeout

    def accepted() -> asyncio.Protocol:
        protocol = _Connection(runner.server, loop=loop, **options)  # type: ignore[arg-type] # set up above
        _SILENT.add(protocol)
        loop.call_later(settings.read_timeout, _close_if_silent, protocol)
        return protocol

    sock = _socket(*settings.address, settings.read_timeout)
    server = await loop.create_server(accepted, sock=sock, ssl=tls, backlog=512)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield host, port
    finally:
        server.close()
        await runner.cleanup()


class _Connection(web.RequestHandler):
    """A connection as the library has it, but for two things.

    It answers with JSON, too, where the library finds no request to hand on. And it ends with a
    body in chunks: the library takes what may follow the last one (trailers) for headers of the
    next request, which a proxy may send for somebody else.
    """

    __slots__ = ()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, the last one of its connection where the body came in chunks."""
        if "Transfer-Encoding" in request.headers:
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer in a form that serves as a problem (RFC 9457) and as a TAXII error.

        Nothing of what came is repeated, and the path is not known, so neither is who asks. Only
        what is our fault is logged: strangers could fill the log with requests that are none.
        """
        if status >= _FAULT or request.writer.output_size > 0:
            super().handle_error(request, status, exc, message)  # it logs, or ends the connection
        title = HTTPStatus(status).phrase
        text = _why(exc) if status < _FAULT else title
        said = msgspec.to_builtins(problems.of_status(status, text))
        said |= {"description": text, "http_status": str(status)}
        kind = "application/problem+json"
        headers = {"Server": _SERVER}
        answer = web.json_response(said, status=status, headers=headers, content_type=kind)
        answer.force_close()
        return answer


def _why(error: BaseException | None) -> str:
    if isinstance(error, http_exceptions.LineTooLong):
        most = error.args[1]
        return f"The address, or one header, is too long; at most {most} bytes are read of each."
    return "This is not a request as HTTP wants it."


async def _continue_if_it_fits(request: web.Request) -> None:
    """Ask for the body of an ``Expect: 100-continue`` unless it is announced as too large.

    One that is too large goes on to its door, which refuses it before reading; the library
    would ask for it first. It takes this handler per route, which every new door would forget.
    """
    fits = (request.content_length or 0) <= request.app[SETTINGS].max_content_length
    expected = request.headers.get("Expect", "").lower() == "100-continue"
    if expected and fits and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


def _close_if_silent(protocol: web.RequestHandler) -> None:
    if protocol in _SILENT:
        _SILENT.discard(protocol)
        if protocol.transport is not None:
            protocol.transport.abort()


def _socket(host: str, port: int, seconds: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 2000)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        msg = f"{host}:{port} cannot be listened on ({error.strerror}); set CYBERCOOP_LISTEN."
        raise Misused(msg) from error
    return sock


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(*settings.tls)
    except (OSError, ssl.SSLError) as error:
        files = " or ".join(map(str, settings.tls))
        msg = f"The TLS certificate or key, {files}, cannot be read: {error}"
        raise Misused(msg) from error
    return context


@contextlib.asynccontextmanager
async def running(
    settings: Settings, around: Surroundings, wake: Callable[[], None]
) -> AsyncIterator[tuple[str, int]]:
    """Open all doors on the configured database and lend the address.

    ``wake`` is called whenever there is something to release. Raises ``Misused`` where the
    database has no center or another schema.
    """
    database = Database(settings.database_url, patience=_PATIENCE)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        center, name = await upgrade.founded(database)
        app = make_app(database, center, settings, around, wake)
        add_doors(app, center, name)
        keeping = asyncio.create_task(_housekeeping(app, settings, around))
        stack.push_async_callback(_stop, keeping, app)
        yield await stack.enter_async_context(listening(app, settings))


async def _stop(keeping: asyncio.Task[None], app: web.Application) -> None:
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    with contextlib.suppress(Misused, OSError), explained():
        await signin.write_down(app)
        await feeds.write_down(app)


async def _housekeeping(app: web.Application, settings: Settings, around: Surroundings) -> None:
    """Once a minute write down who asked, and forget statuses that are too old."""
    while True:
        await asyncio.sleep(60)
        # A database that is away is there again in some other minute.
        with contextlib.suppress(Misused, OSError), explained():
            await signin.write_down(app)
            await feeds.write_down(app)
            await feeds.raise_alarms(app)
            async with app[DATABASE].write() as connection:
                before = around.now() - settings.status_hours * _HOUR * 1_000_000
                await statuses.prune(connection, before)
                kept = around.now() - repeating.KEPT_HOURS * _HOUR * 1_000_000
                await answers.prune(connection, kept)


async def serve(settings: Settings, announce: Announce, worker: Beside | None = None) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the address once pushes are possible.

    It goes on beside serving, and no longer. From then on ``worker`` does the rest. Raises
    ``CoopError`` when that one ends by itself: whoever started this process starts it again.
    """
    ended, alone = asyncio.Event(), False
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    wake = worker.wake if worker else lambda: None
    async with running(settings, Surroundings(), wake) as (host, port):
        scheme = "https" if settings.tls else "http"
        shown = f"[{host}]" if ":" in host else host
        telling = asyncio.ensure_future(announce(f"{scheme}://{shown}:{port}"))
        if worker:
            worker.wake()
            worker.when_ended(ended.set)
        await ended.wait()
        # Whatever it still asks of this server would be waited for.
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        alone = worker is not None and worker.has_ended
        if worker:
            worker.stop()
    if alone:
        raise CoopError(
            "The worker beside this process has ended; what it said stands above; start again."
        )
