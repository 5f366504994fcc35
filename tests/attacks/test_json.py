"""JSON that two parsers could read differently is refused, object by object."""

import gzip
from pathlib import Path

import pytest

from attacks.hostile import OBJECTS, Bad, all_are_refused, bad, enveloped, good
from world import indicator, world

DEEP = (33, 1_000, 100_000)
RAW = [
    bad(b'"confidence": 1, "confidence": 100', "confidence", "occurs twice"),
    bad(b'"id": "indicator--0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11"', "id", "occurs twice",
        "indicator--0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11"),
    bad(b'"c\\u006fnfidence": 1, "confidence": 1', "confidence", "occurs twice"),
    bad(b'"external_references": [{"source_name": "a", "source_name": "b"}]', "source_name",
        "occurs twice"),
    bad(b'"confidence": NaN', "confidence", "not a JSON number"),
    bad(b'"confidence": -Infinity', "confidence", "not a JSON number"),
    bad(b'"x_size": 1e999', "x_size", "too large"),
    bad(b'"x_size": -1e999', "x_size", "too large"),
    bad(b'"x_list": [0, {"a": 1E400}]', "x_list[1].a", "too large"),
    bad(b'"confidence": ' + b"9" * 4_000, "confidence", "64 bits"),
    bad(b'"confidence": 9223372036854775808', "confidence", "64 bits"),
    bad(b'"x_size": 0.' + b"1" * 4_000, "x_size", "64 characters"),
    bad(b'"confidence": 050', "confidence", "not valid JSON"),
    bad(b'"confidence": 0x10', "confidence", "not valid JSON"),
    bad(b'"confidence": tru', "confidence", "not valid JSON"),
    bad(b'"name": "a\\u0000b"', "name", "NUL"),
    bad(b'"labels": ["a", "\\u0000"]', "labels[1]", "NUL"),
    bad(b'"x_\\u0000": 1', "x_\\u0000", "NUL"),
    bad(b'"name": "a\x00b"', "name", "not valid JSON"),
    bad(b'"name": "\\ud800"', "name", "surrogate"),
    bad(b'"name": "\\udc00\\ud800"', "name", "surrogate"),
    bad(b'"x_deep": [{"a": "\\udfff"}]', "x_deep[0].a", "surrogate"),
    bad(b'"name": "\xed\xa0\x80"', "name", "not valid UTF-8"),
    bad(b'"name": "over\xc0\xafl\xe0\x80\xafong"', "name", "not valid UTF-8"),
    bad(b'"name": "\xff\xfe"', "name", "not valid UTF-8"),
    bad(b'"name": "\xf5\x80\x80\x80"', "name", "not valid UTF-8"),
    bad(b'"name": "pdf.\\u202eexe"', "name", "reverses"),
    bad('"name": "pdf.\u202eexe"'.encode(), "name", "reverses"),
    bad('"x_\u2066": 1'.encode(), "x_\\u2066", "reverses"),
    bad(b'"name": "line\nbreak"', "name", "not valid JSON"),
    bad(b'"name": "\\q"', "name", "not valid JSON"),
    bad(b'"name": \'single\'', "name", "not valid JSON"),
    bad(b'"labels": ["a",]', "labels", "not valid JSON"),
    bad(b'"name" "no colon"', "", "not valid JSON"),
    bad(b'// a comment\n "name": "a"', "", "not valid JSON"),
    Bad(b"[]", "", "JSON object is expected", "object 2 of the envelope"),
    Bad(b"null", "", "JSON object is expected", "object 2 of the envelope"),
    Bad(b"17", "", "JSON object is expected", "object 2 of the envelope"),
    Bad(b'"text"', "", "JSON object is expected", "object 2 of the envelope"),
    Bad(b"{}", "type", "no type", "object 2 of the envelope"),
    *(bad(b'"x": ' + b"[" * deep + b"]" * deep, "x", "nested deeper than 32") for deep in DEEP),
    *(bad(b'"x": ' + b'{"a":' * deep + b"1" + b"}" * deep, "x", "nested deeper") for deep in DEEP),
]  # fmt: skip

NO_ENVELOPES = [
    b"",
    b"nonsense",
    b"[]",
    b"null",
    b'{"objects": {}}',
    b'{"objects": [',
    b'{"objects": [{}}',
    b'{"objects": []} trailing',
    b'{"objects": [], "objects": []}',
    b'{"objects": []}\x00',
    b'{"more": NaN nonsense, "objects": []}',
    b'{"type": "indicator", "id": "indicator--1"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    '{"objects": []}'.encode("utf-16"),
    b'{"\xff": 1}',
]


async def test_what_two_parsers_could_read_differently_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        await all_are_refused(center, RAW)


async def test_several_bad_objects_do_not_hide_each_other(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        parts = [part for one in RAW for part in (one.raw, good(f"{id(one)}.example"))]
        verdicts = await center.push(seat, enveloped(*parts))
        assert [one["outcome"] for one in verdicts] == ["refused", "accepted"] * len(RAW)
        assert all(one["reason"].endswith(".") for one in verdicts[::2])


async def test_a_body_that_is_no_envelope_is_malformed_and_said_so(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        for body in NO_ENVELOPES:
            answer = await center.post(seat, body)
            assert (answer.status, answer.json["title"]) == (400, "Bad request"), body[:40]
            assert answer.json["description"].endswith(".")
            rest = await center.request("POST", "/api/v1/push", seat, data=body)
            assert (rest.status, rest.json["detail"]) == (400, answer.json["description"])


@pytest.mark.parametrize("packed", [False, True])
async def test_a_byte_order_mark_before_the_envelope_is_skipped(
    database_url: str, tmp_path: Path, *, packed: bool
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        body = b"\xef\xbb\xbf" + enveloped(good("bom.example"))
        coding = {"Content-Encoding": "gzip"} if packed else {}
        answer = await center.post(seat, gzip.compress(body) if packed else body, **coding)
        assert (answer.status, answer.json["success_count"]) == (202, 1)


async def test_a_byte_order_mark_between_objects_spoils_the_envelope(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        body = enveloped(good("a.example"), b"\xef\xbb\xbf" + good("b.example"))
        answer = await center.post(seat, body)
        assert answer.status == 400
        assert f"broken at byte {body.index(b'{', 50)}" in answer.json["description"]


ODD_TEXTS = [
    "\U0001f512",
    "\u0645\u0631 \u202e in free text",
    "e\u0301",
    "\ufeff",
    "\x7f",
    "\r\n\x1b[31m",
]


async def test_odd_but_sound_text_is_taken(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        objects = [
            indicator(f"n{number}.example", "green", description=text)
            for number, text in enumerate(ODD_TEXTS)
        ]
        verdicts = await center.push(seat, objects)
        assert [one["outcome"] for one in verdicts] == ["accepted"] * len(ODD_TEXTS)
        assert (await center.get(OBJECTS, seat)).objects == objects
        await center.project()
        assert len(await center.patterns(other)) == len(ODD_TEXTS)
