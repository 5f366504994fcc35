"""What a county's earlier versions lose when it tightens, and what only others said there."""

from pathlib import Path

from cybercoop.members.organisations import Kind
from test_tightening_later import AMBER, green, versions
from world import TLP, indicator, world

STRICT = {"object_marking_refs": [TLP["amber+strict"]]}


async def test_who_tightens_takes_nothing_along_where_he_never_stood(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, other = await center.org("county"), await center.org("other")
        partner = await center.org("partner", Kind.PARTNER)
        for seat, marks in ((county, {}), (other, AMBER)):
            about = green("malware", name="Emotet", is_family=True) | marks
            seen = indicator("evil-host.net", "green") | marks
            ends = {"source_ref": seen["id"], "target_ref": about["id"]}
            tied = green("relationship", relationship_type="indicates", **ends)
            for day in (2, 3) if seat is county else (2,):
                said = {"description": f"{seat.org.name} {day}"}
                tied |= said | {"modified": f"2026-10-0{day}T08:00:00.000Z"}
                await center.push(seat, [about, seen, tied], with_text="1")
                await center.project()
        before = await versions(center, partner)
        assert "county 2" in before
        await center.push(other, [tied | {"modified": "2026-10-09T08:00:00.000Z"} | STRICT])
        assert await versions(center, partner) == before


async def test_of_a_relationship_whose_later_version_was_deleted_the_owner_is_told(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, reader = await center.org("county"), await center.org("reader")
        seen, more = indicator("evil-host.net", "green"), indicator("evil-more.net", "green")
        ends = {"source_ref": seen["id"], "target_ref": more["id"]}
        tied = green("relationship", relationship_type="related-to", **ends)
        for given in ([seen, more, tied], [tied | {"modified": "2026-10-09T08:00:00.000Z"}]):
            await center.push(county, given)
            await center.project()
        path = f"/taxii2/coop/collections/contributions/objects/{tied['id']}/"
        last = {"match[version]": "last"}
        assert (await center.request("DELETE", path, county, params=last)).status == 200
        await center.project()
        said = (await center.get("/api/v1/unreleased", county)).json
        assert "A later version replaced it" in str(said)
        await center.push(county, [more | {"modified": "2026-10-10T08:00:00.000Z"}])
        await center.project()
        found = await center.feed(reader, **{"match[type]": "relationship"})
        assert all(one["revoked"] for one in found)
        await center.push(county, [tied | {"modified": "2026-10-11T08:00:00.000Z"}])
        await center.project()
        found = await center.feed(reader, **{"match[type]": "relationship"})
        assert [one for one in found if "revoked" not in one]
