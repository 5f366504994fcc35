"""What a canonical pattern holds: its text, its key, and what devices can block by."""

from hashlib import sha256

import pytest

from cybercoop.indicators.patterns import canonical

KINDS = [
    ("[ipv4-addr:value = '198.51.100.7/32']", "ipv4", "198.51.100.7"),
    ("[ipv4-addr:value = '198.51.100.7/24']", "ipv4", "198.51.100.0/24"),
    ("[ipv6-addr:value = '2001:DB8::1']", "ipv6", "2001:db8::1"),
    ("[domain-name:value = 'Evil.Example.']", "domain", "evil.example"),
    ("[domain-name:value = '_dmarc.evil.example']", "domain", "_dmarc.evil.example"),
    ("[domain-name:value = 'r3---sn.example']", "domain", "r3---sn.example"),
    ("[domain-name:value = 'I\u2764.example']", "domain", "xn--i-7iq.example"),
    ("[domain-name:value = '198[.]51.100.7']", "ipv4", "198.51.100.7"),
    ("[url:value = 'hxxp://Evil.Example']", "url", "http://evil.example/"),
    ("[url:value = 'ftp://u:P@evil.example:21/A b']", "url", "ftp://u:P@evil.example/A b"),
    ("[url:value = 'http://evil.example:0080/']", "url", "http://evil.example/"),
    ("[email-addr:value = 'Joe@Evil.Example']", "email", "Joe@evil.example"),
    (f"[file:hashes.MD5 = '{'A' * 32}']", "md5", "a" * 32),
    (f"[file:hashes.SHA1 = '{'A' * 40}']", "sha1", "a" * 40),
    (f"[file:hashes.SHA256 = '{'A' * 64}']", "sha256", "a" * 64),
    (f"[file:hashes.SHA512 = '{'A' * 128}']", "sha512", "a" * 128),
    ("[domain-name:value IN ('a.de', 'A.de.')]", "domain", "a.de"),
    ("([domain-name:value = 'a.de'])", "domain", "a.de"),
]

KINDLESS = [
    "[domain-name:value != 'a.de']",
    "[domain-name:value LIKE 'a.de']",
    "[domain-name:value = 'a.de' OR domain-name:value = 'b.de']",
    "[domain-name:value = 'a.de'] WITHIN 5 SECONDS",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
    "[network-traffic:dst_ref.value = '198.51.100.7']",
    "[url:value = '/gate.php']",
    f"[x509-certificate:hashes.'SHA-256' = '{'a' * 64}']",
    "[app:id = 'org.evil']",
    "[file:hashes.SSDEEP = '3:AXGBicFlg:1']",
]

TEXTS = [
    ("[a:b='x']", "[a:b = 'x']"),
    ("[a:b = 'it\\'s \\\\ here']", "[a:b = 'it\\'s \\\\ here']"),
    ("[a:b = 1 OR (c:d = 2 AND (e:f = 3 OR g:h = 4))]",
     "[a:b = 1 OR c:d = 2 AND (e:f = 3 OR g:h = 4)]"),
    ("[a:b = 1] FOLLOWEDBY [c:d = 2] AND [e:f = 3]",
     "[a:b = 1] FOLLOWEDBY [c:d = 2] AND [e:f = 3]"),
    ("([a:b = 1] FOLLOWEDBY [c:d = 2]) AND [a:a = 3]",
     "[a:a = 3] AND ([a:b = 1] FOLLOWEDBY [c:d = 2])"),
    ("([a:b = 1] AND [c:d = 2]) REPEATS 2 TIMES", "([a:b = 1] AND [c:d = 2]) REPEATS 2 TIMES"),
    ("[NOT EXISTS a:b.'c d'[0]]", "[NOT EXISTS a:b.'c d'[0]]"),
    ("[a:b.'AND'.'true' = true]", "[a:b.'AND'.'true' = true]"),
    ("[a:b NOT > 5]", "[a:b NOT > 5]"),
    ("[a:b NOT LIKE 'x%']", "[a:b NOT LIKE 'x%']"),
    ("[a:b NOT MATCHES '\\\\d' AND c:d ISSUPERSET '1']",
     "[a:b NOT MATCHES '\\\\d' AND c:d ISSUPERSET '1']"),
    ("[a:b = b'YQ==' OR a:b = h'00FF' OR a:b = t'2016-12-31T23:59:60.0Z']",
     "[a:b = b'YQ==' OR a:b = h'00ff' OR a:b = t'2016-12-31T23:59:60Z']"),
    ("[process:command_line = 'a\tb\nc']", "[process:command_line = 'a\tb\nc']"),
    ("[file:hashes.TLSH = 't1ab']", "[file:hashes.TLSH = 'T1AB']"),
    ("[a:b IN (-1.0, -0.0)]", "[a:b = -1.0 OR a:b = 0.0]"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "kind", "value"), KINDS)
def test_one_equality_says_what_to_block(pattern: str, kind: str, value: str) -> None:
    found = canonical(pattern)
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize("pattern", KINDLESS)
def test_anything_else_names_nothing_to_block(pattern: str) -> None:
    found = canonical(pattern)
    assert (found.kind, found.value) == (None, None)


@pytest.mark.parametrize(("pattern", "text"), TEXTS)
def test_the_text_is_written_in_one_way(pattern: str, text: str) -> None:
    assert canonical(pattern).text == text


def test_the_key_is_the_hash_of_type_and_text() -> None:
    found = canonical("[a:b='x']")
    assert found.key == sha256(b"stix\0[a:b = 'x']").digest()


def test_the_type_stix2_that_feeds_use_is_stix() -> None:
    assert canonical("[a:b = 1]", "stix2") == canonical("[a:b = 1]", "stix")


def test_old_patterns_are_written_in_the_new_grammar() -> None:
    old = "[a:b = 1] START '2026-01-01T00:00:00.000Z' STOP '2026-01-02T00:00:00Z'"
    new = "[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'"
    assert canonical(old, pattern_version="2.0") == canonical(new, pattern_version="2.1")
    assert canonical(new, pattern_version="2.0").text == new


@pytest.mark.parametrize(
    "pattern_type", ["yara", "sigma", "snort", "suricata", "pcre", "spl", "x-1"]
)
def test_rules_are_the_same_whatever_their_line_ends(pattern_type: str) -> None:
    first = canonical("\r\n\r\nrule a {  \r\n\tcondition: true\r}\n\n", pattern_type)
    second = canonical("rule a {\n\tcondition: true\n}", pattern_type)
    assert first == second
    assert first.text == "rule a {\n\tcondition: true\n}"
    assert (first.pattern_type, first.kind, first.value) == (pattern_type, None, None)


def test_the_same_text_under_two_types_has_two_keys() -> None:
    assert canonical("a", "yara").key != canonical("a", "sigma").key


def test_only_the_forms_of_short_patterns_are_kept() -> None:
    rule = "rule evil { condition: true }"
    long = rule + " // why" * 1000
    assert canonical(rule, "yara") is canonical(rule, "yara")
    assert canonical(long, "yara") == canonical(long, "yara")
    assert canonical(long, "yara") is not canonical(long, "yara")
