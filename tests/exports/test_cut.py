"""What a list holds and why it does not hold a value, without any network."""

from collections import Counter
from dataclasses import replace
from ipaddress import ip_address

import pytest

from cybercoop.exports import cut as cuts
from cybercoop.exports import formats
from cybercoop.exports.entries import Entry
from cybercoop.exports.formats import Format
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.store import releases
from exports.lists import DAY, VALUES, entry, files

FOUND = formats.found()
NAMES = sorted(FOUND)
HOUR = 3_600_000_000
DAYS = 24 * HOUR
FEED = DeviceFeed("f", "o", "Test", "text", Cut(("domain",)), created_at=DAY)
NAME = entry("domain")


def various(format_: Format) -> list[Entry]:
    """Return entries that differ in everything that a release tells."""
    levels = ("clear", "green", "amber", "amber+strict")
    return [
        Entry(
            *(kind, VALUES[kind], sure, DAY - number * DAYS, DAY + number, DAY + DAYS),
            *(f"indicator--{number:036x}", levels[number % 4], number % 2 == 1),
            b'{"id":"indicator--%036x"}' % number,
        )
        for number, (kind, sure) in enumerate(
            (kind, sure) for kind in sorted(format_.kinds) for sure in (0, 29, 30, 69, 70, 100)
        )
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_read_of_a_release_makes_no_difference_to_its_format(name: str) -> None:
    found, rows = FOUND[name], list[tuple[object, ...]]()
    wanted = cuts.columns(found) | {"kind", "value", "effective_until"}
    usual = {"stix_id": "", "lock": "", "bytes": b""}
    lock = {"clear": "public", "green": "community", "amber": "group:x", "amber+strict": "strict:x"}
    for one in various(found):
        told = (one.kind, one.value, one.confidence, one.since, one.changed, one.until)
        told += (one.stix_id, lock[one.level], one.warned, one.raw)
        row = dict(zip(releases.ENTRY, told, strict=True))
        rows.append(
            tuple(
                text if column in wanted else usual.get(column, 0) for column, text in row.items()
            )
        )
    levels = {key: cuts.level_of(key) for key in ("", *lock.values())}
    assert files(found, cuts.entries_of(rows, levels)) == files(found, various(found))


def test_the_maximum_counts_what_the_format_carries() -> None:
    text, tally = FOUND["text"], cuts.Tally(Cut(("url",), most=2))
    some = [entry("url", f"http://h.example/{text}") for text in ("a", "b c", "d", "e")]
    left = cuts.listed([some[:2], some[2:]], text, Cut(("url",), most=2), None, tally)
    assert [one.value[-1] for one in left] == ["a", "d"]
    assert (tally.count, sum(tally.left_out.values())) == (2, 1)


def test_a_tally_tells_when_the_list_ends_and_whether_it_is_the_same() -> None:
    def tallied(*some: Entry, age_days: int | None = None) -> cuts.Tally:
        tally = cuts.Tally(Cut(("domain",), age_days=age_days))
        tally.add(some)
        return tally

    short = Entry("domain", "kurz.example", 50, DAY, DAY, DAY + HOUR, "", "clear")
    assert tallied(NAME).ends is None
    assert tallied(NAME, short).ends == DAY + HOUR
    assert tallied(NAME, age_days=2).ends == DAY + 2 * DAYS
    assert tallied(NAME, short).digest == tallied(NAME, short).digest
    assert tallied(NAME, short).digest != tallied(short, NAME).digest


@pytest.mark.parametrize(
    ("excepted", "listed", "is_kept_out"),
    [
        (("domain", "mail.a.example"), ("domain", "mail.a.example"), True),
        (("domain", "mail.a.example"), ("domain", "x.mail.a.example"), True),
        (("domain", "mail.a.example"), ("domain", "a.example"), True),
        (("domain", "mail.a.example"), ("domain", "other.a.example"), False),
        (("domain", "mail.a.example"), ("domain", "notmail.a.example"), False),
        (("domain", "mail.a.example"), ("url", "http://mail.a.example:8080/x"), True),
        (("domain", "mail.a.example"), ("url", "http://b.example/mail.a.example"), False),
        (("ipv4", "192.0.2.7"), ("ipv4", "192.0.2.0/24"), True),
        (("ipv4", "192.0.2.0/24"), ("ipv4", "192.0.2.7"), True),
        (("ipv4", "192.0.2.7"), ("ipv4", "192.0.2.8"), False),
        (("ipv4", "192.0.2.7"), ("url", "http://192.0.2.7/x"), True),
        (("ipv6", "2001:db8::/64"), ("ipv6", "2001:db8::1"), True),
        (("url", "http://a.example/x"), ("url", "http://a.example/x"), True),
        (("url", "http://a.example/x"), ("url", "http://a.example/y"), False),
        (("url", "http://a.example/x"), ("domain", "a.example"), True),
        (("url", "http://a.example/x/y?z=/q"), ("url", "https://a.example/x/y"), True),
        (("url", "http://a.example/x/y?z=/q"), ("url", "https://a.example/x/"), True),
        (("url", "http://a.example/x/y?z=/q"), ("url", "https://a.example/x/z"), False),
        (("url", "http://a.example:8443/x"), ("url", "http://a.example:8443/"), True),
        (("url", "http://192.0.2.7/x"), ("ipv4", "192.0.2.7"), True),
        (("url", "http://192.0.2.7/x"), ("ipv4", "192.0.2.0/24"), True),
        (("url", "http://192.0.2.7/x"), ("ipv4", "192.0.2.8"), False),
        (("url", "http://192.0.2.7/x"), ("ipv6", "64:ff9b::c000:207"), True),
        (("url", "http://192.0.2.7/x"), ("url", "http://192.0.2.7/y"), False),
        (("url", "http://192.0.2.7/x"), ("url", "http://192.0.2.7/"), True),
        (("url", "https://[2001:db8::7]/x"), ("ipv6", "2001:db8::/64"), True),
        (("sha256", "a" * 64), ("sha256", "a" * 64), True),
        (("sha256", "a" * 64), ("sha256", "b" * 64), False),
        (("email", "a@a.example"), ("email", "a@a.example"), True),
        (("email", "a@a.example"), ("email", "b@a.example"), False),
        # Whether a value is fit to be listed at all is not asked here.
        (("ipv4", "192.0.2.7"), ("ipv4", "198.51.0.0/16"), False),
        (("domain", "a.example"), ("domain", "com"), False),
    ],
)
def test_what_would_block_an_exception_is_kept_out(
    excepted: tuple[str, str], listed: tuple[str, str], is_kept_out: bool
) -> None:
    index = cuts.exceptions([excepted])
    assert cuts.is_excepted(index, *listed) is is_kept_out
    assert not cuts.is_excepted(None, *listed)


@pytest.mark.parametrize(
    ("cut", "changes", "reason"),
    [
        ({}, {}, None),
        ({"kinds": ("ipv4",)}, {}, "no values of this kind"),
        ({"least": 80}, {}, "confidence is 70; the feed asks for 80"),
        ({"lock": "public"}, {}, "another lock"),
        ({}, {"until": DAY}, "no longer valid"),
        ({"age_days": 1}, {"changed": DAY - DAYS}, "not changed for more than 1 days"),
        ({}, {"value": "mail.a.example"}, "exception"),
        ({"most": 5}, {"confidence": 10}, "5 most important"),
        ({}, {"value": "-a.example"}, "normal form"),
    ],
)
def test_a_lookup_is_told_why_a_feed_does_not_list_a_value(
    cut: dict[str, object], changes: dict[str, object], reason: str | None
) -> None:
    feed = replace(FEED, cut=replace(FEED.cut, **cut))
    said = {name: getattr(NAME, name) for name in NAME.__struct_fields__} | changes
    index, last = cuts.exceptions([("domain", "a.example")]), (50, DAY) if "most" in cut else None
    found = cuts.why(feed, Entry(**said), "community", DAY, index, last)
    assert found is None if reason is None else found is not None and reason in found


def test_equal_cuts_have_one_name_that_devices_can_take() -> None:
    cut = Cut(("domain",), 50)
    assert cuts.zone_of("rpz", cut, responses=False) == cuts.zone_of(
        "rpz", Cut(("domain",), 50), responses=False
    )
    names = {
        cuts.zone_of(name, replace(cut, kinds=kinds, most=most), responses=responses)
        for name in ("rpz", "text")
        for kinds in (("domain",), ("domain", "ipv4"))
        for most in (None, 10)
        for responses in (False, True)
    }
    assert len(names) == 16
    assert all(len(name) <= 22 for name in names)


def test_a_device_falls_silent_after_its_hours() -> None:
    assert not FEED.is_silent(DAY + DAYS)
    assert FEED.is_silent(DAY + DAYS + 1)
    assert not replace(FEED, fetched_at=DAY + HOUR).is_silent(DAY + DAYS + 1)
    assert not replace(FEED, ended_at=DAY).is_silent(DAY + 9 * DAYS)
    assert FEED.lets_in(ip_address("192.0.2.7"))


def test_an_exception_is_counted_as_the_reason() -> None:
    cut = Cut(("domain",))
    tally, index = cuts.Tally(cut), cuts.exceptions([("domain", NAME.value)])
    assert list(cuts.listed([[NAME]], FOUND["text"], cut, index, tally)) == []
    assert tally.left_out == Counter({cuts.EXCEPTED: 1})
