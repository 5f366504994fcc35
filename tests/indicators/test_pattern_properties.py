"""Promises about every pattern that can be made up."""

import contextlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from cybercoop.errors import Refused
from cybercoop.indicators.patterns import Canonical, by_grammar, by_shape, canonical

SIGNS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
WORDS = st.sampled_from(
    ["a.de", "EVIL.example.", "evil[.]example", "bücher.de", "1.2.3.4", "1.2.3.4/32", "::1",
     "a@B.de", "010.1.2.3", "10.1.2.3/8", "hxxp://A.de", "http://a.de:80/", "2001:DB8::/32",
     "AB" * 16, "ab" * 32, "it's", "C:\\a", " a ", "", "-", "x y", "\u0661.2.3.4", "\u212a.de",
     "ß.de"]
)  # fmt: skip
PATHS = st.sampled_from(
    ["ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value", "email-addr:value",
     "file:hashes.MD5", "file:hashes.'SHA-256'", "file:hashes.sha256", 'file:hashes."SHA-256"',
     "file:hashes.SHA-256", "file:name", "a:'b'", "a:b[*].c", "a:b[0].'c d'", "a:b[00]", "a:AND",
     "a:b.true", "a:b-c", "a-b:c", "LIKE:b", "x:y_ref.value", "t:b.h", "a:b.", "a:'b' .c",
     "mac-addr:value", "a:b['c']", 'a:"b".c', "network-traffic:dst_ref.value",
     "email-message:to_refs[*].value"]
)  # fmt: skip
BLANKS = st.sampled_from(["", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "/* x */", "//y\n"])


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


TEXTS = (SIGNS | WORDS).map(quoted)
CONSTANTS = TEXTS | st.sampled_from(["1", "-2", "+3.50", "true", "h'AB'", "b'YQ=='", "''", "'\\q'"])


@st.composite
def equalities(draw: st.DrawFn) -> str:
    equals = draw(st.sampled_from(["=", "==", "="]))
    return f"{draw(PATHS)}{draw(BLANKS)}{equals}{draw(BLANKS)}{draw(TEXTS)}"


@st.composite
def flat_lists(draw: st.DrawFn) -> str:
    parts = draw(st.lists(equalities(), min_size=1, max_size=4))
    pattern = f"{draw(BLANKS)}[{draw(BLANKS)}{parts[0]}"
    word = draw(st.sampled_from(["AND", "OR"]))
    for part in parts[1:]:
        join = draw(st.sampled_from([word, word, word, "AND", "OR"]))
        pattern += f"{draw(BLANKS)}{join}{draw(BLANKS)}{part}"
    return f"{pattern}{draw(BLANKS)}]{draw(BLANKS)}"


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    path = draw(
        st.sampled_from(["a:b", "file:name", "ipv4-addr:value", "c:d[*].e", "x:y_ref.value"])
    )
    no = draw(st.sampled_from(["", "NOT "]))
    test = draw(st.sampled_from(["=", "!=", ">", "IN", "LIKE", "MATCHES", "ISSUBSET", "EXISTS"]))
    if test == "EXISTS":
        return f"{no}EXISTS {path}"
    if test == "IN":
        return f"{path} {no}IN ({', '.join(draw(st.lists(CONSTANTS, min_size=1, max_size=3)))})"
    value = draw(CONSTANTS if test in ("=", "!=") else TEXTS)
    return f"{path} {no}{test} {value}"


def joined(parts: list[str], words: list[str]) -> str:
    return (
        "(" + parts[0] + "".join(f" {w} {p}" for w, p in zip(words, parts[1:], strict=False)) + ")"
    )


def trees(leaves: st.SearchStrategy[str], words: list[str]) -> st.SearchStrategy[str]:
    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        joins = st.lists(st.sampled_from(words), min_size=3, max_size=3)
        return st.builds(joined, st.lists(inner, min_size=1, max_size=4), joins)

    return st.recursive(leaves, grown, max_leaves=6)


QUALIFIERS = st.sampled_from(
    ["", "", "", " WITHIN 5 SECONDS", " REPEATS 2 TIMES", " REPEATS 2 TIMES WITHIN 1.50 SECONDS",
     " START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.10Z'"]
)  # fmt: skip
OBSERVATIONS = st.builds(
    lambda inner, qualifier: f"[{inner}]{qualifier}",
    trees(comparisons(), ["AND", "OR"]),
    QUALIFIERS,
)
PATTERNS = trees(OBSERVATIONS, ["AND", "OR", "FOLLOWEDBY"])


def answer(pattern: str, version: str | None = None) -> Canonical | str:
    try:
        return by_grammar(pattern, version)
    except Refused as refusal:
        return refusal.reason


@settings(max_examples=400, deadline=None)
@given(flat_lists())
def test_reading_by_shape_and_by_grammar_agree(pattern: str) -> None:
    try:
        quick: Canonical | str | None = by_shape(pattern)
    except Refused as refusal:
        quick = refusal.reason
    if isinstance(quick, Canonical):
        assert quick == answer(pattern) == answer(pattern, "2.0")
    elif quick is not None:
        assert isinstance(answer(pattern), str)


@settings(max_examples=200, deadline=None)
@given(PATTERNS)
def test_a_canonical_text_is_its_own_canonical_form(pattern: str) -> None:
    try:
        found = canonical(pattern)
    except Refused:
        return
    assert canonical(found.text) == found
    assert by_grammar(found.text) == found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(comparisons(), min_size=1, max_size=5), st.sampled_from(["AND", "OR"]), st.randoms()
)
def test_order_blanks_and_repeats_do_not_matter(
    parts: list[str], word: str, chance: random.Random
) -> None:
    shuffled = [*parts, chance.choice(parts)]
    chance.shuffle(shuffled)
    first, second = (f" {word} ".join(parts), f"  {word}\n".join(shuffled))
    try:
        found = canonical(f"[{first}]")
    except Refused:
        return
    assert canonical(f"[ {second} ]") == found


@settings(max_examples=100, deadline=None)
@given(st.lists(OBSERVATIONS, min_size=1, max_size=4), st.randoms())
def test_the_order_of_observations_joined_by_or_does_not_matter(
    parts: list[str], chance: random.Random
) -> None:
    shuffled = [*parts, chance.choice(parts)]
    chance.shuffle(shuffled)
    try:
        found = canonical(" OR ".join(parts))
    except Refused:
        return
    assert canonical(" OR ".join(f"({part})" for part in shuffled)) == found


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("[]()'\"=:.a1,<> ANDORIht*/\\", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for pattern_type in ("stix", "yara"):
        with contextlib.suppress(Refused):
            found = canonical(text, pattern_type)
            assert canonical(found.text, pattern_type) == found
