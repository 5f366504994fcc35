"""Warning lists are read as data: what is safe is used, the rest is named with its reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cybercoop import guard
from cybercoop.guard import Index, Level
from cybercoop.guard.warninglists import level_of

NAMES = ["hostname", "domain"]


def written(folder: Path, name: str, content: dict[str, Any] | bytes) -> None:
    (folder / name).mkdir()
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / name / "list.json").write_bytes(text)


def index(tmp_path: Path, kind: str, values: list[str], attributes: list[str]) -> Index:
    content = {"name": "x", "type": kind, "list": values, "matching_attributes": attributes}
    written(tmp_path, "tlds", content)
    return guard.index_of(guard.warninglists(tmp_path).entries)


@pytest.mark.parametrize(
    ("kind", "listed", "caught", "passes"),
    [
        ("string", "A.b.Com", ["a.b.com", "A.B.com.", "b.com"], ["x.a.b.com", "c.b.com"]),
        ("string", ".b.com", ["b.com", "a.b.com"], ["ab.com"]),
        ("hostname", ".b.com", ["b.com", "a.b.com"], ["ab.com", "b.com.de"]),
        ("hostname", "b.com", ["b.com", "x.a.b.com"], ["ab.com"]),
        ("hostname", "bücher.de", ["xn--bcher-kva.de", "a.BÜCHER.de"], ["bucher.de"]),
        ("substring", "b.com", ["b.com", "a.b.com"], ["ab.com", "b.com.de"]),
        ("regex", r"\.b\.com$", ["b.com", "a.b.com"], ["ab.com"]),
        ("regex", r"/^(.*\.)?b\.com$/i", ["b.com", "a.b.com"], ["ab.com"]),
        ("regex", r"^a\.b\.com$", ["a.b.com", "b.com"], ["x.a.b.com"]),
    ],
)
def test_names_reach_as_far_as_their_list_says(
    tmp_path: Path, kind: str, listed: str, caught: list[str], passes: list[str]
) -> None:
    found = index(tmp_path, kind, [listed], NAMES)
    assert [one for one in caught if found.verdict("domain", one).level < Level.NEVER] == []
    assert [one for one in passes if found.verdict("domain", one).level > Level.ALLOW] == []


def test_networks_links_hashes_and_mails_are_found(tmp_path: Path) -> None:
    digest = "0F" * 32
    listed = ["1.2.3.0/24", "2A00::/32", "https://a.com/x/", "b.com/y", digest, "C@d.com"]
    found = index(tmp_path, "string", listed, [])
    for kind, value in (
        ("ipv4", "1.2.3.4"),
        ("ipv4", "1.2.0.0/16"),
        ("ipv6", "2a00::7"),
        ("url", "http://A.com:80/x"),
        ("url", "https://b.com/y"),
        ("domain", "a.com"),
        ("sha256", digest.lower()),
        ("email", "c@D.com"),
    ):
        assert found.verdict(kind, value).level == Level.NEVER
    for kind, value in (("url", "http://a.com/z"), ("email", "x@d.com"), ("ipv4", "1.2.4.1")):
        assert found.verdict(kind, value) == guard.ALLOWED


def test_a_list_of_mail_services_says_nothing_about_hosts(tmp_path: Path) -> None:
    found = index(tmp_path, "substring", ["a.com"], ["email-src", "domain|ip"])
    assert found.verdict("email", "x@a.com").level == Level.NEVER
    assert found.verdict("domain", "a.com") == guard.ALLOWED


def test_a_list_of_sites_says_nothing_about_the_mails_of_their_users(tmp_path: Path) -> None:
    found = index(tmp_path, "string", ["a.com"], ["domain", "url"])
    assert found.verdict("url", "http://a.com/x").level == Level.NEVER
    assert found.verdict("email", "x@a.com") == guard.ALLOWED


def test_expressions_are_never_tried_and_their_number_is_told(tmp_path: Path) -> None:
    listed = [r"(a+)+$", r".*evil.*", r"^(a|b)\.com$", r"a\.com$", r"\.b\.com$"]
    written(tmp_path, "mine", {"name": "x", "type": "regex", "list": listed})
    read = guard.warninglists(tmp_path)
    assert [entry.value for entry in read.entries] == ["b.com"]
    assert [(one.name, one.count) for one in read.unused] == [("mine", 4)]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": "x", "type": "string", "list": [1]}',
        b'{"name": "x", "type": "string"}',
        b'{"name": "x", "type": "lua", "list": []}',
    ],
)
def test_a_broken_list_is_named_and_the_others_go_on(tmp_path: Path, content: bytes) -> None:
    written(tmp_path, "broken", content)
    written(tmp_path, "whole", {"name": "x", "type": "string", "list": ["a.com"]})
    (tmp_path / "folder" / "list.json").mkdir(parents=True)
    read = guard.warninglists(tmp_path)
    assert [entry.verdict.rule for entry in read.entries] == ["warninglist:whole"]
    assert [(one.name, one.count) for one in read.unused] == [("broken", 0), ("folder", 0)]
    assert all(one.reason.endswith(".") for one in read.unused)


def test_entries_that_are_no_values_are_counted(tmp_path: Path) -> None:
    listed = ["a.com", "", "not a name", "1.2.3.4/99", "..", "x" * 300]
    written(tmp_path, "mine", {"name": "x", "type": "string", "list": listed})
    read = guard.warninglists(tmp_path)
    assert len(read.entries) == 1
    assert sum(one.count for one in read.unused) == 5


def test_the_title_of_a_list_cannot_break_a_line(tmp_path: Path) -> None:
    title = "a\nb\x1b[31m\u202e" + "c" * 500
    written(tmp_path, "x", {"name": title, "type": "string", "list": ["a.com"]})
    (entry,) = guard.warninglists(tmp_path).entries
    assert entry.verdict.reason_en.isprintable()
    assert entry.verdict.reason_de.isascii()
    assert len(entry.verdict.reason_en) < 150


def test_the_real_lists_are_used_whole(data_dir: Path) -> None:
    folder = data_dir / "MISP__misp-warninglists" / "lists"
    read = guard.warninglists(folder)
    used = Counter(entry.verdict.rule.partition(":")[2] for entry in read.entries)
    unused = Counter({one.name: one.count for one in read.unused})
    given = {
        file.parent.name: len(json.loads(file.read_bytes())["list"])
        for file in folder.glob("*/list.json")
    }
    assert used + unused == given
    assert unused == {"empty-hashes": 1}  # an empty ssdeep, which no device compares


def test_the_real_lists_are_found(data_dir: Path) -> None:
    folder = data_dir / "MISP__misp-warninglists" / "lists"
    found = guard.index_of(guard.warninglists(folder).entries)
    missed = []
    for file in folder.glob("*/list.json"):
        content = json.loads(file.read_bytes())
        level = level_of(file.parent.name)
        for value in content["list"]:
            kind = kind_of(content, value)
            if kind and found.verdict(kind, value.strip(".")).level < level:
                missed.append((file.parent.name, value))
    assert missed == []


def kind_of(content: dict[str, Any], value: str) -> str | None:
    if content["type"] == "cidr":
        return "ipv6" if ":" in value else "ipv4"
    if "md5" in content["matching_attributes"]:
        return {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 128: "sha512"}.get(len(value))
    return "email" if "email-src" in content["matching_attributes"] else "domain"
