"""Every built-in rule is found, however a value is spelled, and nothing else is caught."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from cybercoop import guard
from cybercoop.guard import Level
from cybercoop.guard.builtin import facts
from cybercoop.indicators.patterns import canonical

INDEX = guard.index_of(guard.built_in())
FACTS = list(facts())
NAMES = [entry for entry in FACTS if entry.kind == "domain"]
NETWORKS = [entry for entry in FACTS if entry.kind == "network"]


def level(kind: str, value: str) -> Level:
    return INDEX.verdict(kind, value).level


def spellings_of_name(name: str) -> Iterator[tuple[str, str]]:
    """Yield what reaches a name: in other spellings, in links and mails, and around it."""
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isalnum() else sign for sign in name)
    for spelled in (name, name.upper(), f"{name}.", f"{name}..", f" {name}\n", wide):
        yield "domain", spelled
    yield "domain", name.replace(".", "[.]")
    yield "domain", name.replace(".", "\u3002")
    yield "domain", f"www.{name}"
    yield "domain", f"a.b.c.{name.upper()}."
    yield "email", f"someone@{name}"
    yield "email", f'"a@b"@Mail.{name}.'
    for link in ("http://{}", "HTTPS://{}:8443/a?b#c", "ftp://evil.example@{}/", "//{}/", "http:{}",
                 "http://a:b@{}./x", "http:\\\\{}\\x", "hxxp://{}/", "http://{}?x=@evil.example",
                 "http://www.{}/login", "ht\ntp://{}/x", "https:/{}"):  # fmt: skip
        yield "url", link.format(name)
    yield "url", f"http://{quote(name[0]) if name[0] == '%' else f'%{ord(name[0]):02x}'}{name[1:]}/"


def spellings_of_address(number: int) -> Iterator[tuple[str, str]]:
    """Yield what reaches an IPv4 address."""
    a, b, c, d = parts = number.to_bytes(4)
    plain = ".".join(map(str, parts))
    for value in (plain, f"{plain}/32", f" {plain} ", plain.replace(".", "[.]"), f"{plain}."):
        yield "ipv4", value
    yield "ipv6", f"::ffff:{plain}"
    yield "ipv6", f"::{a:x}{b:02x}:{c:x}{d:02x}"
    yield "ipv6", f"64:ff9b::{a:x}{b:02x}:{c:x}{d:02x}"
    yield "ipv6", f"2002:{a:x}{b:02x}:{c:x}{d:02x}::1"
    yield "ipv6", f"::FFFF:{a:x}{b:02x}:{c:x}{d:02x}/128"
    yield "domain", plain
    yield "email", f"x@[{plain}]"
    hosts = (plain, str(number), hex(number), f"0{number:o}", f"{a}.{number & 0xFFFFFF}",
             f"0{a:o}.{b}.0x{c:x}.{d}", f"[::ffff:{plain}]", f"{plain}.")  # fmt: skip
    for host in hosts:
        yield "url", f"http://user@{host}:8080/x"
        yield "url", f"http://{host}/"


def too_lenient(entry: guard.Entry, values: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the values that slip through a rule."""
    return [value for value in values if level(*value) < entry.verdict.level]


def test_a_name_is_found_in_every_spelling() -> None:
    for entry in NAMES:
        assert too_lenient(entry, spellings_of_name(entry.value)) == []


def test_blocking_a_parent_would_block_the_name() -> None:
    for entry in NAMES:
        labels = entry.value.split(".")
        parents = [".".join(labels[count:]) for count in range(1, len(labels))]
        assert too_lenient(entry, [("domain", parent) for parent in parents]) == []


def test_a_network_is_found_from_inside_and_from_around() -> None:
    for entry in NETWORKS:
        network = ip_network(entry.value)
        inside = [network, network[0], network[-1], f"{network[-1]}/{network.prefixlen}"]
        around = [network.supernet(new_prefix=new) for new in range(network.prefixlen)]
        values = [(f"ipv{network.version}", str(one)) for one in (*inside, *around)]
        assert too_lenient(entry, values) == []


def test_an_address_is_found_in_every_spelling() -> None:
    for entry in NETWORKS:
        network = ip_network(entry.value)
        if network.version == 4:
            for number in (int(network[0]), int(network[-1])):
                assert too_lenient(entry, spellings_of_address(number)) == []


@pytest.mark.parametrize("entry", [one for one in FACTS if one.kind == "hash"])
def test_the_hash_of_nothing_is_found_in_both_cases(entry: guard.Entry) -> None:
    kinds = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
    for digits in (entry.value, entry.value.upper()):
        assert level(kinds[len(entry.value)], digits) == Level.NEVER


