"""No line is dropped in silence: whatever stands in it, somebody is told what became of it."""

import re
from collections.abc import Iterable

from hypothesis import given, reject
from hypothesis import strategies as st

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Passed, Pattern, Value, Whole
from cybercoop.errors import Malformed

LINES = st.one_of(
    st.sampled_from(
        (
            *("", "# x", "a.org", "198.51.100.7 # x", "0.0.0.0 a.org b.org", "||a.org^"),
            *("a.org,domain,x", '"a.org","x', '"', "x;y;z", "a.org/x;y", "d41d8cd98f00b204e98009"),
            *("rule x {", "}", 'alert tcp a any -> b any (msg:"x";)', "alert tcp x (\\"),
            *('{"a":1}', "[x]", "---", "From: a@b.org", "-- ", "see hxxp://a[.]org."),
        )
    ),
    st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=40),
)
LINE_BY_LINE = ("plain", "csv", "text", "rules", "json")


def spans(found: Iterable[Found]) -> set[int]:
    """Return the number of every line that something was said about."""
    told: set[int] = set()
    for one in found:
        numbers = [int(number) for number in re.findall(r"[0-9]+", one.where)]
        told.update(range(numbers[0], numbers[-1] + 1))
    return told


@given(st.lists(LINES, min_size=1, max_size=30))
def test_every_line_is_accounted_for(text: list[str]) -> None:
    raw = "\n".join((*text, "end.org")).encode()
    for name in LINE_BY_LINE:
        file = "x.jsonl" if name == "json" else "x.txt"
        try:
            found = list(reading.read(file, raw, None, reading.readers()[name]))
        except Malformed:
            continue
        assert spans(found) == set(range(1, len(text) + 2)), name


@given(st.lists(LINES, min_size=1, max_size=30))
def test_a_tally_counts_everything_once(text: list[str]) -> None:
    raw = "\n".join((*text, "end.org", "end.org")).encode()
    try:
        found = list(reading.read("x.txt", raw, None, reading.readers()["plain"]))
    except Malformed:
        reject()
    tally = reading.tallied(found)
    assert tally.duplicates >= 1
    assert tally.values.total() + tally.duplicates == len(
        [one for one in found if isinstance(one, Value | Pattern | Whole)]
    )
    assert tally.passed.total() == len([one for one in found if isinstance(one, Passed)])
    assert tally.refused.total() == len([one for one in found if isinstance(one, Bad)])


def test_refusals_of_one_kind_count_as_one_reason() -> None:
    raw = b"a.org\nb.org\nc.org\nd.org\n10.0.0.256\n300.1.1.1\n/a'b\\\"c\n"
    tally = reading.tallied(reading.read("x.txt", raw))
    assert tally.refused == {
        "… is not an IPv4 address of four numbers without leading zeros.": 2,
        "… is a path without a host.": 1,
    }
    assert [one.where for one in tally.examples] == ["line 5", "line 6", "line 7"]
