"""The main way: one county pushes, the center merges, another county reads."""

from pathlib import Path

from exports.devices import devices
from world import indicator, world


async def test_what_one_county_pushes_another_reads(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        verdicts = await center.push(one, [indicator("evil.example", "green")])
        assert [verdict["outcome"] for verdict in verdicts] == ["accepted"]
        await center.project()
        assert await center.patterns(other) == {"[domain-name:value = 'evil.example']"}


async def test_two_spellings_of_one_value_become_one_release(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        one, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await center.push(one, [indicator("EVIL.example.", "green")])
        await center.push(other, [indicator("evil[.]example", "green")])
        await center.project()
        found = [item for item in await center.feed(other) if item["type"] == "indicator"]
        assert [item["confidence"] for item in found] == [70]


async def test_own_contributions_come_back_byte_for_byte(database_url: str, tmp_path: Path) -> None:
    raw = (
        b'{ "objects":\n[ {"type":"indicator" , "spec_version":"2.1","id":"indicator--%s",\
"created":"2026-10-01T08:00:00Z","modified":"2026-10-01T08:00:00.10Z","pattern":"[a:b = 1]",\
"pattern_type":"stix", "valid_from":"2026-10-01T08:00:00Z" } ]}'
        % (b"0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11")
    )
    async with world(database_url, tmp_path) as center:
        one = await center.org("Landkreis A")
        assert (await center.post(one, raw)).status == 202
        answer = await center.get("/taxii2/coop/collections/contributions/objects/", one)
        assert raw[raw.index(b"{", 5) : raw.rindex(b"}", 0, -1) + 1] in answer.body


async def test_what_the_center_pushes_counts_like_that_of_a_county(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        center = device.center
        own, county = await center.seat("Testzentrum"), await center.org("Landkreis A")
        await center.push(own, [given := indicator("boese.example", "green")])
        await center.push(county, [indicator("BOESE.example", "green")])
        await center.project()
        (found,) = [one for one in await center.feed(county) if one["type"] == "indicator"]
        assert (found["confidence"], found["id"] == given["id"]) == (70, False)
        assert await device.lines(await device.feed(county)) == ["boese.example"]
        definitions = [one for one in await center.feed(county) if one["type"] == "identity"]
        assert [one["name"] for one in definitions] == ["Testzentrum"]
