"""What every request passes: who is asking, and the one map from errors to HTTP."""

import json
import traceback
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from cybercoop import errors
from cybercoop.door import AUTHENTICATE, READER, TAXII, TAXII_PATHS, Handler
from cybercoop.notices import links
from cybercoop.store.database import holds_null, is_away
from cybercoop.web import problems
from cybercoop.web.problems import Problem

_CODES: dict[type[errors.CoopError], str] = {
    errors.Refused: "refused",
    errors.Malformed: "malformed",
    errors.Misused: "misused",
    errors.Unauthenticated: "unauthenticated",
    errors.Forbidden: "forbidden",
    errors.NotFound: "not-found",
    errors.NotAcceptable: "not-acceptable",
    errors.TooSlow: "too-slow",
    errors.TooLarge: "too-large",
    errors.Unsupported: "unsupported",
    errors.Unreachable: "unreachable",
    errors.Unreadable: "failed",
}
_RETRY_AFTER = "5"
"""Seconds; a database that is started again takes about as long."""

_CHALLENGE = 'Basic realm="cybercoop", charset="UTF-8"'

_log = structlog.get_logger("web")


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who is asking, hand on, and turn every error into an answer."""
    try:
        await _identify(request)
        response = await handler(request)
    except errors.CoopError as error:
        response = _told(request, error)
    except web.HTTPException as error:
        response = _answer(request, problems.of_status(error.status, error.reason))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception as error:  # noqa: BLE001 - the top of every request
        response = _failed(request, error)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _identify(request: web.Request) -> None:
    header = request.headers.get("Authorization")
    if header is None:
        return
    reader = await request.app[AUTHENTICATE](header, request)
    if reader is None:
        raise errors.Unauthenticated("These credentials are not known, or no longer good.")
    request[READER] = reader


def _told(request: web.Request, error: errors.CoopError) -> web.Response:
    code = _CODES.get(type(error))
    if code is None:
        return _failed(request, error)
    field = error.field if isinstance(error, errors.Refused) else ""
    return _answer(request, problems.problem(code, str(error), field))


def _failed(request: web.Request, error: Exception) -> web.Response:
    """Log what nobody expected, and answer with none of it; no log opens a task."""
    if holds_null(error):
        msg = "A text holds a null character (U+0000); leave it out."
        return _told(request, errors.Misused(msg))
    frames = reversed(traceback.extract_tb(error.__traceback__))
    _log.error(
        "request failed",
        method=request.method,
        path=ascii(links.PATH if request.path.startswith(links.PATH) else request.path),
        error=ascii(error),
        at=" < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames),
    )
    if is_away(error):
        text = "The center cannot reach its database; try again in a moment."
        response = _answer(request, problems.problem("away", text))
        response.headers["Retry-After"] = _RETRY_AFTER
        return response
    text = "Something went wrong here; whoever runs the center finds it in the log."
    return _answer(request, problems.problem("failed", text))


def _answer(request: web.Request, said: Problem) -> web.Response:
    taxii = request.path.startswith(request.app[TAXII_PATHS])
    told = msgspec.to_builtins(said)
    if taxii:
        told = {"title": said.title, "description": said.detail, "http_status": str(said.status)}
    headers = {"Content-Type": TAXII if taxii else problems.MEDIA_TYPE}
    if said.status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = _CHALLENGE
    if said.status in {
        web.HTTPRequestEntityTooLarge.status_code,
        web.HTTPRequestTimeout.status_code,
    }:
        headers["Connection"] = "close"
    return web.Response(status=said.status, body=json.dumps(told).encode(), headers=headers)
