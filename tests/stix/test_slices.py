"""Bodies are cut into exact slices, however broken one of them is inside."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop import errors
from cybercoop.stix import slices, strict
from stix.examples import raw

GOOD = raw()
SPACE = st.text(" \t\r\n", max_size=3).map(str.encode)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SLICES = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    VALUES,
    st.booleans(),
)


@given(st.lists(SLICES, max_size=5), st.data())
def test_what_was_glued_is_cut_into_the_same_bytes(parts: list[bytes], data: st.DataObject) -> None:
    def spaced(value: bytes) -> bytes:
        return data.draw(SPACE) + value + data.draw(SPACE)

    objects = spaced(b"[" + b",".join(map(spaced, parts)) + (b"]" if parts else b" ]"))
    members = [b'"more"' + spaced(b":") + b"true", spaced(b'"objects"') + b":" + objects]
    members.append(b'"x_\\u00e4":' + spaced(b'["}]", {"objects": 1}]'))
    body = spaced(b"{" + b",".join(data.draw(st.permutations(members))) + b"}")
    assert slices.cut(body).objects == parts


@given(st.binary(max_size=60) | st.text('{}[]",:\\ aN1', max_size=40).map(str.encode))
def test_nonsense_is_cut_or_malformed_and_nothing_else(body: bytes) -> None:
    for sent in (body, b'{"objects":' + body + b"}", b'{"objects":[' + body + b"]}"):
        with contextlib.suppress(errors.Malformed):
            slices.cut(sent)


def test_a_bundle_says_so_and_keeps_its_version() -> None:
    body = b'{"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": [{}]}'
    assert slices.cut(body) == slices.Cut([b"{}"], "2.0", bundle=True)


@pytest.mark.parametrize("body", [b"{}", b' {"more": false} ', b'{"objects":[]}'])
def test_an_envelope_may_be_empty(body: bytes) -> None:
    assert slices.cut(body) == slices.Cut([], None, bundle=False)


def test_a_byte_order_mark_is_skipped() -> None:
    assert slices.cut(b'\xef\xbb\xbf{"objects":[1]}').objects == [b"1"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"null",
        b"no json",
        b'{"objects": {}}',
        b'{"objects": null}',
        b'{"objects": "[]"}',
        b'{"objects": []',
        b'{"objects": [',
        b'{"objects": [{"a": "',
        b'{"objects": [{}}',
        b'{"objects": [1 2]}',
        b'{"objects": [,]}',
        b'{"objects": [1,]}',
        b'{"objects": []} []',
        b'{"objects" []}',
        b'{"more": nonsense, "objects": []}',
        b'{"more": 1 "objects": []}',
        b"{objects: []}",
        b'{"objects": [], "objects": []}',
        b'{"objects": [1], "objects": [1, 2]}',
        b'{"objects": [NaN], "\\u006fbjects": []}',
        b'{"type": "indicator", "id": "indicator--1"}',
        b'{"type": 1, "objects": []}',
        b"[" * 100_000,
        b'{"more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"objects": []}'.encode("utf-16"),
        b'{"objects": []}\x00',
        b'{"\xff": 1}',
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_envelope_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.Malformed, match=r"\.$"):
        slices.cut(body)


BROKEN_OBJECTS = [
    b'{"confidence": NaN}',
    b'{"confidence": 1e999}',
    b'{"confidence": 0123}',
    b'{"confidence": ' + b"9" * 4_000 + b"}",
    b'{"name": "\\ud800"}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "line\nbreak"}',
    b'{"name": "\\q"}',
    b'{"name": "over\xc0\xafl\xedong"}',
    b'{"name": "a", "name": "b"}',
    b'{"name": "b\\u202eidi"}',
    b'{"labels": [' + b'"a",' * 100_000 + b'"a"]}',
    b'{"object_refs": [' + b",".join([b'"a--1"'] * 100_000) + b"]}",
    b'{"description": "' + b"x" * 10_000_000 + b'"}',
    b'{"x": ' + b"[" * 33 + b"]" * 33 + b"}",
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"x": ' + b'{"x":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    b'{"a" "b"}',
    b'{"a": tru}',
    b'{"a": [1,]}',
    b"[]",
    b"17",
    b'"text"',
    b"null",
    b"nonsense",
]


@pytest.mark.parametrize("broken", BROKEN_OBJECTS, ids=lambda value: repr(value[:30]))
def test_one_broken_object_leaves_the_others_whole(broken: bytes) -> None:
    cut = slices.cut(b'{"objects": [' + GOOD + b" , " + broken + b",\n" + GOOD + b"]}")
    assert cut.objects == [GOOD, broken, GOOD]
    assert strict.parse(cut.objects[2])["type"] == "indicator"
    with pytest.raises(errors.Refused, match=r"\.$"):
        strict.parse(broken)


def hostile(many: int) -> list[bytes]:
    return [
        b'{"objects": [' + b'"\\"' * many,
        b'{"objects": [' + b'"' * many,
        b'{"objects": [' + b"\\" * many,
        b'{"objects": [' + b"{" * many,
        b'{"objects": [' + b'{"a":"' * many,
        b'{"objects": [' + b"NaN," * many + b"NaN]}",
        b'{"objects": [NaN,"' + b"\\n" * many + b'"]}',
    ]


def seconds(body: bytes) -> float:
    began = time.process_time()
    with contextlib.suppress(errors.Malformed, errors.TooLarge):
        slices.cut(body)
    return time.process_time() - began


@pytest.mark.parametrize("at", range(7))
def test_time_grows_with_the_length_and_not_with_its_square(at: int) -> None:
    short, long = (min(seconds(hostile(many)[at]) for _ in range(3)) for many in (2_000, 200_000))
    assert long < 1_000 * max(short, 0.0005)


@pytest.mark.parametrize("last", [b"{}", b"NaN"])
def test_as_many_objects_as_allowed_are_cut_and_no_more(last: bytes) -> None:
    listed = b"{}," * (slices.MAX_OBJECTS - 1) + last
    assert len(slices.cut(b'{"objects": [' + listed + b"]}").objects) == slices.MAX_OBJECTS
    with pytest.raises(errors.TooLarge, match="100000 objects"):
        slices.cut(b'{"objects": [{},' + listed + b"]}")


def test_five_million_crumbs_are_refused_before_they_fill_the_memory() -> None:
    assert seconds(b'{"objects": [' + b"1," * 5_000_000 + b"1]}") < 5


def test_brackets_inside_text_do_not_count() -> None:
    tricky: dict[str, Any] = {"a": '}]{["\\', "b": {"c": ['"', "\\"]}}
    part = json.dumps(tricky).encode()
    assert slices.cut(b'{"objects":[NaN,' + part + b"]}").objects == [b"NaN", part]
