"""What counts as the same pattern, and what never may."""

import pytest

from cybercoop.indicators.patterns import canonical

SHA1 = "ab" * 20
SHA256 = "0f" * 32

SAME = [
    pytest.param(first, second, id=name)
    for name, first, second in [
        ("spacing", "[ domain-name:value='a.de' ]", "\n[domain-name:value\t=  'a.de']\r\n"),
        (
            "comments",
            "[/* seen */ domain-name:value = 'a.de'] // twice",
            "[domain-name:value='a.de']",
        ),
        ("two equal signs", "[file:name == 'a']", "[file:name = 'a']"),
        ("unlike", "[file:name <> 'a']", "[file:name != 'a']"),
        ("not equal", "[file:name NOT = 'a']", "[file:name != 'a']"),
        ("not unequal", "[file:name NOT != 'a']", "[file:name = 'a']"),
        (
            "hash name plain",
            f"[file:hashes.SHA256 = '{SHA256}']",
            f"[file:hashes.'SHA-256' = '{SHA256}']",
        ),
        (
            "hash name small",
            f"[file:hashes.sha256 = '{SHA256}']",
            f"[file:hashes.'SHA-256' = '{SHA256}']",
        ),
        (
            "hash name double quotes",
            f"[file:hashes.\"SHA-256\" = '{SHA256}']",
            f"[file:hashes.sha256='{SHA256}']",
        ),
        (
            "hash name unquoted",
            f"[file:hashes.SHA-256 = '{SHA256}']",
            f"[file:hashes.'SHA-256'='{SHA256}']",
        ),
        (
            "hash name underscore",
            f"[file:hashes.SHA_1 = '{SHA1}']",
            f"[file:hashes.'SHA-1'='{SHA1}']",
        ),
        (
            "needless quotes",
            f"[file:hashes.'MD5' = '{'A1' * 16}']",
            f"[file:hashes.MD5 = '{'a1' * 16}']",
        ),
        (
            "hash of a part",
            f"[file:extensions.'windows-pebinary-ext'.sections[*].hashes.SHA1='{SHA1}']",
            f"[file:extensions.'windows-pebinary-ext'.sections[*].hashes.'SHA-1'='{SHA1.upper()}']",
        ),
        (
            "hex case",
            f"[file:hashes.'SHA-1' = '{SHA1.upper()}']",
            f"[file:hashes.'SHA-1' = '{SHA1}']",
        ),
        ("or order", "[a:b = 1 OR c:d = 2]", "[c:d = 2 OR a:b = 1]"),
        ("and order", "[a:b = 1 AND c:d = 2]", "[c:d = 2 AND a:b = 1]"),
        ("repeats", "[a:b = 1 OR a:b = 1]", "[a:b = 1]"),
        (
            "repeats in disguise",
            "[ipv4-addr:value='1.2.3.4' OR ipv4-addr:value='1.2.3.4/32']",
            "[ipv4-addr:value='1.2.3.4']",
        ),
        ("nested or", "[a:b=1 OR (c:d=2 OR (e:f=3))]", "[e:f=3 OR a:b=1 OR c:d=2]"),
        ("precedence", "[a:b=1 OR c:d=2 AND e:f=3]", "[(e:f=3 AND c:d=2) OR a:b=1]"),
        ("in", "[a:b IN (2, 1, 2)]", "[a:b = 1 OR a:b = 2]"),
        (
            "in of addresses",
            "[ipv4-addr:value IN ('1.2.3.4', '5.6.7.8/32')]",
            "[ipv4-addr:value='5.6.7.8' OR ipv4-addr:value='1.2.3.4']",
        ),
        ("not in", "[a:b NOT IN (2, 1)]", "[a:b != 1 AND a:b != 2]"),
        ("not in list order", "[a:b[*] NOT IN (2, 1, 1)]", "[a:b[*] NOT IN (1, 2)]"),
        ("observation or", "[a:b = 1] OR [c:d = 2]", "[a:b = 1 OR c:d = 2]"),
        (
            "observation or within and",
            "([a:b=1] OR [c:d=2]) AND [e:f=3]",
            "[e:f=3] AND [c:d=2 OR a:b=1]",
        ),
        ("observation and order", "[a:b = 1] AND [c:d = 2]", "[c:d = 2] AND [a:b = 1]"),
        ("observation parentheses", "(([a:b = 1]))", "[a:b = 1]"),
        (
            "qualifier parentheses",
            "([a:b=1] REPEATS 2 TIMES) WITHIN 5 SECONDS",
            "[a:b=1] REPEATS 2 TIMES WITHIN 5.0 SECONDS",
        ),
        (
            "followed by, grouped",
            "[a:b=1] FOLLOWEDBY ([a:c=1] FOLLOWEDBY [a:d=1])",
            "[a:b=1] FOLLOWEDBY [a:c=1] FOLLOWEDBY [a:d=1]",
        ),
        (
            "start fractions",
            "[a:b=1] START t'2026-01-01T00:00:00.000Z' STOP t'2026-01-02T00:00:00.50Z'",
            "[a:b=1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
        ),
        (
            "numbers",
            "[a:b = +1 AND a:c = 01.50 AND a:d = -0]",
            "[a:b = 1 AND a:c = 1.5 AND a:d = 0]",
        ),
        ("hex constants", "[a:b = h'AB']", "[a:b = h'ab']"),
        ("quoted property", "[a:'b'.'c' = 1]", "[a:b.c = 1]"),
        (
            "domain case",
            "[domain-name:value = 'EVIL.Example']",
            "[domain-name:value = 'evil.example']",
        ),
        (
            "trailing dot",
            "[domain-name:value = 'evil.example.']",
            "[domain-name:value = 'evil.example']",
        ),
        (
            "punycode",
            "[domain-name:value = 'BÜCHER.example']",
            "[domain-name:value = 'xn--bcher-kva.example']",
        ),
        (
            "wide dots",
            "[domain-name:value = 'evil\u3002example']",
            "[domain-name:value = 'evil.example']",
        ),
        (
            "defanged name",
            "[domain-name:value = ' evil[.]example(.)org ']",
            "[domain-name:value = 'evil.example.org']",
        ),
        (
            "defanged address",
            "[ipv4-addr:value = '198[.]51[.]100[.]7']",
            "[ipv4-addr:value = '198.51.100.7']",
        ),
        (
            "address /32",
            "[ipv4-addr:value = '198.51.100.7/32']",
            "[ipv4-addr:value = '198.51.100.7']",
        ),
        ("host bits", "[ipv4-addr:value = '10.1.2.3/8']", "[ipv4-addr:value = '10.0.0.0/8']"),
        (
            "address /128",
            "[ipv6-addr:value = '2001:db8::1/128']",
            "[ipv6-addr:value = '2001:db8::1']",
        ),
        (
            "ipv6 spelling",
            "[ipv6-addr:value = '2001:0DB8:0:0::0001']",
            "[ipv6-addr:value = '2001:db8::1']",
        ),
        (
            "ipv6 host bits",
            "[ipv6-addr:value = '2001:db8::1/32']",
            "[ipv6-addr:value = '2001:db8::/32']",
        ),
        (
            "ipv6 mapped",
            "[ipv6-addr:value = '::ffff:102:304']",
            "[ipv6-addr:value = '::ffff:1.2.3.4']",
        ),
        (
            "ipv6 defanged",
            "[ipv6-addr:value = '2001[:]db8::1']",
            "[ipv6-addr:value = '2001:db8::1']",
        ),
        (
            "url case",
            "[url:value = 'HTTP://Evil.Example/Path']",
            "[url:value = 'http://evil.example/Path']",
        ),
        (
            "url port",
            "[url:value = 'https://evil.example:443/']",
            "[url:value = 'https://evil.example/']",
        ),
        ("url path", "[url:value = 'http://evil.example']", "[url:value = 'http://evil.example/']"),
        (
            "url query",
            "[url:value = 'http://evil.example?A=b']",
            "[url:value = 'http://evil.example/?A=b']",
        ),
        (
            "url defanged",
            "[url:value = 'hxxps[://]evil[.]example/a[.]php']",
            "[url:value = 'https://evil.example/a.php']",
        ),
        (
            "url host punycode",
            "[url:value = 'http://bücher.example/']",
            "[url:value = 'http://xn--bcher-kva.example/']",
        ),
        (
            "url ipv6",
            "[url:value = 'http://[2001:DB8:0::1]:80/']",
            "[url:value = 'http://[2001:db8::1]/']",
        ),
        (
            "email domain",
            "[email-addr:value = 'Joe@EVIL.example.']",
            "[email-addr:value = 'Joe@evil.example']",
        ),
        (
            "email defanged",
            "[email-addr:value = 'joe[at]evil[.]example']",
            "[email-addr:value = 'joe@evil.example']",
        ),
        (
            "email reference",
            "[email-message:from_ref.value = 'joe@EVIL.example']",
            "[email-message:from_ref.value = 'joe@evil.example']",
        ),
        ("mac", "[mac-addr:value = 'AA-BB-CC-00-11-22']", "[mac-addr:value = 'aa:bb:cc:00:11:22']"),
        (
            "reference to address",
            "[network-traffic:dst_ref.value = '1.2.3.4/32']",
            "[network-traffic:dst_ref.value = '1.2.3.4']",
        ),
        (
            "reference to name",
            "[domain-name:resolves_to_refs[*].value = 'EVIL.example.']",
            "[domain-name:resolves_to_refs[*].value = 'evil.example']",
        ),
        (
            "subset",
            "[ipv4-addr:value ISSUBSET '10.1.2.3/8']",
            "[ipv4-addr:value ISSUBSET '10.0.0.0/8']",
        ),
    ]
]

