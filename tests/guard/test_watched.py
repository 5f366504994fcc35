"""Every value that a pattern looks for is seen, wherever and however it stands in it."""

import re
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cybercoop import guard
from cybercoop.guard import Level
from cybercoop.indicators.patterns import canonical
from cybercoop.indicators.watched import like, watched, written_out

INDEX = guard.index_of(guard.built_in())
SHA1 = "ab" * 20


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[domain-name:value = 'Evil.example.']", {("domain", "evil.example")}),
        ("[domain-name:value = '9.8.7.6']", {("ipv4", "9.8.7.6")}),
        ("[url:value = 'hxxp://a[.]de']", {("url", "http://a.de/")}),
        ("[url:value = 'a.de/x']", {("url", "a.de/x")}),
        ("[url:value = '/gate.php']", set()),
        ("[email-addr:value = 'x@A.de']", {("email", "x@a.de")}),
        (f"[file:hashes.'SHA-1' = '{SHA1.upper()}']", {("sha1", SHA1)}),
        ("[domain-name:value IN ('a.de', 'b.de')]", {("domain", "a.de"), ("domain", "b.de")}),
        (
            (
                "[domain-name:value = 'a.de' AND file:name = 'x'] FOLLOWEDBY [ipv4-addr:value = "
                "'9.8.7.6'] WITHIN 5 SECONDS"
            ),
            {("domain", "a.de"), ("ipv4", "9.8.7.6")},
        ),
        (
            (
                "([domain-name:value = 'a.de'] AND [url:value = 'http://b.de/' OR ipv6-addr:value "
                "= '2A00::1']) REPEATS 2 TIMES"
            ),
            {("domain", "a.de"), ("url", "http://b.de/"), ("ipv6", "2a00::1")},
        ),
        ("[ipv4-addr:value ISSUBSET '10.1.2.3/8']", {("ipv4", "10.0.0.0/8")}),
        ("[ipv6-addr:value ISSUPERSET '2A00::/32']", {("ipv6", "2a00::/32")}),
        ("[network-traffic:dst_ref.value = '9.8.7.6']", {("ipv4", "9.8.7.6")}),
        ("[network-traffic:dst_ref.value = 'A.de']", {("domain", "a.de")}),
        ("[network-traffic:src_ref.value = '2A00::1']", {("ipv6", "2a00::1")}),
        ("[network-traffic:src_ref.value = '00:00:5e:00:53:01']", set()),
        ("[network-traffic:dst_ref.value ISSUBSET '9.8.0.0/16']", {("ipv4", "9.8.0.0/16")}),
        ("[email-message:from_ref.value = 'x@A.de']", {("email", "x@a.de")}),
        ("[email-message:to_refs[*].value = 'x@A.de']", {("email", "x@a.de")}),
        ("[domain-name:resolves_to_refs[*].value = '9.8.7.6']", {("ipv4", "9.8.7.6")}),
        ("[domain-name:value LIKE '%.a.de']", {("domain", "a.de")}),
        ("[domain-name:value LIKE '%a.de']", {("domain", "a.de"), ("domain", "de")}),
        ("[domain-name:value LIKE 'a.de']", {("domain", "a.de")}),
        ("[domain-name:value LIKE 'a%']", {("domain", ".")}),
        ("[domain-name:value LIKE '%']", {("domain", ".")}),
        ("[domain-name:value LIKE 'a%.b_c.de']", {("domain", "c.de"), ("domain", "de")}),
        ("[ipv4-addr:value LIKE '10.%']", {("ipv4", "10.0.0.0/8")}),
        ("[ipv4-addr:value LIKE '9.8.7.1%']", {("ipv4", "9.8.7.0/24")}),
        ("[ipv4-addr:value LIKE '1%']", {("ipv4", "0.0.0.0/0")}),
        ("[ipv6-addr:value LIKE 'fe80:%']", {("ipv6", "::/0")}),
        ("[url:value LIKE 'http://a.de/%']", {("url", "http://a.de/")}),
        ("[url:value LIKE '%a.de%']", {("url", "//a.de/")}),
        ("[url:value LIKE '%.a.de/%/x.b.de']", {("url", "//a.de/")}),
        ("[url:value LIKE 'http%://a.de/x']", {("url", "//a.de/")}),
        ("[url:value LIKE '%/gate.php']", set()),
        ("[url:value LIKE 'http%']", {("url", ".")}),
        ("[email-addr:value LIKE '%@a.de']", {("email", "a.de")}),
        ("[domain-name:value MATCHES '^a\\\\.de$']", {("domain", "a.de")}),
        ("[domain-name:value MATCHES '\\\\.a\\\\.de$']", {("domain", "a.de")}),
        ("[domain-name:value MATCHES '(a+)+$']", {("domain", ".")}),
        ("[domain-name:value MATCHES '.*']", {("domain", ".")}),
        ("[domain-name:value MATCHES 'x\\\\.a\\\\.de']", {("domain", ".")}),
        ("[url:value MATCHES '.*']", {("url", ".")}),
        ("[url:value MATCHES '/gate\\\\.php$']", set()),
        ("[url:value MATCHES '^https?://(www\\\\.)?a\\\\.de/']", {("url", "//a.de/")}),
        ("[ipv4-addr:value MATCHES '^10\\\\.']", {("ipv4", "10.0.0.0/8")}),
        ("[network-traffic:dst_ref.value MATCHES '.*']", {("domain", ".")}),
        ("[domain-name:value > 'a']", {("domain", ".")}),
        ("[domain-name:value != 'a.de']", {("domain", ".")}),
        ("[domain-name:value NOT LIKE '%.a.de']", {("domain", ".")}),
        ("[domain-name:value NOT IN ('a.de', 'b.de')]", {("domain", ".")}),
        ("[ipv4-addr:value NOT ISSUBSET '10.0.0.0/8']", {("ipv4", "0.0.0.0/0")}),
        ("[network-traffic:dst_ref.value != 'a.de']", {("domain", ".")}),
        ("[EXISTS domain-name:value]", {("domain", ".")}),
        ("[domain-name:value != 'a.de' AND file:name = 'x']", set()),
        ("[domain-name:value != 'a.de' AND email-addr:value = 'x@b.de']", {("email", "x@b.de")}),
        ("[domain-name:value != 'a.de' OR file:name = 'x']", {("domain", ".")}),
        ("[file:name != 'x']", set()),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.Host = 'a.de:443']",
            {("url", "//a.de:443/")},
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.host[*] LIKE '%.a.de']",
            {("url", "//a.de/")},
        ),
        ("[file:name = 'domain-name:value = \\'a.de\\'']", set()),
        ("[a:b = 'it\\'s' AND a:c = ' domain-name:value = ' AND a:d = 'a.de']", set()),
        ("[x509-certificate:hashes.'SHA-1' = '" + SHA1 + "']", set()),
        ("[mac-addr:value = '00:00:5e:00:53:01']", set()),
    ],
)
def test_what_a_pattern_looks_for(pattern: str, expected: set[tuple[str, str]]) -> None:
    assert set(watched(canonical(pattern).text)) == expected


