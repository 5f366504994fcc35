"""Answering one request at an endpoint: who may ask, what was said, and the deed itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from cybercoop.body import read_body, room_for
from cybercoop.door import CENTER, SETTINGS, Handler, Reader, require
from cybercoop.errors import Forbidden, Malformed, NotFound, Refused, Unsupported
from cybercoop.stix import strict
from cybercoop.web.endpoints import Call, Endpoint, Keep, Models, limit_of, models_of
from cybercoop.web.repeating import once

_LONGEST_NAME = 200
_IS_JSON = re.compile(r"application/(?:[a-z0-9.+-]*\+)?json").fullmatch

Model = TypeVar("Model", bound=BaseModel)


def handler_of(endpoint: Endpoint) -> Handler:
    """Return what serves an endpoint; every error is left to the middleware."""
    models = models_of(endpoint)

    async def handle(request: web.Request) -> web.StreamResponse:
        reader = _allowed(endpoint, request)
        path, query = _path(request), _query(models.query, request)
        most = request.app[SETTINGS].max_content_length
        async with room_for(request, reader.org.id, most):
            raw = await _raw(models, request)
            body = _body(models, raw)

            async def do(keep: Keep) -> Any:
                call = Call(request.app, reader, endpoint.path, path, query, body, keep)
                return await endpoint.deed(call)

            return await once(endpoint, request, reader, raw, do)

    return handle


def _allowed(endpoint: Endpoint, request: web.Request) -> Reader:
    reader = require(request, endpoint.scope)
    if endpoint.for_center and reader.org.id != request.app[CENTER].org_id:
        raise Forbidden("Only the center may do this.")
    return reader


def _path(request: web.Request) -> Mapping[str, str]:
    """Return the names in the path; what cannot be a name is a name that nothing has."""
    for name in request.match_info.values():
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise NotFound("There is nothing of that name.")
    return request.match_info


def _query(model: type[Model], request: web.Request) -> Model:
    said: dict[str, str] = {}
    for name, value in request.query.items():
        if name in said:
            raise Malformed(f"{_shown(name)} stands twice in the query.")
        if not value.isprintable():
            raise Malformed(f"{_shown(name)} holds characters that cannot be printed.")
        said[name] = value
    try:
        return model.model_validate(said)
    except ValidationError as error:
        field, reason = _first(error)
        raise Malformed(f"{field}: {reason}") from error


async def _raw(models: Models, request: web.Request) -> bytes:
    if models.body is None:
        return b""
    if models.takes_json is not None and not _IS_JSON(request.content_type.lower()):
        raise Unsupported("Send the body as application/json.")
    most = limit_of(request.app, models, strict.MAX_BYTES)
    return await read_body(request, most, request.app[SETTINGS].read_timeout)


def _body(models: Models, raw: bytes) -> Any:
    if models.takes_json is None:
        return raw if models.body is bytes else None
    # The first parser refuses what two parsers could read differently, and reads every number.
    strict.parse(raw)
    try:
        return models.takes_json.model_validate_json(raw, strict=True)
    except ValidationError as error:
        field, reason = _first(error)
        raise Refused(reason, field) from error


def _first(error: ValidationError) -> tuple[str, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "extra_forbidden":
        return _field(first["loc"]), "It is not known here; look at its spelling."
    return _field(first["loc"]), f"{first['msg'].removeprefix('Value error, ')}."


def _field(places: Sequence[int | str]) -> str:
    """Return where something stands: ``assets[2].kind``."""
    text = ""
    for place in places:
        text += f"[{place}]" if isinstance(place, int) else f".{_shown(place)}"
    return text.removeprefix(".")


def _shown(name: str) -> str:
    return ascii(name[:100])[1:-1]
