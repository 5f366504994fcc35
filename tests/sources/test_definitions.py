"""Definitions of sources: what is wrong is named, and those that come along are fit for use."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from yarl import URL

from cybercoop.collect import definitions, reading
from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Portion, kinds
from cybercoop.egress import Rules
from cybercoop.errors import CoopError, Misused, Refused
from sources.collecting import collect

FEEDS = Path(__file__).resolve().parents[2] / "feeds"
GOOD: dict[str, Any] = {
    "title": "A list",
    "kind": "http",
    "url": "https://feed.example/list.txt",
    "licence": "CC0-1.0",
    "terms": "none",
    "attribution": "nobody",
    "tlp": "green",
    "confidence": 50,
    "schedule": "every 6h",
}


def toml(**changes: Any) -> bytes:
    said = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    lines = (f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in said.items())
    return "".join(lines).encode()


def parsed(**changes: Any) -> Source:
    return definitions.parse(toml(**changes), "list")


def test_a_definition_is_off_unread_and_outside_unless_it_says_otherwise() -> None:
    one = parsed()
    assert (one.name, one.interval, one.reader) == ("list", 6 * 3600, "auto")
    assert not any((one.enabled, one.verified, one.internal, one.allow_http, one.catalogue))
    assert one.is_snapshot
    rules = definitions.rules_of(one)
    assert (rules.schemes, rules.ports, rules.internal) == ({"https"}, {80, 443}, frozenset())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("unheard_of", 1),
        ("name", "other"),
        ("title", ...),
        ("title", ""),
        ("kind", "ftp"),
        ("kind", "__init__"),
        ("tlp", "red"),
        ("tlp", "white"),
        ("confidence", 101),
        ("confidence", "50"),
        ("schedule", "every 1m"),
        ("schedule", "every 60d"),
        ("schedule", "hourly"),
        ("lifetime_days", 0),
        ("ports", [0]),
        ("ports", ["https"]),
        ("enabled", "yes"),
        ("url", ...),
        ("url", "http://feed.example/"),
        ("url", "https://127.0.0.1/"),
        ("url", "https://user:password@feed.example/"),
        ("url", "https://0x7f000001/"),
        ("url", "https://[::1"),
        ("group", "krisenstab"),
        ("credentials", "s3cr3t value"),
        ("credentials", "lower"),
        ("send_as", "cookie"),
        ("send_as", "header:X-A\r\nX-B"),
        ("path", "x"),
        ("ca_file", "../../key.pem"),
        ("max_mib", 100_000),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(Refused) as refusal:
        parsed(**{field: value})
    named = "url" if field == "path" else field
    assert refusal.value.field == named
    assert refusal.value.reason.endswith(".")


@pytest.mark.parametrize("path", ["../../etc", "a/../../b", ...])
def test_a_folder_does_not_climb_out(path: Any) -> None:
    with pytest.raises(Refused) as refusal:
        parsed(kind="directory", url=..., path=path)
    assert refusal.value.field == "path"


@pytest.mark.parametrize("data", [b"\xff", b"title", b"a = [" * 5000, b"", b"a=1\na=2"])
def test_what_is_no_definition_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        definitions.parse(data, "list")


@pytest.mark.parametrize("name", ["", "A", "a_b", "a/b", "..", "-a", "a" * 64])
def test_a_name_is_a_slug(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        definitions.parse(toml(), name)
    assert refusal.value.field == "name"


def test_an_internal_source_names_its_own_host_only() -> None:
    one = parsed(url="http://misp.kreis.example:8080/", internal=True, allow_http=True, ports=[99])
    rules = definitions.rules_of(one)
    assert rules.internal == {"misp.kreis.example"}
    assert rules.ports == {80, 443, 99, 8080}
    assert rules.schemes == {"https", "http"}
    inner = parsed(url="https://10.1.2.3/feed", internal=True)
    assert definitions.rules_of(inner).internal == {"10.1.2.3"}


def test_credentials_do_not_leave_without_tls() -> None:
    plain = {"url": "http://feed.example/", "allow_http": True, "credentials": "KEY"}
    with pytest.raises(Refused, match="TLS"):
        parsed(**plain)
    assert parsed(**plain, internal=True).credentials == "KEY"


@pytest.mark.parametrize(
    ("way", "headers", "query"),
    [
        ("bearer", {"Authorization": "Bearer a:b"}, {}),
        ("basic", {"Authorization": "Basic YTpi"}, {}),
        ("header:Auth-Key", {"Auth-Key": "a:b"}, {}),
        ("query:auth-key", {}, {"auth-key": "a:b"}),
    ],
)
def test_a_secret_is_sent_as_the_source_wants_it(
    way: str, headers: dict[str, str], query: dict[str, str]
) -> None:
    one = parsed(credentials="KEY", send_as=way)
    made = definitions.credentials_of(one, {"CYBERCOOP_SECRET_KEY": "a:b"})
    assert made is not None
    assert (made.headers, made.query) == (headers, query)
    assert made.belong_to(URL("https://feed.example:443/other"))
    assert not made.belong_to(URL("http://feed.example/list.txt"))
    assert not made.belong_to(URL("https://feed.example.other.example/"))


def test_a_secret_may_lie_in_a_file_and_is_missed_aloud(tmp_path: Path) -> None:
    one = parsed(credentials="KEY")
    file = tmp_path / "key"
    file.write_text("s3cret\n")
    made = definitions.credentials_of(one, {"CYBERCOOP_SECRET_KEY_FILE": str(file)})
    assert made is not None
    assert made.headers == {"Authorization": "Bearer s3cret"}
    missing = {"CYBERCOOP_SECRET_KEY_FILE": str(tmp_path / "none")}
    for variables in ({}, {"CYBERCOOP_SECRET_KEY": "a\nb"}, {"KEY": "x"}, missing):
        with pytest.raises(Misused, match="CYBERCOOP_SECRET_KEY"):
            definitions.credentials_of(one, variables)
    assert definitions.credentials_of(parsed(), {}) is None


def test_a_folder_of_definitions_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(toml(kind="directory", url=..., path="lists"))
    (tmp_path / "a.toml").write_bytes(toml())
    (tmp_path / "notes.txt").write_text("no definition")
    first, second = definitions.read(tmp_path)
    assert (first.name, second.name, second.path) == ("a", "b", str(tmp_path / "lists"))
    (tmp_path / "c.toml").write_bytes(toml(confidence=500))
    with pytest.raises(Misused, match=r"c\.toml: confidence: "):
        definitions.read(tmp_path)


def test_every_kind_keeps_the_contract() -> None:
    assert set(kinds()) == {"taxii21", "taxii20", "http", "misp", "directory"}
    for name, kind in kinds().items():
        assert (kind.NAME, kind.__doc__ is not None) == (name, True)
        assert kind.SNAPSHOT is not name.startswith("taxii")


def test_the_sources_that_come_along_are_off_and_say_what_they_are() -> None:
    known = definitions.read(FEEDS)
    public = [one for one in known if one.url]
    assert len(public) >= 12
    for one in known:
        assert not one.enabled
        assert not (one.url and one.verified)
        assert one.reader in {"auto", *reading.readers()}
        msgspec.convert(one.options, reading.Options)
    assert {one.kind for one in known} == {"http", "misp", "taxii21", "directory"}


async def test_the_list_of_the_demo_is_read_without_a_refusal() -> None:
    demo = next(one for one in definitions.read(FEEDS) if one.name == "demo")
    (portion, last) = await collect(demo, definitions.rules_of(demo))
    assert last.unchanged
    reader = reading.readers()[demo.reader]
    found = list(reading.read(portion.name, portion.data, reader=reader))
    assert not [one for one in found if isinstance(one, reading.Bad)]
    assert len([one for one in found if isinstance(one, reading.Value)]) == 8


@pytest.mark.parametrize("kind", ["http", "misp", "taxii21", "taxii20"])
@pytest.mark.parametrize("cursor", [{}, {"url": 5}, {"events": [], "etag": "x"}, {"files": 1}])
async def test_a_cursor_that_makes_no_sense_begins_anew(kind: str, cursor: Any) -> None:
    async def collected() -> list[Portion]:
        one = parsed(kind=kind)
        return [got async for got in kinds()[kind].fetch(one, cursor, nowhere, None)]

    async def resolve(_host: str, _port: int) -> list[str]:
        return []

    nowhere = Rules(resolve=resolve)
    with pytest.raises(CoopError, match="has no address"):
        await collected()
