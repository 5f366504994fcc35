"""A feed over HTTP: what a device gets, and when it gets nothing new."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from cybercoop.collect import assets
from cybercoop.exports import formats
from exports.devices import VALUES, Devices, Feed, devices, door, kinds_of
from world import Seat

NAMES = sorted(formats.found())
DAY = 86_400_000_000


async def filled(device: Devices, *values: str) -> tuple[Seat, Feed]:
    county = await device.center.org("Landkreis A")
    await device.push(county, *(values or ("boese.example",)))
    return county, await device.feed(county)


async def test_a_device_fetches_by_path_token_or_by_the_id_with_credentials(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device, "boese.example", "noch.boese.example")
        first = await device.ask(feed.path)
        assert (first.status, first.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert set(first.body.decode().split("\n")) == {"boese.example", "noch.boese.example", ""}
        basic = {"Authorization": basic_of("x", feed.token)}
        bearer = {"Authorization": f"Bearer {feed.token}"}
        own = {"Authorization": f"Bearer {county.token}"}
        for path, headers in ((feed.path, {}), (feed.by_id, basic), (feed.by_id, bearer)):
            for end in ("", "/"):
                assert (await device.ask(path + end, **headers)).body == first.body
        assert (await device.ask(feed.by_id, **own)).body == first.body


def basic_of(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


async def test_a_device_token_opens_its_feed_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        other = await device.feed(county, "ipv4")
        bearer = {"Authorization": f"Bearer {feed.token}"}
        for path in ("/taxii2/coop/", "/taxii2/coop/collections/", "/api/v1/unreleased"):
            assert (await device.ask(path, **bearer)).status == 401
        assert (await device.ask(other.by_id, **bearer)).status == 401
        for method in ("POST", "PUT", "DELETE"):
            assert (await device.ask(feed.path, method)).status == 405


async def test_unknown_foreign_and_ended_feeds_are_answered_alike(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        neighbour = await device.center.org("Landkreis B")
        elsewhere = await device.feed(county, addresses=("203.0.113.0/24",))
        bearer = {"Authorization": f"Bearer {feed.token}"}
        asked = [
            ("/feeds/5a1ad1d2-5d4c-4d8f-8f0e-1f0b6f7a0001", bearer),
            ("/feeds/%00", bearer),
            (feed.by_id, {}),
            (feed.by_id, {"Authorization": "Basic !"}),
            (feed.by_id, {"Authorization": f"Bearer {neighbour.token}"}),
            (elsewhere.by_id, {"Authorization": f"Bearer {elsewhere.token}"}),
        ]
        answers = [await device.ask(path, **headers) for path, headers in asked]
        assert {(one.status, one.body) for one in answers} == {(401, answers[0].body)}
        assert all("Basic" in one.headers["WWW-Authenticate"] for one in answers)
        paths = ("/feeds/feed_x", "/feeds/feed_%00", elsewhere.path)
        hidden = [await device.ask(path) for path in paths]
        assert {(one.status, one.body) for one in hidden} == {(404, hidden[0].body)}


async def test_a_list_that_did_not_change_is_not_sent_again(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        first = await device.ask(feed.path)
        tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
        for known in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
            answer = await device.ask(feed.path, **known)
            assert (answer.status, answer.body) == (304, b"")
            assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == (tag, changed)
        other = await device.ask(feed.path, If_None_Match='"x"', If_Modified_Since=changed)
        assert other.status == 200  # the tag goes before the time
        await device.push(county, "neu.example")
        for known in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
            answer = await device.ask(feed.path, **known)
            assert (answer.status, b"neu.example" in answer.body) == (200, True)
        assert answer.headers["ETag"] != tag


async def test_a_list_comes_packed_and_a_head_comes_alone(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        _, feed = await filled(device, *(f"boese{number}.example" for number in range(50)))
        plain = await device.ask(feed.path)
        packed = await device.ask(feed.path, Accept_Encoding="br, gzip;q=0.8")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["ETag"] != plain.headers["ETag"]
        assert {plain.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}
        assert "Content-Encoding" not in plain.headers
        refused = await device.ask(feed.path, Accept_Encoding="gzip;q=0")
        assert refused.body == plain.body
        known = await device.ask(
            feed.path, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"]
        )
        assert known.status == 304
        head = await device.ask(feed.path, "HEAD")
        assert (head.status, head.body) == (200, b"")
        for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type"):
            assert head.headers[name] == plain.headers[name]


async def test_a_large_list_is_sent_whole(tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        names = [f"{'x' * 60}.{'y' * 60}.{'z' * 50}.n{number}.example" for number in range(6000)]
        _, feed = await filled(device, *names)
        answer = await device.ask(feed.path)
        assert len(answer.body) > 1 << 20
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert sorted(answer.body.decode().split()) == sorted(names)
        assert (await device.ask(feed.path, "HEAD")).body == b""


@pytest.mark.parametrize("name", NAMES)
async def test_every_format_is_fetched_through_its_feed(name: str, tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county = await device.center.org("Landkreis A")
        await device.push(county, *VALUES.values())
        kinds = kinds_of(name)
        feed = await device.feed(county, *kinds, format_name=name)
        top = await device.ask(feed.path)
        assert top.status == 200
        bodies = {"": top.body}
        if formats.found()[name].several:
            for file in top.body.decode().split():
                answer = await device.ask(f"{feed.path}/{file}")
                assert (answer.status, "ETag" in answer.headers) == (200, True)
                bodies[file] = answer.body
        else:
            assert top.headers["Content-Type"] == formats.found()[name].media_type
        assert any(b"boese" in body or b"11.22.33.44" in body for body in bodies.values())
        assert (await device.ask(f"{feed.path}/nothing")).status == 404


async def test_a_bundle_holds_what_taxii_serves(tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county = await device.center.org("Landkreis A")
        await device.push(county, *VALUES.values())
        feed = await device.feed(county, *kinds_of("stix"), format_name="stix")
        listed = json.loads((await device.ask(feed.path)).body)["objects"]
        served = [one for one in await device.center.feed(county) if one["type"] == "indicator"]
        assert sorted(listed, key=str) == sorted(served, key=str)
        table = await device.feed(county, "domain", format_name="csv")
        (_, line) = await device.lines(table)
        assert line.rpartition(",")[2] in {one["id"] for one in served}


async def test_the_most_important_entries_come_first_and_the_rest_is_cut_off(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        for number, sure in enumerate((10, 90, 50, 90)):
            await device.push(county, f"d{number}.example", confidence=sure)
        assert await device.lines(await device.feed(county)) == [
            "d3.example", "d1.example", "d2.example", "d0.example",
        ]  # fmt: skip
        assert await device.lines(await device.feed(county, most=1)) == ["d3.example"]
        surer = await device.lines(await device.feed(county, least=50))
        assert set(surer) == {"d1.example", "d2.example", "d3.example"}


async def test_a_feed_is_cut_by_kind_lock_and_age(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        await device.push(county, "alt.example")
        device.center.clock.forward(3 * DAY)
        await device.push(county, "neu.example", VALUES["ipv4"])
        await device.push(county, "eng.example", tlp="amber")
        young = await device.feed(county, age_days=2)
        assert set(await device.lines(young)) == {"neu.example", "eng.example"}
        assert await device.lines(await device.feed(county, "ipv4")) == ["11.22.33.44"]
        narrow = await device.feed(county, lock="group:members")
        assert await device.lines(narrow) == ["eng.example"]
        device.center.clock.forward(3 * DAY)
        await device.look()
        assert await device.lines(young) == []


async def test_a_value_under_several_locks_is_listed_once(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        other = await device.center.org("Landkreis B")
        await device.push(county, "boese.example", confidence=30)
        await device.push(other, "boese.example", tlp="amber", confidence=80)
        feed = await device.feed(county, "domain", format_name="csv")
        (_, line) = await device.lines(feed)
        assert ",amber," in line


async def test_what_has_ended_leaves_the_list(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device, "bleibt.example")
        await device.push(county, "kurz.example", valid_until="2026-11-03T00:00:00Z")
        assert set(await device.lines(feed)) == {"bleibt.example", "kurz.example"}
        before = (await device.ask(feed.path)).headers["ETag"]
        device.center.clock.forward(4 * DAY)
        await device.look()
        assert await device.lines(feed) == ["bleibt.example"]
        assert (await device.ask(feed.path)).headers["ETag"] != before


async def test_who_comes_back_to_an_older_list_gets_it_whole(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device, "boese.example", "noch.boese.net")
        first = await device.ask(feed.path)
        device.center.clock.forward(DAY)
        center, around = device.center, device.center.surroundings
        said = (county.org.id, "noch.boese.net", "Bürgerportal", center.clock.now + DAY, around)
        await assets.except_for(center.database, center.center, *said)
        without = await device.ask(feed.path)
        assert without.body == b"boese.example\n"
        center.clock.forward(2 * DAY)
        again = await device.ask(feed.path, If_Modified_Since=without.headers["Last-Modified"])
        assert (again.status, again.body) == (200, first.body)


async def test_an_empty_list_is_right_where_nothing_is_listed(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        answer = await device.ask((await device.feed(county)).path)
        assert (answer.status, answer.body) == (200, b"")


async def test_a_start_goes_on_with_what_was_built(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        first = await device.ask(feed.path)
        settings = device.settings
        device.center.clock.forward(DAY)
        async with door(device.center, settings) as second:
            again = await second.ask(feed.path)
            assert again.headers["Last-Modified"] == first.headers["Last-Modified"]
            assert again.headers["ETag"] == first.headers["ETag"]
            await second.push(county, "neu.example")
            assert len(await second.lines(feed)) == 2


async def test_equal_feeds_share_a_build(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        other = await device.center.org("Landkreis B")
        for one in (feed, await device.feed(county), await device.feed(other)):
            assert await device.lines(one) == ["boese.example"]
        folders = [one for one in (device.settings.data / "feeds").iterdir() if one.is_dir()]
        assert len(folders) == 1
        assert folders[0].stat().st_mode & 0o077 == 0


async def test_the_serial_of_a_zone_rises_with_each_change(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        feed = await device.feed(county, format_name="rpz")
        serials = []
        for number in range(3):
            await device.push(county, f"d{number}.example")
            lines = await device.lines(feed)
            serials.append(int(next(line for line in lines if " SOA " in line).split()[5]))
        assert serials == sorted(set(serials))


@pytest.mark.parametrize("restarted", [False, True])
async def test_the_serial_of_a_zone_does_not_fall_when_an_exception_is_over(
    restarted: bool, database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, _ = await filled(device, "boese.example", "noch.boese.net")
        feed, center = await device.feed(county, format_name="rpz"), device.center
        first, serials = await device.lines(feed), []
        said = (county.org.id, "noch.boese.net", "Bürgerportal", center.clock.now + 2 * DAY)
        await assets.except_for(center.database, center.center, *said, center.surroundings)
        async with door(center, device.settings) as second:
            # Half the way through the exception, then twice after it.
            for asked in (device, second, second) if restarted else (device,) * 3:
                center.clock.forward(DAY)
                lines = await asked.lines(feed)
                serials.append(int(next(line for line in lines if " SOA " in line).split()[5]))
        assert len(lines) == len(first)
        assert serials[0] < serials[1] == serials[2]
