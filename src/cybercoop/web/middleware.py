"""What every request passes: who is asking, and the one map from errors to HTTP."""

import json
import traceback
from pathlib import Path

import structlog
from aiohttp import web

from cybercoop import errors
from cybercoop.door import AUTHENTICATE, READER, TAXII, TAXII_PATHS, Handler
from cybercoop.store.database import is_away

_STATUS: dict[type[errors.CoopError], int] = {
    errors.Refused: 422,
    errors.Malformed: 400,
    errors.Misused: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.TooSlow: 408,
    errors.TooLarge: 413,
    errors.Unsupported: 415,
}
_TITLES = {
    400: "Bad request",
    401: "Credentials needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Too slow",
    413: "Too large",
    415: "Unsupported media type",
    422: "Refused",
    500: "Internal error",
    503: "Not available",
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
        response = _answer(request, _STATUS[type(error)], str(error))
    except web.HTTPException as error:
        response = _answer(request, error.status, error.reason)
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


def _failed(request: web.Request, error: Exception) -> web.Response:
    """Log what nobody expected, and answer with none of it."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    _log.error(
        "request failed",
        method=request.method,
        path=ascii(request.path),
        error=ascii(error),
        at=" < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames),
    )
    if is_away(error):
        text = "The center cannot reach its database; try again in a moment."
        response = _answer(request, web.HTTPServiceUnavailable.status_code, text)
        response.headers["Retry-After"] = _RETRY_AFTER
        return response
    text = "Something went wrong here; whoever runs the center finds it in the log."
    return _answer(request, web.HTTPInternalServerError.status_code, text)


def _answer(request: web.Request, status: int, text: str) -> web.Response:
    title = _TITLES.get(status, "Error")
    taxii = request.path.startswith(request.app[TAXII_PATHS])
    said: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    said["detail"] = text
    if taxii:
        said = {"title": title, "description": text, "http_status": str(status)}
    kind = TAXII if taxii else "application/problem+json"
    headers = {"Content-Type": kind}
    if status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = _CHALLENGE
    if status in {web.HTTPRequestEntityTooLarge.status_code, web.HTTPRequestTimeout.status_code}:
        headers["Connection"] = "close"
    return web.Response(status=status, body=json.dumps(said).encode(), headers=headers)
