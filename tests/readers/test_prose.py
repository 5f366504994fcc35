"""Free text: what is meant is found, and what only looks like a value is told with its reason."""

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Passed, Value
from cybercoop.errors import Malformed

MAIL = """From: Erika <erika@kreis-musterland.de>
To: lage@cert-musterland.de
Received: from mx.kreis-musterland.de
 (198.51.100.99)
Subject: Phishing

Guten Tag, die Seite login.bad-shop.com kam von 198.51.100.7.
Unsere Seite www.kreis-musterland.de ist nicht betroffen.

Mit freundlichen Grüßen
Erika, 192.0.2.1, www.partner-musterland.de

-----Original Message-----
From: spam[@]evil-mail[.]com
other-bad.com
--
erika@kreis-musterland.de evil[.]org
"""


def read(text: str, name: str = "mail.txt") -> list[Found]:
    return list(reading.read(name, text.encode(), None, reading.readers()["text"]))


def values(text: str) -> list[str]:
    return [one.value for one in read(text) if isinstance(one, Value)]


def refused(text: str) -> list[str]:
    return [one.text for one in read(text) if isinstance(one, Bad)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Block evil-shop.com, please.", ["evil-shop.com"]),
        ("Block hxxps://evil[.]org/a(b), please.", ["https://evil.org/a(b)"]),
        ("(see hxxp://evil[.]org/a).", ["http://evil.org/a"]),
        ("[x](hxxp://evil.org/a)", ["http://evil.org/a"]),
        ("evil[.]org/login", ["http://evil.org/login", "https://evil.org/login"]),
        ("evil(dot)org and bad{.}com", ["evil.org", "bad.com"]),
        ("mails from mallory[at]evil[.]org", ["mallory@evil.org"]),
        ("198.51.100[.]7:8080 and 198.51.100.0/24", ["198.51.100.7", "198.51.100.0/24"]),
        ("at 12:30:45 from 2001:db8::1:2", ["2001:db8::1:2"]),
        (f"SHA-256: {'A1' * 32}.", ["a1" * 32]),
        ("evil[.]onion", ["evil.onion"]),
        ("schöne-bücher[.]de", ["xn--schne-bcher-tfb6f.de"]),
        ("https://evil.org/x.py", ["https://evil.org/x.py"]),
        ("The domain evil.zip and the C2: bad.sh", ["evil.zip", "bad.sh"]),
        ("setup[.]py", ["setup.py"]),
    ],
)
def test_what_is_meant_is_found(text: str, found: list[str]) -> None:
    assert values(text) == found


@pytest.mark.parametrize(
    ("text", "look_alikes"),
    [
        ("see readme.md, setup.py and run.sh", ["readme.md", "setup.py", "run.sh"]),
        ("open archive.zip or clip.mov", ["archive.zip", "clip.mov"]),
        ("Version 1.2.3.4 and 1.2.3.5", ["1.2.3.4", "1.2.3.5"]),
        ("Chrome/120.0.0.1 build 7.4.2.1", ["120.0.0.1", "7.4.2.1"]),
        ("the class com.evil.net and ASP.NET", ["com.evil.net", "ASP.NET"]),
        ("Ende.In der Nacht", ["Ende.In"]),
        ("hxxp://evil.org, see https://blog.org/x", ["https://blog.org/x"]),
        ("evil[.]org, not good.org", ["good.org"]),
    ],
)
def test_what_only_looks_like_a_value_is_told_with_a_reason(
    text: str, look_alikes: list[str]
) -> None:
    assert refused(text) == look_alikes


@pytest.mark.parametrize(
    "text",
    [
        "Version 10.0.19041.1 of setup.exe and libc.so.6.1 at 12:30:45 on 12.03.2026",
        "std::vector<int> e.g. this, i.e. that, z.B. jenes, node.js",
        "1.2.3.4.5.6 and 2026.1.1",
        "and/or, C:\\Windows\\evil.com, /usr/lib/bad.com",
        "a line without anything",
    ],
)
def test_prose_holds_no_values(text: str) -> None:
    assert read(text) == [Passed("line 1", "no value in it")]


def test_the_sender_of_a_mail_is_not_what_it_reports() -> None:
    # The living name in the first sentence is told, since what else is bad here is defanged.
    assert values(MAIL) == ["198.51.100.7", "spam@evil-mail.com", "other-bad.com", "evil.org"]
    assert refused(MAIL) == [
        "erika@kreis-musterland.de",
        "lage@cert-musterland.de",
        "mx.kreis-musterland.de",
        "198.51.100.99",
        "login.bad-shop.com",
        "www.kreis-musterland.de",
        "192.0.2.1",
        "www.partner-musterland.de",
        "erika@kreis-musterland.de",
    ]


def test_a_list_inside_of_a_text_that_defangs_is_meant_though_it_lives() -> None:
    text = "See hxxp://evil[.]org and https://blog.org/x.\n\n* bad-one.com\n| bad-two.com | x |\n"
    assert values(text) == ["http://evil.org/", "bad-one.com", "bad-two.com"]


def test_a_person_must_look_at_free_text_first() -> None:
    assert [name for name, reader in reading.readers().items() if reader.PREVIEW] == ["text"]


def test_too_much_text_is_refused_as_a_whole() -> None:
    with pytest.raises(Malformed, match="too much for free text"):
        read("a line of a very long text, evil.org\n" * 250_000)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 16_000,
        "a." * 8_000,
        "a@" * 8_000,
        "1." * 8_000,
        "(" * 16_000,
        "[.]" * 5_000,
        "http://" * 2_000,
        ":" * 16_000,
        "hxxp://a" + ")" * 16_000,
        "--" * 8_000,
        "1.2.3.4 and " * 1_300,
    ],
)
def test_hostile_text_is_answered(text: str) -> None:
    assert read(text)


@pytest.mark.parametrize(
    "text", ["198.51.100.5-198.51.100.9", "198[.]51[.]100[.]5\u2013198[.]51[.]100[.]9"]
)
def test_a_range_is_refused_with_its_reason(text: str) -> None:
    (one,) = read(f"The scans came from {text}, all night.")
    assert isinstance(one, Bad)
    assert (one.text, "range" in one.reason) == (text, True)
