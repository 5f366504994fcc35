"""What two parsers could read differently is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop import errors
from cybercoop.stix import strict
from stix.examples import example, raw

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cf"]))
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LEAVES | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def refusal(part: bytes) -> errors.Refused:
    with pytest.raises(errors.Refused) as caught:
        strict.parse(part)
    assert caught.value.reason.endswith(".")
    caught.value.field.encode()
    return caught.value


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.booleans())
def test_sound_json_is_read_as_it_is(value: dict[str, Any], ascii_only: bool) -> None:
    assert strict.parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("part", "reason", "field"),
    [
        (b'{"name": "a", "name": "a"}', "occurs twice", "name"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', "occurs twice", "b"),
        (b'{"confidence": NaN}', "NaN is not", "confidence"),
        (b'{"a": [1, {"b": -Infinity}]}', "-Infinity is not", "a[1].b"),
        (b'{"a": {"b": 1e999}}', "too large", "a.b"),
        (b'{"a": -1E999}', "too large", "a"),
        (b'{"a": 0.' + b"1" * 100 + b"}", "more than 64 characters", "a"),
        (b'{"count": ' + b"9" * 4_000 + b"}", "64 bits", "count"),
        (b'{"count": ' + b"9" * 5_000 + b"}", "64 bits", "count"),
        (b'{"count": 9223372036854775808}', "64 bits", "count"),
        (b'{"count": -9223372036854775809}', "64 bits", "count"),
        (b'{"a": NaN, ]', "not valid JSON", ""),
        (b'{"a": 1e999, "b": tru}', "not valid JSON", "b"),
        (b'{"name": "a\\ud800"}', "surrogate", "name"),
        (b'{"name": "a\\uDFFFb"}', "surrogate", "name"),
        (b'{"a": [{"b": "\\ude00\\ud83d"}]}', "surrogate", "a[0].b"),
        (b'{"a\\ud800": 1}', "surrogate", "a\\ud800"),
        (b'{"name": "a\\u0000"}', "NUL", "name"),
        (b'{"a": {"\\u0000": 1}}', "NUL", "\\u0000"),
        (b'{"name": "a\0"}', "control character", "name"),
        (b'{"name": "\xc0\xaf"}', "not valid UTF-8", "name"),
        (b'{"name": "\xed\xa0\x80"}', "not valid UTF-8", "name"),
        (b'{"name": "\xf5\x80\x80\x80"}', "not valid UTF-8", "name"),
        (b"[]", "JSON object is expected", ""),
        (b"null", "JSON object is expected", ""),
        (b"", "not valid JSON", ""),
        (b"{} {}", "not valid JSON", ""),
        (b"\xef\xbb\xbf{}", "not valid JSON", ""),
        (b"{'a': 1}", "not valid JSON", ""),
        (b'{"a": 01}', "not valid JSON", "a"),
    ],
)
def test_what_parsers_could_read_differently_is_refused(
    part: bytes, reason: str, field: str
) -> None:
    caught = refusal(part)
    assert reason.lower() in caught.reason.lower()
    assert caught.field == field


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(depth: int, opening: bytes, closing: bytes) -> None:
    part = b'{"x":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"
    assert "nested deeper than 32" in refusal(part).reason


def test_32_levels_and_many_brackets_in_text_are_read() -> None:
    strict.parse(b'{"x":' + b"[" * 31 + b"]" * 31 + b"}")
    assert strict.parse(raw(pattern="[" * 500 + '"'))["pattern"] == "[" * 500 + '"'


def test_large_objects_texts_and_lists_are_refused() -> None:
    assert "larger than" in refusal(raw(x="a" * strict.MAX_BYTES)).reason
    assert refusal(raw(description="a" * 100_001)).field == "description"
    assert refusal(raw(x_a={"b": [0] * 10_001})).field == "x_a.b"
    assert refusal(raw(x_a={str(at): 0 for at in range(10_001)})).field == "x_a"
    strict.parse(raw(description="a" * 100_000, labels=["a"] * 10_000))


@pytest.mark.parametrize("field", ["id", "type", "name", "pattern"])
@pytest.mark.parametrize("letter", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_text_that_people_decide_by_cannot_change_its_direction(field: str, letter: str) -> None:
    sent = example(**{field: f"a{letter}b"})
    for ascii_only in (True, False):
        caught = refusal(json.dumps(sent, ensure_ascii=ascii_only).encode())
        assert caught.field == field
        assert "direction" in caught.reason


def test_free_text_and_file_names_may_change_their_direction() -> None:
    strict.parse(raw(description="\u202babc\u202c", x_note="\u202e"))
    strict.parse(json.dumps(example("file", name="invoice\u202efdp.exe")).encode())
    assert refusal(raw(**{"x_\u202e": 1})).field == "x_\\u202e"


def test_escaped_letters_outside_of_ascii_are_read() -> None:
    text = "\u00e4\U0001f600\ufeff \\u0000 \\ud800"
    assert strict.parse(raw(name=text))["name"] == text
