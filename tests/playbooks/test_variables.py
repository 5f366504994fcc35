"""Values are what their type says or refused, and hostile ones are shown as what they are."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.errors import Refused
from cybercoop.playbooks import templates, variables

GOOD = [
    ("string", "x' OR 1=1", "x' OR 1=1"),
    ("bool", "TRUE", True),
    ("boolean", False, False),
    ("integer", "-7", -7),
    ("long", str(2**63 - 1), 2**63 - 1),
    ("float", "1.5e3", 1500.0),
    ("ipv4-addr", "192.0.2.1/32", "192.0.2.1"),
    ("ipv4-addr", "192.0.2.0/24", "192.0.2.0/24"),
    ("ipv6-addr", "2001:DB8:0::1", "2001:db8::1"),
    ("mac-addr", "00-00-5E-00-53-01", "00:00:5e:00:53:01"),
    ("md5-hash", "A" * 32, "a" * 32),
    ("sha256-hash", "b" * 64, "b" * 64),
    ("hash", "c" * 40, "c" * 40),
    ("hexstring", "0A", "0a"),
    ("uri", "https://host.example/a?b=c", "https://host.example/a?b=c"),
    ("uuid", "5C0FFEE0-0000-4000-8000-000000000000", "5c0ffee0-0000-4000-8000-000000000000"),
    ("dictionary", '{"b": "2", "a": "1"}', {"a": "1", "b": "2"}),
]
BAD = [
    ("string", 5),
    ("string", "\ud800"),
    ("string", "a\0b"),
    ("string", "x" * 10_001),
    ("bool", "1"),
    ("bool", 1),
    ("integer", "1.0"),
    ("integer", True),
    ("integer", str(2**31)),
    ("integer", "٣"),
    ("integer", "1_000"),
    ("long", 2**63),
    ("float", "nan"),
    ("float", "1e999"),
    ("float", "0x10"),
    ("ipv4-addr", "010.1.2.3"),
    ("ipv4-addr", "192.0.2.1/24"),
    ("ipv4-addr", "1"),
    ("ipv6-addr", "fe80::1%eth0"),
    ("mac-addr", "00:00:5e:00:53"),
    ("md5-hash", "a" * 31),
    ("sha256-hash", "g" * 64),
    ("hash", "ab"),
    ("hexstring", "abc"),
    ("uri", "host.example"),
    ("uri", "https://"),
    ("uri", "https://a b/"),
    ("uri", 'https://a/"onload="'),
    ("uuid", "5c0ffee0"),
    ("dictionary", "[1]"),
    ("dictionary", '{"a": 1}'),
    ("dictionary", '{"a": "1", "a": "2"}'),
    ("shell", "ls"),
]


@pytest.mark.parametrize(("kind", "given", "value"), GOOD)
def test_a_value_has_one_spelling(kind: str, given: object, value: object) -> None:
    found = variables.value(kind, given)
    assert (found, type(found)) == (value, type(value))
    assert variables.value(kind, variables.text(found)) == value


@pytest.mark.parametrize(("kind", "given"), BAD)
def test_what_does_not_fit_is_refused(kind: str, given: object) -> None:
    with pytest.raises(Refused):
        variables.value(kind, given)


ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers(), max_size=3),
)


@given(st.sampled_from([*variables.KINDS, "no-such-type"]), ANYTHING)
def test_any_value_is_taken_in_one_spelling_or_refused(kind: str, given: object) -> None:
    try:
        found = variables.value(kind, given)
    except Refused:
        return
    assert variables.value(kind, variables.text(found)) == found
    assert variables.value(kind, found) == found


HOSTILE = st.one_of(
    st.text(max_size=600).filter(lambda text: "\0" not in text),
    st.lists(
        st.sampled_from(
            [
                *(
                    "; rm -rf /",
                    "$(id)",
                    "`id`",
                    "\n",
                    "\r\n",
                    "\u202e",
                    "\u200b",
                    "«",
                    "»",
                    "\x1b[2J",
                ),
                *("https://evil.example/", "HTTP://a.b", "javascript:alert(1)", "a@b.example", " "),
                *(
                    "__wert__:value",
                    "<script>",
                    "{{7*7}}",
                    "www.evil.example",
                    "198.51.100.7",
                    "%00",
                ),
                *(
                    "\\\\host\\x",
                    "file:///etc/passwd",
                    "evil\u3002example",
                    "|| curl x.example",
                    "'\"",
                ),
            ]
        ),
        max_size=12,
    ).map("".join),
)


@given(HOSTILE)
def test_a_shown_value_is_one_visible_line_without_links(text: str) -> None:
    shown = templates.shown(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}
    assert not set("«»") & set(shown)
    assert "://" not in shown
    assert not re.search(r"(?i)https?:|javascript:|mailto:|[^\[]@|[a-z]\.[a-z]{2,}", shown)
    assert len(shown) < 10 * 500 + 50


@given(HOSTILE, HOSTILE)
def test_values_are_put_in_once_and_end_where_they_end(first: str, second: str) -> None:
    values = {"__a__": first, "__b__": second}
    text = templates.rendered("1 __a__:value 2 __b__:value 3 __c__:value", values)
    parts = (templates.shown(first), templates.shown(second))
    assert text == f"1 «{parts[0]}» 2 «{parts[1]}» 3 __c__:value"


def test_a_link_is_shown_and_cannot_be_clicked() -> None:
    assert templates.shown("https://evil.example/x") == "hxxps[:]//evil[.]example/x"
    assert templates.shown("198.51.100.7") == "198[.]51[.]100[.]7"
    assert templates.shown("2001:db8::1") == "2001:db8::1"
    assert (
        templates.shown("2026-01-31T08:30:00Z, Version 14.1")
        == "2026-01-31T08:30:00Z, Version 14.1"
    )
    assert templates.shown("a\u202eb\n") == "a\\u{202e}b\\u{a}"
    assert templates.shown("x" * 501) == "x" * 500 + " … (+1)"
    assert templates.shown({"a": "1"}) == '{"a": "1"}'


@given(HOSTILE)
def test_a_machine_gets_the_value_itself_in_its_place_only(text: str) -> None:
    content = {"target": "__a__:value", "note": "about __a__:value", "n": ["__b__:value", 1, None]}
    filled = templates.filled(content, {"__a__": text, "__b__": 5})
    assert filled == {"target": text, "note": "about __a__:value", "n": [5, 1, None]}
    assert json.loads(json.dumps(filled)) == filled
    with pytest.raises(KeyError):
        templates.filled(content, {"__a__": text})


def test_a_line_for_a_shell_is_never_filled() -> None:
    line = "touch __path__:value __mode__:value"
    assert templates.listed(line, {"__path__": "x; reboot"}) == [("__path__", "x; reboot")]
    assert templates.names(line) == ["__path__", "__mode__"]
    assert templates.whole(line) is None
    assert templates.names("x__a__:value __b__:values __c__") == []
