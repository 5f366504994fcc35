"""Timestamps have one normal form."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.stix import times

DAY = 86_400_000_000
MOMENTS = st.integers(times.FIRST, times.LAST)


@pytest.mark.parametrize("digits", range(10))
def test_up_to_nine_digits_of_a_second_are_kept(digits: int) -> None:
    fraction = "." + "123456789"[:digits] if digits else ""
    expected = "2026-01-31T08:30:00." + "123456789"[:digits].ljust(9, "0") + "Z"
    assert times.normal(f"2026-01-31T08:30:00{fraction}Z") == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-01-31T08:30:00.1234567890Z", "more than nine digits"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2026-01-31t08:30:00Z", "capital T"),
        ("2026-01-31 08:30:00Z", "capital T"),
        ("2026-01-31T08:30:00z", "only UTC"),
        ("2026-01-31T08:30:00+01:00", "only UTC"),
        ("2026-01-31T08:30:00", "only UTC"),
        ("2026-02-30T08:30:00Z", "does not exist"),
        ("0000-01-01T00:00:00Z", "does not exist"),
        ("2026-01-31T24:00:00Z", "does not exist"),
        ("2026-01-31T08:30:00.Z", "not written like"),
        ("2026-01-31T08:30:00.1\u0663Z", "not written like"),
        ("2026-01-31T08:30:00.5", "only UTC"),
        ("20260131T083000.000Z", "not written like"),
        ("2026-W05-6T08:30:00Z", "not written like"),
        ("2026-01-31T08:30+01Z", "not written like"),
        ("2026-01-31T08:30:00Z\n", "not written like"),
        ("", "not written like"),
        ("yesterday", "not written like"),
    ],
)
def test_other_spellings_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    for read in (times.normal, times.micros):
        with pytest.raises(ValueError, match=sentence):
            read(text)


@given(st.from_regex(r"[0-9TZ:.+W-]{0,12}[0-9-]{5}T[0-9:]{8}(\.[0-9]{0,11})?Z?", fullmatch=True))
def test_whatever_is_taken_has_the_one_shape(text: str) -> None:
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"
    try:
        found = times.normal(text)
    except ValueError:
        return
    assert re.fullmatch(shape, text)
    assert len(found) == 30


@given(MOMENTS, MOMENTS)
def test_text_order_is_time_order(one: int, other: int) -> None:
    assert (times.text(one) < times.text(other)) == (one < other)
    assert times.micros(times.text(one)) == one
    assert times.normal(times.text(one)) == times.text(one)[:-1] + "000Z"


@given(st.datetimes(), st.integers(0, 9))
def test_micros_agrees_with_the_calendar(moment: datetime, digits: int) -> None:
    text = moment.isoformat(timespec="microseconds")[: 20 + digits].rstrip(".") + "Z"
    cut = datetime.fromisoformat(text).replace(tzinfo=UTC)
    away = cut - datetime(1970, 1, 1, tzinfo=UTC)
    assert times.micros(text) == (away.days * 86_400 + away.seconds) * 10**6 + away.microseconds


def test_years_1_to_9999_have_a_text_and_no_others() -> None:
    assert times.text(times.FIRST) == "0001-01-01T00:00:00.000000Z"
    assert times.text(times.LAST) == "9999-12-31T23:59:59.999999Z"
    for beyond in (times.FIRST - 1, times.LAST + 1):
        with pytest.raises(ValueError, match="years 1 to 9999"):
            times.text(beyond)


@given(MOMENTS)
def test_days_enclose_their_moments(moment: int) -> None:
    floor, ceil = times.day_floor(moment), times.day_ceil(moment)
    assert times.FIRST <= floor <= moment <= ceil <= times.LAST
    assert floor % DAY == 0
    assert ceil % DAY == 0 or ceil == times.LAST
    assert ceil - floor <= DAY


def test_the_beginning_of_a_day_is_its_own_floor_and_ceiling() -> None:
    day = times.micros("1969-12-31T00:00:00Z")
    assert times.day_floor(day) == times.day_ceil(day) == day
    assert times.day_floor(-1) == day
    assert times.day_ceil(-1) == 0
