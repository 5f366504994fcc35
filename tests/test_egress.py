"""Nothing leaves the house but what the rules allow, and nothing comes in above the limits."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from cybercoop.egress import Credentials, Rules, fetch, opened
from cybercoop.egress.addresses import check
from cybercoop.egress.rules import checked
from cybercoop.errors import CoopError, Forbidden, Refused, Unreachable
from sources.server import Asked, HangUp, always, names, open_rules, reply, serving

METADATA = "169.254.169.254"
ANYWHERE = Rules(schemes=frozenset({"http", "https"}))

INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::10.0.0.1",
]
NEVER = [
    METADATA,
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",  # noqa: S104 - an address to refuse, not one to listen on
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "ff02::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "64:ff9b:1::1",
    "::127.0.0.1",
    "198.51.100.7",
    "2001:db8::7",
    "fe80::1%lo",
    "127.1",
]


@pytest.mark.parametrize("address", INNER + NEVER)
def test_no_address_but_a_public_one_is_reached(address: str) -> None:
    with pytest.raises(Forbidden, match=r"feed\.example"):
        check("feed.example", address, internal=False)


@pytest.mark.parametrize(
    "address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909"]
)
def test_a_public_address_is_reached(address: str) -> None:
    check("feed.example", address, internal=False)


@pytest.mark.parametrize("address", INNER)
def test_a_host_that_is_declared_internal_may_lie_inside(address: str) -> None:
    check("misp.kreis.example", address, internal=True)


@pytest.mark.parametrize("address", NEVER)
def test_internal_opens_neither_metadata_nor_what_is_no_host(address: str) -> None:
    with pytest.raises(Forbidden):
        check("misp.kreis.example", address, internal=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://127%2e0.0.1/",
        "http://127%2E0%2E0%2E1/",
        "http://[fe80::1%25eth0]/",
        "http://feed.example\\@127.0.0.1/",
        "http://user:password@feed.example/",
        "http://feed.example@127.0.0.1/",
        "http://feed.example /",
        "http://feed.example\r\nHost: x/",
        "http://feed%00.example/",
        "http:///path",
        "//feed.example/",
        "file:///etc/passwd",
        "gopher://feed.example/",
        "http://[::1",
        "http://feed.example:99999/",
        "",
        "http://feed.example/" + "x" * 9000,
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        checked(url, ANYWHERE)
    assert refusal.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://１２７.0.0.1/",  # noqa: RUF001 - browsers and libraries read these as digits
        "http://127。0。0。1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::1]/",
        f"http://{METADATA}/latest/meta-data/",
        "https://feed.example:22/",
    ],
)
async def test_inner_places_are_forbidden_in_every_spelling(url: str) -> None:
    with pytest.raises(Forbidden):
        await fetch(url, ANYWHERE)


async def test_http_without_tls_needs_to_be_allowed() -> None:
    with pytest.raises(Forbidden, match="allow_http"):
        await fetch("http://feed.example/", Rules())


async def test_a_name_that_leads_inside_is_not_followed() -> None:
    for answers in (["127.0.0.1"], ["9.9.9.9", "10.0.0.1"], ["::ffff:127.0.0.1"], [METADATA]):
        rules = Rules(resolve=names(answers))
        with pytest.raises(Forbidden, match=r"feed\.example leads to"):
            await fetch("https://feed.example/", rules)


async def test_a_name_is_looked_up_once_per_connection_and_checked_each_time() -> None:
    async with serving(always(reply("one\n", Connection="close"), hang_up=True)) as other:
        rules = open_rules(
            other, internal=["feed.example"], resolve=names(["127.0.0.1"], [METADATA])
        )
        async with opened(rules) as way:
            assert (await way.fetch(other.url(host="feed.example"))).body == b"one\n"
            with pytest.raises(Forbidden, match="no source may reach"):
                await way.fetch(other.url(host="feed.example"))
        assert len(other.asked) == 1
        assert other.asked[0].headers["host"] == f"feed.example:{other.port}"


async def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="has no address"):
        await fetch("https://feed.example/", Rules(resolve=names([])))


async def redirected(target: str, *, path: str = "/") -> CoopError:
    async with serving(always(reply(status=302, Location=target))) as other:
        with pytest.raises(CoopError) as caught:
            await fetch(other.url(path), open_rules(other))
        assert len(other.asked) <= 6
        return caught.value


@pytest.mark.parametrize(
    "target",
    [
        f"http://{METADATA}/latest/meta-data/",
        "http://127.0.0.2:{port}/",
        "http://[::1]:{port}/",
        "http://localhost:{port}/",
        "http://127.0.0.1:22/",
    ],
)
async def test_a_redirect_leads_to_no_other_inner_place(target: str) -> None:
    async def answer(_asked: Asked) -> AsyncIterator[bytes]:
        yield reply(status=307, Location=target.replace("{port}", str(other.port)))

    async with serving(answer) as other:
        rules = open_rules(other, resolve=names(["127.0.0.1"]))
        with pytest.raises(Forbidden):
            await fetch(other.url(), rules)
        assert len(other.asked) == 1


@pytest.mark.parametrize(
    "target",
    ["", "file:///etc/passwd", "http://a b/", "http://x\\y/", "https://user:pw@x.example/"],
)
async def test_a_redirect_to_no_url_is_an_error(target: str) -> None:
    assert isinstance(await redirected(target), Unreachable)


async def test_a_redirect_does_not_leave_tls() -> None:
    async with serving(always(reply(status=302, Location="http://127.0.0.1/"))) as other:
        rules = open_rules(other, schemes=frozenset({"https"}))
        with pytest.raises(Forbidden, match="TLS"):
            await fetch(other.url(), rules)


async def test_a_loop_of_redirects_ends() -> None:
    error = await redirected("/again")
    assert isinstance(error, Unreachable)
    assert "more than 5 times" in str(error)


async def test_credentials_go_to_their_own_origin_only() -> None:
    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        away = asked.path.startswith("/away")
        yield reply(status=302, Location=second.url("/end")) if away else reply("in")

    async with serving(always(reply("out"))) as second, serving(answer) as first:
        own = Credentials(first.url(), {"Authorization": "Bearer s3cret"}, {"auth-key": "k3y"})
        rules = open_rules(first, second)
        async with opened(rules, own) as way:
            assert (await way.fetch(first.url("/here"))).body == b"in"
            gone = await way.fetch(first.url("/away"))
        assert (gone.body, gone.url) == (b"out", second.url("/end"))
        assert [one.headers["authorization"] for one in first.asked] == ["Bearer s3cret"] * 2
        assert first.paths() == ["/here?auth-key=k3y", "/away?auth-key=k3y"]
        assert second.paths() == ["/end"]
        assert "authorization" not in second.asked[0].headers
        assert "s3cret" not in repr(own)
        assert "k3y" not in repr(own)


async def test_cookies_are_not_carried_along() -> None:
    async with serving(always(reply("x", Set_Cookie="a=b"))) as other:
        async with opened(open_rules(other)) as way:
            await way.fetch(other.url())
            await way.fetch(other.url())
        assert all("cookie" not in one.headers for one in other.asked)


async def test_neither_proxies_nor_netrc_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(always(reply("x"))) as other:
        assert (await fetch(other.url(), open_rules(other))).body == b"x"
        assert "authorization" not in other.asked[0].headers


async def test_tls_is_verified_and_an_own_authority_can_be_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("feed.example").configure_cert(context)
    named = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(named))
    async with serving(always(reply("x")), tls=context) as other:
        kept: dict[str, Any] = {"resolve": names(["127.0.0.1"])}
        hosts = ["feed.example", "other.example"]
        trusting = open_rules(other, internal=hosts, ca_file=named, **kept)
        assert (await fetch(other.url(host="feed.example"), trusting)).body == b"x"
        with pytest.raises(Unreachable, match="certificate"):
            await fetch(other.url(host="other.example"), trusting)
        with pytest.raises(Unreachable, match="certificate"):
            await fetch(other.url(host="feed.example"), open_rules(other, internal=hosts, **kept))


async def test_nothing_new_is_told_apart_from_an_empty_answer() -> None:
    async def answer(asked: Asked) -> AsyncIterator[bytes]:
        known = asked.headers.get("if-none-match") == '"1"'
        yield reply(status=304) if known else reply("one\n", ETag='"1"', Last_Modified="then")

    async with serving(answer) as other:
        first = await fetch(other.url(), open_rules(other))
        assert (first.etag, first.last_modified, first.unchanged) == ('"1"', "then", False)
        again = await fetch(
            other.url(), open_rules(other), etag=first.etag, last_modified=first.last_modified
        )
        assert (again.unchanged, again.body) == (True, b"")
        assert other.asked[1].headers["if-modified-since"] == "then"


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
async def test_an_answer_to_another_question_is_an_error(status: int) -> None:
    async with serving(always(reply("", status))) as other:
        with pytest.raises(Unreachable) as caught:
            await fetch(other.url("/secret/path"), open_rules(other))
        assert caught.value.status == status
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("99999999999999", 86400),
        ("Sat, 21 Nov 2026 10:01:30 GMT", 90),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_a_busy_server_says_when_to_come_back(said: str, seconds: int | None) -> None:
    headers = {"Retry_After": said, "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    for status in (429, 503):
        async with serving(always(reply("", status, **headers))) as other:
            with pytest.raises(Unreachable) as caught:
                await fetch(other.url(), open_rules(other))
            assert (caught.value.status, caught.value.retry_after) == (status, seconds)


async def test_what_nobody_listens_at_is_unreachable() -> None:
    async with serving(always(reply("x"))) as other:
        rules = open_rules(other)
    with pytest.raises(Unreachable, match="takes no connection"):
        await fetch(other.url(), rules)


async def test_bytes_and_content_type_are_handed_over_as_they_are() -> None:
    page = b"<!doctype html>\xff\x00"
    async with serving(always(reply(page, Content_Type="text/html"))) as other:
        got = await fetch(other.url(), open_rules(other))
        assert (got.body, got.content_type) == (page, "text/html")


async def test_hanging_up_between_answers_is_no_fault_of_the_next() -> None:
    async def answer(_asked: Asked) -> AsyncIterator[bytes]:
        yield reply("x")
        raise HangUp

    async with serving(answer) as other, opened(open_rules(other)) as way:
        assert [(await way.fetch(other.url())).body for _ in range(3)] == [b"x"] * 3
