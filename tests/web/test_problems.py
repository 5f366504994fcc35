"""Errors are problems (RFC 9457): a stable code, titles in two languages, the field at fault."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from cybercoop.members.tokens import Scope
from cybercoop.web import problems
from world import Answer, World, world

JSON = {"Content-Type": "application/json"}


def is_problem(answer: Answer) -> bool:
    said: dict[str, Any] = answer.json
    kind = problems.KINDS[said["code"]]
    return (
        answer.headers["Content-Type"] == problems.MEDIA_TYPE
        and said["status"] == answer.status == kind.status
        and said["type"] == f"urn:cybercoop:problem:{said['code']}"
        and said["title"] == kind.title
        and said["title_de"] == kind.title_de
        and said["detail"].endswith(".")
    )


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 422, ""),
    (b"[]", 422, ""),
    (b"{", 422, ""),
    (b'{"values": ["a.net"], "values": []}', 422, "values"),
    (b'{"values": ["a.net"], "valeus": []}', 422, "valeus"),
    (b'{"values": []}', 422, "values"),
    (b'{"values": [1]}', 422, "values[0]"),
    (b'{"values": ["a.net", null]}', 422, "values[1]"),
    (b'{"values": "a.net"}', 422, "values"),
    (b'{"values": ["\\ud800"]}', 422, "values[0]"),
    (b'{"values": ["a\\u0000b"]}', 422, "values[0]"),
    (b'{"values": NaN}', 422, "values"),
    (b'{"values": [1e999]}', 422, "values[0]"),
    (b'{"values":' + b"[" * 50_000, 422, ""),
    (b"\xff\xfe", 422, ""),
]


@pytest.mark.parametrize(("body", "status", "field"), BODIES)
async def test_a_body_that_cannot_be_read_one_way_is_refused_with_its_field(
    body: bytes, status: int, field: str, tmp_path: Path
) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("county")
        answer = await center.request("POST", "/api/v1/lookup", county, data=body, headers=JSON)
    assert is_problem(answer)
    assert (answer.status, answer.json.get("field", "")) == (status, field)


async def _refusals(center: World) -> list[tuple[str, Answer]]:
    county, stranger = await center.org("county"), await center.org("stranger")
    stranger = type(stranger)(stranger.org, "coop_nobody")
    post, path = center.request, "/api/v1/lookup"
    large = b'{"values": ["' + b"a" * 2_000_000 + b'"]}'
    return [
        ("unauthenticated", await center.get("/api/v1/people")),
        ("unauthenticated", await center.get("/api/v1/people", stranger)),
        ("forbidden", await center.get("/api/v1/tokens", county)),
        ("not-found", await center.get("/api/v1/nothing", county)),
        ("method-not-allowed", await post("PUT", "/api/v1/people", county)),
        ("malformed", await center.get("/api/v1/people", county, limit="0")),
        ("malformed", await center.get("/api/v1/people?limit=1&limit=2", county)),
        ("malformed", await center.get("/api/v1/people", county, sort="name")),
        ("malformed", await center.get("/api/v1/people?cursor=%00", county)),
        ("misused", await post("POST", "/api/v1/push", county, data=b"{}", params={"group": "x"})),
        ("unsupported", await post("POST", path, county, data={"values": "a.net"})),
        ("too-large", await post("POST", path, county, data=io.BytesIO(large), headers=JSON)),
        (
            "too-large",
            await post(
                "POST",
                path,
                county,
                data=gzip.compress(large),
                headers=JSON | {"Content-Encoding": "gzip"},
            ),
        ),
    ]


async def test_every_refusal_is_a_problem_with_its_code(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        for code, answer in await _refusals(center):
            assert answer.json["code"] == code, answer.body
            assert is_problem(answer) or code in {"not-found", "method-not-allowed"}, answer.body


@pytest.mark.parametrize("name", ["%00", "%ff", "%0d%0aX:1", "%E2%80%AE", "x" * 300, "..%2f..%2f"])
async def test_odd_names_in_a_path_are_names_that_nothing_has(
    name: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        for path in ("tokens", "assets", "exceptions", "pushes"):
            answer = await center.request("DELETE", f"/api/v1/{path}/{name}", analyst)
            assert (answer.status, answer.json["code"]) == (404, "not-found")


async def test_a_taxii_error_stays_one(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        answer = await center.get("/taxii2/coop/")
    assert (answer.status, set(answer.json)) == (401, {"title", "description", "http_status"})
