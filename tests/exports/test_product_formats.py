"""Each format says to its product what was meant."""

import json
import re
import uuid
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.exports import formats
from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats import _spans, misp
from exports.lists import ABOUT, DAY, VALUES, entry, files

FOUND = formats.found()
DAY_LONG = 86_400_000_000
numbers = st.integers(0, 300)
spans = st.tuples(numbers, numbers).map(sorted).map(tuple)


def lines(name: str, *some: Entry) -> list[str]:
    (content,) = files(FOUND[name], list(some)).values()
    return content.splitlines()


def test_a_network_is_spelled_out_for_devices_that_read_none() -> None:
    found = lines("text-addresses", entry("ipv4", "192.0.2.6"), entry("ipv4", "192.0.2.4/30"))
    assert found == ["192.0.2.6", "192.0.2.4", "192.0.2.5", "192.0.2.7"]
    assert FOUND["text-addresses"].unfit(entry("ipv4", "192.0.0.0/23"))
    assert FOUND["text-addresses"].unfit(entry("ipv6", "2001:db8::/127"))


def test_palo_alto_gets_each_place_once_and_no_wildcards() -> None:
    found = lines(
        "text-urls", entry("url", "http://h.example/a"), entry("url", "https://h.example/a")
    )
    assert found == ["h.example/a"]
    unfit = FOUND["text-urls"].unfit
    for place in ("http://h.example/*", "http://h.example/^", "http://u@h.example/", "file:///x"):
        assert unfit(entry("url", place))


def test_a_spreadsheet_runs_nothing() -> None:
    row = lines("csv", entry("email", "=cmd,calc@h.example"))[1]
    assert row.startswith("email,\"'=cmd,")
    assert FOUND["csv"].unfit(entry("url", "http://h.example/;=1+1"))
    assert FOUND["csv"].unfit(entry("url", "http://h.example/,=1+1")) is None


def test_check_point_gets_ranges_and_the_blade_that_looks() -> None:
    found = lines("checkpoint", entry("ipv4", "192.0.2.0/24"), entry("md5"), entry("domain"))
    assert [line.split(",")[1:6] for line in found[1:]] == [
        ["192.0.2.0-192.0.2.255", "IP Range", "high", "high", "AB"],
        ["0" * 32, "MD5", "high", "high", "AV"],
        ["boese.example", "Domain", "high", "high", "AB"],
    ]


def test_defender_only_audits_what_the_guard_warned_of() -> None:
    warned = msgspec.structs.replace(entry("domain"), warned=True, until=DAY)
    header, blocked, audited = lines("defender", entry("ipv4"), warned)
    assert header.startswith("indicatorType,indicatorValue,action,title,description")
    assert blocked.split(",")[:3] == ["IpAddress", "198.51.100.7", "Block"]
    assert audited.split(",")[2] == "Audit"
    assert audited.split(",")[5] == "2025-11-24T16:00:00.0Z"
    assert FOUND["defender"].unfit(entry("ipv4", "192.0.2.0/24"))


def test_zeek_gets_its_own_types_and_urls_without_scheme() -> None:
    found = lines("zeek", entry("ipv4", "192.0.2.0/24"), entry("ipv6"), entry("url"))
    assert [line.split("\t")[:2] for line in found[1:]] == [
        ["192.0.2.0/24", "Intel::SUBNET"],
        ["2001:db8::7", "Intel::ADDR"],
        ["boese.example:8443/a?b=c&d=%20", "Intel::URL"],
    ]


def test_suricata_rules_name_the_files_that_come_with_them() -> None:
    made = files(FOUND["suricata"], [entry(kind) for kind in FOUND["suricata"].kinds])
    rules = made[f"{ABOUT.zone}.rules"].splitlines()
    named = {name for rule in rules for name in re.findall(r"[a-z0-9.-]+\.lst", rule)}
    assert named == {name for name in made if name.endswith(".lst")} - {f"{ABOUT.zone}-ip.lst"}
    numbers = [int(number) for rule in rules for number in re.findall(r"sid:(\d+);", rule)]
    assert len(set(numbers)) == len(rules)
    assert all(1_000_000 <= number < 2_000_000 for number in numbers)
    assert all(rule.startswith("alert ") for rule in rules)
    category, name, _ = made[f"{ABOUT.zone}-categories.txt"].split(",")
    assert category == "42"
    assert re.fullmatch("[a-z0-9-]{1,31}", name)
    assert any(f"iprep:dst,{name},>,0;" in rule for rule in rules)


