"""The wire: requests that two machines could cut differently, and targets that are none."""

import asyncio
import json
import logging
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from multidict import CIMultiDict

from attacks.hostile import OBJECTS, bystander, enveloped, good, head, same_answer, wire
from cybercoop import app as house
from cybercoop.config import Settings
from cybercoop.door import SETTINGS, client_address
from world import Seat, World, indicator, world

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
# Lines of a head, and what stands behind it: a second request for whoever cuts it otherwise.
SMUGGLED = {
    "CL.TE": (("Content-Length: 5", CHUNKED), b"0\r\n\r\n" + HIDDEN),
    "TE.CL": ((CHUNKED, "Content-Length: 4"), b"5c\r\n" + HIDDEN + b"\r\n0\r\n\r\n"),
    "two lengths": (("Content-Length: 2", "Content-Length: 40"), b"{}" + HIDDEN),
    "a list of lengths": (("Content-Length: 2, 2",), b"{}" + HIDDEN),
    "a signed length": (("Content-Length: +2",), b"{}" + HIDDEN),
    "a negative length": (("Content-Length: -2",), b"{}" + HIDDEN),
    "an endless length": ((f"Content-Length: {'9' * 30}",), b"{}" + HIDDEN),
    "a hexadecimal length": (("Content-Length: 0x2",), b"{}" + HIDDEN),
    "an unknown coding": (("Transfer-Encoding: xchunked",), b"0\r\n\r\n" + HIDDEN),
    "chunked, then not": (("Transfer-Encoding: chunked, identity",), b"0\r\n\r\n" + HIDDEN),
    "a blank before the colon": (("Transfer-Encoding : chunked",), b"0\r\n\r\n" + HIDDEN),
    "a folded line": (("X-A: b\r\n Transfer-Encoding: chunked",), b"0\r\n\r\n" + HIDDEN),
    "LF ends a line": ((f"X-A: b\n{CHUNKED}",), b"0\r\n\r\n" + HIDDEN),
    "CR ends a line": ((f"X-A: b\r{CHUNKED}",), b"0\r\n\r\n" + HIDDEN),
    "NUL in a line": (("X-A: b\0c", "Content-Length: 0"), HIDDEN),
    "ESC in a line": (("X-A: \x1b[31m", "Content-Length: 0"), HIDDEN),
    "a line without a colon": (("nonsense", "Content-Length: 0"), HIDDEN),
    "a chunk of letters": ((CHUNKED,), b"zz\r\nxx\r\n0\r\n\r\n" + HIDDEN),
    "a negative chunk": ((CHUNKED,), b"-5\r\nxx\r\n0\r\n\r\n" + HIDDEN),
    "an endless chunk": ((CHUNKED,), b"f" * 20 + b"\r\nxx\r\n0\r\n\r\n" + HIDDEN),
    "LF after a chunk": ((CHUNKED,), b"2\n{}\n0\n\n" + HIDDEN),
}
WHOLE = {
    "LF only": b"GET /healthz HTTP/1.1\nHost: x\n\n" + HIDDEN,
    "another version": b"GET /healthz HTTP/1.7\r\nHost: x\r\n\r\n" + HIDDEN,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"FOO /taxii2/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 4,
    "raw bytes in a target": b"GET /taxii2/\xff\xfe/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in a query": b"GET /taxii2/?match[id]=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a target": b"GET /taxii2/\0/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a broken host": b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a broken port": b"GET http://evil:99999999/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "an endless target": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "endless lines": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n",
    "an endless line": b"GET / HTTP/1.1\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n",
}
# Percent-encoded NUL, broken UTF-8, lone surrogates and overlong forms.
ODD = ("%00", "%ff%fe", "%ed%a0%80", "%c0%af", "a%00b", "%e2%80%ae", "%0d%0aX-A:%20b")
COLLECTION = "/taxii2/coop/collections/"


async def test_a_request_that_could_be_cut_differently_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        async with bystander(center):
            for name, (lines, rest) in SMUGGLED.items():
                async with wire(center) as connection:
                    await connection.send(head("POST", OBJECTS, seat, *lines) + rest)
                    assert (name, await connection.answers()) == (name, [400])
            for name, whole in WHOLE.items():
                async with wire(center) as connection:
                    await connection.send(whole)
                    assert (name, (await connection.answers())[:1]) == (name, [400])
        assert (await center.get(OBJECTS, seat)).objects == []


