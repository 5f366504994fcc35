"""A plain list is read line by line: every line becomes values, is passed, or is refused."""

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Options, Passed, Value


def read(text: str, options: Options | None = None) -> list[Found]:
    plain = reading.readers()["plain"]
    return list(reading.read("list.txt", text.encode(), options, plain))


def values(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in read(text) if isinstance(one, Value)]


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        ("Evil.Example.NET", "domain", "evil.example.net"),
        ("evil.example.net.", "domain", "evil.example.net"),
        ("evil[.]example[.]net", "domain", "evil.example.net"),
        ("evil(dot)example{.}net", "domain", "evil.example.net"),
        ("bücher.example", "domain", "xn--bcher-kva.example"),
        ("||evil.example.net^", "domain", "evil.example.net"),
        ("||evil.example.net^$third-party", "domain", "evil.example.net"),
        ("*.evil.example.net", "domain", "evil.example.net"),
        (".evil.example.net", "domain", "evil.example.net"),
        ("address=/evil.example.net/0.0.0.0", "domain", "evil.example.net"),
        ("0.0.0.0 evil.example.net", "domain", "evil.example.net"),
        ("127.0.0.1\tevil.example.net # phishing", "domain", "evil.example.net"),
        ("evil.example.net # phishing", "domain", "evil.example.net"),
        ("198.51.100.7", "ipv4", "198.51.100.7"),
        ("198.51.100[.]7", "ipv4", "198.51.100.7"),
        ("198.51.100.7/32", "ipv4", "198.51.100.7"),
        ("198.51.100.7/24", "ipv4", "198.51.100.0/24"),
        ("198.51.100.0/24 ; SBL1", "ipv4", "198.51.100.0/24"),
        ("198.51.100.7\t9", "ipv4", "198.51.100.7"),
        ("198.51.100.7 9", "ipv4", "198.51.100.7"),
        ("198.51.100.7:4443", "ipv4", "198.51.100.7"),
        ("2001:DB8::1", "ipv6", "2001:db8::1"),
        ("[2001:db8::1]:443", "ipv6", "2001:db8::1"),
        ("2001:db8::/32", "ipv6", "2001:db8::/32"),
        ("hxxps://evil[.]example[.]net/a", "url", "https://evil.example.net/a"),
        ("HTTP://Evil.example.net", "url", "http://evil.example.net/"),
        ("http[:]//evil.example.net/x;y#z", "url", "http://evil.example.net/x;y#z"),
        ("http://198.51.100.7/x # comment", "url", "http://198.51.100.7/x"),
        ("Mallory@Evil.example.net", "email", "Mallory@evil.example.net"),
        ("mallory[at]evil[.]example[.]net", "email", "mallory@evil.example.net"),
        ("D41D8CD98F00B204E9800998ECF8427E", "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        (f"{'A' * 40};seen in March", "sha1", "a" * 40),
        (f"{'b' * 64}  setup.exe", "sha256", "b" * 64),
        (f"{'c' * 128}", "sha512", "c" * 128),
    ],
)
def test_a_line_becomes_its_value_in_normal_form(line: str, kind: str, value: str) -> None:
    found = read(f"{line}\n")
    assert [(one.kind, one.value) for one in found if isinstance(one, Value)] == [(kind, value)]
    assert len(found) == 1


def test_a_url_without_scheme_means_the_page_under_either() -> None:
    assert values("evil.example.net/a;b\n") == [
        ("url", "http://evil.example.net/a;b"),
        ("url", "https://evil.example.net/a;b"),
    ]


def test_a_port_and_a_comment_are_told_beside_the_value() -> None:
    (port, both, name, file) = read(
        "198.51.100.7:4443\nevil.example.net:80 # seen\n"
        f"evil.example.net ; seen\n{'b' * 64} *setup.exe\n"
    )
    assert [one.comment for one in (port, both, name, file) if isinstance(one, Value)] == [
        "port 4443",
        "port 80; seen",
        "seen",
        "setup.exe",
    ]


def test_a_line_of_a_hosts_file_may_name_several_and_the_machine_itself() -> None:
    found = read("127.0.0.1 localhost a.example.net b.example.net\n::1 ip6-localhost\n")
    assert [one.value for one in found if isinstance(one, Value)] == [
        "a.example.net",
        "b.example.net",
    ]
    assert [one.reason for one in found if isinstance(one, Passed)] == [
        "the machine's own name",
        "the machine's own name",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "blank"),
        (" \t", "blank"),
        ("# a comment", "comment"),
        ("; a comment", "comment"),
        ("// a comment", "comment"),
        ("! Title: a list", "comment"),
        ("[Adblock Plus 2.0]", "heading"),
        ("@@||good.example.net^", "exception of a filter list"),
    ],
)
def test_a_line_that_asks_for_nothing_is_passed(line: str, reason: str) -> None:
    found = read(f"evil.example.net\n{line}\n")
    assert found[1:] == [Passed("line 2", reason)]


@pytest.mark.parametrize(
    "line",
    [
        "localhost",
        "/a/path",
        "010.1.2.3",
        "256.1.1.1",
        "1.2.3",
        "198.51.100.0/33",
        "198.51.100.7 198.51.100.9",
        "198.51.100.0\t198.51.100.255\t24",
        "198.51.100.1-198.51.100.9",
        "198.51.100.0/255.255.255.0",
        "evil.example.net is bad",
        "evil.example.net,198.51.100.7",
        "evil\0.example.net",
        "evil.\u202eten.example",
        "evil\u200b.example.net",
        "javascript://alert",
        "file:///etc/passwd",
        "http://",
        "http://evil.example.net:99999/",
        "a@b@",
        f"{'a' * 63}",
        f"{'a' * 64}b",
        f"{'x' * 64}.net",
        ":::",
        "[",
        "[]",
        "||^",
        "=cmd|' /C calc'!A0",
    ],
)
def test_what_is_no_value_is_refused_with_a_reason(line: str) -> None:
    (found,) = read(f"{line}\n")
    assert isinstance(found, Bad)
    assert found.where == "line 1"
    assert found.reason.endswith(".")
    assert found.reason.isprintable()


def test_a_kind_that_was_said_is_demanded() -> None:
    found = read("evil.example.net\n" + "a" * 32, Options(kind="md5"))
    assert [type(one) for one in found] == [Bad, Value]
