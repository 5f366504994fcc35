"""TAXII over TLS from certificate files (section 8.2.2)."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from cybercoop.errors import Misused
from world import TAXII, world


@dataclass(frozen=True)
class Secured:
    """A center behind TLS, and who vouches for it."""

    port: int
    authority: trustme.CA
    certificate: Path


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[Secured]:
    """Serve a center with a certificate for this machine."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    issued.private_key_pem.write_to_path(key)
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(chain, append=number > 0)
    url = f"sqlite:///{folder / 'coop.sqlite'}"
    async with world(url, folder, tls_cert=chain, tls_key=key) as center:
        yield Secured(int(center.address.rpartition(":")[2]), authority, chain)


def client(place: Secured, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client that speaks just one version of TLS, as weakly as it must."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    place.authority.configure_trust(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.minimum_version = version
    return context


async def discovered(place: Secured, context: ssl.SSLContext) -> tuple[str | None, bytes]:
    """Return the version of TLS and the answer of discovery."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", place.port, ssl=context, server_hostname="localhost"
    )
    try:
        writer.write(b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        return writer.get_extra_info("ssl_object").version(), answer
    finally:
        writer.close()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_discovery_is_told_over_tls(tmp_path: Path, version: str) -> None:
    """TAXII checklist 61: TLS 1.2 and 1.3."""
    async with secured(tmp_path) as place:
        spoken, answer = await discovered(place, client(place, ssl.TLSVersion[version]))
    assert spoken == version.replace("_", ".")
    assert answer.startswith(b"HTTP/1.1 200")
    assert TAXII.encode() in answer


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_older_tls_is_refused(tmp_path: Path) -> None:
    """TAXII checklist 61: TLS 1.1; it is the server that hangs up."""

    def shake(place: Secured) -> None:
        context = client(place, ssl.TLSVersion.TLSv1_1)
        with socket.create_connection(("127.0.0.1", place.port), 10) as plain:
            context.wrap_socket(plain, server_hostname="localhost")

    async with secured(tmp_path) as place:
        hung_up = ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError
        with pytest.raises(hung_up):
            await asyncio.to_thread(shake, place)


async def test_plain_http_is_not_answered_on_a_tls_port(tmp_path: Path) -> None:
    async with secured(tmp_path) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in await asyncio.wait_for(reader.read(), 10)
        writer.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="only openssl shows session tickets")
async def test_no_request_is_taken_before_the_handshake_ends(tmp_path: Path) -> None:
    """TAXII checklist 61: a ticket that allows no early data rules out 0-RTT."""
    async with secured(tmp_path) as place:
        command = "openssl", "s_client", "-connect", f"127.0.0.1:{place.port}", "-tls1_3"
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        ask = b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert process.stdin is not None
        process.stdin.write(ask)
        await process.stdin.drain()
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.read(), 20)
        await process.wait()
    assert b"TLSv1.3" in said
    assert b"HTTP/1.1 200" in said
    offered = [line for line in said.splitlines() if b"Max Early Data" in line]
    assert all(line.endswith(b": 0") for line in offered)
    assert b"Early data was not sent" in said


@pytest.mark.parametrize("missing", ["tls_cert", "tls_key"])
async def test_half_of_tls_is_not_served_as_none(missing: str, tmp_path: Path) -> None:
    said = {name: tmp_path / "x.pem" for name in ("tls_cert", "tls_key") if name != missing}
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    with pytest.raises(Misused, match=f"CYBERCOOP_{missing.upper()} is missing"):
        async with world(url, tmp_path, **said):
            pass


async def test_a_key_that_does_not_fit_is_named_at_the_start(tmp_path: Path) -> None:
    wrong = tmp_path / "key.pem"
    trustme.CA().private_key_pem.write_to_path(wrong)
    chain = tmp_path / "chain.pem"
    trustme.CA().cert_pem.write_to_path(chain)
    url = f"sqlite:///{tmp_path / 'coop.sqlite'}"
    with pytest.raises(Misused, match="certificate or key"):
        async with world(url, tmp_path, tls_cert=chain, tls_key=wrong):
            pass
