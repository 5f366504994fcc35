"""Adding objects (TAXII 2.1 section 5.5)."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from taxii.lab import OWN, asking, raw, several, shown
from world import TAXII, Answer, Seat, World, envelope, indicator, world

GOOD = indicator("evil.example")
MOMENT = "2026-10-01T08:00:00"


async def post(center: World, seat: Seat, body: bytes, **headers: str) -> Answer:
    """POST ``body``; header names are written with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await center.request("POST", f"{OWN}objects/", seat, data=body, headers=sent)


async def test_the_media_type_of_an_envelope_may_be_spelt_freely(center: World) -> None:
    """TAXII checklist 44."""
    seat = await center.org("Landkreis A")
    for kind in (
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        "application/taxii+json ;version = 2.1",
        'Application/TAXII+JSON;charset=utf-8;VERSION="2.1";',
    ):
        assert (await post(center, seat, envelope([GOOD]), Content_Type=kind)).status == 202, kind


async def test_other_media_types_are_refused(center: World) -> None:
    """TAXII checklist 45."""
    seat = await center.org("Landkreis A")
    for kind in (
        "application/json",
        "application/stix+json;version=2.1",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=",
        "text/plain",
        "nonsense",
    ):
        assert (await post(center, seat, envelope([GOOD]), Content_Type=kind)).status == 415, kind
    assert (await center.get(f"{OWN}objects/", seat)).body == b"{}"


async def test_what_is_no_envelope_is_refused(center: World) -> None:
    """TAXII checklist 46."""
    seat = await center.org("Landkreis A")
    bodies = [
        *(b"", b"{", b"[]", b'"x"', b"null", b"1", b"NaN", b"\xff", b"{}{}", b"{'objects':[]}"),
        *(b'{"objects":{}}', b'{"objects":"x"}', b'{"objects":null}', b'{"objects":[}'),
        *(b'{"objects":[],"objects":[]}', b'{"type":"report","objects":[]}'),
        *(b"[" * 100_000, b'{"objects":' * 10_000),
    ]
    for body in bodies:
        answer = await post(center, seat, body, Content_Type=TAXII)
        assert answer.status in {400, 422}, body[:30]
        assert answer.json["description"].endswith("."), body[:30]


async def test_objects_that_are_none_fail_alone(center: World) -> None:
    """TAXII checklist 46: within an envelope."""
    seat = await center.org("Landkreis A")
    body = b'{"objects":[1,"x",null,[],{},{"id":3},%s]}' % json.dumps(GOOD).encode()
    said = (await post(center, seat, body, Content_Type=TAXII)).json
    assert (said["failure_count"], said["success_count"]) == (6, 1)
    assert all(one["message"] for one in said["failures"])


MOST = 4096


def head(*lines: str, seat: Seat) -> bytes:
    """Return the head of a POST."""
    first = f"POST {OWN}objects/ HTTP/1.1", "Host: x", f"Content-Type: {TAXII}"
    said = *first, f"Authorization: Bearer {seat.token}", *lines
    return "\r\n".join((*said, "", "")).encode()


