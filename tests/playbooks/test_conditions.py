"""Conditions are compared, never run; what is not understood is refused with its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.errors import Refused
from cybercoop.playbooks import conditions

KINDS = {
    "__n__": "integer",
    "__s__": "string",
    "__b__": "bool",
    "__ip__": "ipv4-addr",
    "__x__": "string",
}
VALUES: dict[str, Any] = {"__n__": 5, "__s__": "yes", "__b__": True, "__ip__": "192.0.2.1"}

CASES = [
    ("__n__ > 4", True),
    ("__n__:value >= 5.5", False),
    ("__s__ = 'yes'", True),
    ("__s__:value == 'YES'", False),
    ("__s__ <> 'no' and __n__ != 6", True),
    ("__b__ = true", True),
    ("NOT __b__ = TRUE", False),
    ("__ip__ = '192.0.2.1/32'", True),
    ("__n__ = 1 OR __n__ = 5 AND __s__ = 'no'", False),
    ("(__n__ = 1 OR __n__ = 5) AND NOT (__s__ = 'no')", True),
    ("__s__ IN ('no', 'yes')", True),
    ("__s__ NOT IN ('no', 'yes')", False),
    (r"__s__ != 'it\'s \\'", True),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    assert conditions.holds(conditions.parse(text), KINDS, VALUES) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too early"),
        ("__n__", "too early"),
        ("__n__ >", "too early"),
        ("__n__ = 5 5", "character 11"),
        ("5 = __n__", "character 1"),
        ("__n__ = __s__", "character 9"),
        ("(__n__ = 5", "too early"),
        ("__n__ = 5)", "character 10"),
        ("__s__ LIKE 'a%'", "character 7"),
        ("__s__ MATCHES '.*'", "character 7"),
        ("__s__ = yes", "character 9"),
        ("__s__ = 'yes", "character 9"),
        ('__s__ = "yes"', "character 9"),
        ("__import__('os')", "character 11"),
        ("[__n__ = 5]", "character 1"),
        ("NOT " * 12 + "__n__ = 5", "deeper"),
        ("(" * 12 + "__n__ = 5" + ")" * 12, "deeper"),
        (" OR ".join(["__n__ = 5"] * 51), "50 times"),
        ("__n__ = 5" + " " * 1000, "longer"),
        ("__s__ IN ()", "character 11"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        conditions.parse(text)


@pytest.mark.parametrize("text", ["__x__ = 'a'", "__x__ != 'a'", "__n__ = 5 OR __x__ = 'a'"])
def test_a_variable_without_a_value_makes_the_condition_fail(text: str) -> None:
    with pytest.raises(Refused, match="__x__ has no value"):
        conditions.holds(conditions.parse(text), KINDS, VALUES)


@pytest.mark.parametrize(
    "text",
    ["__n__ = 'x'", "__s__ = 5", "__s__ < 'z'", "__b__ = 'true'", "__b__ = 1", "__ip__ = 'x'"],
)
def test_types_are_never_mixed(text: str) -> None:
    with pytest.raises(Refused, match="cannot be compared"):
        conditions.holds(conditions.parse(text), KINDS, VALUES)


LITERALS = st.sampled_from(["5", "-1", "2.5", "'yes'", "'a\\'b'", "true", "FALSE"])
COMPARED = st.builds(
    lambda name, sign, literal: f"{name} {sign} {literal}",
    st.sampled_from(["__n__", "__s__:value", "__b__", "__y__"]),
    st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="]),
    LITERALS,
)
GRAMMAR = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("({}) AND {}".format, inner, inner),
        st.builds("{} OR ({})".format, inner, inner),
    ),
    max_leaves=6,
)


@given(GRAMMAR)
def test_whatever_the_grammar_says_can_be_read_and_evaluated(text: str) -> None:
    condition = conditions.parse(text)
    assert set(conditions.names(condition)) <= {"__n__", "__s__", "__b__", "__y__"}
    try:
        held = conditions.holds(condition, KINDS, VALUES)
    except Refused:
        return
    assert conditions.holds(conditions.Unless(condition), KINDS, VALUES) is not held


@given(st.text("_nsv:=!<>()'\\ ANDORTIaelu5.,[]\n\0é", max_size=40))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        conditions.parse(text)
    except Refused:
        return
