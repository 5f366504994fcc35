"""Rules of YARA, Sigma, Snort and Suricata are cut out whole, one pattern each."""

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Passed, Pattern

YARA = """/* made
by hand */
import "pe"
import "math"

rule first : tag {
    strings:
        $a = "{ not a brace" // nor this }
        $b = { 6A ?? [2-4] }
        $c = /{2,}"x/ nocase
        /* nor { this
           nor { that */
    condition:
        $a and pe.number_of_sections > 2
}
private rule second { condition: true }
"""
SIGMA = "title: 'Evil'\nlogsource:\n  product: windows\ndetection:\n  condition: x\n"
SNORT = 'alert tcp any any -> any 80 (msg:"Evil; \\"x\\""; content:"a"; sid:1;)'


def read(text: str, name: str) -> list[Found]:
    given = reading.opened(name, text.encode())
    assert reading.choose(name, given.head).NAME == "rules"
    return list(reading.read(name, text.encode()))


def test_yara_rules_are_parted_and_keep_the_imports_that_they_use() -> None:
    found = read(YARA, "x.yar")
    first, second = (one for one in found if isinstance(one, Pattern))
    assert (first.where, first.name, first.pattern_type) == ("lines 6 to 15", "first", "yara")
    assert first.pattern.startswith('import "pe"\nrule first : tag {')
    assert first.pattern.endswith("}")
    assert (second.where, second.pattern) == (
        "line 16",
        "private rule second { condition: true }",
    )
    assert all(isinstance(one, Passed) for one in found if not isinstance(one, Pattern))


def test_a_rule_that_is_never_closed_is_refused() -> None:
    (found,) = read("rule open {\n condition: true\n", "x.yar")
    assert isinstance(found, Bad)
    assert found.where == "lines 1 to 2"


def test_what_only_begins_like_a_rule_does_not_swallow_the_rest() -> None:
    found = read("rule x\n" + "a\n" * 50 + "rule y { condition: true }\n", "x.yar")
    assert isinstance(found[0], Bad)
    assert found[0].where == "lines 1 to 20"
    assert isinstance(found[-1], Pattern)


def test_a_brace_may_open_a_line_later() -> None:
    (found,) = read("rule late\n{\n condition: true\n}\n", "x.yar")
    assert isinstance(found, Pattern)
    assert found.pattern.endswith("\n}")


def test_several_sigma_rules_may_share_a_file() -> None:
    one, two = read(f"{SIGMA}---\n{SIGMA}", "x.yml")
    assert isinstance(one, Pattern)
    assert isinstance(two, Pattern)
    assert (one.pattern_type, one.name) == ("sigma", "Evil")


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (SNORT, "snort"),
        (SNORT.replace('content:"a"', 'dns.query; content:"a"'), "suricata"),
        (SNORT.replace("content", "\\\n  content"), "snort"),
    ],
)
def test_a_network_rule_is_one_pattern(rule: str, kind: str) -> None:
    (found,) = read(rule, "x.rules")
    assert isinstance(found, Pattern)
    assert found.pattern_type == kind
    assert found.name.startswith("Evil")
    assert found.pattern.endswith("sid:1;)")


def test_a_line_outside_of_any_rule_is_refused() -> None:
    found = read(f"# remark\n\n{SNORT}\nwhat is this\n{SNORT.removesuffix(')')}\n", "x.rules")
    assert [type(one) for one in found] == [Passed, Passed, Pattern, Bad, Bad]