async def test_a_body_may_be_as_large_as_the_root_says_and_no_larger(tmp_path: Path) -> None:
    """TAXII checklist 47."""
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with world(url, tmp_path, max_content_length=MOST) as center:
        seat = await center.org("Landkreis A")
        said = (await center.get("/taxii2/coop/", seat)).json["max_content_length"]
        assert said == MOST
        full = envelope([GOOD]).ljust(MOST)
        assert (await center.post(seat, full)).status == 202
        assert (await center.post(seat, gzip.compress(full), **{"Content-Encoding": "gzip"})).json[
            "success_count"
        ] == 1
        announced = head(f"Content-Length: {MOST + 1}", seat=seat)
        assert (await raw(center.address, announced))[0] == 413
        chunked = head("Transfer-Encoding: chunked", seat=seat)
        chunk = b"%x\r\n%s\r\n" % (MOST // 2, b" " * (MOST // 2))
        assert (await raw(center.address, chunked + chunk * 3))[0] == 413
        fits = b"%x\r\n%s\r\n0\r\n\r\n" % (len(full), full)
        assert (await raw(center.address, chunked + fits))[0] == 202
        bomb = gzip.compress(b" " * (MOST + 1))
        assert (await center.post(seat, bomb, **{"Content-Encoding": "gzip"})).status == 413


async def test_the_good_is_kept_and_the_bad_is_named(center: World) -> None:
    """TAXII checklist 48."""
    seat = await center.org("Landkreis A")
    bad = indicator("[broken") | {"confidence": 101}
    answer = await center.post(seat, [bad, GOOD])
    said = answer.json
    assert answer.status == 202
    assert [one["id"] for one in said["successes"]] == [GOOD["id"]]
    assert [one["id"] for one in said["failures"]] == [bad["id"]]
    assert "confidence" in said["failures"][0]["message"]
    assert (await center.get(f"{OWN}objects/", seat)).objects == [GOOD]


async def test_the_same_again_changes_nothing(stored_center: World) -> None:
    """TAXII checklist 49."""
    center, seat = stored_center, await stored_center.org("Landkreis A")
    address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.7"}
    address["id"] = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bd3caf07c4"
    first = (await center.post(seat, [GOOD, address])).json
    before = await center.get(f"{OWN}manifest/", seat)
    center.clock.forward(60_000_000)
    said = (await center.post(seat, [GOOD, address, GOOD])).json
    assert (said["success_count"], said["failure_count"], said["total_count"]) == (3, 0, 3)
    versions = [[one["version"] for one in each["successes"]] for each in (first, said)]
    assert versions[1] == [*versions[0], versions[0][0]]
    after = await center.get(f"{OWN}manifest/", seat)
    assert (after.body, len(shown(after))) == (before.body, 2)


def _odd() -> list[dict[str, Any]]:
    fractions = ["", *(f".{'123456789'[:digits]}" for digits in range(1, 10))]
    timed = [indicator(f"{MOMENT[-2:]}{part}.example", modified=f"{MOMENT}{part}Z")
             for part in fractions]  # fmt: skip
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--6a1cbd29-0d4f-4c3a-9f0b-1f6f0f3d2b11",
        "created": f"{MOMENT}Z",
        "definition_type": "statement",
        "definition": {"statement": "© Landkreis A"},
    }
    language = {
        "type": "language-content",
        "spec_version": "2.1",
        "id": "language-content--3f2e1b5c-5d0e-4f43-8e0c-1c0d6f7a9b10",
        "created": f"{MOMENT}.0Z",
        "modified": f"{MOMENT}.00Z",
        "object_ref": GOOD["id"],
        "contents": {"de": {"name": "böse"}},
    }
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bd3caf07c4",
        "value": "198.51.100.7",
    }
    own = {
        "type": "x-county-device",
        "spec_version": "2.1",
        "id": "x-county-device--8c7f9a4e-2d35-4f6a-9b1b-2a4b6c8d0e1f",
        "created": f"{MOMENT}Z",
        "modified": f"{MOMENT}Z",
        "rooms": [1, 2.50, 1e3, -0.0],
    }
    custom = indicator("custom.example", x_ticket={"no": 7, "tags": ["ä", "\\u00e4", None]})
    marked = indicator("marked.example") | {"object_marking_refs": [marking["id"]]}
    return [*timed, marking, language, address, own, custom, marked]


async def test_odd_but_sound_objects_come_back_as_they_were_sent(stored_center: World) -> None:
    """TAXII checklist 50."""
    seat, sent = await stored_center.org("Landkreis A"), _odd()
    said = (await stored_center.post(seat, sent)).json
    assert said.get("failures", []) == []
    assert (await stored_center.get(f"{OWN}objects/", seat)).objects == sent
    for one in sent:
        answer = await stored_center.get(f"{OWN}objects/{one['id']}/", seat)
        assert json.dumps(one) in answer.body.decode()


async def test_a_version_is_said_once_by_one_and_freely_by_another(stored_center: World) -> None:
    """TAXII checklist 51."""
    center = stored_center
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    changed = GOOD | {"name": "changed"}
    await center.post(one, [GOOD])
    failure = (await center.post(one, [changed])).json["failures"][0]
    assert failure["id"] == GOOD["id"]
    assert "modified" in failure["message"]
    assert (await center.get(f"{OWN}objects/", one)).objects == [GOOD]
    fresh = (await center.post(other, [indicator("unknown.example")])).json
    taken = (await center.post(other, [changed])).json
    assert fresh.keys() == taken.keys()
    assert fresh["successes"][0].keys() == taken["successes"][0].keys()
    assert (await center.get(f"{OWN}objects/{GOOD['id']}/", other)).objects == [changed]


async def test_custom_properties_beside_the_objects_are_ignored(center: World) -> None:
    """TAXII checklist 62."""
    seat = await center.org("Landkreis A")
    for number, one in enumerate(several(3)):
        more = [{"x_county": "A"}, {"more": True, "next": "x"}, {"x_county": {"deep": [1]}}][number]
        said = await center.post(seat, json.dumps(more | {"objects": [one]}).encode())
        assert (said.status, said.json["success_count"]) == (202, 1)
    assert (await asking(center, seat)(f"{OWN}objects/")).objects == several(3)


@pytest.mark.parametrize("members", [3, 200_000])
async def test_a_body_in_many_small_pieces_is_answered_quickly(center: World, members: int) -> None:
    seat = await center.org("Landkreis A")
    body = gzip.compress(b"") * members + gzip.compress(envelope([GOOD]))
    headers = {"Content-Type": TAXII, "Content-Encoding": "gzip"}
    sent = io.BytesIO(body)
    answer = await center.request("POST", f"{OWN}objects/", seat, data=sent, headers=headers)
    assert answer.status == (202 if members == 3 else 400)
