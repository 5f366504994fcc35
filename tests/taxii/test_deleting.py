"""Deleting objects (TAXII 2.1 section 5.7)."""

from pathlib import Path

import pytest

from taxii.lab import OWN, READ_WRITE, Lab, collection, laboratory, several, shown, stated
from world import World

MALWARE = next(one for one in READ_WRITE["manifest"] if one["id"].startswith("malware"))["id"]
PATH = f"collections/phishing/objects/{MALWARE}/"
SPECS = {"match[spec_version]": "2.0,2.1"}


async def test_one_version_goes_and_the_others_stay(stored_lab: Lab) -> None:
    """TAXII checklist 59: match[version]."""
    lab = stored_lab
    indicator = next(one for one in READ_WRITE["objects"] if one["type"] == "indicator")
    path = f"collections/phishing/objects/{indicator['id']}/"
    for version, status, left, sure in (
        ("2024-03-04T18:30:00.500Z", 200, ["07:00:00.000Z", "06:15:00.123456Z"], 85),
        ("2024-03-04T18:30:00.500Z", 404, ["07:00:00.000Z", "06:15:00.123456Z"], 85),
        ("last", 200, ["07:00:00.000Z"], None),
    ):
        answer = await lab.request("DELETE", path, params={"match[version]": version})
        assert answer.status == status
        versions = (await lab.get(f"{path}versions/")).json["versions"]
        assert [one.partition("T")[2] for one in versions] == left
        assert [one.get("confidence") for one in (await lab.get(path)).objects] == [sure]


async def test_all_versions_go_and_the_object_is_gone(stored_lab: Lab) -> None:
    """TAXII checklist 59: in STIX 2.0 and 2.1 alike."""
    lab = stored_lab
    assert (await lab.request("DELETE", PATH)).status == 200
    for path in (PATH, f"{PATH}versions/"):
        assert (await lab.get(path, **SPECS)).status == 404
    records = await lab.get("collections/phishing/manifest/", **SPECS | {"match[version]": "all"})
    assert records.objects == [one for one in READ_WRITE["manifest"] if one["id"] != MALWARE]
    assert (await lab.request("DELETE", PATH)).status == 404


async def test_the_older_stix_stays_when_the_newer_goes(stored_lab: Lab) -> None:
    lab = stored_lab
    newer = {"match[spec_version]": "2.1"}
    assert (await lab.request("DELETE", PATH, params=newer)).status == 200
    assert (await lab.get(PATH, **newer)).json == {}
    latest = (await lab.get(PATH)).objects
    assert [one["modified"] for one in latest] == ["2024-02-20T00:00:00.000Z"]


@pytest.mark.parametrize("version", ["first", "last"])
async def test_what_goes_is_what_the_same_question_shows(tmp_path: Path, version: str) -> None:
    """TAXII checklist 59, where an object stands in STIX 2.0 after it stood in 2.1."""
    moments = ("2.1", "2020"), ("2.1", "2021"), ("2.0", "2019"), ("2.0", "2022")
    days = [(spec, f"{year}-01-01T00:00:00.000Z") for spec, year in moments]
    kept = [stated(spec, day, modified=day) for spec, day in days]
    path = f"collections/phishing/objects/{kept[0][0]['id']}/"
    every = {"match[version]": "all", "match[spec_version]": "2.0,2.1"}
    async with laboratory(tmp_path, fixture=collection(*kept)) as lab:
        before = shown(await lab.get(path, **every))
        asked = {"match[version]": version}
        (gone,) = shown(await lab.get(path, **asked))
        assert (await lab.request("DELETE", path, params=asked)).status == 200
        assert shown(await lab.get(path, **every)) == [one for one in before if one != gone]


async def test_deleting_reaches_own_objects_only(stored_center: World) -> None:
    center = stored_center
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    for seat in (one, other):
        await center.post(seat, several(1))
    path = f"{OWN}objects/{several(1)[0]['id']}/"
    assert [(await center.request("DELETE", path, one)).status for _ in range(2)] == [200, 404]
    assert (await center.get(path, other)).objects == several(1)


async def test_what_was_deleted_may_be_given_again(stored_center: World) -> None:
    center, seat = stored_center, await stored_center.org("Landkreis A")
    path = f"{OWN}objects/{several(1)[0]['id']}/"
    await center.post(seat, several(1))
    first = await center.get(f"{OWN}manifest/", seat)
    await center.request("DELETE", path, seat)
    await center.post(seat, several(1))
    again = await center.get(f"{OWN}manifest/", seat)
    assert again.objects[0]["date_added"] > first.objects[0]["date_added"]
