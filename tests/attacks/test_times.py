"""Times: what cannot be, or cannot be yet, is refused; the edges of the calendar are kept."""

from pathlib import Path

from attacks.hostile import OBJECTS, all_are_refused, bad
from world import indicator, world

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"
WRONG = [
    bad({"created": "2026-10-01T08:00:00.001Z"}, "modified", "before it was created"),
    bad({"modified": "2026-10-01T07:59:59.999Z"}, "modified", "before it was created"),
    bad({"modified": "2026-11-02T12:00:01Z"}, "modified", "in the future"),
    bad({"modified": LAST}, "modified", "in the future"),
    bad({"created": LAST, "modified": LAST}, "modified", "in the future"),
    bad({"modified": "2026-10-01T08:00:00.0123456789Z"}, "modified", "more than nine digits"),
    bad({"modified": "2026-06-30T23:59:60Z"}, "modified", "leap second"),
    bad({"valid_from": "2026-12-31T23:59:60.5Z"}, "valid_from", "leap second"),
    bad({"modified": "2026-02-30T00:00:00Z"}, "modified", "does not exist"),
    bad({"modified": "2026-10-01T24:00:00Z"}, "modified", "does not exist"),
    bad({"created": "0000-01-01T00:00:00Z"}, "created", "does not exist"),
    bad({"modified": "10000-01-01T00:00:00Z"}, "modified", "not written like"),
    bad({"modified": "2026-10-01T08:00:00+02:00"}, "modified", "does not end with Z"),
    bad({"modified": "2026-10-01T08:00:00"}, "modified", "does not end with Z"),
    bad({"modified": "2026-10-01t08:00:00z"}, "modified", ""),
    bad({"modified": "2026-10-01 08:00:00Z"}, "modified", "capital T"),
    bad({"modified": "2026-W40-4T08:00:00Z"}, "modified", "not written like"),
    bad({"modified": "\uff12026-10-01T08:00:00Z"}, "modified", "not written like"),
    bad({"modified": "2026-10-01T08:00:00.\u0661Z"}, "modified", ""),
    bad({"modified": "2026-10-01T08:00:00Z\n"}, "modified", "not written like"),
    bad({"modified": 1_790_000_000}, "modified", "is a text"),
    bad({"modified": None}, "modified", ""),
    bad({"modified": ""}, "modified", "not written like"),
    bad({"modified": ...}, "modified", "required"),
    bad({"created": ...}, "created", "required"),
    bad({"valid_from": ...}, "valid_from", "required"),
    bad({"valid_until": "2026-10-01T08:00:00Z"}, "valid_until", "before the beginning"),
    bad({"valid_from": LAST, "valid_until": FIRST}, "valid_until", "before the beginning"),
]  # fmt: skip

EDGES = [
    {"created": FIRST, "modified": FIRST},
    {"valid_from": FIRST, "valid_until": LAST},
    {"valid_from": "9999-12-31T00:00:00Z", "valid_until": LAST},
    {"modified": "2026-10-01T08:00:00.000000001Z"},
    {"modified": "2026-11-02T12:00:00Z"},
    {"created": "1582-10-10T00:00:00Z"},
    {"valid_until": "2026-10-01T08:00:00.000000001Z"},
]


async def test_a_time_that_cannot_be_is_refused(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        await all_are_refused(center, WRONG)


async def test_the_edges_of_the_calendar_are_kept_and_released(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        objects = [
            indicator(f"edge{number}.example", "green", **more) for number, more in enumerate(EDGES)
        ]
        verdicts = await center.push(seat, objects)
        assert [one["outcome"] for one in verdicts] == ["accepted"] * len(EDGES), verdicts
        await center.project()
        assert await center.patterns(other) == {one["pattern"] for one in objects}
        assert (await center.get(OBJECTS, seat)).objects == objects


async def test_a_version_a_billionth_of_a_second_newer_is_newer(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        mine = indicator("mine.example", "green", modified="2026-10-01T08:00:00.1Z")
        newer = mine | {"modified": "2026-10-01T08:00:00.100000001Z", "confidence": 90}
        same = mine | {"modified": "2026-10-01T08:00:00.100Z", "confidence": 80}
        verdicts = await center.push(seat, [mine, newer, same])
        assert [one["outcome"] for one in verdicts] == ["accepted", "accepted", "refused"]
        assert (await center.get(OBJECTS, seat)).objects == [newer]