def test_the_normal_form_of_a_pattern_is_found() -> None:
    for entry in NAMES:
        for spelled in (f"{entry.value.upper()}.", entry.value.replace(".", "[.]")):
            read = canonical(f"[domain-name:value = '{spelled}']")
            assert too_lenient(entry, [(read.kind or "", read.value or "")]) == []


NOT_CAUGHT = [
    ("domain", "evil.example-bund.de"),
    ("domain", "notbund.de"),
    ("domain", "bund.de.evil.com"),
    ("domain", "bund.evil.com"),
    ("domain", "bund-de.com"),
    ("domain", "xn--bnd-hoa.de"),
    ("domain", "bünd.de"),
    ("domain", "foo.github.io"),
    ("domain", "evil.co.uk"),
    ("domain", "www.ck"),
    ("domain", "city.kobe.jp"),
    ("domain", "_dmarc.evil.com"),
    ("url", "http://bund.de@evil.com/"),
    ("url", "http://evil.com/bund.de"),
    ("url", "http://evil.com/?u=http://bund.de/"),
    ("url", "http://evil.com#@bund.de/"),
    ("url", "http://bund.de:x@evil.com:80/"),
    ("url", "http://foo.github.io/x"),
    ("url", "http://11.22.33.44:8080/10.0.0.1"),
    ("email", "bund.de@evil.com"),
    ("email", "x@bund.de.evil.com"),
    ("ipv4", "8.8.8.9"),
    ("ipv4", "11.0.0.0/24"),
    ("ipv4", "172.15.255.255"),
    ("ipv4", "172.32.0.0"),
    ("ipv4", "192.167.255.255"),
    ("ipv6", "2a02:1040::1"),
    ("ipv6", "2001:4860:4860::8889"),
    ("ipv6", "64:ff9b::b16:212c"),
    ("sha256", "00" * 32),
]


@pytest.mark.parametrize(("kind", "value"), NOT_CAUGHT)
def test_what_only_looks_alike_passes(kind: str, value: str) -> None:
    assert INDEX.verdict(kind, value) == guard.ALLOWED


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("domain", "de", Level.NEVER),
        ("domain", "co.uk", Level.NEVER),
        ("domain", "uk.", Level.NEVER),
        ("domain", "nosuchtop", Level.NEVER),
        ("domain", "x.ck", Level.NEVER),
        ("domain", "kobe.jp", Level.NEVER),
        ("domain", "xn--p1ai", Level.NEVER),
        ("domain", "公司.cn", Level.NEVER),
        ("domain", "github.io", Level.HOLD),
        ("domain", "amazonaws.com", Level.HOLD),
        ("url", "https://github.io/", Level.HOLD),
        ("domain", ".", Level.HOLD),
        ("domain", "", Level.HOLD),
        ("domain", "a b", Level.HOLD),
        ("url", "http:///x", Level.NEVER),
        ("url", "http://999.1.1.1/", Level.HOLD),
        ("ipv4", "nonsense", Level.HOLD),
        ("ipv6", "1::2::3", Level.HOLD),
        ("mac", "00:00:5e:00:53:01", Level.HOLD),
        ("ipv4", "11.0.0.0/23", Level.HOLD),
        ("ipv4", "11.0.0.0/16", Level.HOLD),
        ("ipv4", "11.0.0.0/15", Level.NEVER),
        ("ipv4", "11.0.0.0/255.0.0.0", Level.NEVER),
        ("ipv6", "2a0e:1234::/48", Level.ALLOW),
        ("ipv6", "2a0e:1234::/47", Level.HOLD),
        ("ipv6", "2a0e:1234::/31", Level.NEVER),
        ("ipv6", "::ffff:0:0/95", Level.NEVER),
        ("ipv6", "64:ff9b::/95", Level.NEVER),
        ("ipv6", "64:ff9b::/64", Level.NEVER),
        ("ipv4", "0.0.0.0/0", Level.NEVER),
        ("ipv6", "::/0", Level.NEVER),
        ("domain", "evil.example", Level.WARN),
        ("ipv4", "198.51.100.7", Level.WARN),
        ("url", "http://abcdefghijklmnop.onion/", Level.WARN),
        ("url", "http://010.1.2.3/", Level.NEVER),
    ],
)
def test_names_that_many_share_and_wide_networks(kind: str, value: str, expected: Level) -> None:
    assert level(kind, value) == expected


def test_at_least_500_facts_of_our_own_are_never_exported() -> None:
    strict = {(one.kind, one.value) for one in FACTS if one.verdict.level is Level.NEVER}
    assert len(strict) >= 500
    assert len({(one.kind, one.value) for one in FACTS}) == len(FACTS)


def test_every_rule_is_explained_in_both_languages() -> None:
    for entry in guard.built_in():
        verdict = entry.verdict
        assert verdict.rule
        assert verdict.public
        assert verdict.reason_de.endswith(".")
        assert verdict.reason_en.endswith(".")
        assert verdict.reason_en != "The value is protected."
