"""Who may fetch a feed: keys at the time of asking, exceptions, and nothing told of others."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cybercoop.collect import assets, founding, leaving
from cybercoop.collect import device_feeds as deeds
from cybercoop.exports.routes import raise_alarms, write_down
from cybercoop.store import device_feeds
from exports.devices import VALUES, Devices, Feed, devices
from world import Answer, Seat, indicator

HOUR = 3_600_000_000
DAY = 24 * HOUR


async def filled(device: Devices, *values: str, tlp: str = "green") -> tuple[Seat, Feed]:
    county = await device.center.org("Landkreis A")
    await device.push(county, *(values or ("boese.example",)), tlp=tlp)
    return county, await device.feed(county)


async def rotated(device: Devices, feed: Feed, hours: int) -> Feed:
    around = device.center.surroundings
    async with device.center.database.write() as connection:
        return Feed(*await deeds.rotate(connection, around, feed.feed.id, hours))


async def except_for(device: Devices, org_id: str, value: str, until: int | None = None) -> str:
    center = device.center
    around, why = center.surroundings, "Fehlalarm"
    database, whose = center.database, center.center
    made = await assets.except_for(database, whose, org_id, value, why, until, around)
    return made.id


async def test_a_rotated_token_works_beside_the_new_one_until_its_end(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        _, old = await filled(device)
        new = await rotated(device, old, 24)
        assert (await device.ask(old.path)).body == (await device.ask(new.path)).body
        device.center.clock.forward(DAY)
        assert (await device.ask(old.path)).status == 404
        bearer = {"Authorization": f"Bearer {old.token}"}
        assert (await device.ask(old.by_id, **bearer)).status == 401
        assert (await device.ask(new.path)).status == 200


async def test_an_ended_feed_is_not_there_any_more(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        assert (await device.ask(feed.path)).status == 200
        async with device.center.database.write() as connection:
            await deeds.end(connection, device.center.surroundings, feed.feed.id)
        assert (await device.ask(feed.path)).status == 404
        bearer = {"Authorization": f"Bearer {county.token}"}
        assert (await device.ask(feed.by_id, **bearer)).status == 401


async def test_a_lost_key_ends_what_it_listed_at_once(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        marking = await device.center.group("Krisenstab", county)
        await device.push(county, "offen.example")
        await device.push(county, "gruppe.example", tlp=marking)
        everything = await device.feed(county)
        of_group = await device.feed(county, lock="group:krisenstab")
        assert set(await device.lines(everything)) == {"offen.example", "gruppe.example"}
        assert await device.lines(of_group) == ["gruppe.example"]
        database = device.center.database
        await founding.change_membership(database, "krisenstab", county.org.id, joins=False)
        assert await device.lines(everything) == ["offen.example"]
        # An empty list would end all blocking by it: the feed is gone instead.
        assert (await device.ask(of_group.path)).status == 404


async def test_a_county_that_left_fetches_nothing(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        assert (await device.ask(feed.path)).status == 200
        center, export = device.center, tmp_path / "gone.json"
        await leaving.leave(
            center.database, county.org.name, export, center.clock.now, withdraw=False
        )
        assert (await device.ask(feed.path)).status == 404
        bearer = {"Authorization": f"Bearer {feed.token}"}
        assert (await device.ask(feed.by_id, **bearer)).status == 401


async def test_a_feed_may_be_fetched_from_its_addresses_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    async with devices(url, tmp_path, trusted_proxies="127.0.0.1") as device:
        county = await device.center.org("Landkreis A")
        feed = await device.feed(county, addresses=("203.0.113.0/24", "2001:db8::/32"))
        for address, status in (
            ("203.0.113.9", 200),
            ("2001:db8::9", 200),
            ("198.51.100.9", 404),
            ("127.0.0.1", 404),
        ):
            assert (await device.ask(feed.path, X_Forwarded_For=address)).status == status


async def test_the_countys_own_exception_counts_at_the_next_fetch(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device, "mail.boese.example", "bleibt.example")
        other = await device.center.org("Landkreis B")
        theirs = await device.feed(other)
        links = await device.feed(county, "url")
        await device.push(county, "[url:value = 'http://mail.boese.example/x']")
        both = {"mail.boese.example", "bleibt.example"}
        assert set(await device.lines(feed)) == set(await device.lines(theirs)) == both
        assert len(await device.lines(links)) == 1
        made = await except_for(device, county.org.id, "boese.example")
        assert await device.lines(feed) == ["bleibt.example"]
        assert await device.lines(links) == []
        assert set(await device.lines(theirs)) == both
        now = device.center.clock.now
        await assets.end(device.center.database, made, county.org.id, now)
        assert set(await device.lines(feed)) == both


async def test_an_exception_that_ends_by_itself_is_over_on_time(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        await except_for(device, county.org.id, "boese.example", device.center.clock.now + HOUR)
        assert await device.lines(feed) == []
        device.center.clock.forward(HOUR)
        assert await device.lines(feed) == ["boese.example"]


async def test_the_centers_exception_counts_in_all_feeds(database_url: str, tmp_path: Path) -> None:
    async with devices(database_url, tmp_path) as device:
        _, feed = await filled(device, VALUES["ipv4"], "boese.example")
        addresses = await device.feed(await device.center.org("Landkreis B"), "ipv4")
        assert await device.lines(addresses) == ["11.22.33.44"]
        for value in ("11.22.33.0/24", "boese.example"):
            await except_for(device, device.center.center.org_id, value)
        await device.look()
        assert await device.lines(addresses) == []
        assert await device.lines(feed) == []


async def test_a_door_looks_after_its_lists_by_itself(tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        county, feed = await filled(device)
        assert len(await device.lines(feed)) == 1
        await device.center.push(county, [indicator("neu.example", "green")])
        await device.center.project()
        for _ in range(600):
            if len(found := await device.lines(feed)) > 1:
                break
            await asyncio.sleep(0.1)
        assert set(found) == {"boese.example", "neu.example"}


async def test_what_others_do_under_other_locks_changes_nothing_that_is_seen(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county = await device.center.org("Landkreis A")
        partner = await device.center.org("Firma P", community=False)
        await device.push(county, "offen.example", tlp="clear")
        await device.push(county, "boese.example", tlp="amber")
        feeds = [
            await device.feed(partner, *kinds, format_name=name)
            for name, kinds in (("text", ("domain",)), ("rpz", ("domain",)), ("jsonl", ("domain",)))
        ]
        before = [seen(await device.ask(one.path)) for one in feeds]
        assert all(b"offen.example" in body for _, _, body in before)
        for level in ("green", "amber", "amber+strict"):
            device.center.clock.forward(HOUR)
            await device.push(county, "offen.example", "neu.example", tlp=level)
        assert [seen(await device.ask(one.path)) for one in feeds] == before
        async with device.center.database.read() as connection:
            assert len(await device_feeds.all_feeds(connection, partner.org.id)) == 3


def seen(answer: Answer) -> tuple[int, Mapping[str, str], bytes]:
    headers = {name: text for name, text in answer.headers.items() if name != "Date"}
    return answer.status, headers, answer.body


async def test_the_secret_of_a_path_is_in_no_log(
    database_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    async with devices(database_url, tmp_path) as device:
        _, feed = await filled(device)
        secret = feed.token.removeprefix("feed_")
        await device.ask(feed.path)
        await device.ask(f"{feed.path}/a/b")
        for broken in ("HTTP/9.9\r\n\r\n", "HTTP/1.1\r\nno header\r\n\r\n", "HTTP/1.1 x\r\n\r\n"):
            await said(device, f"GET {feed.path} {broken}".encode())
        async with device.center.database.write() as connection:
            await connection.exec_driver_sql("UPDATE organisations SET kind = 'odd'")
        with capture_logs() as lines:
            answer = await device.ask(feed.path)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    (line,) = [one for one in lines if one["event"] == "request failed"]
    assert line["path"] == "'/feeds/feed_'"
    captured = capfd.readouterr()
    assert secret not in f"{caplog.text}{captured.out}{captured.err}{lines}"


async def said(device: Devices, request: bytes) -> bytes:
    """Send raw bytes and return the whole answer."""
    host, _, port = device.address.rpartition("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_device_that_sends_odd_bytes_is_answered(tmp_path: Path) -> None:
    async with devices(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as device:
        _, feed = await filled(device)
        asked = f"GET {feed.path}/%ff HTTP/1.1\r\nHost: x\r\n".encode()
        answer = await said(device, asked + b"User-Agent: \xff\xfe\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 ")
        await write_down(device.app)


async def test_what_cannot_be_built_is_answered_with_503_and_the_last_good_list_stays(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        county, feed = await filled(device)
        good = await device.ask(feed.path)
        other = await device.feed(county, "url")
        async with device.center.database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE releases RENAME COLUMN value TO gone")
        with capture_logs() as lines:
            device.center.clock.forward(400 * DAY)
            await device.look()
            kept = await device.ask(feed.path)
            missing = await device.ask(other.path)
        assert (kept.status, kept.body) == (200, good.body)
        assert (missing.status, missing.headers["Retry-After"]) == (503, "30")
        assert (missing.json["code"], missing.json["title_de"]) == ("away", "Nicht verfügbar")
        assert missing.headers["Content-Type"] == "application/problem+json"
        assert {one["event"] for one in lines} == {"feed not built"}
        async with device.center.database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE releases RENAME COLUMN gone TO value")
        await device.look()
        assert await device.lines(feed) == []  # by now everything has ended


async def test_the_last_fetch_is_written_down_and_silence_is_told_once(
    database_url: str, tmp_path: Path
) -> None:
    async with devices(database_url, tmp_path) as device:
        _, feed = await filled(device)
        answer = await device.ask(feed.path, User_Agent="FortiGate (FortiOS 7.4) " + "x" * 200)
        await write_down(device.app)
        async with device.center.database.read() as connection:
            noted = await device_feeds.find(connection, feed.feed.id)
        assert noted.fetched_at == device.center.clock.now
        assert noted.fetched_by is not None
        assert noted.fetched_by.startswith("127.0.0.1 FortiGate (FortiOS 7.4) xxx")
        assert len(noted.fetched_by) < 100
        assert f'"{noted.fetched_version}' in answer.headers["ETag"][:17]
        with capture_logs() as lines:
            await raise_alarms(device.app)
            assert lines == []
            device.center.clock.forward(25 * HOUR)
            for _ in range(3):
                await raise_alarms(device.app)
        (line,) = lines
        assert (line["event"], line["feed"]) == ("feed not fetched", feed.feed.id)