DIFFERENT = [
    pytest.param(first, second, id=name)
    for name, first, second in [
        ("scheme", "[url:value = 'http://a.de/']", "[url:value = 'https://a.de/']"),
        (
            "direction",
            "[network-traffic:src_ref.value='1.2.3.4']",
            "[network-traffic:dst_ref.value='1.2.3.4']",
        ),
        ("www", "[domain-name:value = 'a.de']", "[domain-name:value = 'www.a.de']"),
        (
            "one of a list",
            "[ipv4-addr:value='1.2.3.4' OR ipv4-addr:value='5.6.7.8']",
            "[ipv4-addr:value='1.2.3.4']",
        ),
        (
            "hash and name",
            f"[file:hashes.MD5='{'a' * 32}']",
            f"[file:hashes.MD5='{'a' * 32}' AND file:name='x']",
        ),
        ("userinfo", "[url:value = 'http://a@b.de/']", "[url:value = 'http://b.de/']"),
        ("userinfo case", "[url:value = 'http://A@b.de/']", "[url:value = 'http://a@b.de/']"),
        ("path case", "[url:value = 'http://a.de/A']", "[url:value = 'http://a.de/a']"),
        ("query case", "[url:value = 'http://a.de/?A']", "[url:value = 'http://a.de/?a']"),
        ("escapes", "[url:value = 'http://a.de/%41']", "[url:value = 'http://a.de/A']"),
        ("other port", "[url:value = 'http://a.de:443/']", "[url:value = 'http://a.de/']"),
        ("url and name", "[url:value = 'http://a.de/']", "[domain-name:value = 'a.de']"),
        ("local part", "[email-addr:value = 'Joe@a.de']", "[email-addr:value = 'joe@a.de']"),
        ("and, or", "[a:b = 1 AND c:d = 2]", "[a:b = 1 OR c:d = 2]"),
        ("observation and", "[a:b = 1] AND [c:d = 2]", "[a:b = 1 AND c:d = 2]"),
        ("two observations", "[a:b = 1] AND [a:b = 1]", "[a:b = 1]"),
        ("order of events", "[a:b=1] FOLLOWEDBY [c:d=2]", "[c:d=2] FOLLOWEDBY [a:b=1]"),
        ("qualified or", "[a:b=1] REPEATS 2 TIMES OR [c:d=2]", "[a:b=1 OR c:d=2]"),
        ("qualifier", "[a:b=1] WITHIN 5 SECONDS", "[a:b=1] WITHIN 6 SECONDS"),
        (
            "qualified group",
            "([a:b=1] OR [c:d=2]) WITHIN 5 SECONDS",
            "[a:b=1] OR [c:d=2] WITHIN 5 SECONDS",
        ),
        ("text and number", "[a:b = '1']", "[a:b = 1]"),
        ("file name case", "[file:name = 'A.exe']", "[file:name = 'a.exe']"),
        (
            "registry case",
            "[windows-registry-key:key = 'HKLM\\\\A']",
            "[windows-registry-key:key = 'HKLM\\\\a']",
        ),
        ("unknown hash name", "[file:hashes.IMPHASH = 'a']", "[file:hashes.imphash = 'a']"),
        ("any element", "[a:b[*] NOT IN (1, 2)]", "[a:b[*] != 1 AND a:b[*] != 2]"),
        ("like", "[domain-name:value LIKE 'a.de']", "[domain-name:value = 'a.de']"),
        ("blanks of a file name", "[file:name = ' a']", "[file:name = 'a']"),
    ]
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same_meaning_has_the_same_key(first: str, second: str) -> None:
    assert canonical(first) == canonical(second)


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_another_meaning_has_another_key(first: str, second: str) -> None:
    assert canonical(first).key != canonical(second).key


@pytest.mark.parametrize("pattern", [pair for case in (*SAME, *DIFFERENT) for pair in case.values])
def test_the_canonical_text_is_a_pattern_in_its_canonical_form(pattern: str) -> None:
    found = canonical(pattern)
    assert canonical(found.text) == found
