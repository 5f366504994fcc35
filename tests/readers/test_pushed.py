"""What was read from lists is taken by a real center, and others see no more than they should."""

import json
from pathlib import Path

import pytest

from cybercoop.collect import reading
from cybercoop.collect.indicating import envelopes
from cybercoop.collect.reading import Found
from world import Seat, World, world

LIST = b"""evil.example.org # seen at our mail gateway
198.51.100.7:443
2001:db8::/48
evil.example.org/login
mallory@evil.example.org
5f4dcc3b5aa765d61d8327deb882cf99;setup.exe
"""
EVENT = {
    "Event": {
        "Tag": [{"name": "tlp:amber"}],
        "Attribute": [
            {"type": "domain", "value": "amber.example.org", "to_ids": True},
            {"type": "filename|md5", "value": "a'b.exe|" + "a" * 32, "to_ids": True},
            {"type": "yara", "value": "rule x { condition: true }", "to_ids": True},
            {
                "type": "domain",
                "value": "red.example.org",
                "to_ids": True,
                "Tag": [{"name": "tlp:red"}],
            },
        ],
    }
}


async def pushed(center: World, seat: Seat, name: str, raw: bytes, **query: str) -> list[str]:
    """Push a file as the command does and return what became of its objects."""
    found: list[Found] = list(reading.read(name, raw))
    outcomes = []
    for batch in envelopes(found, center.clock.now, pytest.fail):
        verdicts = await center.push(seat, batch.body, **query)
        outcomes += [verdict["outcome"] for verdict in verdicts]
    return outcomes


async def test_a_list_is_taken_and_its_comments_stay_at_home(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        mine, other = await center.org("Musterland"), await center.org("Nachbarland")
        assert await pushed(center, mine, "x.txt", LIST, tlp="green") == ["accepted"] * 7
        await center.project()
        seen = await center.feed(other)
        assert {one["pattern"] for one in seen if one["type"] == "indicator"} == {
            "[domain-name:value = 'evil.example.org']",
            "[ipv4-addr:value = '198.51.100.7']",
            "[ipv6-addr:value = '2001:db8::/48']",
            "[url:value = 'http://evil.example.org/login']",
            "[url:value = 'https://evil.example.org/login']",
            "[email-addr:value = 'mallory@evil.example.org']",
            "[file:hashes.MD5 = '5f4dcc3b5aa765d61d8327deb882cf99']",
        }
        told = json.dumps(seen)
        assert "gateway" not in told
        assert "setup.exe" not in told
        center.clock.forward(1_000_000)
        assert set(await pushed(center, mine, "x.txt", LIST, tlp="green")) <= {"accepted", "known"}
        await center.project()
        assert len(await center.patterns(other)) == 7


async def test_the_marks_of_an_event_beat_what_is_said_beside_the_push(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        mine, member = await center.org("Musterland"), await center.org("Nachbarland")
        raw = json.dumps(EVENT).encode()
        outcomes = await pushed(center, mine, "event.json", raw, tlp="clear")
        assert outcomes == ["accepted", "accepted", "accepted", "refused"]
        await center.project()
        assert await center.patterns(None, "feed-public") == set()
        assert await center.patterns(member) == {
            "[domain-name:value = 'amber.example.org']",
            rf"[file:hashes.MD5 = '{'a' * 32}' AND file:name = 'a\'b.exe']",
            "rule x { condition: true }",
        }
