"""The server for black-box suites: a file in, the product's TAXII room out."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from taxii.lab import (
    FIXTURE,
    READ_WRITE,
    Lab,
    by_next,
    collection,
    laboratory,
    raw,
    shown,
    stated,
)
from world import TAXII, indicator

REPOSITORY = Path(__file__).resolve().parents[2]


async def test_the_command_line_serves_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.taxii.fixture_server", "tests/taxii/fixture.json"),
        *("--port", "0", "--max-page", "2"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    address = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    path = f"/trustgroup1/collections/{READ_WRITE['id']}/objects/"
    lines = f"GET {path} HTTP/1.1", "Host: x", "Authorization: Basic YWRtaW46UGFzc3dvcmQw", "", ""
    status, body = await raw(address, "\r\n".join(lines).encode())
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert (status, len(json.loads(body)["objects"])) == (200, 2)


async def test_one_version_may_stand_in_both_versions_of_stix(tmp_path: Path) -> None:
    moment = "2020-01-01T00:00:00.000Z"
    old, new = stated("2.0", moment), stated("2.1", moment, spec_version="2.1")
    async with laboratory(tmp_path, fixture=collection(old, new, new)) as lab:
        path, every = "collections/phishing/objects/", {"match[spec_version]": "2.0,2.1"}
        assert (await lab.get(path)).objects == [new[0]]
        assert (await lab.get(path, **{"match[spec_version]": "2.0"})).objects == [old[0]]
        pages = await by_next(lab.get, path, limit=1, **every)
        assert [page.objects for page in pages] == [[old[0]], [new[0]]]


async def test_objects_of_one_moment_keep_the_order_of_the_file(tmp_path: Path) -> None:
    moments = [f"20{year}-01-01T00:00:00Z" for year in (24, 20, 22, 21, 23)]
    kept = [stated("2.1", one, x_at=one) for one in moments]
    every = {"match[version]": "all"}
    async with laboratory(tmp_path, fixture=collection(*kept)) as lab:
        pages = await by_next(lab.get, "collections/phishing/objects/", limit=2, **every)
        assert [one["x_at"] for page in pages for one in page.objects] == moments
        assert [
            one["x_at"] for one in (await lab.get("collections/phishing/objects/")).objects
        ] == [moments[0]]


async def test_a_page_of_a_manifest_ends_where_a_moment_does(tmp_path: Path) -> None:
    kept = [stated("2.1", f"202{number}-01-01T00:00:00Z") for number in range(5)]
    for number, (_, record) in enumerate(kept):
        record["date_added"] = f"2024-01-0{(number + 3) // 2}T00:00:00.000000Z"
    async with laboratory(tmp_path, fixture=collection(*kept)) as lab:
        path, found = "collections/phishing/manifest/", []
        asked: dict[str, Any] = {"limit": 2, "match[version]": "all"}
        more = True
        while more:
            page = await lab.get(path, **asked)
            more, asked["added_after"] = page.json["more"], page.headers["X-TAXII-Date-Added-Last"]
            assert len(page.objects) <= 2
            assert page.objects[-1]["date_added"] == asked["added_after"]
            found += page.objects
        assert found == [record for _, record in kept]


async def test_what_is_posted_comes_after_what_was_there(lab: Lab) -> None:
    before = await lab.objects()
    one = indicator("evil.example")
    assert (await lab.post("phishing", one)).json["success_count"] == 1
    assert await lab.objects() == [*before, (one["id"], one["modified"])]
    held = READ_WRITE["objects"][4]
    newer = held | {"modified": "2024-03-09T00:00:00.000Z"}
    assert (await lab.post("phishing", newer)).json["success_count"] == 1
    assert (await lab.get(f"collections/phishing/objects/{held['id']}/")).objects == [newer]


async def test_a_root_may_stand_anywhere(tmp_path: Path) -> None:
    for number, (said, path) in enumerate(
        (("/", "/"), ("http://localhost:5000/a/b/", "/a/b/"), ("c", "/c/"))
    ):
        folder = tmp_path / str(number)
        root = {"path": said, "title": "Hier", "max_content_length": 500}
        fixture = FIXTURE | {"api_root": root, "discovery": {"title": "Nur der Titel"}}
        async with laboratory(folder, fixture=fixture) as lab:
            answer = await lab.get("/taxii2/")
            assert answer.json == {"title": "Nur der Titel", "default": path, "api_roots": [path]}
            assert (await lab.get(path)).json["max_content_length"] == 500
            sent = {"headers": {"Content-Type": TAXII}, "data": b" " * 501}
            objects = f"{path}collections/phishing/objects/"
            assert (await lab.request("POST", objects, **sent)).status == 413
            assert len(shown(await lab.get(f"{path}collections/phishing/objects/"))) == 7


@pytest.mark.parametrize("left_out", ["missing", "null"])
async def test_what_a_fixture_may_leave_out_may_be_missing(tmp_path: Path, left_out: str) -> None:
    whole = collection(stated("2.1", "2020-01-01T00:00:00.000Z")) | {"status": FIXTURE["status"]}
    optional = {"title", "description", "alias", "media_types", "max_content_length"}

    def sparse(said: dict[str, Any], names: set[str]) -> dict[str, Any]:
        rest = {name: value for name, value in said.items() if name not in names}
        return rest if left_out == "missing" else rest | dict.fromkeys(names & said.keys())

    (one,) = whole["collections"]
    record = {name: value for name, value in one["manifest"][0].items() if name != "media_type"}
    fixture = sparse(whole, {"discovery", "status"})
    fixture["api_root"] = sparse(whole["api_root"], optional)
    fixture["collections"] = [sparse(one, optional) | {"manifest": [record]}]
    async with laboratory(tmp_path, fixture=fixture) as lab:
        assert (await lab.get("/taxii2/")).json["title"]
        assert (await lab.get(f"collections/{one['id']}/")).json["media_types"]
        assert len((await lab.get(f"collections/{one['id']}/objects/")).objects) == 1


async def test_without_users_nobody_gets_in(tmp_path: Path) -> None:
    async with laboratory(tmp_path, fixture=FIXTURE | {"users": {}}) as lab:
        assert (await lab.get("collections/")).status == 401
