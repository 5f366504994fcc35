"""Media types, methods and headers (TAXII 2.1 sections 1.6.8, 3.1; RFC 9110)."""

import json

import pytest

from taxii.lab import OWN, raw, several, shown
from world import TAXII, World, indicator


async def _status(center: World, accept: str) -> int:
    return (await center.request("GET", "/taxii2/", headers={"Accept": accept})).status


async def test_a_client_that_names_no_version_is_served(center: World) -> None:
    """TAXII checklist 8."""
    answer = await center.request("GET", "/taxii2/", headers={"Accept": "application/taxii+json"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == TAXII


async def test_white_space_around_parameters_does_not_matter(center: World) -> None:
    """TAXII checklist 9."""
    for between in ("; ", " ;", " ; ", ";\t", ";;", "; charset=utf-8; "):
        assert await _status(center, f"application/taxii+json{between}version=2.1") == 200


async def test_it_is_enough_that_taxii_is_among_what_a_client_reads(center: World) -> None:
    """TAXII checklist 10."""
    for accept in (
        "text/html, application/taxii+json;version=2.1",
        "application/json;q=0.9, application/taxii+json;version=2.1;q=0.2",
        'APPLICATION/TAXII+JSON; Version="2.1"',
        "text/html,*/*;q=0.8",
        "application/*",
        "*/*",
        "",
    ):
        assert await _status(center, accept) == 200, accept


async def test_several_accept_lines_are_one_list(center: World) -> None:
    request = b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept: %s\r\n\r\n"
    assert (await raw(center.address, request % TAXII.encode()))[0] == 200


async def test_who_cannot_read_taxii_is_told_so(center: World) -> None:
    """TAXII checklist 11."""
    for accept in ("text/html", "application/taxii+json;version=2.1;q=0", "text/html, ,"):
        assert await _status(center, accept) == 406, accept


async def test_other_versions_are_not_acceptable(center: World) -> None:
    """TAXII checklist 12."""
    for version in ("9.9", "2.0", "", '"', "2.1x", "Ω"):
        assert await _status(center, f"application/taxii+json;version={version}") == 406, version


async def test_methods_that_do_not_exist_are_answered_with_those_that_do(center: World) -> None:
    """TAXII checklist 60: PUT and PATCH."""
    seat = await center.org("Landkreis A")
    for method in ("PUT", "PATCH"):
        answer = await center.request(method, f"{OWN}objects/", seat)
        assert answer.status == 405
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(","))


async def test_a_path_without_its_last_slash_is_no_path(center: World) -> None:
    """TAXII checklist 60: slashes."""
    seat = await center.org("Landkreis A")
    for path in ("/taxii2", "/taxii2/coop", OWN[:-1], f"{OWN}objects", f"{OWN}manifest"):
        answer = await center.get(path, seat)
        assert answer.status in {301, 308, 404}
        assert answer.status != 404 or answer.headers["Content-Type"] == TAXII


async def test_head_is_get_without_the_body(center: World) -> None:
    """TAXII checklist 60: HEAD."""
    seat = await center.org("Landkreis A")
    await center.post(seat, several(2))
    full = await center.get(f"{OWN}objects/", seat)
    bare = await center.request("HEAD", f"{OWN}objects/", seat)
    assert (bare.status, bare.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Etag", "X-TAXII-Date-Added-Last"):
        assert bare.headers[name] == full.headers[name]


async def test_a_client_without_a_name_is_served(center: World) -> None:
    """TAXII checklist 60: User-Agent."""
    status, body = await raw(center.address, b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 200
    assert b"Testzentrum" in body


async def test_ranges_of_the_version_before_are_ignored(center: World) -> None:
    """TAXII checklist 63."""
    seat = await center.org("Landkreis A")
    await center.post(seat, several(3))
    for path in (f"{OWN}objects/", f"{OWN}manifest/", "/taxii2/coop/collections/"):
        for asked in ("items 0-0", "items=0-0", "bytes=0-9", "nonsense"):
            answer = await center.request("GET", path, seat, headers={"Range": asked})
            assert answer.status == 200
            assert "Content-Range" not in answer.headers
            assert answer.body == (await center.get(path, seat)).body


async def test_a_page_that_did_not_change_is_not_sent_again(center: World) -> None:
    seat = await center.org("Landkreis A")
    await center.post(seat, several(2))
    etag = (await center.get(f"{OWN}objects/", seat)).headers["Etag"]
    same = await center.request("GET", f"{OWN}objects/", seat, headers={"If-None-Match": etag})
    assert (same.status, same.body) == (304, b"")
    for told in (f"W/{etag}", f'"another", {etag}', "*"):
        known = {"If-None-Match": told}
        same = await center.request("GET", f"{OWN}objects/", seat, headers=known)
        assert (same.status, same.body) == (304, b"")
    await center.post(seat, [indicator("new.example")])
    other = await center.request("GET", f"{OWN}objects/", seat, headers={"If-None-Match": etag})
    assert other.status == 200
    assert len(shown(other)) == 3


async def test_a_question_that_is_too_long_hears_so(
    center: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 200 ids, which a match may have, hardly 170 fit into an address.

    Nothing is logged: strangers could fill the disk with what is no request.
    """
    ids = ",".join(one["id"] for one in several(180))
    for said in (
        f"GET /taxii2/?match[id]={ids} HTTP/1.1\r\n",
        f"GET / HTTP/1.1\r\nX-Ids: {ids}\r\n",
    ):
        status, body = await raw(center.address, f"{said}Host: x\r\n\r\n".encode())
        assert status == 400
        assert "too long; at most 8190 bytes" in json.loads(body)["description"]
    assert not caplog.records


@pytest.mark.parametrize(("query", "gone"), [("", "last"), ("?match[version]=first", "first")])
async def test_a_version_that_takes_the_place_of_another_is_sent(
    stored_center: World, query: str, gone: str
) -> None:
    """Neither the ends of the page change then, nor its length."""
    seat = await stored_center.org("Landkreis A")
    first, one, last = several(3)
    other = one | {"modified": "2026-10-02T08:00:00.000Z"}
    await stored_center.post(seat, [first, one, other, last])
    path = f"{OWN}objects/{query}"
    etag = (await stored_center.get(path, seat)).headers["Etag"]
    place = f"{OWN}objects/{one['id']}/?match[version]={gone}"
    assert (await stored_center.request("DELETE", place, seat)).status == 200
    answer = await stored_center.request("GET", path, seat, headers={"If-None-Match": etag})
    assert answer.status == 200
    assert answer.objects == [first, one if gone == "last" else other, last]
