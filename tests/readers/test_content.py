"""Bytes of any kind become text, or are refused as a whole with the reason."""

import codecs
import gzip
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Value
from cybercoop.errors import Malformed

LIST = "# Größe: klein\r\nbücher.example.net\r\n198.51.100.7\r\n"


def read(raw: bytes, name: str = "list.txt") -> list[Found]:
    return list(reading.read(name, raw))


def values(raw: bytes) -> list[str]:
    return [one.value for one in read(raw) if isinstance(one, Value)]


@pytest.mark.parametrize(
    "raw",
    [
        LIST.encode(),
        LIST.encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + LIST.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LIST.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + LIST.encode("utf-32-le"),
        LIST.encode("utf-16-le"),
        LIST.encode("utf-16-be"),
        LIST.encode("latin-1"),
        LIST.encode("cp1252"),
        LIST.replace("\r\n", "\n").encode(),
        LIST.replace("\r\n", "\r").encode(),
    ],
)
def test_every_encoding_and_line_end_gives_the_same_values(raw: bytes) -> None:
    assert values(raw) == ["xn--bcher-kva.example.net", "198.51.100.7"]
    assert len(read(raw)) == 3


def test_latin_1_may_show_itself_only_after_the_first_sixty_thousand_bytes() -> None:
    raw = b"plain.example.net\n" * 5000 + "bücher.example.net\n".encode("latin-1")
    assert values(raw)[-1] == "xn--bcher-kva.example.net"


def test_one_broken_byte_in_utf_8_spoils_its_own_line_only() -> None:
    raw = "bücher.example.net\ngröße.example.net\n".encode() + b"b\xff.example.net\na.org\n"
    assert [type(one) for one in read(raw)] == [Value, Value, Bad, Value]


def test_an_overlong_encoding_of_a_dot_is_no_dot() -> None:
    raw = "bücher.example.net\na.org\n".encode() + b"evil\xc0\xae.org\n"
    assert [type(one) for one in read(raw)] == [Value, Value, Bad]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (gzip.compress(LIST.encode(), mtime=0), "is gzip"),
        (b"PK\x03\x04" + b"x" * 100, "is a ZIP file"),
        (b"%PDF-1.7\n1 0 obj", "is PDF"),
        (b"<!DOCTYPE html><html><body>evil.example.net</body></html>", "is a web page"),
        (b"\n<!-- x --><!-- y -->\n<HTML lang=de>", "is a web page"),
        (codecs.BOM_UTF16_LE + "<html>".encode("utf-16-le"), "is a web page"),
        (b'<?xml version="1.0"?><rss/>', "is XML"),
        (b"\x7fELF" + bytes(range(256)) * 4 + b"\0" * 400, "full of NUL"),
        (b"name: x\nlist:\n - a.org\n", "in no format"),
        (b"just some words\nand some more\n", "in no format"),
        (b'{"error": "too many requests"}', "lists"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(raw: bytes, reason: str) -> None:
    name = "x.yaml" if raw.startswith(b"name:") else "x.txt"
    said = "is YAML" if name == "x.yaml" else reason
    with pytest.raises(Malformed, match=said) as refusal:
        read(raw, name)
    assert name in str(refusal.value)


def test_many_remarks_before_a_page_cost_no_time() -> None:
    assert isinstance(read(b"<!---->" * 500 + b"x\na.org\nb.org\n")[1], Value)


def test_a_line_of_ten_megabytes_is_refused_and_never_kept() -> None:
    raw = b"a.org\n" + b"x" * 10_000_000 + b"\nb.org\n"
    file = io.BytesIO(raw)
    tracemalloc.start()
    found = list(reading.read("list.txt", file))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(one) for one in found] == [Value, Bad, Value]
    assert most < 2_000_000
    wide = codecs.BOM_UTF16_LE + raw.decode().encode("utf-16-le")
    assert [type(one) for one in read(wide)] == [Value, Bad, Value]


def test_controls_are_shown_escaped() -> None:
    raw = "a.org\nb.org\nc.org\nd.org\nev\0il.org\nev\u202eil.org\nev\x1b[31mil.org\n".encode()
    refused = [one for one in read(raw) if isinstance(one, Bad)]
    assert len(refused) == 3
    assert all(one.reason.isprintable() and one.text.isprintable() for one in refused)


def test_a_comment_and_the_name_of_a_file_are_printable_too() -> None:
    (found,) = read("a.org # \x1b[31mred\0\u202e".encode())
    assert isinstance(found, Value)
    assert found.comment == "[31mred"
    with pytest.raises(Malformed) as refusal:
        read(b"", "a\x1b[31m.txt")
    assert str(refusal.value).isprintable()


def test_a_file_stays_open_for_whoever_opened_it() -> None:
    file = io.BytesIO(codecs.BOM_UTF16_LE + LIST.encode("utf-16-le"))
    list(reading.read("list.txt", file))
    assert not file.closed


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_as_a_whole(raw: bytes) -> None:
    for name in ("x.txt", "x.csv", "x.json", "x.yar", "x.yml"):
        try:
            found = read(raw, name)
        except Malformed as refusal:
            assert name in str(refusal)  # noqa: PT017 - either of the two is right
        else:
            assert found
