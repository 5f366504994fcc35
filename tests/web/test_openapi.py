"""The OpenAPI document says what the server does: asked at random, nothing else comes back."""

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cybercoop.members.tokens import Scope
from cybercoop.web import openapi, problems
from cybercoop.web.api import ENDPOINTS
from cybercoop.web.endpoints import ROOT
from world import World, indicator, world

PATH = "/api/openapi.json"
EXAMPLES = 8
LONGEST_LINE = 8000
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_every_endpoint_is_described_in_both_languages() -> None:
    said = openapi.document(ENDPOINTS)
    assert said["openapi"] == "3.1.0"
    described = {
        (method.upper(), path)
        for path, operations in said["paths"].items()
        for method in operations
    }
    assert described == {(one.method, ROOT + one.path) for one in ENDPOINTS}
    operations = [one for path in said["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(ENDPOINTS)
    for endpoint in ENDPOINTS:
        assert endpoint.english.endswith(".")
        assert endpoint.german.endswith(".")
        assert endpoint.english != endpoint.german


def test_every_schema_that_is_referred_to_is_there() -> None:
    said = openapi.document(ENDPOINTS)
    text = json.dumps(said)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names == set(said["components"]["schemas"])


async def test_the_document_is_served_to_everybody(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        answer = await center.get(PATH)
    assert answer.status == 200
    assert answer.json == json.loads(json.dumps(openapi.document(ENDPOINTS)))


def _pairs(case: Any) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, said in (case.query or {}).items()
        for value in (said if isinstance(said, list) else [said])
    ]


@cache
def cases() -> Sequence[Any]:
    """Return what fits the document and what does not, the same in every run and for everybody.

    To think of them takes longer than to ask: all who ask share them.
    """
    schema = schemathesis.openapi.from_dict(openapi.document(ENDPOINTS))
    made: list[Any] = []
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _think_of(found.ok(), mode, made)
            except Unsatisfiable:
                # Every text is a good name in a path: where nothing else is asked, none is wrong.
                assert mode is GenerationMode.NEGATIVE
    return made


def _think_of(operation: Any, mode: GenerationMode, made: list[Any]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def think_of(case: Any) -> None:
        # The server reads no longer line than that, so it cannot tell what is asked for.
        url = case.as_transport_kwargs(base_url="http://127.0.0.1:65535")["url"]
        assume(len(url) + len(urlencode(_pairs(case))) < LONGEST_LINE)
        made.append(case)

    think_of()


def ask_at_random(address: str, headers: dict[str, str]) -> list[tuple[str, int]]:
    """Ask all of it, and hold every answer against the document."""
    seen: list[tuple[str, int]] = []
    with requests.Session() as session:
        for case in cases():
            response = case.call(base_url=address, headers=headers, session=session)
            case.validate_response(response, checks=CHECKS)
            if response.status_code >= 400:
                assert response.headers["content-type"] == [problems.MEDIA_TYPE]
                assert response.json()["code"] in problems.KINDS
            seen.append((case.operation.label, response.status_code))
    return seen


@pytest.mark.parametrize(
    ("who", "scope"),
    [*(("county", scope) for scope in Scope), ("Testzentrum", Scope.ADMIN)],
)
async def test_whatever_is_asked_only_what_is_documented_comes_back(
    who: str, scope: Scope, tmp_path: Path
) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        seen = await _asked(center, who, scope)
    assert len({label for label, _ in seen}) == len(ENDPOINTS)
    assert any(status < 300 for _, status in seen)


async def test_so_it_is_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    async with world(postgres_url, tmp_path) as center:
        seen = await _asked(center, "Testzentrum", Scope.ADMIN)
    assert len({label for label, _ in seen}) == len(ENDPOINTS)


async def _asked(center: World, who: str, scope: Scope) -> list[tuple[str, int]]:
    county = await center.org("county")
    await center.push(county, [indicator("evil-host.net", "green"), indicator("bund.de", "green")])
    await center.project()
    seat = await center.seat(who, scope)
    headers = {"Authorization": f"Bearer {seat.token}"}
    return await asyncio.to_thread(ask_at_random, center.address, headers)
