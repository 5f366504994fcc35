"""Discovery, API roots and who gets in (TAXII 2.1 sections 4.1, 4.2, 1.6.9)."""

import base64
import io

from cybercoop.members.tokens import Scope
from taxii.lab import FIXTURE, OWN, UNKNOWN, Lab
from world import TAXII, World, indicator

STATUS = f"/taxii2/coop/status/{UNKNOWN}/"
OBJECT = f"{OWN}objects/{indicator('x.example')['id']}/"
ANYWHERE = [
    ("GET", "/taxii2/"),
    ("GET", "/taxii2/coop/"),
    ("GET", "/taxii2/public/"),
    ("GET", "/taxii2/coop/collections/"),
    ("GET", OWN),
    ("GET", f"{OWN}objects/"),
    ("POST", f"{OWN}objects/"),
    ("GET", OBJECT),
    ("DELETE", OBJECT),
    ("GET", f"{OBJECT}versions/"),
    ("GET", f"{OWN}manifest/"),
    ("GET", STATUS),
    ("GET", "/taxii2/nowhere/"),
]


async def test_discovery_stands_at_the_root_of_the_server(center: World) -> None:
    """TAXII checklist 1."""
    answer = await center.get("/taxii2/")
    assert answer.status == 200
    assert answer.json["title"] == "Testzentrum"
    assert answer.headers["Content-Type"] == TAXII


async def test_discovery_names_roots_and_one_of_them_as_default(center: World) -> None:
    """TAXII checklist 2."""
    said = (await center.get("/taxii2/")).json
    assert said["default"] in said["api_roots"]
    for root in said["api_roots"]:
        assert root.startswith("/")
        assert not root.startswith("//")
        assert root.endswith("/")
        assert "?" not in root


async def test_a_root_says_what_it_speaks_and_how_much_it_takes(center: World) -> None:
    """TAXII checklist 3."""
    seat = await center.org("Landkreis A")
    for root in (await center.get("/taxii2/")).json["api_roots"]:
        said = (await center.get(root, seat)).json
        assert said["title"]
        assert said["versions"] == [TAXII]
        assert type(said["max_content_length"]) is int
        assert said["max_content_length"] > 0


async def test_an_unknown_root_is_not_found(center: World) -> None:
    """TAXII checklist 4."""
    answer = await center.get("/taxii2/nowhere/")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == TAXII
    assert answer.json["title"]


async def test_without_good_credentials_they_are_asked_for(center: World) -> None:
    """TAXII checklist 5."""
    nobody = "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", "Bearer nobody", ""
    for headers in ({}, *({"Authorization": one} for one in nobody)):
        answer = await center.request("GET", "/taxii2/coop/collections/", headers=headers)
        assert answer.status == 401, headers
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_every_refusal_is_a_taxii_error(center: World) -> None:
    """TAXII checklist 6."""
    seat, reader = await center.org("Landkreis A"), await center.org("B", scope=Scope.READ)
    cases = [
        (400, "GET", f"{OWN}objects/?limit=0", seat, {}),
        (401, "GET", "/taxii2/coop/", None, {}),
        (403, "POST", f"{OWN}objects/", reader, {}),
        (404, "GET", STATUS, seat, {}),
        (405, "PUT", OBJECT, seat, {}),
        (406, "GET", "/taxii2/", seat, {"Accept": "text/html"}),
        (413, "POST", f"{OWN}objects/", seat, {"Content-Type": TAXII}),
        (415, "POST", f"{OWN}objects/", seat, {"Content-Type": "text/plain"}),
    ]
    for status, method, path, who, headers in cases:
        body = io.BytesIO(b" " * (17 << 20)) if status == 413 else None
        answer = await center.request(method, path, who, headers=headers, data=body)
        assert answer.status == status
        assert answer.headers["Content-Type"] == TAXII
        assert answer.json["title"]
        assert answer.json["description"]
        assert answer.json["http_status"] == str(status)


async def test_a_wrong_password_opens_nothing(center: World) -> None:
    """TAXII checklist 7."""
    seat = await center.org("Landkreis A")
    wrong = base64.b64encode(f"{seat.org.name}:{seat.token[:-1]}".encode()).decode()
    for method, path in ANYWHERE:
        answer = await center.request(method, path, headers={"Authorization": f"Basic {wrong}"})
        assert answer.status == 401, path


async def test_the_token_is_the_password_whatever_the_name(center: World) -> None:
    seat = await center.org("Landkreis A")
    for name in ("", "admin", seat.org.name, "a:b".partition(":")[0]):
        good = base64.b64encode(f"{name}:{seat.token}".encode()).decode()
        answer = await center.request("GET", OWN, headers={"Authorization": f"bAsIc {good}"})
        assert answer.status == 200


async def test_the_fixture_says_of_itself_what_its_file_says(lab: Lab) -> None:
    assert (await lab.get("/taxii2/")).json == FIXTURE["discovery"]
    assert (await lab.get("")).json["title"] == FIXTURE["api_root"]["title"]
    for path in ("/taxii2/", "", "collections/", "/elsewhere/"):
        answer = await lab.request("GET", path, user=None)
        assert answer.status == (404 if path == "/elsewhere/" else 401)
        assert answer.headers["Content-Type"] == TAXII
