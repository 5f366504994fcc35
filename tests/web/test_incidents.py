"""Incidents over REST: whose they are, what is due, what goes out, and what is forgotten."""

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cybercoop.incidents.cases import Entry
from cybercoop.members.tokens import Scope
from cybercoop.stix import times
from cybercoop.store import incidents
from incidents.cases import CASE, FOREIGN, ROOT, ask, reported, whats
from world import SECOND, World, world


async def test_an_incident_belongs_to_its_county_alone(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        made = await reported(center, county)
        (listed,) = (await ask(center, "GET", "/incidents", county))["incidents"]
        assert (listed["id"], listed["state"], listed["severity"]) == (made, "reported", "high")
        shown = await ask(center, "GET", f"/incidents/{made}", county)
        assert (shown["text"], whats(shown)) == (CASE["text"], ["reported"])
        for stranger in (other, analyst):
            assert (await ask(center, "GET", "/incidents", stranger))["incidents"] == []
            assert (await ask(center, "GET", "/reports-due", stranger))["due"] == []


PLACES = [
    ("GET", "", None),
    ("PATCH", "", {"severity": "low"}),
    ("POST", "/notes", {"text": "x"}),
    ("GET", "/people", None),
    ("POST", "/people", {"kind": "affected", "name": "N. N."}),
    ("DELETE", "/people", None),
    ("POST", "/participants", {"name": "LKA", "part": "police"}),
    ("POST", "/indicators", {"values": ["evil-host.net"]}),
    ("POST", "/indicators/push", {"tlp": "green"}),
    ("POST", "/responses", {"response": FOREIGN}),
    ("POST", "/files?name=x", {"x": 1}),
    ("GET", f"/files/{FOREIGN}", None),
    ("POST", "/clocks", {"profile": "bsig"}),
    ("PATCH", "/clocks/land-cert/early", {"outcome": "done"}),
    ("GET", "/drafts/land-cert/early", None),
    ("POST", "/share/preview", {"tlp": "green"}),
    ("POST", "/share", {"tlp": "green"}),
    ("DELETE", "/share", None),
    ("GET", "/stix", None),
    ("GET", "/pdf", None),
]


async def test_a_foreign_incident_is_answered_like_one_that_is_not_there(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        analyst = await center.seat("Testzentrum", Scope.ADMIN)
        made = await reported(center, county)
        before = await ask(center, "GET", f"/incidents/{made}", county)
        for method, end, said in PLACES:
            options = {} if said is None else {"json": said}
            for stranger in (other, analyst):
                answers = [
                    await center.request(
                        method, f"{ROOT}/incidents/{one}{end}", stranger, **options
                    )
                    for one in (made, FOREIGN)
                ]
                assert [one.status for one in answers] == [404, 404], (method, end)
                assert answers[0].body == answers[1].body
        assert await ask(center, "GET", f"/incidents/{made}", county) == before


async def test_states_follow_each_other_and_the_timeline_tells(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        said = {"state": "contained", "severity": "critical"}
        shown = await ask(center, "PATCH", path, county, said)
        told = [one["text"] for one in shown["timeline"][-2:]]
        assert told == ["severity: high → critical", "state: reported → contained"]
        await ask(center, "PATCH", path, county, {"state": "closed"})
        refused = await ask(center, "PATCH", path, county, {"state": "recovering"}, 422)
        assert refused["field"] == "state"
        again = await ask(center, "PATCH", path, county, {"state": "investigating"})
        assert again["shown"]["state"] == "investigating"
        noted = await ask(center, "POST", f"{path}/notes", county, {"text": "Netz getrennt"}, 201)
        assert noted["timeline"][-1]["text"] == "Netz getrennt"
        found = (await ask(center, "GET", "/incidents?state=closed", county))["incidents"]
        assert found == []
        reader = await center.seat("Landkreis A", Scope.READ)
        await ask(center, "PATCH", path, reader, said, 403)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"text": "bell \u0007"}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"category": "hacking"}, "category"),
        ({"type": "ransomware"}, "type"),
        ({"severity": "apocalyptic"}, "severity"),
        ({"known": "2027-01-01T00:00:00Z"}, "known"),
        ({"known": "2026-10-30T00:00:00Z", "began": "2026-10-31T00:00:00Z"}, "began"),
        ({"organisation": "Landkreis B"}, "organisation"),
    ],
)
async def test_what_no_incident_can_be_is_refused(
    said: dict[str, Any], field: str, tmp_path: Path
) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("Landkreis A")
        refused = await ask(center, "POST", "/incidents", county, CASE | said, 422)
        assert refused["field"] == field
        assert (await ask(center, "GET", "/incidents", county))["incidents"] == []


