"""What was read becomes STIX 2.1 that the center takes, under ids that the list decides alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.collect import reading
from cybercoop.collect.indicating import envelopes, id_of, indicator, pattern_of
from cybercoop.collect.reading import Bad, Passed, Pattern, Value, Whole
from cybercoop.errors import Refused
from cybercoop.indicators.patterns import canonical
from cybercoop.sharing.marking import TLP2
from cybercoop.stix import schema, strict

NOW = 1_767_225_600_000_000
DAY = 86_400_000_000
EVIL = Value("line 1", "domain", "evil.org")

TEXT = """evil.org
198.51.100.7
198.51.100.0/24
2001:db8::1
2001:db8::/48
http://evil.org/it's\\x?a=[b]
mallory'x@evil.org
{md5}
{sha1}
{sha256}
{sha512}
""".format(md5="a" * 32, sha1="b" * 40, sha256="c" * 64, sha512="d" * 128)


def body(found: Value | Pattern, moment: int = NOW) -> dict[str, Any]:
    return strict.parse(indicator(found, moment))


def test_the_pattern_is_canonical_and_leads_back_to_the_value() -> None:
    found = list(reading.read("x.txt", TEXT.encode()))
    assert len(found) == 11
    for one in found:
        assert isinstance(one, Value)
        same = canonical(pattern_of(one))
        assert (same.text, same.kind, same.value) == (pattern_of(one), one.kind, one.value)


@given(st.text(min_size=1, max_size=60))
def test_whatever_a_list_calls_a_value_the_patterns_call_it_too(word: str) -> None:
    plain = reading.readers()["plain"]
    raw = f"http://evil.org/{word}\n{word}.org\n{word}@evil.org\n{word}\n".encode(
        "utf-8", "replace"
    )
    for one in reading.read("x.txt", raw, None, plain):
        if isinstance(one, Value):
            same = canonical(pattern_of(one))
            assert (same.text, same.kind, same.value) == (pattern_of(one), one.kind, one.value)


def test_the_same_list_pushed_twice_meets_itself() -> None:
    first, second = body(EVIL), body(EVIL, NOW + DAY)
    assert first["id"] == second["id"] == id_of("[domain-name:value = 'evil.org']")
    assert first["modified"] < second["modified"]
    rule = Pattern("line 1", "[domain-name:value = 'evil.org']", "yara")
    assert body(rule)["id"] != first["id"]


def test_an_id_never_changes_with_the_code() -> None:
    assert id_of("[domain-name:value = 'evil.org']") == (
        "indicator--98c6838c-4e4c-593d-9fb9-e8f5c782ce34"
    )


def test_what_is_known_is_said_and_nothing_else() -> None:
    assert body(EVIL) == {
        "type": "indicator",
        "spec_version": "2.1",
        "id": id_of(pattern_of(EVIL)),
        "created": "2026-01-01T00:00:00.000000Z",
        "modified": "2026-01-01T00:00:00.000000Z",
        "indicator_types": ["malicious-activity"],
        "pattern": "[domain-name:value = 'evil.org']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00.000000Z",
    }
    full = Value(
        "line 1", "domain", "evil.org", "note", 0, NOW - DAY, NOW + DAY, ("rat",), "amber+strict"
    )
    said = body(full)
    assert said["description"] == "note"
    assert said["confidence"] == 0
    assert said["valid_from"] == "2025-12-31T00:00:00.000000Z"
    assert said["valid_until"] == "2026-01-02T00:00:00.000000Z"
    assert said["labels"] == ["rat"]
    assert said["object_marking_refs"] == [TLP2["amber+strict"]]
    assert "name" not in said


def test_a_value_that_had_ended_before_it_began_is_refused() -> None:
    with pytest.raises(Refused, match="ended before it began"):
        indicator(Value("line 1", "domain", "evil.org", valid_until=NOW - DAY), NOW)


def test_one_value_that_had_ended_stops_no_other() -> None:
    told: list[Bad] = []
    ended = Value("line 1", "domain", "old.org", valid_until=NOW - DAY)
    (part,) = envelopes([ended, EVIL], NOW, told.append)
    assert part.count == 1
    assert told == [
        Bad("line 1", "[domain-name:value = 'old.org']", "The value had ended before it began.")
    ]


def test_the_center_would_take_what_is_made() -> None:
    rule = Pattern("line 1", "rule x { condition: true }", "yara", "x")
    for found in (EVIL, rule):
        assert schema.check(body(found), NOW)


def test_envelopes_hold_no_more_than_they_may() -> None:
    found = [Value(f"line {number}", "domain", f"x{number}.org") for number in range(1001)]
    found_too = [Passed("line 1", "blank"), *found, Bad("line 2", "x", "No.")]
    parts = list(envelopes(found_too, NOW, pytest.fail))
    assert [part.count for part in parts] == [500, 500, 1]
    objects = [one for part in parts for one in json.loads(part.body)["objects"]]
    assert [one["pattern"] for one in objects] == [pattern_of(one) for one in found]
    assert all(
        len(part.body) <= 2000 for part in envelopes(found, NOW, pytest.fail, most_bytes=1900)
    )


def test_objects_of_a_bundle_keep_its_version_around_them() -> None:
    old = Whole("objects[0]", b'{"type":"x"}', bundled=True, spec_version="2.0")
    new = Whole("objects[0]", b'{"type":"y"}', bundled=True)
    bodies = [part.body for part in envelopes([old, old, new, EVIL], NOW, pytest.fail)]
    assert bodies[0] == (
        b'{"type":"bundle","spec_version":"2.0","objects":[{"type":"x"},{"type":"x"}]}'
    )
    assert bodies[1] == b'{"type":"bundle","objects":[{"type":"y"}]}'
    assert bodies[2].startswith(b'{"objects":[{"type":"indicator"')