def test_suricata_gets_no_rule_for_an_empty_list() -> None:
    some = files(FOUND["suricata"], [entry("domain")])[f"{ABOUT.zone}.rules"].splitlines()
    every = files(FOUND["suricata"], [entry("domain"), entry("md5")])[f"{ABOUT.zone}.rules"]
    assert len(some) == 3
    assert set(some) < set(every.splitlines())


def test_a_bundle_has_the_released_bytes() -> None:
    one, other = entry("ipv4"), msgspec.structs.replace(entry("md5"), raw=b'{"id":  "x"}')
    (content,) = files(FOUND["stix"], [one, other]).values()
    assert one.raw.decode() in content
    assert '{"id":  "x"}' in content
    assert re.fullmatch("bundle--[0-9a-f-]{36}", json.loads(content)["id"])
    (empty,) = files(FOUND["stix"], []).values()
    assert set(json.loads(empty)) == {"type", "id"}
    assert FOUND["stix"].unfit(msgspec.structs.replace(one, raw=b""))


def test_a_misp_feed_cuts_events_by_day_and_marking() -> None:
    today, tomorrow = entry("ipv4"), entry("domain", since=DAY + DAY_LONG)
    amber = msgspec.structs.replace(entry("md5"), level="amber")
    made = files(FOUND["misp"], [today, tomorrow, amber])
    manifest = json.loads(made["manifest.json"])
    seen = {(event["date"], event["Tag"][0]["name"]) for event in manifest.values()}
    assert seen == {
        ("2025-11-24", "tlp:green"),
        ("2025-11-24", "tlp:amber"),
        ("2025-11-25", "tlp:green"),
    }
    assert set(made) == {"manifest.json", "hashes.csv", *(f"{event}.json" for event in manifest)}
    for event in manifest:
        body = json.loads(made[f"{event}.json"])["Event"]
        assert body["uuid"] == event
        assert {key: body[key] for key in manifest[event]} == manifest[event]


def test_a_new_day_leaves_the_events_of_other_days_alone() -> None:
    before = files(FOUND["misp"], [entry("ipv4")])
    after = files(FOUND["misp"], [entry("ipv4"), entry("domain", since=DAY + DAY_LONG)])
    events = {name for name in before if name.endswith(".json")} - {"manifest.json"}
    assert all(before[name] == after[name] for name in events)


@given(name=st.text())
def test_the_quick_uuid_is_that_of_the_standard_library(name: str) -> None:
    expected = uuid.uuid5(uuid.NAMESPACE_DNS, name)
    assert misp.name_based(uuid.NAMESPACE_DNS, name) == str(expected)


@given(some=st.lists(spans, max_size=12))
def test_merged_spans_hold_the_same_addresses_and_never_touch(
    some: list[tuple[int, int]],
) -> None:
    found = list(_spans.merged(some))
    assert addresses(found) == addresses(some)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


def addresses(some: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in some for number in range(first, last + 1)}


@pytest.mark.parametrize("name", sorted(FOUND))
def test_the_whole_internet_is_blocked_by_nobody(name: str) -> None:
    found = FOUND[name]
    if found.kinds & {"ipv4"} and name in {"nftables", "ipset", "rpz", "text-addresses"}:
        assert found.unfit(entry("ipv4", "0.0.0.0/0"))
        assert found.unfit(entry("ipv6", "::/0"))


def test_sets_of_two_lists_have_two_names_that_the_kernel_takes() -> None:
    one, other = (About("Liste", f"{'a' * 30}.{end}" * 2, 1, DAY, "VC") for end in ("b", "c"))
    names = []
    for about in (one, other):
        content = b"".join(FOUND["ipset"].write([entry("ipv4")], about)).decode()
        names.append(re.findall("create (.*?) ", content))
    assert not set(names[0]) & set(names[1])
    assert all(len(name) < 32 for found in names for name in found)


def test_every_value_of_the_tests_is_in_its_normal_form() -> None:
    assert all(FOUND["csv"].unfit(entry(kind)) is None for kind in VALUES)