def test_a_single_comparison_says_the_same_as_its_canonical_form() -> None:
    for pattern in (
        "[domain-name:value = 'A.de']",
        "[ipv4-addr:value = '9.8.7.6/32']",
        "[url:value = 'HTTP://a.de:80']",
        f"[file:hashes.SHA1 = '{SHA1}']",
        "[email-addr:value = 'x@y.de']",
    ):
        read = canonical(pattern)
        assert watched(read.text) == ((read.kind, read.value),)


HOSTS = (
    *(
        "//bund.de",
        "//bund.de/a",
        "///bund.de",
        "http:/bund.de/",
        "https:/bund.de/x",
        "http:bund.de",
    ),
    *("//8.8.8.8", "/\\\\bund.de", "\\\\\\\\bund.de/", "bund.de:443", "//a@bund.de:443"),
)
"""What a browser takes for an address on a protected host, though no ``://`` is in it."""


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[domain-name:value LIKE '%bund.de']", Level.NEVER),
        ("[domain-name:value LIKE '%.BUND.de']", Level.NEVER),
        ("[domain-name:value LIKE '%d.de']", Level.NEVER),
        ("[domain-name:value LIKE '%']", Level.HOLD),
        ("[domain-name:value LIKE '%.evil.com']", Level.ALLOW),
        ("[url:value LIKE '%bund.de%']", Level.NEVER),
        ("[url:value LIKE '%/gate.php']", Level.ALLOW),
        ("[url:value LIKE '//bund.de%']", Level.NEVER),
        ("[url:value LIKE '%/\\\\bund.de/%']", Level.NEVER),
        ("[url:value = '/gate.php?to=//bund.de']", Level.ALLOW),
        *((f"[url:value = '{spelt}']", Level.NEVER) for spelt in HOSTS),
        ("[url:value LIKE '%.php']", Level.ALLOW),
        ("[email-addr:value LIKE '%@bund.de']", Level.NEVER),
        ("[ipv4-addr:value LIKE '10.%']", Level.NEVER),
        ("[ipv4-addr:value ISSUPERSET '11.0.0.0/8']", Level.NEVER),
        ("[network-traffic:dst_ref.value = '8.8.8.8']", Level.NEVER),
        ("[file:name = 'x' AND domain-name:value = 'www.bund.de']", Level.NEVER),
        ("[domain-name:value = 'evil.com'] FOLLOWEDBY [url:value = 'http://a@bund.de/']",
         Level.NEVER),
        ("[domain-name:value IN ('evil.com', 'de')]", Level.NEVER),
        ("[network-traffic:extensions.'http-request-ext'.request_header.Host = 'bund.de']",
         Level.NEVER),
        ("[url:value MATCHES '^https?://([a-z]+\\\\.)?bund\\\\.de/.*']", Level.NEVER),
        ("[domain-name:value MATCHES '.*']", Level.HOLD),
        ("[domain-name:value != 'evil.com']", Level.HOLD),
        ("[domain-name:value = 'evil.com' AND domain-name:value != 'bund.de']", Level.ALLOW),
        ("[domain-name:value = 'evil.com' OR ipv4-addr:value = '198.51.100.7']", Level.WARN),
    ],
)  # fmt: skip
def test_the_strictest_value_of_a_pattern_counts(pattern: str, expected: Level) -> None:
    assert guard.verdict_of(INDEX, watched(canonical(pattern).text)).level == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (r"^a\.de$", ("a.de", True)),
        (r"\.a\.de$", (".a.de", False)),
        (r".*\.a\.de$", (".a.de", False)),
        (r"^(.*)a\.de$", ("a.de", False)),
        (r"^(.*\.)?a\.de$", (".a.de", False)),
        (r"(^|\.)a\.de$", (".a.de", False)),
        (r"a\.de$", ("a.de", False)),
        (r"^a\.de", None),
        (r"^a.de$", None),
        (r"(a+)+$", None),
        (r"a|b$", None),
        (r"$", None),
        (r"(?i)a\.de$", None),
        (r"\da\.de$", None),
    ],
)
def test_only_a_text_written_out_is_taken_from_an_expression(
    expression: str, expected: tuple[str, bool] | None
) -> None:
    assert written_out(expression) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"^https?://([a-z]+\.)?a\.de/", "http%://%a.de/%"),
        (r"a\.de", "%a.de%"),
        (r"^a\.de\$", "a.de$%"),
        (r"^a\.de$", "a.de"),
        (r"^a|b\.de$", "%"),
        (r"^(a|b)\.de$", "%.de"),
        (r"^[a|b]\.de$", "%.de"),
        (r"^\[?a|b]\.de$", "%"),
        (r"^x{|b\.de$", "%"),
        (r"^x{3}\.d?e$", "%.%e"),
        (r"^\x61\.de$", "%.de"),
        (r"^a_\.de$", "a%.de"),
        ("", "%"),
    ],
)
def test_an_expression_is_taken_as_what_all_that_it_matches_is_like(
    expression: str, text: str
) -> None:
    assert like(expression) == text


@given(st.text("ab.\\[]()|*+?{1,}^$-", max_size=12), st.text("ab.1", max_size=6))
@settings(max_examples=500)
def test_no_expression_matches_what_its_like_leaves_out(expression: str, value: str) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):
            matches = re.search(expression, value) is not None
    except (re.error, OverflowError):
        assume(False)
    wild = ".*".join(map(re.escape, like(expression).split("%")))
    assert not matches or re.fullmatch(wild, value)


@pytest.mark.parametrize("piece", ["[", "{", "(", "\\", "[\\", "{1", "a?", "[]"])
def test_a_long_expression_is_passed_in_one_go(piece: str) -> None:
    assert like("^" + piece * 500_000).endswith("%")


def test_a_long_word_is_passed_in_one_go() -> None:
    assert watched("[EXISTS a:" + "b" * 2_000_000 + "]") == ()
