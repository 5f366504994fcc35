"""Random changes to sound objects: refused with a reason or taken, alike on both databases."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.hostile import enveloped, good
from cybercoop.stix import times
from world import TLP, World, indicator, world

FEED = "/taxii2/coop/collections/feed/objects/"
NUMBER = "6f2b6b1c-7d0e-4f0a-9a3b-0a4c6f3f5a11"
DATED = {"created": "2026-10-01T08:00:00Z", "modified": "2026-10-01T08:00:00Z"}
BASES: list[dict[str, Any]] = [
    indicator("fuzz.example", "green"),
    indicator("fuzz.example", "green", spec_version="2.0", labels=["malicious-activity"]),
    DATED | {"type": "malware", "is_family": True, "name": "a"},
    DATED | {"type": "intrusion-set", "name": "a"},
    DATED | {"type": "tool", "spec_version": "2.0", "name": "a", "labels": ["x"]},
    DATED | {"type": "report", "name": "a", "published": DATED["created"]}
    | {"object_refs": [f"indicator--{NUMBER}"]},
    DATED | {"type": "relationship", "relationship_type": "indicates"}
    | {"source_ref": f"indicator--{NUMBER}", "target_ref": f"malware--{NUMBER}"},
    {"type": "file", "name": "a", "hashes": {"SHA-256": "0f" * 32}},
    {"type": "url", "value": "http://fuzz.example/"},
    {"type": "x509-certificate", "serial_number": "1"},
    {"type": "autonomous-system", "number": 7},
    DATED | {"type": "marking-definition", "definition_type": "statement"}
    | {"definition": {"statement": "a"}},
]  # fmt: skip
NAMES = sorted({name for base in BASES for name in base} | {
    "aliases", "confidence", "created_by_ref", "description", "extensions", "external_references",
    "granular_markings", "is_family", "kill_chain_phases", "lang", "malware_types", "name",
    "pattern_version", "report_types", "revoked", "threat_actor_types", "tool_types",
    "valid_until", "x_custom", "x_ref", "x_refs",
})  # fmt: skip
ODD_TEXTS = [
    "", "\0", "\ud800", "\u202e", "\x1b[31m", "a" * 100_001, "stix", "yara", "2.0", "3.0", "NaN",
    "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "2026-10-01T08:00:00.1234567890Z",
    f"indicator--{NUMBER}", f"identity--{NUMBER}", f"{'a' * 5_000}--{NUMBER}", "bundle", "malware",
    "[domain-name:value = 'fuzz.example'] REPEATS 5 TIMES", "[a:b MATCHES '(a+)+$']", "benign",
    TLP["amber"], TLP["red"], f"marking-definition--{NUMBER}",
]  # fmt: skip
RAW = [
    b"NaN", b"1e999", b"-0", b"9" * 4_000, b"1e400", b"1E-400", b"0.1e1", b"tru", b"", b"\xff",
    b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\u0000"', b"[" * 40 + b"]" * 40, b'{"a":1,"a":2}',
    b'[{"kill_chain_name":"a","phase_name":"b"}]', b'[{"source_name":"a","external_id":"b"}]',
    b'[{"source_name":"cve","external_id":5}]', b'[{"selectors":["id"]}]', b"[{}]", b"[[]]",
    b'["malicious-activity"]', b'["benign"]', b'{"' + b"a" * 300 + b'":{}}', b'{"statement":null}',
]  # fmt: skip
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FRAGMENTS = st.sampled_from(RAW) | st.builds(
    lambda value, plain: json.dumps(value, ensure_ascii=plain).encode("utf-8", "surrogatepass"),
    VALUES,
    st.booleans(),
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["drop", "replace", "repeat"]), st.sampled_from(NAMES), FRAGMENTS),
    min_size=1,
    max_size=3,
)


def changed(base: dict[str, Any], number: int, changes: list[tuple[str, str, bytes]]) -> bytes:
    """Return a sound object after some changes, as bytes that need not be JSON any more."""
    body = {"spec_version": "2.1", "id": f"{base['type']}--{number:08x}{NUMBER[8:]}"} | base
    body["id"] = f"{base['type']}--{number:08x}{NUMBER[8:]}"
    body.setdefault("object_marking_refs", [TLP["green"]])
    members = [(name, json.dumps(value).encode()) for name, value in body.items()]
    for deed, name, fragment in changes:
        if deed != "repeat":
            members = [member for member in members if member[0] != name]
        if deed != "drop":
            members.append((name, fragment))
    return b"{" + b",".join(b'"%s": %s' % (name.encode(), one) for name, one in members) + b"}"


async def outcome(center: World, odd: bytes, value: str, with_text: str) -> Any:
    """Push one odd object beside a good one; return the verdicts, or why there are none."""
    answer = await center.request(
        "POST",
        "/api/v1/push",
        center.seats["A"],
        data=enveloped(odd, good(value)),
        params={"with_text": with_text},
    )
    if answer.status != 200:
        assert (answer.status, answer.json["title"]) == (400, "Bad request")
        assert answer.json["detail"].endswith(".")
        return answer.json
    told, fine = answer.json["verdicts"]
    assert fine["outcome"] == "accepted"
    if told["outcome"] == "refused":
        assert told["id"]
        assert told["reason"].endswith(".")
        assert told["field"] or "JSON" in told["reason"]
    began = center.clock.now
    await center.project()
    page = await center.get(FEED, center.seats["B"], added_after=times.text(began))
    assert f"[domain-name:value = '{value}']" in {one.get("pattern") for one in page.objects}
    return [told, fine]


async def both(stack: contextlib.AsyncExitStack, urls: list[str], folder: Path) -> list[World]:
    worlds = [await stack.enter_async_context(world(url, folder)) for url in urls]
    for center in worlds:
        await center.org("A")
        await center.org("B")
    return worlds


def test_odd_objects_are_judged_alike_and_stop_nobody(postgres_url: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        urls = [f"sqlite:///{tmp_path / 'coop.sqlite'}", postgres_url]
        worlds = runner.run(both(stack, urls, tmp_path))
        numbers = iter(range(1_000_000))

        @settings(max_examples=200)
        @given(st.sampled_from(BASES), CHANGES, st.sampled_from("01"))
        def judged_alike(
            base: dict[str, Any], changes: list[tuple[str, str, bytes]], with_text: str
        ) -> None:
            number = next(numbers)
            odd, value = changed(base, number, changes), f"n{number}.example"
            one, other = [runner.run(outcome(each, odd, value, with_text)) for each in worlds]
            assert one == other

        try:
            judged_alike()
        finally:
            runner.run(stack.aclose())
