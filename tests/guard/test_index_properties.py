"""The index says what a plain search through all rules says."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cybercoop import guard
from cybercoop.guard import Entry, Level, Verdict
from cybercoop.guard.verdicts import Reach

Network = IPv4Network | IPv6Network

LEVELS = [Verdict(level, f"level-{level}", "", "") for level in Level]
NARROWEST_ALLOWED = {4: 24, 6: 48}
NARROWEST_HELD = {4: 16, 6: 32}
EMBEDDING = [("::ffff:0:0/96", 96), ("::/96", 96), ("64:ff9b::/96", 96), ("2002::/16", 16)]

verdicts = st.sampled_from(LEVELS)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Return networks that are often nested, near each other, or at an end of their space."""
    if draw(st.booleans()):
        start = draw(st.sampled_from([0, 0x0A000000, 0xFFFFFF00, 0xC0A80000]))
        number = (start + draw(st.integers(0, 2**10))) & 0xFFFFFFFF
        return IPv4Network((number, draw(st.integers(0, 32))), strict=False)
    places = [0, 0xFFFF << 32, 0x64FF9B << 96, 0x2002 << 112]
    start = draw(st.sampled_from([*places, 0x2A02 << 112, 2**128 - 1]))
    number = (start + draw(st.sampled_from([0, 1, 0x0A << 24, 0x0A << 104]))) & (2**128 - 1)
    return IPv6Network((number, draw(st.integers(0, 128))), strict=False)


labels = st.sampled_from(["a", "b", "xn--bcher-kva"])
dotted = st.lists(labels, min_size=1, max_size=5).map(".".join)
network_rules = st.builds(Entry, st.just("network"), networks().map(str), verdicts)
name_rules = st.builds(
    Entry,
    st.sampled_from(["domain", "host", "mail"]),
    dotted,
    verdicts,
    st.sampled_from([Reach.BELOW, Reach.EXACT]),
)


def meant(network: Network) -> Iterable[Network]:
    """Yield the network and the IPv4 network that an IPv6 one stands for."""
    yield network
    for text, offset in EMBEDDING:
        around = IPv6Network(text)
        if isinstance(network, IPv6Network) and network.overlaps(around):
            inner = int(network.network_address) >> (96 - offset) & 0xFFFFFFFF
            prefix = min(max(network.prefixlen - offset, 0), 32)
            yield IPv4Network((inner, prefix), strict=False)
            return


def level_of_size(network: Network) -> Level:
    if network.prefixlen >= NARROWEST_ALLOWED[network.version]:
        return Level.ALLOW
    held = network.prefixlen >= NARROWEST_HELD[network.version]
    return Level.HOLD if held else Level.NEVER


def plain_network_search(rules: Sequence[Entry], value: Network) -> Level:
    found = [Level.ALLOW]
    for network in meant(value):
        found.append(level_of_size(network))
        for rule in rules:
            listed = ip_network(rule.value)
            if listed.version == network.version and listed.overlaps(network):
                found.append(rule.verdict.level)
    return max(found)


def plain_name_search(rules: Sequence[Entry], name: str, kinds: set[str]) -> Level:
    found = [Level.ALLOW if "." in name else Level.NEVER]
    for kind, listed, verdict, reach in rules:
        below = name.endswith(f".{listed}") and reach is Reach.BELOW
        if kind in kinds and (name == listed or listed.endswith(f".{name}") or below):
            found.append(verdict.level)
    return max(found)


@given(st.lists(network_rules, max_size=12), networks())
def test_networks_are_found_as_by_a_plain_search(rules: list[Entry], value: Network) -> None:
    index = guard.index_of(rules)
    verdict = index.verdict(f"ipv{value.version}", str(value))
    assert verdict.level == plain_network_search(rules, value)


@given(st.lists(network_rules, max_size=12), networks())
def test_the_address_in_a_link_counts_like_the_address(rules: list[Entry], near: Network) -> None:
    address = ip_network(near.network_address)
    host = str(near[0]) if near.version == 4 else f"[{near[0]}]"
    found = guard.index_of(rules).verdict("url", f"http://user@{host}:81/path")
    assert found.level == plain_network_search(rules, address)


@given(st.lists(name_rules, max_size=12), dotted)
def test_names_are_found_as_by_a_plain_search(rules: list[Entry], name: str) -> None:
    index = guard.index_of(rules)
    of_hosts = plain_name_search(rules, name, {"domain", "host"})
    assert index.verdict("domain", name).level == of_hosts
    assert index.verdict("domain", f"{name.upper()}.").level == of_hosts
    assert index.verdict("url", f"https://{name}/x").level == of_hosts
    of_mails = plain_name_search(rules, name, {"domain", "mail"})
    assert index.verdict("email", f"x@{name}").level == of_mails


@given(st.lists(name_rules | network_rules, max_size=12), st.randoms(), dotted, networks())
def test_the_order_of_the_rules_changes_no_level(
    rules: list[Entry], random: Random, name: str, network: Network
) -> None:
    shuffled = random.sample(rules, len(rules))
    one, other = guard.index_of(rules), guard.index_of(shuffled)
    for kind, value in (("domain", name), (f"ipv{network.version}", str(network))):
        assert one.verdict(kind, value).level == other.verdict(kind, value).level


@given(st.text(max_size=30), st.sampled_from(["ipv4", "ipv6", "domain", "url", "email", "md5"]))
def test_whatever_is_asked_gets_an_answer(value: str, kind: str) -> None:
    index = guard.index_of([Entry("url", "http://a.de/x", LEVELS[3])])
    assert index.verdict(kind, value).level in Level
    assert index.verdict("url", f"http://{value}/").level in Level
