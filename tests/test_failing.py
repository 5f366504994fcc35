"""What nobody expected: an answer that says nothing of it, and a line in the log that says all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from cybercoop import app as house
from cybercoop.collect.projector import Projector
from cybercoop.config import Settings
from cybercoop.store import contributions
from cybercoop.store.database import is_away
from cybercoop.surroundings import Surroundings
from cybercoop.web.middleware import middleware
from postgres_server import PostgresServer
from world import TAXII, Seat, World, envelope, indicator, world

MORE_THAN_CONNECTIONS = 20
ODD = "\x1b[31m\r\n"


async def _broken(center: World) -> Seat:
    """Return an organisation that the database does not remember rightly."""
    seat = await center.org("Landkreis A")
    async with center.database.write() as connection:
        await connection.exec_driver_sql("UPDATE organisations SET kind = 'inner text'")
    return seat


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/taxii2/coop/", TAXII, '"http_status": "500"'),
        ("/api/v1/unreleased", "application/problem+json", '"status": 500'),
    ],
)
async def test_a_failure_is_answered_in_the_form_of_the_door_and_tells_nothing(
    path: str, kind: str, status: str, database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await _broken(center)
        with capture_logs():
            answer = await center.get(path, seat)
        assert (answer.status, answer.headers["Content-Type"]) == (500, kind)
        assert status in answer.body.decode()
        assert b"inner text" not in answer.body
        assert (await center.get("/healthz")).status == 200


async def test_a_failure_is_logged_with_its_request_and_no_control_characters(
    tmp_path: Path,
) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        seat = await _broken(center)
        with capture_logs() as lines:
            await center.get(f"/api/v1/{quote(ODD)}", seat)
    (line,) = lines
    assert (line["log_level"], line["method"]) == ("error", "GET")
    assert line["path"] == ascii(f"/api/v1/{ODD}")
    assert "inner text" in line["error"]
    assert "signin.py:" in line["at"]
    assert all(str(value).isprintable() for value in line.values())


async def test_a_request_that_is_called_off_is_not_answered() -> None:
    async def called_off(_request: object) -> aiohttp.web.StreamResponse:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await middleware(make_mocked_request("GET", "/"), called_off)


async def test_a_database_that_was_given_too_much_is_not_away(
    postgres_url: str, tmp_path: Path
) -> None:
    async with world(postgres_url, tmp_path) as center:
        with pytest.raises(DBAPIError) as found:
            async with center.database.write() as connection:
                await contributions.start_clock(connection, "a clock's name " * 100)
    assert not is_away(found.value)
    assert is_away(ConnectionRefusedError())


@asynccontextmanager
async def served(postgres: PostgresServer, folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Start PostgreSQL and a center on it, and lend the session of a county there."""
    url = postgres.start()
    async with world(url, folder) as center:
        token = (await center.org("Landkreis A")).token
    settings = Settings(data=folder, database=url, listen="127.0.0.1:0")
    headers = {"Authorization": f"Bearer {token}"}
    with capture_logs():
        async with (
            house.running(settings, Surroundings(), lambda: None) as (host, port),
            aiohttp.ClientSession(f"http://{host}:{port}", headers=headers) as session,
        ):
            yield session


async def test_while_postgresql_is_away_clients_are_asked_to_come_again(
    durable_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with served(durable_postgres, tmp_path) as session:

        async def asked() -> tuple[int, str | None]:
            async with session.get("/taxii2/coop/") as answer:
                return answer.status, answer.headers.get("Retry-After")

        assert await asked() == (200, None)
        durable_postgres.crash()
        assert [await asked() for _ in range(3)] == [(503, "5")] * 3
        durable_postgres.start()
        assert await asked() == (200, None)
        durable_postgres.crash()  # the server ends without complaint all the same


async def test_a_postgresql_that_hangs_is_away_until_it_goes_on(
    durable_postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "_PATIENCE", 1)
    async with served(durable_postgres, tmp_path) as session:

        async def asked(number: int) -> tuple[int, str | None]:
            body = envelope([indicator(f"host{number}.example", "green")])
            path = "/api/v1/push" if number % 2 else "/taxii2/coop/"
            sent = {"method": "POST", "data": body} if number % 2 else {"method": "GET"}
            async with session.request(url=path, **sent) as answer:  # type: ignore[arg-type] # by name
                return answer.status, answer.headers.get("Retry-After")

        assert [await asked(number) for number in range(2)] == [(200, None)] * 2
        with durable_postgres.hanging():
            # More than there are connections: some wait for one that comes back.
            said = await asyncio.gather(*map(asked, range(MORE_THAN_CONNECTIONS)))
            assert said == [(503, "5")] * MORE_THAN_CONNECTIONS
        assert [await asked(number) for number in range(2)] == [(200, None)] * 2


async def test_a_projector_tells_once_that_postgresql_is_away(
    durable_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with world(durable_postgres.start(), tmp_path) as center:
        county = await center.org("Landkreis A")
        with capture_logs() as told:
            projector = Projector(center.database, center.center, Surroundings())
            working = asyncio.create_task(projector.run())
            for number in (1, 2):
                durable_postgres.crash()
                await asyncio.sleep(1.5)  # it looks four times a second
                durable_postgres.start()
                await center.push(county, [indicator(f"host{number}.example", "green")])
                async with asyncio.timeout(60):
                    while len(await center.patterns(county)) < number:  # noqa: ASYNC110 - HTTP
                        await asyncio.sleep(0.1)
            working.cancel()
            await asyncio.wait([working])
    assert [one["event"] for one in told] == ["cycle failed"] * 2
