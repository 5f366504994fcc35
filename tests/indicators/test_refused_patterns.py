"""What no pattern may say, with the reason; and attacks that must be cheap to refuse."""

import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest

from cybercoop.errors import Refused
from cybercoop.indicators.patterns import canonical

SHA256 = "0f" * 32
DEEPEST = 300
SOON = 1.0  # seconds; an attack that works takes minutes

REFUSED = [
    ("[ipv4-addr:value = '010.1.2.3']", "without leading zeros"),
    ("[domain-name:value = '010.1.2.3']", "is not a domain name"),
    ("[url:value = 'http://010.1.2.3/']", "is not a domain name"),
    ("[url:value = 'http://2130706433/']", "is not a domain name"),
    ("[url:value = 'http://evil.0x7f/']", "is not a domain name"),
    ("[ipv4-addr:value = '1.2.3']", "is not an IPv4 address"),
    ("[ipv4-addr:value = '1.2.3.4/33']", "must be 0 to 32"),
    ("[ipv4-addr:value = '1.2.3.4/08']", "must be 0 to 32"),
    ("[ipv4-addr:value = '1.2.3.4/255.0.0.0']", "must be 0 to 32"),
    ("[ipv4-addr:value IN ('1.2.3.4', '1.2.3.04')]", "without leading zeros"),
    ("[ipv4-addr:value ISSUBSET 'all']", "is not an IPv4 address"),
    ("[ipv6-addr:value = '1.2.3.4']", "is not an IPv6 address"),
    ("[ipv6-addr:value = 'fe80::1%eth0']", "names a network interface"),
    ("[ipv6-addr:value = '2001:db8::/129']", "must be 0 to 128"),
    ("[domain-name:value = 'evil.example/path']", "is not a domain name"),
    ("[domain-name:value = 'evil example']", "is not a domain name"),
    ("[domain-name:value = 'evil.example:80']", "is not a domain name"),
    ("[domain-name:value = 'evil..example']", "is not a domain name"),
    ("[domain-name:value = '-evil.example']", "is not a domain name"),
    ("[domain-name:value = '*.evil.example']", "is not a domain name"),
    (f"[domain-name:value = '{'a' * 64}.example']", "is not a domain name"),
    (f"[domain-name:value = '{'a.' * 127}example']", "longer than 253"),
    ("[domain-name:value = 'a\u202eb.example']", "no domain name may have"),
    ("[domain-name:value = '']", "an empty value"),
    ("[domain-name:value = ' ']", "an empty value"),
    ("[domain-name:value = 'a\tb.example']", "control characters"),
    ("[url:value = 'http:///path']", "names no host"),
    ("[url:value = 'http://a.de:99999/']", "port of"),
    ("[url:value = 'http://a.de:x/']", "port of"),
    ("[url:value = 'http://[::1]x/']", "port of"),
    ("[url:value = 'http://a.de\\\\@b.de/']", "backslash"),
    ("[url:value = 'http://a.de/\nb']", "control characters"),
    ("[email-addr:value = 'joe']", "is not an e-mail address"),
    ("[email-addr:value = 'Joe <joe@a.de>']", "the bare e-mail address"),
    ("[mac-addr:value = 'aa:bb']", "is not a MAC address"),
    ("[file:hashes.MD5 = 'abc']", "is not a MD5 of 32"),
    (f"[file:hashes.'SHA-512' = '{SHA256}']", "is not a SHA-512 of 128"),
    ("[a:b = 'x\x00']", "control character '\\x00' at character 10"),
    ("[a:b = '\ud800']", "control character"),
    ("[a:b = '\x1b[0m']", "control character"),
    ("[a:b IN ()]", "an empty set"),
    ("[a:b = t'2026-02-30T00:00:00Z']", "is not a moment"),
    ("[a:b MATCHES 5]", "cannot be read at character 14"),
    ("[a:b = 'x'", "cannot be read at character 11"),
    ("[a:b = 'x]", "at character 8 of the pattern is not closed"),
    ("[a:b = '\\q']", "at character 8 of the pattern is not closed"),
    ("[a:b = 1] /* x", "comment at character 11"),
    ("[a:b = $]", "'$' at character 8"),
    ("[a:b = 1] [c:d = 2]", "cannot be read at character 11"),
    ("", "cannot be read"),
    ("[]", "cannot be read"),
    ("evil.example", "cannot be read"),
    ("[a:b = 1 AND]", "cannot be read"),
    ("[a:b = TRUE]", "cannot be read"),
    ("[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'", "cannot be read"),
    ("[a:b=1] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'", "after its STOP"),
    ("[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", "says WITHIN twice"),
    ("([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS", "says WITHIN twice"),
    ("[a:b = 1] REPEATS 0 TIMES", "REPEATS must be"),
    ("[a:b = 1] WITHIN 0 SECONDS", "WITHIN must be"),
]