async def test_what_is_no_request_is_answered_with_json_and_nothing_of_it(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        for whole in (b"SECRET\r\n\r\n", head("POST", OBJECTS, None, "Content-Length: SECRET")):
            async with wire(center) as connection:
                await connection.send(whole)
                start, _, body = (await connection.until_closed(5)).partition(b"\r\n\r\n")
            assert b"Content-Type: application/problem+json" in start
            assert b"SECRET" not in body
            said = json.loads(body)
            assert (said["status"], said["http_status"], said["title"]) == (
                400,
                "400",
                "Bad request",
            )
            assert said["code"]


async def test_no_answer_names_the_versions_of_what_answers(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        requests = [head("GET", path, seat, "Connection: close") for path in ("/healthz", "/none")]
        requests += [head("GET", OBJECTS, None, "Connection: close"), b"SECRET\r\n\r\n"]
        for whole in requests:
            async with wire(center) as connection:
                await connection.send(whole)
                start, _, _ = (await connection.until_closed(5)).partition(b"\r\n\r\n")
            assert [line for line in start.split(b"\r\n") if line.startswith(b"Server")] == [
                b"Server: cybercoop"
            ]


@pytest.mark.parametrize("path", [OBJECTS, "/api/v1/push"])
async def test_a_body_that_is_too_large_is_not_asked_for(
    path: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path, max_content_length=2048) as center:
        seat = await center.org("Landkreis A")
        for length, answers in ((2049, [413]), (10**15, [413]), (2048, [100])):
            lines = ("Expect: 100-continue", f"Content-Length: {length}")
            async with wire(center) as connection:
                await connection.send(head("POST", path, seat, *lines))
                assert await connection.answers() == answers
        body = enveloped(good("asked.example"))
        lines = ("Expect: 100-continue", f"Content-Length: {len(body)}", "Connection: close")
        async with wire(center) as connection:
            await connection.send(head("POST", path, seat, *lines))
            assert await connection.reader.readuntil(b"\r\n\r\n") == CONTINUE
            await connection.send(body)
            assert (await connection.until_closed(5))[9:12] in {b"200", b"202"}
        assert len((await center.get(OBJECTS, seat)).objects) == 1


async def test_an_absolute_target_is_this_center_and_no_other(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        targets = {
            "http://evil.example/taxii2/": 200,
            f"http://evil.example{OBJECTS}": 200,
            "http://127.0.0.1:1/healthz": 200,
            "http://evil.example/": 303,
            "//evil.example/taxii2/": 404,
            "/taxii2/../../etc/passwd": 404,
            "/taxii2/%2e%2e/%2e%2e/etc/passwd": 404,
        }
        for target, status in targets.items():
            async with wire(center) as connection:
                await connection.send(head("GET", target, seat, "Connection: close"))
                said = await connection.until_closed(5)
                assert said.startswith(b"HTTP/1.1 %d " % status), (target, said)
                assert b"evil" not in said
        for method, target in (("CONNECT", "evil.example:443"), ("OPTIONS", "*")):
            async with wire(center) as connection:
                await connection.send(head(method, target, seat))
                (answer,) = await connection.answers()
                assert 400 <= answer < 500


async def test_odd_bytes_in_a_path_or_query_are_an_error_of_the_client(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        for odd in ODD:
            asked = [
                ("GET", f"{COLLECTION}{odd}/", 404),
                ("GET", f"{OBJECTS}{odd}/", 404),
                ("GET", f"{OBJECTS}{odd}/versions/", 404),
                ("DELETE", f"{OBJECTS}{odd}/", 404),
                ("GET", f"/taxii2/coop/status/{odd}/", 404),
                ("GET", f"{OBJECTS}?match[version]={odd}", 400),
                ("GET", f"{OBJECTS}?match[spec_version]={odd}", 400),
                ("GET", f"{OBJECTS}?added_after={odd}", 400),
                ("GET", f"{OBJECTS}?limit={odd}", 400),
                ("GET", f"{OBJECTS}?next={odd}", 400),
                ("POST", f"/api/v1/push?group={odd}", 400),
                ("POST", f"/api/v1/push?tlp={odd}", 400),
            ]
            for method, path, status in asked:
                answer = await bare(center, method, path, seat)
                assert (method, path, answer) == (method, path, status)
            for name in ("id", "type"):
                answer = await bare(center, "GET", f"{OBJECTS}?match[{name}]={odd}", seat)
                assert answer in {200, 400}
                if "%00" in odd:
                    assert answer == 400


async def bare(center: World, method: str, path: str, seat: Seat) -> int:
    """Return the status of a request whose path is sent just as it stands."""
    body = b"{}" if method == "POST" else b""
    lines = (f"Content-Length: {len(body)}", "Connection: close")
    async with wire(center) as connection:
        await connection.send(head(method, path, seat, *lines) + body)
        return int((await connection.until_closed(5))[9:12])


async def test_odd_credentials_are_unknown_credentials(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        texts = ["Bearer \xff\xfe", "Bearer", "Basic", "Basic =", "Basic /w==", "Basic AA==", "x"]
        texts += ["Basic OgA=", f"Bearer {seat.token}\xff", "Bearer " + "a" * 5_000, "Digest a"]
        for text in texts:
            async with wire(center) as connection:
                await connection.send(head("GET", OBJECTS, None, f"Authorization: {text}"))
                assert (text, await connection.answers(0.05)) == (text, [401])


async def test_trailers_are_read_over_and_are_no_headers(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = enveloped(good("kept.example"))
        start = head("POST", OBJECTS, seat, CHUNKED, "Trailer: Authorization")
        start += b"%x;name=value\r\n%s\r\n0\r\n" % (len(body), body)
        async with wire(center) as connection:
            trailer = f"Authorization: Bearer {other.token}\r\nX-A: b\r\n\r\n"
            await connection.send(start + trailer.encode())
            assert await connection.answers() == [202]
        async with wire(center) as connection:
            await connection.send(start + b"X-A: b\r\n" * 50_000 + b"\r\n")
            assert (await connection.answers())[0] < 500
        assert len((await center.get(OBJECTS, seat)).objects) == 1
        assert (await center.get(OBJECTS, other)).objects == []


async def test_trailers_reach_no_later_request(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = enveloped(good("kept.example"))
        chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
        trailer = f"Authorization: Bearer {other.token}\r\n\r\n".encode()
        doors = {"/api/v1/push": seat, OBJECTS: None, "/feeds/nothing": seat, "/nowhere": seat}
        for door, who in doors.items():
            first = head("POST", door, who, CHUNKED) + chunks + trailer
            # As a proxy does that sends what others ask on the same connection, at once or later.
            theirs = head("POST", OBJECTS, seat, f"Content-Length: {len(body)}") + body
            for pause in (0, 0.3):
                async with wire(center) as connection:
                    with suppress(ConnectionError):
                        await connection.send(first, theirs, pause=pause)
                    found = await connection.until_closed(10)
                    assert found.count(b"HTTP/1.1 ") <= 1, (door, pause)
        assert (await center.get(OBJECTS, other)).objects == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_body_that_breaks_off_leaves_nothing_behind(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(database_url, tmp_path, read_timeout=1) as center:
        seat = await center.org("Landkreis A")
        body = enveloped(good("half.example"))
        whole = head("POST", OBJECTS, seat, f"Content-Length: {len(body) + 1}") + body
        chunk = head("POST", OBJECTS, seat, CHUNKED) + b"%x\r\n%s\r\n" % (len(body), body)
        for start in (whole, chunk):
            async with wire(center) as connection:
                await connection.send(start, pause=0.1)
        async with wire(center) as connection:
            await connection.send(chunk, b"zz\r\n\r\n", pause=0.1)
            (status,) = await connection.answers()
            assert status in {400, 408}
        await asyncio.sleep(0.1)
        assert (await center.get(OBJECTS, seat)).objects == []
        assert not [
            one
            for one in caplog.records
            if "Error handling request" in one.message
            and one.exc_info
            and one.exc_info[0] is ConnectionResetError
        ]


async def test_what_strangers_send_does_not_forge_lines_in_the_log(
    database_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)  # it repeats what is stored
    forged = "x\r\nFORGED 200 OK\x1b[31m"
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        odd = indicator("a.example", "green", name=forged, description=forged, labels=[forged])
        await center.push(seat, [odd, odd | {"id": forged}, odd | {"pattern": forged}])
        await center.push(seat, [odd | {"type": forged}, odd | {"modified": forged}])
        await center.get(f"/{forged}/", seat)
        await center.get(OBJECTS, seat, next=forged, limit=forged)
        await center.project()
        for lines in SMUGGLED.values():
            async with wire(center) as connection:
                await connection.send(head("POST", f"/{'a' * 9}", seat, *lines[0], "X-F: FORGED"))
                await connection.answers(0.05)
    captured = capfd.readouterr()
    said = f"{caplog.text}\n{captured.out}\n{captured.err}"
    assert "\x1b[31m" not in said
    assert not [line for line in said.splitlines() if line.startswith("FORGED")]


@pytest.mark.parametrize(
    ("trusted", "lines", "seen"),
    [
        ("", ["203.0.113.9"], "127.0.0.1"),  # nobody is believed
        ("10.0.0.0/8", ["203.0.113.9"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.0/8, 10.0.0.0/8", ["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        # What stands left of the first stranger is his own tale.
        ("127.0.0.1", ["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["192.0.2.1, 127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["127.0.0.1, 127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1, 2001:db8::/32", ["203.0.113.9, 2001:db8::1"], "203.0.113.9"),
        ("127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        # What is no address ends the walk at whoever said it.
        ("127.0.0.1", ["203.0.113.9, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9, "], "127.0.0.1"),
        ("127.0.0.1", ["010.0.0.1"], "127.0.0.1"),
        ("127.0.0.1, 203.0.113.9", ["<script>, 203.0.113.9"], "203.0.113.9"),
    ],
)
async def test_only_a_trusted_proxy_says_where_a_request_comes_from(
    trusted: str, lines: list[str], seen: str
) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=str(client_address(request)))

    settings = Settings(listen="127.0.0.1:0", trusted_proxies=trusted)
    app = web.Application()
    app[SETTINGS] = settings
    app.router.add_get("/", tell)
    headers = CIMultiDict([("X-Forwarded-For", line) for line in lines])
    headers.add("X-Real-IP", "192.0.2.7")
    headers.add("Forwarded", "for=192.0.2.7")
    async with (
        house.listening(app, settings) as (host, port),
        ClientSession() as session,
        session.get(f"http://{host}:{port}/", headers=headers) as answer,
    ):
        assert await answer.text() == seen


async def test_head_and_get_answer_alike(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        got = [await center.request("GET", OBJECTS, seat) for _ in range(2)]
        assert same_answer(*got)
        assert (await center.request("HEAD", OBJECTS, seat)).status == 200
