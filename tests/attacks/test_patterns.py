"""Patterns: what would be dear to read is refused at once, and nothing is ever run."""

import time
from pathlib import Path

from attacks.hostile import Bad, all_are_refused, bad, bystander
from world import indicator, world

OR_1000 = " OR ".join(f"a:b = '{number}'" for number in range(1000))
SOON = 10.0  # seconds for all of a table, on a busy machine


def pattern(text: str, reason: str) -> Bad:
    return bad({"pattern": text}, "pattern", reason)


WRONG = [
    pattern(f"[{OR_1000}]", "more than 200 comparisons"),
    pattern(" OR ".join(f"[a:b = {number}]" for number in range(1000)), "more than 200"),
    pattern(f"[a:b IN ({','.join('1' for _ in range(5000))})]", "more than 200 comparisons"),
    pattern("[" + "(" * 9_000 + "a:b = 1" + ")" * 9_000 + "]", "deeper than 32"),
    pattern("(" * 33 + "[a:b = 1]" + ")" * 33, "deeper than 32"),
    pattern("[a:b = 1] REPEATS 1000000000 TIMES", "REPEATS must be"),
    pattern("[a:b = 1] WITHIN 1000000000 SECONDS", "WITHIN must be"),
    pattern(f"[a:b = 1] WITHIN {'9' * 4_000} SECONDS", "WITHIN must be"),
    pattern("[a:b = 1]" + " WITHIN 5 SECONDS" * 1_000, "more than 200 qualifiers"),
    pattern(f"[a:b{'.c' * 5_000} = 1]", "more than 32 steps"),
    pattern(f"[a:b = '{'x' * 20_000}']", "longer than 20000"),
    pattern("[" * 19_999, "The pattern"),
    pattern("'" * 19_999, "The pattern"),
    pattern("[a:b = 'x", "not closed"),
    pattern("", "cannot be read"),
    pattern("evil.example", "cannot be read"),
    pattern("[ipv4-addr:value = '010.1.2.3']", "without leading zeros"),
    pattern("[domain-name:value = 'evil.example/path']", "not a domain name"),
    pattern("[a:b = '\x1b[0m']", "control character"),
    bad({"pattern": 5}, "pattern", "should be a text"),
    bad({"pattern": ...}, "pattern", "required"),
    bad({"pattern_type": ...}, "pattern_type", "required"),
    bad({"pattern_type": 5}, "pattern_type", "should be a text"),
    bad({"pattern_type": "a b"}, "pattern_type", "lower-case"),
    bad({"pattern_version": "3.0"}, "pattern_version", "must be 2.0 or 2.1"),
    bad({"pattern_version": {}}, "pattern_version", "should be a text"),
    bad({"pattern_type": "yara", "pattern": "x" * 100_001}, "pattern", "longer than 100000"),
    bad({"pattern_type": "yara", "pattern": " \r\n"}, "pattern", "empty"),
    bad({"spec_version": "2.0", "pattern_type": 5}, "pattern_type", "should be a text"),
    bad({"spec_version": "2.0", "pattern_version": {}}, "pattern_version", "should be a text"),
    bad({"spec_version": "2.0", "indicator_types": 5}, "indicator_types", "should be a list"),
]  # fmt: skip

HEAVY = [
    "[file:name MATCHES '(a+)+$']",
    " AND ".join(["([a:b=1] OR [c:d=1])"] * 8),
    f"[{' AND '.join(f'(a:b={n} OR c:d={n})' for n in range(100))}]",
    "[" + " OR ".join(f"a:b = '{n}'" for n in range(200)) + "]",
    " FOLLOWEDBY ".join(f"[a:b = {n}]" for n in range(200)),
    "[" + "(" * 32 + "a:b = 7" + ")" * 32 + "]",
    f"[a:b {' ' * 19_000} = 8]",
]

RULES = {
    "yara": "rule a { strings: $a = /(a+)+$/ condition: $a }",
    "sigma": "title: a\ndetection:\n  selection: {}\n",
    "snort": 'alert tcp any any -> any any (msg:"a"; pcre:"/(a+)+$/";)',
    "suricata": 'alert dns any any -> any any (msg:"a"; sid:1;)',
    "pcre": "(a+)+$",
    "x-vendor": "whatever ${jndi:ldap://x} {{7*7}} $(reboot) <script>",
}


async def test_a_dear_or_wrong_pattern_is_refused_at_once(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        began = time.perf_counter()
        await all_are_refused(center, WRONG)
        assert time.perf_counter() - began < 2 * SOON


async def test_a_heavy_pattern_is_taken_and_released_and_holds_nobody_up(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        began = time.perf_counter()
        async with bystander(center):
            objects = [
                indicator(f"x{n}.example", "green", pattern=text) for n, text in enumerate(HEAVY)
            ]
            verdicts = await center.push(seat, objects)
        assert [one["outcome"] for one in verdicts] == ["accepted"] * len(HEAVY), verdicts
        await center.project()
        assert time.perf_counter() - began < SOON
        found = {one for one in await center.patterns(other) if "bystander" not in one}
        assert len(found) == len(HEAVY)
        assert "[file:name MATCHES '(a+)+$']" in found


async def test_rules_of_other_languages_are_passed_on_as_text(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        objects = [
            indicator("x.example", "green", pattern=text, pattern_type=kind, name=kind)
            for kind, text in RULES.items()
        ]
        verdicts = await center.push(seat, objects)
        assert [one["outcome"] for one in verdicts] == ["accepted"] * len(RULES), verdicts
        await center.project()
        assert await center.patterns(other) == {text.strip("\n") for text in RULES.values()}
