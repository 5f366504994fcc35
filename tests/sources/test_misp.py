"""A MISP feed over HTTP: its manifest says which events are new, changed or gone."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from cybercoop.collect.sources import Portion
from cybercoop.errors import Malformed, Unreachable
from sources.collecting import collect, source
from sources.server import Asked, HangUp, always, json_reply, open_rules, reply, serving


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


@dataclass
class Feed:
    """A feed that a test changes; ``broken`` events answer with that status."""

    times: dict[int, int]
    broken: dict[int, int] = field(default_factory=dict)

    async def answer(self, asked: Asked) -> AsyncIterator[bytes]:
        manifest = {uuid(one): {"timestamp": str(time)} for one, time in self.times.items()}
        tag = f'"{hash(json.dumps(manifest))}"'
        if asked.path == "/feed/manifest.json":
            known = asked.headers.get("if-none-match") == tag
            yield reply(status=304) if known else json_reply(manifest, ETag=tag)
            return
        number = int(asked.path[6:14], 16)
        status = self.broken.get(number, 200 if number in self.times else 404)
        if not status:
            raise HangUp
        yield json_reply({"Event": {"uuid": uuid(number)}}, status)


def shown(portions: list[Portion]) -> dict[int, str]:
    """Return what a collection brought, without its last portion."""
    assert (portions[-1].name, portions[-1].unchanged) == ("manifest.json", True)
    said = {}
    for one in portions[:-1]:
        brought = json.loads(one.data)["Event"]["uuid"] + ".json" == one.name if one.data else None
        said[int(one.name[:8], 16)] = (
            "gone" if one.gone else "trouble" if one.trouble else f"data {brought}"
        )
    return said


async def test_events_come_by_difference_to_the_manifest() -> None:
    feed = Feed({1: 10, 2: 20, 3: 9})
    async with serving(feed.answer) as other:
        one, rules = source("misp", other.url("/feed/")), open_rules(other)
        first = await collect(one, rules)
        assert list(shown(first).items()) == [(3, "data True"), (1, "data True"), (2, "data True")]
        again = await collect(one, rules, first[-1].cursor)
        assert shown(again) == {}
        assert again[-1].cursor == first[-1].cursor
        feed.times = {1: 10, 2: 21, 4: 1}
        second = await collect(one, rules, again[-1].cursor)
        assert shown(second) == {4: "data True", 2: "data True", 3: "gone"}
        assert shown(await collect(one, rules, second[-1].cursor)) == {}


async def test_a_missing_event_is_named_and_tried_again() -> None:
    feed = Feed({1: 1, 2: 2, 3: 3}, broken={2: 404})
    async with serving(feed.answer) as other:
        one, rules = source("misp", other.url("/feed")), open_rules(other)
        first = await collect(one, rules)
        assert shown(first) == {1: "data True", 2: "trouble", 3: "data True"}
        assert "404" in first[1].trouble
        feed.broken = {}
        assert shown(await collect(one, rules, first[-1].cursor)) == {2: "data True"}


async def test_an_event_that_is_too_large_holds_up_no_other() -> None:
    large = uuid(1)

    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        if asked.path.endswith("manifest.json"):
            yield json_reply({large: {"timestamp": "1"}, uuid(2): {"timestamp": "2"}})
        else:
            yield reply(b"x" * 5000 if large in asked.path else b"{}")

    async with serving(answer) as other:
        got = await collect(source("misp", other.url()), open_rules(other, max_bytes=1000))
    assert [(bool(one.trouble), one.data) for one in got[:-1]] == [(True, b""), (False, b"{}")]


@pytest.mark.parametrize("status", [0, 429, 500, 503])
async def test_a_server_in_trouble_ends_the_collection_and_what_was_had_is_kept(
    status: int,
) -> None:
    feed = Feed({number: number for number in range(60)}, broken={40: status})
    async with serving(feed.answer) as other:
        one, rules = source("misp", other.url("/feed")), open_rules(other)
        had: list[Portion] = []

        def note(portion: Portion) -> bool:
            had.append(portion)
            return False

        with pytest.raises(Unreachable):
            await collect(one, rules, until=note)
        assert len(had) == 40
        feed.broken = {}
        rest = await collect(one, rules, had[-1].cursor)
        assert list(shown(rest)) == list(range(25, 60))


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        b'{"../../../etc/passwd": {"timestamp": "1"}}',
        b'{"http://other.example/x": {"timestamp": "1"}}',
        b'{"00000001-0000-4000-8000-000000000000": 5}',
        b'{"00000001-0000-4000-8000-000000000000": {"timestamp": []}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
async def test_a_manifest_that_is_none_takes_nothing_away(manifest: bytes) -> None:
    async with serving(always(reply(manifest))) as other:
        with pytest.raises(Malformed, match="manifest"):
            await collect(source("misp", other.url()), open_rules(other))
        assert other.paths() == ["/manifest.json"]
