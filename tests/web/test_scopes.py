"""Who may do what: a table over every endpoint there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cybercoop.members.tokens import Scope
from cybercoop.web.api import ENDPOINTS
from cybercoop.web.endpoints import ROOT, Endpoint, models_of
from world import Answer, Seat, World, world

ORDER = list(Scope)
FOREIGN = "5c0ffee0-0000-4000-8000-000000000000"


async def ask(center: World, endpoint: Endpoint, seat: Seat | None, **names: str) -> Answer:
    path = endpoint.path.format_map(dict.fromkeys(_names(endpoint), FOREIGN) | names)
    json = {"json": {}} if models_of(endpoint).takes_json else {}
    return await center.request(endpoint.method, ROOT + path, seat, **json)


def _names(endpoint: Endpoint) -> Iterator[str]:
    for part in endpoint.path.split("/"):
        if part.startswith("{"):
            yield part.strip("{}")


async def test_without_a_token_nothing_is_answered(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        for endpoint in ENDPOINTS:
            answer = await ask(center, endpoint, None)
            assert (answer.status, answer.json["code"]) == (401, "unauthenticated"), endpoint
            assert "Basic" in answer.headers["WWW-Authenticate"]


async def test_a_smaller_scope_is_not_enough(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seats = {scope: await center.seat("Testzentrum", scope) for scope in Scope}
        for endpoint in ENDPOINTS:
            for scope in ORDER:
                answer = await ask(center, endpoint, seats[scope])
                enough = scope.covers(endpoint.scope)
                assert (answer.status == 403) != enough, (endpoint, scope, answer.body)
                assert answer.status < 500


async def test_the_center_keeps_to_itself_what_is_its_own(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await center.org("county")
        county = await center.seat("county", Scope.ADMIN)
        answers = [(one, await ask(center, one, county)) for one in ENDPOINTS]
        refused = {one.deed.__name__ for one, answer in answers if answer.status == 403}
    assert refused == {one.deed.__name__ for one in ENDPOINTS if one.for_center}
    assert {
        "list_held",
        "decide",
        "add_organisation",
        "add_group",
        "join_group",
        "leave_group",
    } <= refused


@pytest.mark.parametrize("kind", ["token", "asset", "exception", "push", "feed"])
async def test_what_is_foreign_is_answered_like_what_is_not_there(
    kind: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for name in ("owner", "other"):
            await center.org(name)
            await center.seat(name, Scope.ADMIN)
        owner, other = center.seats["owner"], center.seats["other"]
        made = await _made(center, owner, kind)
        path = {"push": "pushes"}.get(kind, f"{kind}s")
        for method, end, options in (
            ("DELETE", "", {}),
            *([("POST", "/rotation", {"json": {}})] if kind in {"token", "feed"} else ()),
        ):
            foreign = await center.request(method, f"{ROOT}/{path}/{made}{end}", other, **options)
            absent = await center.request(method, f"{ROOT}/{path}/{FOREIGN}{end}", other, **options)
            assert (foreign.status, absent.status) == (404, 404)
            assert foreign.body.replace(made.encode(), FOREIGN.encode()) == absent.body
        mine = await center.request("DELETE", f"{ROOT}/{path}/{made}", owner)
        assert mine.status == 200, mine.body


async def _made(center: World, owner: Seat, kind: str) -> str:
    """Return the id of a thing that belongs to ``owner``."""
    said = {
        "token": ("/tokens", {}),
        "asset": ("/assets", {"assets": [{"kind": "domain", "value": "vhs-net.de"}]}),
        "exception": ("/exceptions", {"value": "evil-host.net", "reason": "Portal"}),
        "feed": ("/feeds", {"product": "unbound"}),
        "push": ("/push", {"objects": [{"type": "url", "spec_version": "2.1"}]}),
    }
    path, body = said[kind]
    if kind == "push":
        number = "6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11"
        body["objects"][0] |= {"id": f"url--{number}", "value": "http://evil-host.net/"}
    answer = (await center.request("POST", ROOT + path, owner, json=body)).json
    if kind == "asset":
        return answer["assets"][0]["id"]
    return answer["push_id"] if kind == "push" else answer["id"]


async def test_names_of_others_in_a_body_or_query_are_unknown(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for name in ("owner", "other"):
            await center.org(name)
            await center.seat(name, Scope.ADMIN)
        person = {"name": "IT", "mail": "it@owner.example"}
        await center.request("POST", f"{ROOT}/people", center.seats["owner"], json=person)
        other = center.seats["other"]
        for name in ("owner", "nobody"):
            for path in ("tokens", "people", "assets", "feeds"):
                answer = await center.get(f"{ROOT}/{path}", other, organisation=name)
                assert (answer.status, answer.json["field"]) == (422, "organisation")
            said = {"organisation": name}
            answer = await center.request("POST", f"{ROOT}/tokens", other, json=said)
            assert (answer.status, answer.json["field"]) == (422, "organisation")
            said = {"person": f"it@{name}.example"}
            answer = await center.request("POST", f"{ROOT}/tokens", other, json=said)
            assert (answer.status, answer.json["field"]) == (422, "person")
            answer = await center.request(
                "POST", f"{ROOT}/people", other, json=person | {"organisation": name}
            )
            assert (answer.status, answer.json["field"]) == (422, "organisation")
        assert (await center.get(f"{ROOT}/people", other)).json["people"] == []
        names = (await center.get(f"{ROOT}/organisations", other)).json["organisations"]
        assert [one["name"] for one in names] == ["other"]
