"""Collections and what may be done with them (TAXII 2.1 sections 5.1 to 5.8)."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from taxii.lab import (
    CLOSED,
    EMPTY,
    FIXTURE,
    OWN,
    READ_ONLY,
    READ_WRITE,
    UNKNOWN,
    WRITE_ONLY,
    Lab,
    laboratory,
)
from world import TAXII, Answer, Seat, World, envelope, indicator

SOMETHING = indicator("evil.example")
PATHS = ("", "objects/", f"objects/{SOMETHING['id']}/", "manifest/")
BELOW = (*PATHS, f"objects/{SOMETHING['id']}/versions/")


async def test_a_collection_says_what_it_is(center: World) -> None:
    """TAXII checklist 13."""
    seat = await center.org("Landkreis A")
    answers = [await center.get("/taxii2/coop/collections/", seat) for _ in range(3)]
    found = answers[0].json["collections"]
    assert len({answer.body for answer in answers}) == 1
    assert [one["id"] for one in found] == sorted(one["id"] for one in found)
    for one in found:
        assert uuid.UUID(one["id"]).version == 4
        assert one["title"]
        assert type(one["can_read"]) is type(one["can_write"]) is bool
        assert (await center.get(f"/taxii2/coop/collections/{one['id']}/", seat)).json == one


async def test_a_root_without_collections_omits_the_list(tmp_path: Path) -> None:
    """TAXII checklist 14."""
    async with laboratory(tmp_path, fixture=FIXTURE | {"collections": []}) as lab:
        answer = await lab.get("collections/")
    assert (answer.status, answer.body) == (200, b"{}")


async def test_an_alias_stands_for_the_id_and_for_one_collection_only(center: World) -> None:
    """TAXII checklist 15."""
    seat = await center.org("Landkreis A")
    await center.group("Strict", seat)
    await center.post(seat, [SOMETHING])
    found = (await center.get("/taxii2/coop/collections/", seat)).json["collections"]
    aliases = [one["alias"] for one in found if "alias" in one]
    assert len(set(aliases)) == len(aliases) > 3
    for one in found:
        for path in BELOW:
            asked = [
                f"/taxii2/coop/collections/{name}/{path}" for name in (one["id"], one["alias"])
            ]
            by_id, by_alias = [await center.get(where, seat) for where in asked]
            assert (by_id.status, by_id.body) == (by_alias.status, by_alias.body)


async def test_an_unknown_collection_is_not_found(center: World) -> None:
    """TAXII checklist 16."""
    seat = await center.org("Landkreis A")
    for path in BELOW:
        answer = await center.get(f"/taxii2/coop/collections/{UNKNOWN}/{path}", seat)
        assert answer.status == 404, path
        assert answer.headers["Content-Type"] == TAXII


async def test_an_id_of_any_form_is_just_not_found(stored_center: World) -> None:
    """TAXII checklist 17."""
    seat = await stored_center.org("Landkreis A")
    for name in ("1", "nothing", "%00", "%ff", "'%20OR%201=1", "ü", "a" * 2000, "{x}", "%0a"):
        paths = [f"/taxii2/coop/collections/{name}/{path}" for path in BELOW]
        paths += [f"{OWN}objects/{name}/", f"{OWN}objects/{name}/versions/"]
        paths += [f"/taxii2/coop/status/{name}/"]
        for path in paths:
            assert (await stored_center.get(path, seat)).status == 404, path
        assert (await stored_center.request("DELETE", f"{OWN}objects/{name}/", seat)).status == 404


@pytest.mark.parametrize(("said", "status"), [(WRITE_ONLY, 403), (CLOSED, 404)])
async def test_what_may_not_be_read_is_not_shown(
    lab: Lab, said: dict[str, Any], status: int
) -> None:
    """TAXII checklist 18."""
    one = said["objects"][0]["id"]
    for path in ("objects/", f"objects/{one}/", "manifest/", f"objects/{one}/versions/"):
        assert (await lab.get(f"collections/{said['id']}/{path}")).status == status, path


@pytest.mark.parametrize(("said", "status"), [(READ_ONLY, 403), (CLOSED, 404)])
async def test_what_may_not_be_written_takes_nothing(
    lab: Lab, said: dict[str, Any], status: int
) -> None:
    """TAXII checklist 19."""
    assert (await lab.post(said["id"], SOMETHING)).status == status
    if said["can_read"]:
        held = (await lab.get(f"collections/{said['id']}/objects/")).objects
        assert held == said["objects"]


@pytest.mark.parametrize(("said", "status"), [(CLOSED, 404), (READ_ONLY, 403), (WRITE_ONLY, 403)])
async def test_deleting_needs_reading_and_writing(
    lab: Lab, said: dict[str, Any], status: int
) -> None:
    """TAXII checklist 20."""
    path = f"collections/{said['id']}/objects/{said['objects'][0]['id']}/"
    assert (await lab.request("DELETE", path)).status == status
    assert (await lab.request("DELETE", path.replace(said["id"], UNKNOWN))).status == 404


async def test_a_collection_of_others_is_answered_like_one_that_is_not_there(
    stored_center: World,
) -> None:
    """TAXII checklist 21."""
    center = stored_center
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    await center.post(other, [SOMETHING])
    for path in BELOW:
        hidden = await _observed(center, one, "GET", f"{other.org.contributions_id}/{path}")
        assert hidden == await _observed(center, one, "GET", f"{UNKNOWN}/{path}")
    for method, path in (("POST", "objects/"), ("DELETE", BELOW[2])):
        hidden = await _observed(center, one, method, f"{other.org.contributions_id}/{path}")
        assert hidden == await _observed(center, one, method, f"{UNKNOWN}/{path}")


async def _observed(
    center: World, seat: Seat, method: str, path: str
) -> tuple[int, bytes, list[str]]:
    """Return the answer, and what the database was asked for it: that takes the time."""
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engine = center.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    where, headers = f"/taxii2/coop/collections/{path}", {"Content-Type": TAXII}
    body = envelope([SOMETHING]) if method == "POST" else None
    answer = await center.request(method, where, seat, headers=headers, data=body)
    event.remove(engine, "before_cursor_execute", hear)
    assert answer.status == 404
    return answer.status, answer.body, asked


async def test_an_empty_collection_can_be_filled(lab: Lab) -> None:
    path = f"collections/{EMPTY['id']}/objects/"
    assert (await lab.get(path)).body == b"{}"
    assert (await lab.post(EMPTY["alias"], SOMETHING)).status == 202
    held: Answer = await lab.request("GET", path, user="gast")
    assert held.objects == [SOMETHING]


async def test_the_fixture_shows_its_objects_as_they_stand_in_its_file(lab: Lab) -> None:
    path = f"collections/{READ_WRITE['id']}/objects/?match[version]=all&match[spec_version]=2.0,2.1"
    assert (await lab.get(path)).objects == READ_WRITE["objects"]
    path = path.replace("/objects/", "/manifest/")
    assert (await lab.get(path)).objects == READ_WRITE["manifest"]
