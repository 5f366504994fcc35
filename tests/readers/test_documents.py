"""STIX, MISP and other JSON: each object, attribute or record gets a verdict of its own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Options, Passed, Pattern, Value, Whole
from cybercoop.errors import Malformed, Misused

UUID = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
SHA256 = "ab" * 32


def read(document: object, reader: str, name: str = "x.json", **options: Any) -> list[Found]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = reading.opened(name, raw)
    assert reader == reading.choose(name, given.head).NAME
    return list(reading.read(name, raw, Options(**options)))


def event(*attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"Event": {"info": "x", "Attribute": list(attributes), **more}}


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, **more}


def test_objects_of_a_bundle_are_their_exact_bytes_and_definitions_come_first() -> None:
    one = b'{"type": "indicator",  "id": "indicator--%s"}' % UUID.encode()
    two = b'{"type":"marking-definition","id":"marking-definition--%s"}' % UUID.encode()
    bundle = b'{"type":"bundle","spec_version":"2.0","objects":[%s , %s]}' % (one, two)
    assert read(bundle, "stix") == [
        Whole("objects[1]", two, bundled=True, spec_version="2.0"),
        Whole("objects[0]", one, bundled=True, spec_version="2.0"),
    ]


def test_an_envelope_and_a_single_object_are_read_too() -> None:
    one = b'{"type":"indicator","id":"indicator--%s","objects":1}' % UUID.encode()
    assert read(b'{"objects":[%s]}' % one, "stix") == [Whole("objects[0]", one)]
    assert read(b"\n" + one + b"\n", "stix") == [Whole("objects[0]", one)]


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("ip-src", "198.51.100.7", [("ipv4", "198.51.100.7")]),
        ("ip-dst", "2001:DB8::1", [("ipv6", "2001:db8::1")]),
        ("ip-dst|port", "198.51.100.7|443", [("ipv4", "198.51.100.7")]),
        ("hostname", "Evil.org", [("domain", "evil.org")]),
        ("hostname|port", "evil.org|80", [("domain", "evil.org")]),
        ("domain|ip", "evil.org|198.51.100.7", [("domain", "evil.org"), ("ipv4", "198.51.100.7")]),
        ("url", "http://evil.org", [("url", "http://evil.org/")]),
        ("email-src", "a@evil.org", [("email", "a@evil.org")]),
        ("sha256", SHA256.upper(), [("sha256", SHA256)]),
    ],
)
def test_an_attribute_becomes_its_values(
    kind: str, value: str, found: list[tuple[str, str]]
) -> None:
    got = read(event(attribute(kind, value)), "misp")
    assert [(one.kind, one.value) for one in got if isinstance(one, Value)] == found
    assert {one.where for one in got} == {"Event.Attribute[0]"}


def test_name_and_hash_together_stay_together() -> None:
    (found,) = read(event(attribute("filename|sha256", f"it's.exe|{SHA256}")), "misp")
    assert isinstance(found, Pattern)
    assert found.pattern == (rf"[file:hashes.'SHA-256' = '{SHA256}' AND file:name = 'it\'s.exe']")


@pytest.mark.parametrize("kind", ["yara", "sigma", "snort"])
def test_a_rule_becomes_a_pattern_of_its_own_type(kind: str) -> None:
    (found,) = read(event(attribute(kind, "rule x { condition: true }")), "misp")
    assert isinstance(found, Pattern)
    assert (found.pattern_type, found.pattern) == (kind, "rule x { condition: true }")


def test_marks_of_event_object_and_attribute_count_and_the_strictest_wins() -> None:
    inner = {"Attribute": [attribute("domain", "b.org", Tag=[{"name": "TLP:White"}])]}
    found = read(
        event(
            attribute("domain", "a.org", Tag=[{"name": "tlp:amber+strict"}]),
            Tag=[{"name": "tlp:green"}, {"name": "type:OSINT"}],
            Object=[inner],
        ),
        "misp",
    )
    assert [(one.where, one.tlp) for one in found if isinstance(one, Value)] == [
        ("Event.Attribute[0]", "amber+strict"),
        ("Event.Object[0].Attribute[0]", "green"),
    ]


def test_an_unknown_mark_refuses_what_it_stands_on() -> None:
    tagged = attribute("domain", "a.org", Tag=[{"name": "tlp:ex:chr"}])
    (bad, good) = read(event(tagged, attribute("domain", "b.org")), "misp")
    assert isinstance(bad, Bad)
    assert isinstance(good, Value)


def test_what_is_not_meant_for_detection_is_passed() -> None:
    found = read(
        event(
            attribute("domain", "a.org", to_ids=False),
            attribute("domain", "b.org", to_ids="0"),
            attribute("domain", "c.org", deleted=True),
            {"type": "domain", "value": "d.org"},
        ),
        "misp",
    )
    assert all(isinstance(one, Passed) for one in found)
    assert len(found) == 4


@pytest.mark.parametrize(
    "broken",
    [
        attribute("mutex", "x"),
        attribute("sha256", "T1" + SHA256),
        attribute("filename|md5", "x|short"),
        attribute("domain", ""),
        {"type": "domain", "to_ids": True},
        {"type": 1, "value": "a.org", "to_ids": True},
        attribute("domain", "a.org", first_seen="yesterday"),
        7,
    ],
)
def test_one_broken_attribute_is_refused_alone(broken: Any) -> None:
    found = read(event(broken, attribute("domain", "b.org")), "misp")
    assert [type(one) for one in found] == [Bad, Value]


@pytest.mark.parametrize(
    "around",
    [
        lambda one: one,
        lambda one: {"response": [one]},
        lambda one: {"response": one},
        lambda one: [one],
        lambda one: {"response": {"Attribute": one["Event"]["Attribute"]}},
    ],
)
def test_an_event_is_found_wherever_misp_puts_it(around: Any) -> None:
    (found,) = read(around(event(attribute("domain", "a.org"))), "misp")
    assert isinstance(found, Value)


def test_a_feed_reads_its_events_and_names_those_that_are_missing(tmp_path: Path) -> None:
    entries = {UUID: {"info": "here"}, OTHER: {"info": "gone"}, "../../etc/passwd": {"info": "?"}}
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    (tmp_path / f"{UUID}.json").write_text(json.dumps(event(attribute("domain", "a.org"))))
    value, gone, climbing = reading.read_path(tmp_path)
    assert isinstance(value, Value)
    assert value.where == f"{UUID}.json: Event.Attribute[0]"
    assert gone == Bad(OTHER, "gone", "The manifest names this event, and it is not beside it.")
    assert isinstance(climbing, Bad)


def test_a_broken_event_of_a_feed_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({UUID: {"info": "a"}, OTHER: {"info": "b"}}))
    (tmp_path / f"{UUID}.json").write_bytes(b'{"Event": {"Attribute": [')
    (tmp_path / f"{OTHER}.json").write_text(json.dumps(event(attribute("domain", "a.org"))))
    assert [type(one) for one in reading.read_path(tmp_path)] == [Bad, Value]


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"without the manifest\.json"):
        list(reading.read_path(tmp_path))


def test_records_are_found_by_a_path_and_a_mapping() -> None:
    document = {
        "data": [{"ioc": {"value": "evil.org"}, "seen": "2026-01-01"}],
        "more": [{"ioc": {"value": "other.org"}}],
    }
    mapping = {"ioc.value": "domain", "seen": "valid_from"}
    (found,) = read(document, "json", path="data[]", mapping=mapping)
    assert isinstance(found, Value)
    assert (found.where, found.value) == ("data[0]", "evil.org")
    assert found.valid_from == 1_767_225_600_000_000
    (bare,) = read(document, "json", path="more[].ioc.value")
    assert isinstance(bare, Value)
    assert bare.where == "more[0].ioc.value"


def test_records_below_names_that_differ_are_found_by_a_star() -> None:
    document = {"17": [{"ioc": "evil.org"}], "18": [{"ioc": "b.org"}, {"ioc": "c.org"}]}
    assert len(read(document, "json")) == 3
    assert len(read(document, "json", path="*[]")) == 3


def test_a_list_of_texts_is_a_list_of_values() -> None:
    found = read(["evil.org", "198.51.100.7", "b.org", "nothing", 7, ""], "json")
    assert [type(one) for one in found] == [Value, Value, Value, Bad, Bad, Bad]


def test_a_record_that_is_said_to_be_harmless_is_passed() -> None:
    raw = b'[{"domain": "a.org", "whitelisted": false}, {"domain": "b.org", "whitelisted": true}]'
    assert read(raw, "json") == [
        Value("[0]", "domain", "a.org"),
        Passed("[1]", "said to be harmless"),
    ]


def test_one_record_per_line_is_read_line_by_line() -> None:
    raw = b'{"ip":"198.51.100.7"}\n{"ip":\n\n{"ip":"198.51.100.8"}\n'
    found = read(raw, "json", name="x.jsonl")
    assert [type(one) for one in found] == [Value, Bad, Passed, Value]


@pytest.mark.parametrize(
    ("reader", "raw"),
    [
        ("stix", b'{"type":"bundle","objects":[{"type":"indicator"'),
        ("misp", b'{"Event": {"Attribute": ['),
        ("misp", b'{"Event": null}'),
        ("misp", b'{"a": 1}'),
        ("misp-feed", b"[]"),
        ("json", b'{"error": "too many requests"}'),
        ("json", b"[" * 100_000),
        ("json", b'["a.org", NaN]'),
        ("json", b'[{"colour": "red"}]'),
        ("misp", b'{"Event":' * 50_000),
        ("stix", b'{"objects":' + b"[" * 100_000),
    ],
)
def test_a_broken_document_is_refused_as_a_whole(reader: str, raw: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        list(reading.read("x.json", raw, None, reading.readers()[reader]))
    assert "x.json" in str(refusal.value)


@pytest.mark.parametrize("depth", [10, 300, 2_000, 100_000])
def test_deep_nesting_is_answered_wherever_it_stands(depth: int) -> None:
    nest = b"[" * depth + b"]" * depth
    objects = b'{"Object":[' * depth + b"]}" * depth
    for raw, name in (
        (b'["a.org","b.org",%s]' % nest, "json"),
        (b'[{"ioc":"a.org","x":[%s]}]' % nest, "json"),
        (b'{"Event":{"Object":[%s]}}' % objects, "misp"),
        (b'{"objects":[{"id":%s}]}' % nest, "stix"),
    ):
        try:
            found = list(reading.read("x.json", raw, None, reading.readers()[name]))
        except Malformed:
            continue
        assert found


@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-0", "1" + "0" * 30])
def test_numbers_of_any_size_are_refused(number: str) -> None:
    raw = f'["a.org","b.org",{number}]'.encode()
    try:
        found = read(raw, "json")
    except Malformed:
        return
    assert [type(one) for one in found] == [Value, Value, Bad]


def test_a_path_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(Misused):
        read(["a.org"], "json", path="data[3]..x")
