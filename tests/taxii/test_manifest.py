"""Manifests, single objects and their versions (TAXII 2.1 sections 5.3, 5.6, 5.8)."""

from taxii.lab import OWN, READ_WRITE, Lab, shown, standing
from world import World, indicator

HERE = "collections/phishing"


async def test_an_object_that_is_not_there_is_not_found(stored_center: World) -> None:
    """TAXII checklist 56."""
    center = stored_center
    one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
    foreign = indicator("evil.example")
    await center.post(other, [foreign])
    for missing in (indicator("nobody.example")["id"], foreign["id"]):
        for path in ("", "versions/"):
            answer = await center.get(f"{OWN}objects/{missing}/{path}", one)
            assert answer.status == 404
            assert missing not in answer.body.decode()


@standing
async def test_versions_are_told_as_they_were_sent(standing_lab: Lab) -> None:
    """TAXII checklist 57."""
    for stix_id in {one["id"] for one in READ_WRITE["manifest"]}:
        path = f"{HERE}/objects/{stix_id}/versions/"
        for spec in ("2.0", "2.1"):
            sent = [
                one["version"]
                for one in READ_WRITE["manifest"]
                if one["id"] == stix_id and one["media_type"].endswith(spec)
            ]
            answer = await standing_lab.get(path, **{"match[spec_version]": spec})
            assert answer.json.get("versions", []) == sent


@standing
async def test_an_object_comes_alone_in_the_version_asked_for(standing_lab: Lab) -> None:
    for one, record in zip(READ_WRITE["objects"], READ_WRITE["manifest"], strict=True):
        match = {
            "match[version]": record["version"],
            "match[spec_version]": record["media_type"][-3:],
        }
        answer = await standing_lab.get(f"{HERE}/objects/{one['id']}/", **match)
        assert answer.objects == [one]


async def test_a_manifest_describes_what_the_collection_holds(stored_center: World) -> None:
    """TAXII checklist 58."""
    center, seat = stored_center, await stored_center.org("Landkreis A")
    new = [indicator("a.example"), indicator("b.example")]
    old = {name: value for name, value in indicator("c.example").items() if name != "spec_version"}
    old |= {"labels": ["malicious-activity"]}
    for gone in ("indicator_types", "pattern_type"):
        del old[gone]
    await center.post(seat, [*new, old])
    kinds = (await center.get(OWN, seat)).json["media_types"]
    records = (await center.get(f"{OWN}manifest/", seat)).objects
    assert [set(one) for one in records] == [{"id", "date_added", "version", "media_type"}] * 3
    assert {one["media_type"] for one in records} == set(kinds)
    for match, expected in (
        ({"match[spec_version]": "2.0"}, [old]),
        ({"match[id]": new[1]["id"]}, [new[1]]),
        ({"match[type]": "indicator", "limit": "2"}, new),
        ({"match[type]": "malware"}, []),
        ({"added_after": records[1]["date_added"]}, [old]),
    ):
        for path in ("manifest/", "objects/"):
            answer = await center.get(f"{OWN}{path}", seat, **match)
            assert shown(answer) == [(one["id"], one["modified"]) for one in expected]
