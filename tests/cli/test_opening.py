"""A database that cannot be worked on is one sentence, and no riddle."""

import asyncio
import os
import signal
import socket
import stat
import threading
from pathlib import Path

import asyncpg
import pytest
import trustme
from sqlalchemy import text
from sqlalchemy.engine import make_url

from cli.terminal import Terminal
from cybercoop.store.database import Database
from forks import Fork
from postgres_server import PostgresServer

COMMANDS = (("org", "list"), ("init", "--name", "Testzentrum"), ("serve",), ("demo",))
ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")  # PostgreSQL's protocol: SSLRequest


def refusal(terminal: Terminal, *command: str, **more: str) -> str:
    """Return the one sentence with which a command refuses to work."""
    said = terminal.run(*command, code=2, **more).stderr
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_no_sqlite_database_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    file = tmp_path / "other.sqlite"
    file.write_text("This is no database. " * 100)
    assert "file is not a database" in refusal(
        terminal, *command, CYBERCOOP_DATABASE=f"sqlite:///{file}"
    )
    folder = f"sqlite:///{tmp_path}"
    assert "unable to open" in refusal(terminal, *command, CYBERCOOP_DATABASE=folder)


def test_what_a_newer_version_wrote_is_called_that(terminal: Terminal) -> None:
    async def outdate() -> None:
        database = Database(terminal.database)
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await database.close()

    terminal.run("init", "--name", "Testzentrum")
    asyncio.run(outdate())
    for command in (*COMMANDS, ("db", "upgrade")):
        assert "the schema 9999, which this version does not know" in refusal(terminal, *command)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_that_cannot_be_made_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    there = str(tmp_path / "file" / "data")
    assert there in refusal(Terminal(tmp_path), *command, CYBERCOOP_DATA=there)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["", "cybercoop.sqlite"])
def test_what_cannot_be_written_is_named(name: str, center: Terminal) -> None:
    (center.folder / name).chmod(0o500)
    assert "writable" in refusal(center, "org", "list")
    (center.folder / name).chmod(0o700)


@pytest.mark.parametrize("command", [COMMANDS[1], ("serve",)], ids=" ".join)
def test_the_folder_of_the_data_is_its_owners_alone(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    data = tmp_path / "state"
    terminal = Terminal(tmp_path)
    terminal.run(*command, code=0 if command[0] == "init" else 2, CYBERCOOP_DATA=str(data))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()} == {0o600}


def test_what_postgresql_refuses_is_named(durable_postgres: PostgresServer, tmp_path: Path) -> None:
    url = make_url(durable_postgres.start())
    rules = durable_postgres.data / "pg_hba.conf"
    rules.write_text("local all coop scram-sha-256\n" + rules.read_text())
    asyncio.run(_add_user(durable_postgres.start()))
    for reason, wrong in {
        'database "nowhere" does not exist': url.set(database="nowhere"),
        "password authentication failed": url.set(username="coop", password="wrong"),
        "permission denied": url.set(username="coop", password="right"),
    }.items():
        terminal = Terminal(tmp_path, wrong.render_as_string(hide_password=False))
        assert reason in refusal(terminal, "init", "--name", "Testzentrum")


async def _add_user(url: str) -> None:
    """Add a user who needs a password and may do nothing."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE ROLE coop LOGIN PASSWORD 'right'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("coop.example/x?sslmode=sometimes", "sslmode is one of disable, allow, prefer, require"),
        ("coop.example/x?sslmode=require&sslmode=disable", "sslmode is one of"),
        ("coop.example/x?sslrootcert=ca.pem", "sslrootcert is not known"),
        ("coop.example:65536/x", "65536 is no port"),
        ("coop.example/x?port=65536", "65536 is no port"),
        ("/x?host=coop.example:65536", "65536 is no port"),
        ("coop.example/x?port=many", "non-integer port"),
        ("coop.example/x?port=1&port=2", "number of hosts and ports"),
    ],
)
def test_an_address_that_postgresql_does_not_know_is_wrong_usage(
    place: str, reason: str, tmp_path: Path
) -> None:
    said = refusal(Terminal(tmp_path, f"postgresql://{place}"), "org", "list")
    assert "CYBERCOOP_DATABASE" in said
    assert reason in said


@pytest.mark.parametrize("mode", ["require", "verify-full", "disable"])
def test_tls_to_postgresql_is_asked_for_as_sslmode_says(mode: str, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}/x?sslmode={mode}"
        heard: list[bytes] = []
        thread = threading.Thread(target=_without_tls, args=(server, heard))
        thread.start()
        terminal = Terminal(tmp_path, f"postgresql://{place}")
        code = 2 if mode == "disable" else 1
        said = terminal.run("org", "list", code=code, PGSSLROOTCERT=str(authority)).stderr
        thread.join()
    assert heard[0].startswith(ASKS_FOR_TLS) is (mode != "disable")
    assert ("rejected SSL" in said) is (mode != "disable")


def _without_tls(server: socket.socket, heard: list[bytes]) -> None:
    """Answer one client as a PostgreSQL without TLS does, and hang up."""
    connection, _ = server.accept()
    with connection:
        heard.append(connection.recv(1024))
        connection.sendall(b"N")


def test_no_server_outlives_a_test_that_failed(center: Terminal) -> None:
    def fail() -> None:
        with center.started("serve") as process:
            processes.append(process)
            process.send_signal(signal.SIGSTOP)  # it hears nothing any more
            raise ZeroDivisionError

    processes: list[Fork] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert processes[0].returncode == -signal.SIGKILL
