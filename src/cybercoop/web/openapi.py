"""The OpenAPI 3.1 document, made of the endpoints themselves: nothing is written twice."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cybercoop.members.tokens import Scope
from cybercoop.web import problems, repeating
from cybercoop.web.endpoints import ROOT, Endpoint, Models, models_of

_PLACE = "#/components/schemas/"
_JSON = "application/json"
_SCHEMES = ("bearer", "basic")
_INFO = (
    "Push indicators, look values up, and manage what a county has and whom it lets in. Every"
    " error is a problem (RFC 9457) with a stable code and a title in English and German."
)

Said = dict[str, Any]


def document(endpoints: Iterable[Endpoint]) -> Said:
    """Return the document that describes ``endpoints``."""
    known = [(one, models_of(one)) for one in endpoints]
    paths: dict[str, Said] = {}
    for endpoint, models in known:
        paths.setdefault(f"{ROOT}{endpoint.path}", {})[endpoint.method.lower()] = _operation(
            endpoint, models
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "cybercoop", "version": version("cybercoop"), "description": _INFO},
        "paths": paths,
        "components": {
            "schemas": _schemas([models for _, models in known]),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "token as password"},
            },
        },
        "security": [{name: []} for name in _SCHEMES],
    }


def _schemas(known: Iterable[Models]) -> Said:
    known = list(known)
    bodies = {models.takes_json for models in known} - {None}
    _, asked = models_json_schema(
        [(one, "validation") for one in sorted(bodies, key=str) if one is not None],
        ref_template=f"{_PLACE}{{model}}",
    )
    answers = {models.answer for models in known} | {problems.Problem}
    _, given = msgspec.json.schema_components(
        sorted(answers, key=str), ref_template=f"{_PLACE}{{name}}"
    )
    return {**asked.get("$defs", {}), **given}


def _operation(endpoint: Endpoint, models: Models) -> Said:
    said: Said = {
        "operationId": endpoint.deed.__name__,
        "summary": endpoint.english,
        "description": f"{endpoint.english} / {endpoint.german} {_who(endpoint)}",
        "parameters": [*_parameters(endpoint, models.query)],
        "responses": {
            str(endpoint.status): {
                "description": HTTPStatus(endpoint.status).phrase,
                "content": {_JSON: {"schema": {"$ref": f"{_PLACE}{models.answer.__name__}"}}},
            }
        }
        | {str(one): _problem(one) for one in sorted(statuses(endpoint, models))},
    }
    if models.takes_json is not None:
        schema: Said = {"$ref": f"{_PLACE}{models.takes_json.__name__}"}
        said["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    elif models.body is not None:
        said["requestBody"] = {"required": True, "content": {_JSON: {"schema": _ENVELOPE}}}
    return said


_ENVELOPE: Mapping[str, Any] = {
    "type": "object",
    "description": "A TAXII 2.1 envelope, or a STIX bundle.",
    "properties": {"objects": {"type": "array", "items": {"type": "object"}}},
}


def _who(endpoint: Endpoint) -> str:
    who = " of the center" if endpoint.for_center else ""
    return f"(scope: {endpoint.scope.value}{who})"


def statuses(endpoint: Endpoint, models: Models) -> set[int]:
    """Return the statuses of the problems that an endpoint may answer with."""
    found = {400, 401, 503, *endpoint.also}
    if endpoint.scope is not Scope.READ or endpoint.for_center:
        found.add(403)
    if "{" in endpoint.path:
        found.add(404)
    if endpoint.is_change:
        found.add(409)
    if models.body is not None:
        found |= {408, 413}
    if models.takes_json is not None:
        found |= {415, 422}
    return found


def _problem(status: int) -> Said:
    codes = [code for code, kind in problems.KINDS.items() if kind.status == status]
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": f"{_PLACE}Problem"}}},
    }


def _parameters(endpoint: Endpoint, query: type[BaseModel]) -> Iterable[Said]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    schema = query.model_json_schema()
    for name, of in schema.get("properties", {}).items():
        described = {"description": of.pop("description")} if "description" in of else {}
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": of} | described
    if endpoint.is_change:
        yield {
            "name": repeating.HEADER,
            "in": "header",
            "required": False,
            "description": f"A new value for each deed; it is remembered for"
            f" {repeating.KEPT_HOURS} hours.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": repeating.LONGEST,
                "pattern": repeating.PATTERN,
            },
        }