ATTACKS = [
    ("[" + " OR ".join(f"a:b = '{n}'" for n in range(1000)) + "]", "more than 200 comparisons"),
    ("[" + " OR ".join(f"a:b > {n}" for n in range(1000)) + "]", "more than 200 comparisons"),
    (f"[a:b IN ({','.join('1' for _ in range(5000))})]", "more than 200 comparisons"),
    ("[" + "(" * 9000 + "a:b = 1" + ")" * 9000 + "]", "deeper than 32"),
    ("(" * 33 + "[a:b = 1]" + ")" * 33, "deeper than 32"),
    ("[a:b = 1] REPEATS 1000000000 TIMES", "REPEATS must be"),
    ("[a:b = 1] WITHIN 1000000000 SECONDS", "WITHIN must be"),
    (f"[a:b = 1] WITHIN {'9' * 15000} SECONDS", "WITHIN must be"),
    ("[a:b = 1]" + " WITHIN 5 SECONDS" * 1000, "more than 200 qualifiers"),
    (f"[a:b{'.c' * 9000} = 1]", "more than 32 steps"),
    ("/*" * 9999, "The pattern"),
    ("'" * 19_999, "The pattern"),
    ("[" * 19_999, "The pattern"),
    ("[a:b = '" + "\\\\" * 9900, "is not closed"),
    (f"[a:{'b' * 9000} IN (1, 2, 3)]", "when it is written out"),
    (f"[a:b = '{'x' * 20_000}']", "longer than 20000 characters"),
    (f"[domain-name:value = '{'ü' * 19_000}']", "longer than 253"),
    (f"[url:value = 'http://{'a.' * 9000}']", "longer than 253"),
]

HEAVY = {
    "the regular expression that backtracks": r"[file:name MATCHES '(a+)+$']",
    "the product of eight": " AND ".join(["([a:b=1] OR [c:d=1])"] * 8),
    "the product of eight comparisons": f"[{' AND '.join(['(a:b=1 OR c:d=1)'] * 8)}]",
    "the product of a hundred": f"[{' AND '.join(f'(a:b={n} OR c:d={n})' for n in range(100))}]",
    "200 operands": "[" + " OR ".join(f"a:b = '{n}'" for n in range(200)) + "]",
    "200 observations": " AND ".join(f"[a:b = {n}]" for n in range(200)),
    "200 events": " FOLLOWEDBY ".join(f"[a:b = {n}]" for n in range(200)),
    "32 parentheses": "[" + "(" * 32 + "a:b = 1" + ")" * 32 + "]",
    "32 parentheses round an observation": "(" * 32 + "[a:b = 1]" + ")" * 32,
    "blanks": f"[a:b {' ' * 19_000} = 1]",
}


def reason_for(pattern: str, **how: str) -> Refused:
    with pytest.raises(Refused) as refusal:
        canonical(pattern, **how)
    return refusal.value


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_a_wrong_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    refusal = reason_for(pattern)
    assert reason in refusal.reason
    assert refusal.field == "pattern"
    assert refusal.reason.isprintable()


@pytest.mark.parametrize(("pattern", "reason"), ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_is_refused_at_once(pattern: str, reason: str) -> None:
    began = time.perf_counter()
    assert reason in reason_for(pattern).reason
    assert time.perf_counter() - began < SOON


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_pattern_is_read_quickly(name: str) -> None:
    began = time.perf_counter()
    assert canonical(HEAVY[name]).text
    assert time.perf_counter() - began < SOON


def depth_reached(work: Callable[[], object]) -> int:
    """Return how many frames ``work`` stacks up."""
    depth = deepest = 0

    def watch(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal depth, deepest
        depth += {"call": 1, "return": -1}.get(event, 0)
        deepest = max(deepest, depth)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(before)
    return deepest


def test_nesting_at_the_limit_leaves_room_on_the_stack() -> None:
    pattern = "[a:b = 1]"
    for number in range(32):
        pattern = f"({pattern} OR [a:c = {number}] FOLLOWEDBY [a:d > 2]) AND [a:e = {number}]"
    assert 100 < depth_reached(lambda: canonical(pattern)) < DEEPEST
    assert depth_reached(lambda: canonical(HEAVY["200 events"])) < DEEPEST


def test_matches_keeps_its_expression_and_is_never_run() -> None:
    assert canonical("[file:name MATCHES '(a+)+$']").text == "[file:name MATCHES '(a+)+$']"


@pytest.mark.parametrize("version", ["1.0", "3.0", ""])
def test_an_unknown_version_is_refused(version: str) -> None:
    assert reason_for("[a:b = 1]", pattern_version=version).field == "pattern_version"


@pytest.mark.parametrize("pattern_type", ["", "STIX", "a b", "a\n", "x" * 65, "ü"])
def test_an_unreadable_type_is_refused(pattern_type: str) -> None:
    assert reason_for("x", pattern_type=pattern_type).field == "pattern_type"


@pytest.mark.parametrize("pattern", ["", " \r\n\n", "a\x00", "a\ud800", "x" * 100_001])
def test_a_rule_that_cannot_be_kept_is_refused(pattern: str) -> None:
    assert reason_for(pattern, pattern_type="yara").field == "pattern"
