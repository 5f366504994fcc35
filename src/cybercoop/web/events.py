"""Server-sent events of a board: something has changed, look again.

However many listen, there is one look a second at each response that is listened to. A reader hears
only of what he may see; an event names no more than the response and its state.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from cybercoop.door import AUTHENTICATE, CENTER, DATABASE, require
from cybercoop.errors import CoopError, Misused
from cybercoop.members.tokens import Scope
from cybercoop.store import runs
from cybercoop.store.database import Database, explained
from cybercoop.store.runs import Pulse, Reader
from cybercoop.web.endpoints import ROOT
from cybercoop.web.taking_part import reader_for

_EVERY = 1.0
_HEARTBEAT = 15.0
_MOST = 200
"""Listeners of one organisation; more of them are a mistake of a program."""

_GOING = frozenset({"proposed", "running"})


@dataclass(eq=False, slots=True)
class Listener:
    """Hold who listens, and whether there is something to hear."""

    reader: Reader
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Look at one response as long as somebody listens, and wake whom a change concerns."""

    def __init__(self, database: Database, response_id: str) -> None:
        self._database, self.response_id = database, response_id
        self.listeners: set[Listener] = set()
        self.is_closing = False
        self._seen: Pulse | None = None
        self._looking: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def join(self, listener: Listener) -> None:
        """Let somebody listen; whatever changes from now on is heard."""
        self.listeners.add(listener)
        async with self._turn:
            if self._looking is None or self._looking.done():
                self._seen = await self._pulse()
                self._looking = asyncio.create_task(self._look())

    def close(self) -> None:
        """Wake everybody to go."""
        self.is_closing = True
        self._wake(self.listeners)

    async def _pulse(self) -> Pulse:
        async with self._database.read() as connection:
            return await runs.pulse(connection, self.response_id, self._seen)

    async def _look(self) -> None:
        while self.listeners and not self.is_closing:
            await asyncio.sleep(_EVERY)
            # A database that is away is there again in some other second.
            with suppress(CoopError, OSError), explained():
                before, now = self._seen, await self._pulse()
                self._seen = now
                if before is not None:
                    heard = now.concerns(before)
                    self._wake(one for one in self.listeners if _hears(one.reader, heard))

    @staticmethod
    def _wake(some: Iterable[Listener]) -> None:
        for one in some:
            one.changed.set()


def _hears(reader: Reader, heard: frozenset[str | None]) -> bool:
    """Say whether a change concerns a reader: nobody's (None) concerns all."""
    return bool(heard) and (reader.is_center or bool(heard & {None, reader.org_id}))


_HUBS: web.AppKey[dict[str, Hub]] = web.AppKey("hubs")


def add_routes(app: web.Application) -> None:
    """Put the events of boards into ``app``."""
    app[_HUBS] = {}
    app.on_shutdown.append(_close)
    app.router.add_get(f"{ROOT}/responses/{{response_id}}/events", _events)


async def _close(app: web.Application) -> None:
    for hub in app[_HUBS].values():
        hub.close()


async def _events(request: web.Request) -> web.StreamResponse:
    """Send an event for every change until the response has ended or the reader may not listen."""
    asker, response_id = require(request, Scope.READ), request.match_info["response_id"]
    reader = reader_for(asker.org, request.app[CENTER])
    state = await _state(request, reader)
    hubs = request.app[_HUBS]
    hub = hubs.setdefault(response_id, Hub(request.app[DATABASE], response_id))
    if sum(one.reader.org_id == reader.org_id for one in hub.listeners) >= _MOST:
        raise Misused(f"{_MOST} listen already; close some of them.")
    listener = Listener(reader)
    try:
        await hub.join(listener)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        answer = web.StreamResponse(headers=headers)
        answer.content_type = "text/event-stream"
        await answer.prepare(request)
        await _tell(request, answer, hub, listener, state)
    finally:
        hub.listeners.discard(listener)
        if not hub.listeners and hubs.get(response_id) is hub:
            del hubs[response_id]
    return answer


async def _tell(
    request: web.Request, answer: web.StreamResponse, hub: Hub, listener: Listener, state: str
) -> None:
    # Who has gone, or may not listen any more, is told nothing: the connection just ends.
    with suppress(CoopError, ConnectionError):
        await answer.write(_event("board", hub, state))
        while state in _GOING and not hub.is_closing:
            try:
                await asyncio.wait_for(listener.changed.wait(), _HEARTBEAT)
            except TimeoutError:
                await answer.write(b": \n\n")
            is_news = listener.changed.is_set()
            listener.changed.clear()
            if not hub.is_closing:
                listener.reader = await _still(request)
                state = await _state(request, listener.reader)
                if is_news:
                    await answer.write(_event("board", hub, state))
        if state not in _GOING:
            await answer.write(_event("end", hub, state))


def _event(name: str, hub: Hub, state: str) -> bytes:
    said = msgspec.json.encode({"id": hub.response_id, "state": state})
    return b"event: " + name.encode() + b"\ndata: " + said + b"\n\n"


async def _state(request: web.Request, reader: Reader) -> str:
    """Return the state of the response; raise ``NotFound`` for who may not see it."""
    async with request.app[DATABASE].read() as connection:
        found = await runs.response(connection, reader, request.match_info["response_id"])
    return found.state


async def _still(request: web.Request) -> Reader:
    """Return who listens with the keys of now; raise ``Misused`` where the token has ended."""
    said = await request.app[AUTHENTICATE](request.headers.get("Authorization", ""), request)
    if said is None or not said.scope.covers(Scope.READ):
        raise Misused("This token has ended.")
    return reader_for(said.org, request.app[CENTER])