async def test_people_can_be_forgotten_for_good(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        person = {"kind": "affected", "name": "Muster, Erika", "mail": "erika@a.example"}
        person |= {"phone": "+49 651 1", "note": "Akte 17"}
        headers = {"Idempotency-Key": "one"}
        answer = await center.request(
            "POST", f"{ROOT}{path}/people", county, json=person, headers=headers
        )
        assert answer.status == 201
        assert b"Muster" not in answer.body
        center.clock.forward(SECOND)
        other = {"kind": "witness", "name": "Beispiel, Max"}
        second = (await ask(center, "POST", f"{path}/people", county, other, 201))["id"]
        named = (await ask(center, "GET", f"{path}/people", county))["people"]
        assert [one["name"] for one in named] == ["Muster, Erika", "Beispiel, Max"]
        assert named[0].items() >= person.items()
        reader = await center.seat("Landkreis A", Scope.READ)
        await ask(center, "GET", f"{path}/people", reader, code=403)
        await ask(center, "DELETE", f"{path}/people?person={FOREIGN}", county, code=404)
        await ask(center, "DELETE", f"{path}/people?person={second}", county)
        erased = await ask(center, "DELETE", f"{path}/people", county)
        assert erased["erased"] == 1
        shown = await ask(center, "GET", path, county)
        assert (shown["people"], whats(shown)[-2:]) == (0, ["erased", "erased"])
        assert not await mentioned(center, "Muster") | await mentioned(center, "Beispiel")


async def mentioned(center: World, name: str) -> set[str]:
    """Return the tables in which a word stands anywhere."""
    found = set()
    async with center.database.read() as connection:
        for table in await tables(connection):
            rows = await connection.exec_driver_sql(f'SELECT * FROM "{table}"')  # noqa: S608 - ours
            for row in rows:
                texts = [one if isinstance(one, bytes) else str(one).encode() for one in row]
                if any(name.encode() in text for text in texts):
                    found.add(table)
    return found


async def tables(connection: Any) -> list[str]:
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'table'"
    postgres = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    query = sqlite if connection.dialect.name == "sqlite" else postgres
    return [row[0] for row in await connection.exec_driver_sql(query)]


async def test_files_are_kept_with_their_hash(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        content = bytes(range(256))
        answer = await center.request(
            "POST", f"{ROOT}{path}/files?name=speicher.bin", county, data=content
        )
        digest = hashlib.sha256(content).hexdigest()
        assert (answer.status, answer.json["sha256"], answer.json["size"]) == (201, digest, 256)
        got = await ask(center, "GET", f"{path}/files/{answer.json['id']}", county)
        assert base64.b64decode(got["content"]) == content
        assert digest in (await ask(center, "GET", path, county))["timeline"][-1]["text"]
        for name, data in (("leer", b""), ("gross", b"x" * (10 * 1024 * 1024 + 1)), ("%0A", b"x")):
            answer = await center.request(
                "POST", f"{ROOT}{path}/files?name={name}", county, data=io.BytesIO(data)
            )
            assert answer.status in {400, 422}, name
        assert len((await ask(center, "GET", path, county))["files"]) == 1


async def test_a_response_is_linked_only_where_one_takes_part(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        said = {"response": FOREIGN}
        missing = await ask(center, "POST", f"{path}/responses", county, said, 404)
        assert missing["detail"] == f"No response has the id {FOREIGN}."
        part = {"name": "Landeskriminalamt", "part": "police"}
        await ask(center, "POST", f"{path}/participants", county, part, 201)
        await ask(center, "POST", f"{path}/participants", county, part, 422)
        shown = await ask(center, "GET", path, county)
        assert [one["name"] for one in shown["participants"]] == ["Landeskriminalamt"]


async def test_an_incident_is_taken_away_as_stix(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        path = f"/incidents/{await reported(center, county)}"
        await ask(center, "POST", f"{path}/indicators", county, {"values": ["evil-host.net"]}, 201)
        await ask(
            center, "POST", f"{path}/people", county, {"kind": "suspect", "name": "Xaver"}, 201
        )
        made = await ask(center, "GET", f"{path}/stix", county)
        (case,) = (one for one in made["objects"] if one["type"] == "incident")
        assert (case["name"], case["description"]) == (CASE["title"], CASE["text"])
        assert "Xaver" not in json.dumps(made)
        paper = await ask(center, "GET", f"{path}/pdf?language=en", county)
        assert base64.b64decode(paper["content"]).startswith(b"%PDF-")
        await ask(center, "GET", f"{path}/pdf?language=fr", county, code=400)
        verdicts = await center.push(county, made["objects"], dry_run="1")
        assert {one["outcome"] for one in verdicts} == {"accepted"}


async def test_a_request_that_comes_again_reports_once(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("Landkreis A")
        headers = {"Idempotency-Key": "case 1".replace(" ", "-")}
        answers = [
            await center.request("POST", f"{ROOT}/incidents", county, json=CASE, headers=headers)
            for _ in range(2)
        ]
        assert answers[0].json["id"] == answers[1].json["id"]
        assert len((await ask(center, "GET", "/incidents", county))["incidents"]) == 1
        assert times.micros(answers[0].json["shown"]["known"]) <= center.clock.now


async def test_a_long_timeline_is_read_page_by_page(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        one = await reported(center, county)
        async with center.database.write() as connection:
            for number in range(120):
                entry = Entry(center.clock.now, "id", "note", f"{number}")
                await incidents.note(connection, one, entry)
        shown = (await ask(center, "GET", f"/incidents/{one}", county))["timeline"]
        assert [line["text"] for line in shown] == [f"{number}" for number in range(20, 120)]
        path, read, cursor = f"/incidents/{one}/timeline", [], ""
        while cursor is not None:
            page = await ask(center, "GET", f"{path}?limit=50{cursor}", county)
            assert len(page["timeline"]) <= 50
            read += [line["text"] for line in page["timeline"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert read == ["high", *(f"{number}" for number in range(120))]
        await ask(center, "GET", path, other, code=404)
        await ask(center, "GET", f"{path}?cursor=x", county, code=400)
