"""What a member has is kept out of the blocklists of all, and nobody learns whose it is."""

import pytest

from cybercoop import guard
from cybercoop.errors import Refused
from cybercoop.guard import Level

OWN = guard.own(["9.8.0.0/16", "2A0E:1234::/32"], ["Kreis-Musterstadt.de.", "müller-gmbh.de"])
INDEX = guard.index_of([*guard.built_in(), *OWN])


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("ipv4", "9.8.7.6", "own-network"),
        ("ipv4", "9.8.7.0/24", "own-network"),
        ("url", "http://0x9.8.7.6:81/", "own-network"),
        ("ipv6", "::ffff:9.8.7.6", "own-network"),
        ("ipv6", "2a0e:1234:5::/48", "own-network"),
        ("domain", "mail.kreis-musterstadt.de", "own-domain"),
        ("domain", "xn--mller-gmbh-9db.de", "own-domain"),
        ("domain", "www.MÜLLER-gmbh.de.", "own-domain"),
        ("email", "amt@kreis-musterstadt.de", "own-domain"),
        ("url", "https://kreis-musterstadt.de/x", "own-domain"),
    ],
)
def test_what_a_member_has_is_never_exported(kind: str, value: str, rule: str) -> None:
    verdict = INDEX.verdict(kind, value)
    assert (verdict.level, verdict.rule, verdict.public) == (Level.NEVER, rule, False)


def test_a_network_around_an_own_one_is_never_exported() -> None:
    for prefix in range(16):
        assert INDEX.verdict("ipv4", f"9.8.0.0/{prefix}").level == Level.NEVER


def test_others_are_told_no_more_than_that_it_is_protected() -> None:
    told = {guard.as_others_see(entry.verdict) for entry in OWN}
    (verdict,) = told
    assert (verdict.rule, verdict.reason_en) == ("protected", "The value is protected.")
    assert verdict.reason_de == "Der Wert ist geschützt."


def test_public_rules_are_told_to_everybody() -> None:
    verdict = INDEX.verdict("domain", "bund.de")
    assert guard.as_others_see(verdict) == verdict


@pytest.mark.parametrize(
    ("networks", "domains"),
    [
        (["0.0.0.0/0"], []),
        (["9.0.0.0/7"], []),
        (["::/0"], []),
        (["2a00::/19"], []),
        (["kreis.de"], []),
        (["010.1.2.3"], []),
        ([], ["de"]),
        ([], ["de."]),
        ([], ["co.uk"]),
        ([], ["github.io"]),
        ([], ["x.ck"]),
        ([], ["9.8.7.6"]),
        ([], ["a b"]),
        ([], ["."]),
        ([], [""]),
    ],
)
def test_nobody_owns_what_many_share(networks: list[str], domains: list[str]) -> None:
    with pytest.raises(Refused):
        guard.own(networks, domains)


def test_the_strictest_of_several_values_counts() -> None:
    values = [("domain", "evil.com"), ("domain", "evil.example"), ("ipv4", "9.8.7.6")]
    assert guard.verdict_of(INDEX, values).rule == "own-network"
    assert guard.verdict_of(INDEX, values[:2]).level == Level.WARN
    assert guard.verdict_of(INDEX, []) == guard.ALLOWED


def test_a_rule_that_is_no_value_of_its_kind_is_refused() -> None:
    verdict = OWN[0].verdict
    for kind, value in (("network", "bund.de"), ("domain", "9.8.7.6"), ("host", "a b")):
        with pytest.raises(Refused):
            guard.index_of([guard.Entry(kind, value, verdict)])


def test_the_strictest_of_several_rules_about_a_hash_counts_in_any_case() -> None:
    held = guard.Verdict(Level.HOLD, "held", "", "")
    warned = guard.Verdict(Level.WARN, "warned", "", "")
    rules = [guard.Entry("hash", "AB" * 16, held), guard.Entry("hash", "ab" * 16, warned)]
    for order in (rules, rules[::-1]):
        index = guard.index_of(order)
        assert index.verdict("md5", "ab" * 16) == index.verdict("md5", "AB" * 16) == held
