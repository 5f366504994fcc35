"""Lists of what responses block: at once on, on time off, and proved by a device's fetch alone."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cybercoop.collect import assets
from cybercoop.errors import Misused
from cybercoop.exports import formats, orders
from cybercoop.exports.cut import zone_of
from cybercoop.members.device_feeds import Cut
from cybercoop.store import blocks, device_feeds
from exports.devices import Devices, Feed, devices, door
from exports.responding import HOUR, Response, begun
from exports.test_real_tools import accepted, tool
from web.test_lookup import lookup
from world import SECOND, Seat

PLAIN = sorted(name for name, found in formats.found().items() if not (found.raw or found.several))


async def county_with_feed(device: Devices, name: str = "Landkreis A") -> tuple[Seat, Feed]:
    county = await device.center.org(name)
    return county, await device.feed(county, responses=True)


async def known(response: Response) -> list[tuple[bool, bool, bool]]:
    """Return of each block whether it is listed, fetched and in force."""
    return [(one.is_listed, one.state.fetched, one.is_in_force) for one in await response.states()]


async def proved(response: Response, wanted: list[tuple[bool, bool, bool]]) -> None:
    """Wait for what a fetch proves: it is written down once the answer is out."""
    for _ in range(200):
        if (found := await known(response)) == wanted:
            return
        await asyncio.sleep(0.02)
    assert found == wanted


async def test_a_block_is_on_the_list_at_the_next_fetch_and_in_force_once_that_is_out(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        await device.push(county, "released.example")
        assert await device.lines(feed) == []
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        assert await known(response) == [(True, False, False)]
        assert await device.lines(feed) == ["boese.example"]
        await proved(response, [(True, True, True)])
        device.center.clock.forward(HOUR)
        await response.block(county, "domain", "noch.boese.example")
        assert await known(response) == [(True, True, True), (True, False, False)]
        assert await device.lines(feed) == ["noch.boese.example", "boese.example"]
        await proved(response, [(True, True, True)] * 2)


async def test_not_modified_proves_as_much_as_a_list_but_a_look_does_not(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        own = {"Authorization": f"Bearer {county.token}"}
        seen = await device.ask(feed.by_id, **own)
        head = await device.ask(feed.path, "HEAD")
        assert (seen.body, head.status) == (b"boese.example\n", 200)
        assert await known(response) == [(True, False, False)]
        again = await device.ask(feed.path, If_None_Match=head.headers["ETag"])
        assert again.status == 304
        await proved(response, [(True, True, True)])
        # A second block of the same value changes nothing that a device could see.
        device.center.clock.forward(HOUR)
        await response.block(county, "domain", "boese.example", hours=1)
        assert (await device.ask(feed.path, If_None_Match=head.headers["ETag"])).status == 304
        await proved(response, [(True, True, True)] * 2)
        assert await device.lines(feed) == ["boese.example"]


async def test_a_block_ends_by_itself_and_by_a_roll_back(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        other = await device.feed(county, responses=True)
        response = await begun(device)
        await response.block(county, "domain", "kurz.example", hours=1)
        await response.block(county, "domain", "lang.example", hours=48)
        for one in (feed, other):
            assert set(await device.lines(one)) == {"kurz.example", "lang.example"}
        await proved(response, [(True, True, True)] * 2)
        device.center.clock.forward(HOUR)
        assert await known(response) == [(False, False, False), (True, True, True)]
        assert await device.lines(feed) == ["lang.example"]
        # The other device still blocks what it fetched before.
        assert await known(response) == [(False, False, False), (True, True, True)]
        assert await device.lines(other) == ["lang.example"]
        await proved(response, [(False, True, False), (True, True, True)])
        await response.end()
        assert await device.lines(feed) == await device.lines(other) == []
        await proved(response, [(False, True, False)] * 2)


async def test_of_two_blocks_of_a_value_the_longer_one_counts(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        one, other = await begun(device), await begun(device, "strict:members")
        short = await one.block(county, "domain", "boese.example", hours=1)
        await other.block(county, "domain", "boese.example", hours=2)
        table = await device.feed(county, format_name="csv", responses=True)
        (_, line) = await device.lines(table)
        assert line.startswith("domain,boese.example,100,")
        assert "amber+strict" in line
        await one.end(short)
        assert await device.lines(feed) == ["boese.example"]
        device.center.clock.forward(2 * HOUR)
        assert await device.lines(feed) == []


async def test_no_device_of_another_county_sees_it(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        other, theirs = await county_with_feed(device, "Landkreis B")
        usual = await device.feed(county)
        before = [await device.ask(one.path) for one in (theirs, usual)]
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        await response.block(other, "domain", "anders.example")
        assert await device.lines(feed) == ["boese.example"]
        assert await device.lines(theirs) == ["anders.example"]
        await proved(response, [(True, True, True)] * 2)
        await response.end()
        await device.look()
        after = [await device.ask(one.path) for one in (theirs, usual)]
        assert [one.body for one in after] == [one.body for one in before] == [b"", b""]
        (mine,) = await lookup(device.center, county, "anders.example")
        assert "feeds" not in mine


async def test_when_a_block_began_and_ended_tells_nothing_of_other_counties(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        seats = [(await county_with_feed(device, f"Landkreis {one}"))[0] for one in "ABC"]
        response, clock = await begun(device), device.center.clock
        for seat in seats:
            await response.block(seat, "domain", "boese.example")
            clock.now -= SECOND
        assert {one.state.block.since for one in await response.states()} == {clock.now + SECOND}
        clock.forward(HOUR)
        await response.end()
        assert {one.state.block.ended_at for one in await response.states()} == {clock.now}


async def test_exceptions_and_the_guard_win_at_once(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        for value in ("eins.example.net", "zwei.example.net", "drei-host.net", "bund.de"):
            await response.block(county, "domain", value)
        assert set(await device.lines(feed)) == {
            "eins.example.net", "zwei.example.net", "drei-host.net",
        }  # fmt: skip
        await proved(response, [*[(True, True, True)] * 3, (False, True, False)])
        center, around = device.center, device.center.surroundings
        for whose, value in (
            (center.center.org_id, "www.eins.example.net"),
            (county.org.id, "zwei.example.net"),
        ):
            said = (whose, value, "Fehlalarm", None, around)
            made = await assets.except_for(center.database, center.center, *said)
        assert await device.lines(feed) == ["drei-host.net"]
        told = await response.states()
        assert [one.is_in_force for one in told] == [False, False, True, False]
        assert [one.verdict.rule for one in told] == [
            "exception", "exception", "", "administration",
        ]  # fmt: skip
        await assets.end(center.database, made.id, county.org.id, center.clock.now)
        assert set(await device.lines(feed)) == {"zwei.example.net", "drei-host.net"}


async def test_an_exercise_blocks_nothing(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device, exercise=True)
        await response.block(county, "domain", "boese.example")
        assert await device.lines(feed) == []
        await proved(response, [(False, True, False)])


async def test_what_no_list_of_the_county_carries_takes_a_persons_word(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        await response.block(county, "ipv4", "10.1.2.3")
        await response.block(county, "ipv4", "11.22.33.44")
        assert await device.lines(feed) == []
        assert await known(response) == [(False, False, False)] * 2
        async with device.center.database.write() as connection:
            run, now = response.runs[county.org.id], device.center.clock.now
            assert await blocks.confirm(connection, run, "A. Person", now) == 2
            covered = await blocks.covering(connection, county.org.id, "domain")
            assert [one.id for one in covered] == [feed.feed.id]
            assert await blocks.covering(connection, county.org.id, "ipv4") == []
        await device.feed(county, "ipv4", responses=True)
        # A private address is never listed, so no word says that a list blocks it.
        assert [one.is_in_force for one in await response.states()] == [False, True]


async def test_a_block_put_twice_stands_once(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        for value in ("boese.example", "anders.example"):
            await response.block(county, "domain", value, place="action--1")
        assert await device.lines(feed) == ["boese.example"]


async def test_what_is_not_committed_when_a_list_is_made_is_not_proved_by_it(
    postgres_url: str, tmp_path: Path
) -> None:
    async with devices(postgres_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        center = device.center
        async with center.database.write() as connection:
            row = dict(
                (await blocks.in_force(connection, county.org.id, center.clock.now))[0]._mapping
            )
            new = {name: row[name] for name in ("response_id", "run_id", "org_id", "kind")}
            new |= {"id": center.chance.uuid(), "place": "late", "value": "spaet.example"}
            new |= {"since": center.clock.now, "until": center.clock.now + HOUR}
            await blocks.add(connection, new)
            center.clock.forward(HOUR // 2)
            fetch = asyncio.create_task(device.lines(feed))
            done, _ = await asyncio.wait([fetch], timeout=0.5)
            assert not done  # it waits for what is being written
        assert set(await fetch) == {"boese.example", "spaet.example"}
        await proved(response, [(True, True, True)] * 2)


async def test_another_process_serves_the_same_and_goes_on_after_a_start(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        zone = await device.feed(county, format_name="rpz", responses=True)
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        first = [await device.ask(one.path) for one in (feed, zone)]
        async with door(device.center, device.settings) as second:
            again = [await second.ask(one.path) for one in (feed, zone)]
            assert [one.headers["ETag"] for one in again] == [one.headers["ETag"] for one in first]
            device.center.clock.forward(HOUR)
            await response.end()
            assert await second.lines(feed) == await device.lines(feed) == []
            assert serial(await second.lines(zone)) > serial(first[1].body.decode().split("\n"))
            await proved(response, [(False, True, False)])


def serial(zone: list[str]) -> int:
    return int(next(line for line in zone if " SOA " in line).split()[5])


async def test_while_the_list_cannot_be_made_the_last_good_one_stays_and_proves_nothing_new(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await county_with_feed(device)
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        assert await device.lines(feed) == ["boese.example"]
        await proved(response, [(True, True, True)])
        await response.block(county, "domain", "neu.example")
        async with device.center.database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE responses RENAME COLUMN lock TO gone")
        with capture_logs() as lines:
            assert await device.lines(feed) == ["boese.example"]
        assert {one["event"] for one in lines} == {"feed not built"}
        async with device.center.database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE responses RENAME COLUMN gone TO lock")
        assert await known(response) == [(True, True, True), (True, False, False)]
        assert len(await device.lines(feed)) == 2


@pytest.mark.parametrize("name", PLAIN)
async def test_every_plain_format_lists_it(name: str, tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county = await device.center.org("Landkreis A")
        found = formats.found()[name]
        kind = "domain" if "domain" in found.kinds else "ipv4"
        if not found.kinds & {"domain", "ipv4"}:
            kind = "url"
        value = {"domain": "boese.example", "ipv4": "11.22.33.44", "url": "http://boese.example/a"}
        feed = await device.feed(county, kind, format_name=name, responses=True)
        empty = await device.ask(feed.path)
        assert (empty.status, b"boese" in empty.body or b"11.22" in empty.body) == (200, False)
        response = await begun(device)
        await response.block(county, kind, value[kind])
        body = (await device.ask(feed.path)).body
        assert b"boese.example" in body or b"11.22.33.44" in body
        await proved(response, [(True, True, True)])


async def test_named_checkzone_loads_the_zone_of_responses(tmp_path: Path) -> None:
    checkzone = tool("named-checkzone")
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county = await device.center.org("Landkreis A")
        kinds = ("domain", "ipv4", "ipv6")
        zone = await device.feed(county, *kinds, format_name="rpz", responses=True)
        response = await begun(device)
        for number in range(2):
            file = tmp_path / f"zone{number}"
            file.write_bytes((await device.ask(zone.path)).body)
            accepted(checkzone, zone_of("rpz", zone.feed.cut, responses=True), str(file))
            await response.block(county, "domain", "boese.example")
            await response.block(county, "ipv4", "11.22.33.0/24")
            await response.block(county, "ipv6", "2a0c:9a40::7")
        assert b"boese.example" in file.read_bytes()


async def test_looking_up_tells_what_a_response_blocks_here(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, _ = await county_with_feed(device)
        for kind, responses in (("domain", False), ("ipv4", True)):
            device.center.clock.forward(HOUR)
            await device.feed(county, kind, responses=responses)
        response = await begun(device)
        await response.block(county, "domain", "boese.example")
        await device.push(county, "released.example")
        told = await lookup(device.center, county, "boese.example", "released.example")
        reasons = [[one.get("reason", "") for one in each["feeds"]] for each in told]
        assert [each["listed"] for each in told] == [False, True]
        assert reasons[0][0] == reasons[1][1] == ""
        assert "is released" in reasons[0][1]
        assert "what responses block" in reasons[1][0]
        assert all("no values of this kind" in each[2] for each in reasons)


@pytest.mark.parametrize("name", ["stix", "misp", "suricata", "splunk"])
def test_what_takes_more_than_values_carries_no_blocks(name: str) -> None:
    order = orders.for_format(name, Cut(()))
    with pytest.raises(Misused, match="does not carry"):
        orders.for_responses(order)


async def test_a_feed_of_responses_is_cut_by_kinds_alone(tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county = await device.center.org("Landkreis A")
        for more in ({"lock": "community"}, {"age_days": 3}):
            with pytest.raises(Misused, match="cut by kinds"):
                await device.feed(county, responses=True, **more)
        async with device.center.database.read() as connection:
            assert await device_feeds.all_feeds(connection) == []
