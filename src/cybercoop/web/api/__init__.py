"""REST API: one file per noun, each with a table of its endpoints."""

from functools import cache

import msgspec
from aiohttp import web

from cybercoop.door import DATABASE
from cybercoop.store import members
from cybercoop.web import events, openapi, reports
from cybercoop.web.answering import handler_of
from cybercoop.web.api import (
    assets,
    exceptions,
    feeds,
    guard,
    incident_clocks,
    incident_parts,
    incident_sharing,
    incidents,
    lookup,
    notices,
    organisations,
    people,
    playbooks,
    push,
    response_leading,
    response_views,
    responses,
    sightings,
    sources,
    tasks,
    tokens,
    triggers,
    webhooks,
)
from cybercoop.web.endpoints import ROOT, Endpoint
from cybercoop.web.rules_now import keep_guard
from cybercoop.web.taking_part import keep_track

ENDPOINTS: tuple[Endpoint, ...] = (
    *push.ENDPOINTS,
    *lookup.ENDPOINTS,
    *sightings.ENDPOINTS,
    *sources.ENDPOINTS,
    *guard.ENDPOINTS,
    *exceptions.ENDPOINTS,
    *assets.ENDPOINTS,
    *feeds.ENDPOINTS,
    *tokens.ENDPOINTS,
    *organisations.ENDPOINTS,
    *people.ENDPOINTS,
    *incidents.ENDPOINTS,
    *incident_clocks.ENDPOINTS,
    *incident_parts.ENDPOINTS,
    *incident_sharing.ENDPOINTS,
    *playbooks.ENDPOINTS,
    *responses.ENDPOINTS,
    *response_leading.ENDPOINTS,
    *response_views.ENDPOINTS,
    *tasks.ENDPOINTS,
    *notices.ENDPOINTS,
    *triggers.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


def add_routes(app: web.Application) -> None:
    """Put the REST API, its description and the health checks into ``app``."""
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _healthz)
    app.router.add_get("/api/openapi.json", _described)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, ROOT + endpoint.path, handler_of(endpoint))
    keep_guard(app)
    keep_track(app)
    reports.add_routes(app)
    events.add_routes(app)


def _json(content: bytes) -> web.Response:
    return web.Response(body=content, content_type="application/json")


async def _healthz(request: web.Request) -> web.Response:
    async with request.app[DATABASE].read() as connection:
        await members.the_center(connection)
    return _json(b'{"status":"ok"}')


@cache
def _description() -> bytes:
    # A tenth of a second, once, for whoever asks; starting costs nothing.
    return msgspec.json.encode(openapi.document(ENDPOINTS))


async def _described(_: web.Request) -> web.Response:
    return _json(_description())
