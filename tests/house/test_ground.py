"""The ground that the tests stand on holds: no network, and databases of their own."""

import socket

import asyncpg
import pytest
from hypothesis import settings

from postgres_server import PostgresServer


def test_a_connection_to_another_machine_fails_the_test() -> None:
    with socket.socket() as sock, pytest.raises(pytest.fail.Exception):
        sock.connect(("198.51.100.7", 80))


def test_a_datagram_to_another_machine_fails_the_test() -> None:
    kind = (socket.AF_INET6, socket.SOCK_DGRAM)
    with socket.socket(*kind) as sock, pytest.raises(pytest.fail.Exception):
        sock.sendto(b"", ("2001:db8::7", 53))


def test_the_address_of_another_machine_is_not_asked_for() -> None:
    with pytest.raises(pytest.fail.Exception):
        socket.getaddrinfo("coop.example", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_may_be_talked_to(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1])).close()


@pytest.mark.parametrize("_time", [1, 2])
async def test_every_test_has_an_empty_database_of_its_own(postgres_url: str, _time: int) -> None:
    async with asyncpg.create_pool(postgres_url, min_size=1) as pool:
        await pool.execute("CREATE TABLE mine ()")


async def test_a_commit_outlives_a_crash(durable_postgres: PostgresServer) -> None:
    async with asyncpg.create_pool(durable_postgres.start(), min_size=1, max_size=1) as pool:
        await pool.execute("CREATE TABLE kept ()")
        durable_postgres.crash()
    async with asyncpg.create_pool(durable_postgres.start(), min_size=1) as pool:
        assert await pool.fetchval("SHOW fsync") == "on"
        assert await pool.fetchval("SELECT count(*) FROM kept") == 0


def test_examples_are_never_timed() -> None:
    assert settings().deadline is None
