"""No value breaks out of its line, cell, quote or setting in any format."""

import csv
import io
import json
import re
from base64 import b64decode
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.exports import entries as listed
from cybercoop.exports import formats
from cybercoop.exports.entries import KINDS, Entry
from cybercoop.indicators import values
from exports.lists import VALUES, entry, files

FOUND = formats.found()
NAMES = sorted(FOUND)
TOKENS = r"(?:(?!#)[!-~]+\n)*"  # devices read the first word of a line and skip comments
# What breaks out of lines, cells, quotes, settings and JSON, mixed with what is harmless.
NASTY = "\n\r\t\0\x1b \"'\\`,;|={}()[]<>$%#*^@!&:/?.-+_ü\u2028\u202eaz09"
hostile = st.text(st.sampled_from(NASTY), max_size=30)
urls = st.builds("http://h.example/{}".format, hostile) | st.builds(
    "{}://{}".format, hostile, hostile
)
mails = st.builds("{}@h.example".format, hostile)
anything = st.one_of(
    st.tuples(st.sampled_from(sorted(KINDS)), hostile),
    st.tuples(st.just("url"), urls),
    st.tuples(st.just("email"), mails),
    st.sampled_from(sorted(VALUES.items())),
)
lists = st.lists(anything, max_size=8, unique=True).map(lambda some: [entry(*one) for one in some])


@pytest.mark.parametrize("name", NAMES)
@given(some=lists)
def test_no_value_breaks_out_of_its_place(name: str, some: list[Entry]) -> None:
    found = FOUND[name]
    fitting = [one for one in some if found.unfit(one) is None]
    for file, content in files(found, some).items():
        assert content == content.replace("\r", "").replace("\0", "").replace("\x1b", "")
        READ[name](content, fitting, file)


def read_lines(content: str, fitting: list[Entry], _file: str) -> None:
    assert content.split("\n") == [*(one.value for one in fitting), ""]
    assert re.fullmatch(TOKENS, content)


def read_addresses(content: str, fitting: list[Entry], _file: str) -> None:
    expected = {str(address) for one in fitting for address in ip_network(one.value)}
    assert set(content.split()) == expected


def read_bare_urls(content: str, fitting: list[Entry], _file: str) -> None:
    assert set(content.split("\n")) == {one.value.split("://", 1)[1] for one in fitting} | {""}
    assert re.fullmatch(TOKENS, content)


def read_shapes(*shapes: str, head: int = 0, each: int = 1) -> Any:
    """Return a reader that wants one of ``shapes`` in every line after the head."""

    def read(content: str, fitting: list[Entry], _file: str) -> None:
        lines = content.split("\n")[head:-1]
        assert len(lines) == sum(each if one.kind == "domain" else 1 for one in fitting)
        assert all(any(re.fullmatch(shape, line) for shape in shapes) for line in lines)

    return read


def read_sets(content: str, _fitting: list[Entry], _file: str) -> None:
    word = r"(?:add|flush|create|swap|destroy) (?:table|set|element|[a-z0-9.-]+)"
    assert all(
        re.fullmatch(rf"{word}[a-z0-9_ .,:;{{}}-]*(?:/\d+ -exist)?", line)
        for line in content.splitlines()
    )


def read_csv(content: str, fitting: list[Entry], _file: str) -> None:
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert len(rows) == len(fitting) + 1 == content.count("\n")
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    for part in re.split("[;|]", content):
        assert not part.lstrip("\"' ").startswith(("=", "+", "-", "@"))


def read_splunk(content: str, fitting: list[Entry], file: str) -> None:
    ours = {"ip": {"ipv4", "ipv6"}, "domain": {"domain"}, "file": {"md5", "sha1", "sha256"}}
    kinds = ours[file.split("_")[1]]
    read_csv(content, [one for one in fitting if one.kind in kinds], file)


def read_json_lines(content: str, fitting: list[Entry], _file: str) -> None:
    assert [json.loads(line)["value"] for line in content.split("\n")[:-1]] == [
        one.value for one in fitting
    ]


def read_bundle(content: str, fitting: list[Entry], _file: str) -> None:
    assert len(json.loads(content).get("objects", [])) == len(fitting)


def read_zeek(content: str, fitting: list[Entry], _file: str) -> None:
    rows = [line.split("\t") for line in content.split("\n")[:-1]]
    assert len(rows) == len(fitting) + 1
    assert {len(row) for row in rows[1:]} <= {4}
    assert all(row[0].isascii() and "\\" not in row[0] for row in rows)


def read_suricata(content: str, fitting: list[Entry], file: str) -> None:
    lines = content.split("\n")[:-1]
    if file.endswith("-domain.lst"):
        given = [b64decode(line, validate=True).decode() for line in lines]
        assert given == [one.value for one in fitting if one.kind == "domain"]
    elif file.endswith("-ip.lst"):
        assert all(re.fullmatch(r"[0-9a-f.:/]+,42,\d+", line) for line in lines)
    elif file.endswith(".lst"):
        assert all(re.fullmatch("[0-9a-f]{32,64}", line) for line in lines)


def read_misp(content: str, fitting: list[Entry], file: str) -> None:
    if file == "hashes.csv":
        assert len(content.splitlines()) == len(fitting)
    elif file != "manifest.json":
        attributes = json.loads(content)["Event"]["Attribute"]
        assert sorted(one["value"] for one in attributes) == sorted(one.value for one in fitting)


NAME = r"[a-z0-9_][a-z0-9_.-]*"
READ = {
    "text": read_lines,
    "text-addresses": read_addresses,
    "text-urls": read_bare_urls,
    "hosts": read_shapes(rf"0\.0\.0\.0 {NAME}"),
    "dnsmasq": read_shapes(rf"address=/{NAME}/"),
    "unbound": read_shapes(rf'local-zone: "{NAME}\." always_nxdomain', head=1),
    "rpz": read_shapes(rf"(?:\*\.)?{NAME} CNAME \.", head=4, each=2),
    "iprep": read_shapes(r"[0-9a-f.:/]+,42,\d+"),
    "nftables": read_sets,
    "ipset": read_sets,
    "csv": read_csv,
    "checkpoint": read_csv,
    "defender": read_csv,
    "splunk": read_splunk,
    "jsonl": read_json_lines,
    "stix": read_bundle,
    "zeek": read_zeek,
    "suricata": read_suricata,
    "misp": read_misp,
}


def test_every_format_is_read_back() -> None:
    assert set(READ) == set(FOUND)


@given(
    kind=st.sampled_from(sorted(KINDS)),
    value=hostile | st.from_regex(r"[a-z0-9_.-]{1,30}\.[a-z0-9-]{1,5}", fullmatch=True),
)
def test_the_fast_look_at_a_value_lets_nothing_through_that_the_slow_one_refuses(
    kind: str, value: str
) -> None:
    sure = listed._SURE.get(kind)
    if sure is not None and sure(value) and kind != "url":
        assert {"ipv4": values.ipv4, "domain": values.domain}.get(kind, str)(value) == value
    if kind == "url" and sure is not None and sure(value):
        assert "://" in value
        assert value.isprintable()
