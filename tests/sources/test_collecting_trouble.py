"""What goes wrong while collecting: the last good state stays, and the reason is shown."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cybercoop.collect import collecting
from cybercoop.collect.collecting import State
from cybercoop.collect.definitions import Source
from cybercoop.collect.portions import Taken
from cybercoop.errors import Misused
from cybercoop.indicators.statements import DAY
from cybercoop.stix import times
from cybercoop.store import sources
from sources.collecting import source
from sources.server import Asked, reply, serving
from sources.test_collecting import HOUR, added, collected, counts, folder_source, names, row
from world import SECOND, World, indicator, world

GOOD = "a.example\nb.example\nc.example\n"


class Script:
    """A server of one list that says what it is told to say."""

    def __init__(self, *answers: bytes) -> None:
        self.now = answers[0]

    async def __call__(self, _asked: Asked) -> AsyncIterator[bytes]:
        yield self.now


def html() -> bytes:
    return reply("<!doctype html><html><body>Wartung</body></html>", Content_Type="text/html")


BROKEN = {
    "HTML": html(),
    "empty": reply(""),
    "nothing but comments": reply("# a\n# b\n"),
    "gzip that is cut off": reply(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x4b"),
    "more refused than not": reply("a.example\nnot a value\n!!\n?? ??\n"),
    "binary": reply(b"\0\1\2\3" * 50),
    "gone": reply("no", 404),
    "at fault": reply("no", 500),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_broken_content_changes_nothing_and_says_why(broken: bytes, tmp_path: Path) -> None:
    script = Script(reply(GOOD))
    async with (
        serving(script) as server,
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
    ):
        reader = await center.org("Landkreis A")
        one = source("http", server.url("/list.txt"), reader="plain", verified=True)
        await added(center, one)
        await collected(center, one)
        script.now = broken
        run = await collected(center, one)
        assert run.failed
        assert run.reason
        assert counts(run) == (0, 0, 0)
        assert await names(center, reader) == {"a.example", "b.example", "c.example"}
        found = await row(center)
        assert (found.failures, found.failure, found.objects) == (1, run.reason, 3)
        script.now = reply("b.example\nd.example\n")
        assert counts(await collected(center, one)) == (1, 1, 2)
        assert await names(center, reader) == {"b.example", "d.example"}
        assert (await row(center)).failure is None


async def test_one_broken_file_keeps_no_other_from_being_read(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A")
        one = folder_source(tmp_path / "in")
        files = {name: tmp_path / "in" / f"{name}.txt" for name in "abcd"}
        for name, file in files.items():
            file.write_text(f"{name}.example\n")
        await added(center, one)
        await collected(center, one)
        files["a"].write_text("<html><body>Wartung</body></html>")
        files["b"].write_text("b2.example\n")
        run = await collected(center, one)
        assert (list(run.broken), counts(run)) == (["a.txt"], (1, 0, 1))
        good = {"a.example", "b2.example", "c.example", "d.example"}
        assert await names(center, reader) == good
        again = await collected(center, one)  # unchanged, and still not forgotten
        assert list(again.broken) == ["a.txt"]
        assert await names(center, reader) == good
        files["a"].write_text("a2.example\n")
        assert not (await collected(center, one)).broken
        assert await names(center, reader) == good - {"a.example"} | {"a2.example"}


async def test_a_value_of_two_files_goes_with_the_last_of_them(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A")
        one = folder_source(tmp_path / "in")
        first, second = tmp_path / "in" / "1.txt", tmp_path / "in" / "2.txt"
        first.write_text("x.example # seen by one\na.example\n")
        second.write_text("x.example # seen by two\nb.example\n")
        await added(center, one)
        await collected(center, one)
        first.write_text("a.example\n")
        await collected(center, one)
        assert await names(center, reader) == {"x.example", "a.example", "b.example"}
        first.write_text("x.example\na.example\n")
        await collected(center, one)
        second.write_text("b.example\n")
        await collected(center, one)
        assert await names(center, reader) == {"x.example", "a.example", "b.example"}
        first.unlink()
        await collected(center, one)
        assert await names(center, reader) == {"b.example"}


async def test_objects_are_taken_verbatim_and_may_stand_in_several_files(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A")
        one = folder_source(tmp_path / "in", reader="stix", files="*.json")
        shared, own = indicator("shared.example"), indicator("own.example")
        first, second = tmp_path / "in" / "1.json", tmp_path / "in" / "2.json"
        first.write_text(json.dumps({"objects": [shared, own]}))
        second.write_text(json.dumps({"objects": [shared]}))
        await added(center, one)
        assert counts(await collected(center, one)) == (2, 1, 0)
        first.write_text(json.dumps({"objects": [indicator("new.example")]}))
        assert counts(await collected(center, one)) == (1, 0, 1)
        assert await names(center, reader) == {"shared.example", "new.example"}


async def test_no_line_is_lost_without_a_word(data_dir: Path, tmp_path: Path) -> None:
    text = (data_dir / "AssoEchap__stalkerware-indicators" / "generated" / "hosts").read_bytes()
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        one = folder_source(tmp_path / "in", reader="auto")
        (tmp_path / "in" / "list.txt").write_bytes(text)
        await added(center, one)
        (taken,) = (await collected(center, one)).taken.values()
        assert taken.accepted > 100
        assert accounted(taken)
        (tmp_path / "in" / "list.txt").write_bytes(text + b"\nnew.example\nnot a value at all\n")
        (taken,) = (await collected(center, one)).taken.values()
        assert (taken.accepted, taken.withdrawn, taken.unread.total()) == (1, 0, 1)
        assert accounted(taken)


def accounted(taken: Taken) -> bool:
    became = taken.accepted + taken.kept + taken.repeated + taken.refused.total()
    return became == taken.values.total() + taken.duplicates


async def test_pauses_double_up_to_the_interval_and_obey_the_server(
    database_url: str, tmp_path: Path
) -> None:
    script = Script(reply("no", 500))
    async with serving(script) as server, world(database_url, tmp_path) as center:
        one = source("http", server.url("/list.txt"), schedule="every 10h", verified=True)
        await added(center, one)
        pauses = []
        for _ in range(6):
            await collected(center, one)
            pauses.append(await pause(center))
        assert [pause // HOUR for pause in pauses] == [1, 2, 4, 8, 10, 10]
        script.now = reply("no", 503, Retry_After=str(20 * 3600))
        await collected(center, one)
        assert await pause(center) == 20 * HOUR
        script.now = reply(GOOD)
        await collected(center, one)
        assert ((await row(center)).failures, await pause(center)) == (0, 10 * HOUR)


async def pause(center: World) -> int:
    """Return how long a source rests after its last try."""
    found = await row(center)
    return (found.next_at or 0) - (found.tried_at or 0)


async def test_each_change_of_state_is_told_once(database_url: str, tmp_path: Path) -> None:
    script = Script(reply(GOOD))
    async with serving(script) as server, world(database_url, tmp_path) as center:
        one = source("http", server.url("/list.txt"), reader="plain", verified=True)
        await added(center, one)
        assert await told(center, one) == []
        await collected(center, one)
        assert await told(center, one) == [("info", State.FRESH)]
        assert await told(center, one) == []
        center.clock.forward(2 * HOUR + SECOND)
        assert await told(center, one) == [("warning", State.LATE)]
        script.now = html()
        await collected(center, one)
        assert await told(center, one) == [("warning", State.FAILING)]
        await collected(center, one)
        assert await told(center, one) == []
        script.now = reply(GOOD)
        await collected(center, one)
        assert await told(center, one) == [("info", State.FRESH)]


async def told(center: World, one: Source) -> list[tuple[str, str]]:
    with capture_logs() as lines:
        await collecting.tell_changes(center.database, [one], center.clock.now)
    return [(line["log_level"], line["state"]) for line in lines]


async def test_a_source_is_collected_by_one_at_a_time(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        one = folder_source(tmp_path / "in")
        (tmp_path / "in" / "list.txt").write_text(GOOD)
        await added(center, one)
        async with sources.alone(center.database, one.name):
            with pytest.raises(Misused, match="right now"):
                await collected(center, one)
        await collected(center, one)


async def test_what_was_due_is_claimed_once(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        one, now = folder_source(tmp_path / "in"), center.clock.now
        await added(center, one)
        assert await collecting.due(center.database, [one], now) == {"test": now}
        assert await collecting.claim(center.database, one, now, now)
        assert not await collecting.claim(center.database, one, now, now)
        assert await collecting.due(center.database, [one], now) == {}
        assert await collecting.due(center.database, [one], now + HOUR) == {"test": now + HOUR}


async def test_a_clock_that_was_hours_ahead_puts_no_source_off(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        one = folder_source(tmp_path / "in")
        (tmp_path / "in" / "list.txt").write_text(GOOD)
        await added(center, one)
        center.clock.forward(6 * HOUR)
        await collected(center, one)
        assert await collecting.due(center.database, [one], center.clock.now) == {}
        center.clock.forward(-5 * HOUR)
        assert "test" in await collecting.due(center.database, [one], center.clock.now)
        await collected(center, one)
        assert await collecting.due(center.database, [one], center.clock.now) == {}


async def test_another_definition_has_everything_read_again(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        reader, stranger = await center.org("Landkreis A"), None
        one = folder_source(tmp_path / "in", tlp="green")
        (tmp_path / "in" / "list.txt").write_text(GOOD)
        await added(center, one)
        await collected(center, one)
        assert len(await names(center, reader)) == 3
        wider = folder_source(tmp_path / "in", tlp="clear")
        assert counts(await collected(center, wider)) == (3, 0, 0)
        assert len(await center.patterns(stranger, "feed-public")) == 3
        assert counts(await collected(center, wider)) == (0, 0, 0)


async def test_a_source_for_a_group_is_read_by_the_group(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        inside, outside = await center.org("Landkreis A"), await center.org("Landkreis B")
        one = folder_source(tmp_path / "in", tlp="amber", group="krisenstab")
        with pytest.raises(Misused, match="group"):
            await added(center, one)
        await center.group("Krisenstab", inside)
        (tmp_path / "in" / "list.txt").write_text(GOOD)
        await added(center, one)
        run = await collected(center, one)
        assert run.reason == ""
        assert len(await names(center, inside)) == 3
        assert await names(center, outside) == set()


async def test_values_without_a_confidence_or_an_end_get_those_of_the_definition(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        reader = await center.org("Landkreis A")
        one = folder_source(tmp_path / "in", confidence=70, lifetime_days=3)
        (tmp_path / "in" / "list.txt").write_text("a.example\n")
        await added(center, one)
        await collected(center, one)
        (found,) = [item for item in await center.feed(reader) if item["type"] == "indicator"]
        assert found["confidence"] == 70
        until = times.micros(found["valid_until"]) - center.clock.now
        assert 3 * DAY - HOUR < until <= 4 * DAY
