"""REST API: pushing with verdicts at once, and what is kept but not released."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from cybercoop.body import read_body
from cybercoop.collect import intake
from cybercoop.collect.checking import Verdict
from cybercoop.collect.guarding import explained
from cybercoop.door import CENTER, DATABASE, SETTINGS, SURROUNDINGS, WAKE, require
from cybercoop.errors import Malformed
from cybercoop.members.tokens import Scope
from cybercoop.sharing import Addressed
from cybercoop.sharing.audience import audience
from cybercoop.sharing.marking import LEVELS
from cybercoop.store import contributions, guarding, members

_MOST_LISTED = 10_000


def add_routes(app: web.Application) -> None:
    """Put the REST API and the health checks into ``app``."""
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _healthz)
    app.router.add_post("/api/v1/push", _push)
    app.router.add_get("/api/v1/unreleased", _unreleased)


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


async def _healthz(request: web.Request) -> web.Response:
    async with request.app[DATABASE].read() as connection:
        await members.the_center(connection)
    return _json({"status": "ok"})


def _asked(request: web.Request) -> intake.Push:
    tlp, group = request.query.get("tlp"), request.query.get("group")
    if tlp is not None and tlp.lower() not in LEVELS:
        msg = f"tlp is one of {', '.join(LEVELS)}, not {tlp!r}."
        raise Malformed(msg)
    return intake.Push(
        Addressed(tlp.lower() if tlp else None, group or None),
        named=request.query.get("named") == "1",
        with_text=request.query.get("with_text") == "1",
        dry_run=request.query.get("dry_run") == "1",
    )


async def _push(request: web.Request) -> web.Response:
    app, poster = request.app, require(request, Scope.WRITE)
    asked, settings = _asked(request), app[SETTINGS]
    body = await read_body(request, settings.max_content_length, settings.read_timeout)
    now = app[SURROUNDINGS].now()
    verdicts = await intake.accept(app[DATABASE], app[CENTER], poster.org, body, asked, now)
    if not asked.dry_run:
        app[WAKE]()
        return _json({"verdicts": verdicts})
    return _json(
        {
            "verdicts": verdicts,
            "audience": await _audience(request, verdicts),
        }
    )


async def _audience(request: web.Request, verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    async with request.app[DATABASE].read() as connection:
        everybody = await members.all_organisations(connection)
    return {lock: audience(lock, everybody) for lock in {one.lock for one in verdicts if one.lock}}


async def _unreleased(request: web.Request) -> web.Response:
    reader = require(request, Scope.READ)
    async with request.app[DATABASE].read() as connection:
        rows = await contributions.unreleased(connection, reader.org.id, _MOST_LISTED)
        held = await guarding.held_of(connection, reader.org.id, _MOST_LISTED)
    found = [(row, row["note"]) for row in rows]
    found += [(row, explained(row["level"], row["rule"])) for row in held]
    return _json({"unreleased": [_kept(row, reason) for row, reason in found]})


def _kept(row: Any, reason: str) -> dict[str, str]:
    named = {"id": row["stix_id"], "version": row["version"], "lock": row["lock"]}
    return named | {"reason": reason}
