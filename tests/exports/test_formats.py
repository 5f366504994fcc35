"""Every format found by the folder keeps the contract of the folder."""

import re
from collections import Counter

import pytest

from cybercoop.errors import Misused
from cybercoop.exports import formats
from cybercoop.exports.entries import KINDS, About
from exports.lists import ABOUT, DAY, entry, files

FOUND = formats.found()
NAMES = sorted(FOUND)


@pytest.mark.parametrize("name", NAMES)
def test_a_format_says_what_it_is(name: str) -> None:
    found = FOUND[name]
    assert re.fullmatch("[a-z][a-z0-9-]{1,30}", found.name)
    assert found.title_de
    assert found.title_en
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+(; ?[a-z]+=[a-z0-9.-]+)?", found.media_type)
    assert found.kinds
    assert found.kinds <= KINDS
    assert re.fullmatch(r"\.[a-z]+" if not found.several else "", found.ending)


@pytest.mark.parametrize("name", NAMES)
def test_a_format_carries_every_kind_that_it_offers(name: str) -> None:
    found, left_out = FOUND[name], Counter[str]()
    for kind in sorted(found.kinds):
        empty = files(found, [])
        assert files(found, [entry(kind)], left_out) != empty
    assert not left_out


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_out_is_counted_with_the_reason_that_a_lookup_gives(name: str) -> None:
    found, left_out = FOUND[name], Counter[str]()
    some = [*map(entry, KINDS), entry("url", "http://h.example/\n"), entry("domain", "-x.example")]
    files(found, some, left_out)
    reasons = [reason for reason in map(found.unfit, some) if reason]
    assert left_out == Counter(reasons)
    assert all(reason.endswith(".") for reason in reasons)


@pytest.mark.parametrize("name", NAMES)
def test_equal_entries_give_equal_bytes(name: str) -> None:
    some = [entry(kind) for kind in sorted(FOUND[name].kinds)]
    assert files(FOUND[name], some) == files(FOUND[name], list(some))


@pytest.mark.parametrize("name", NAMES)
def test_pieces_are_of_a_size_worth_sending(name: str) -> None:
    kind = min(FOUND[name].kinds & {"domain", "url", "ipv4"})
    usual = {"domain": "x{}.example", "url": "http://x{}.example/", "ipv4": "198.18.{}.7"}
    some = [entry(kind, usual[kind].format(number)) for number in range(250)]
    for file in FOUND[name].files(some, ABOUT).values():
        pieces = list(file)
        assert len(pieces) <= 4
        assert all(pieces)


@pytest.mark.parametrize("zone", ["", "A", "a b", "a/b", "7", "a..b", "-a", "a" * 65, "a;b", "a\n"])
def test_a_list_name_that_some_device_could_not_take_is_refused(zone: str) -> None:
    with pytest.raises(Misused):
        About("Liste", zone, 1, DAY, "VC")


def test_a_list_of_one_file_is_asked_for_as_such() -> None:
    with pytest.raises(Misused):
        FOUND["misp"].write([], ABOUT)


def test_an_entry_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        entry("ipv4").value = "0.0.0.0/0"  # type: ignore[misc]
