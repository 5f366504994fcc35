"""What every test may ask for: test data, a fresh database of each kind, and no network.

Variables: CYBERCOOP_TEST_DATA (folder of the test data), CYBERCOOP_TEST_PG (URL of a PostgreSQL
server on this machine where databases may be created), CYBERCOOP_TEST_PG_DURABLE (1: the server of
the tests writes through to the disk), CYBERCOOP_HYPOTHESIS_PROFILE (default or thorough), CI (set:
properties try the same examples at each run).
"""

import fcntl
import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import order
from lending import Lender
from postgres_server import PostgresServer, fresh_folder

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_SERVER = pytest.StashKey[PostgresServer]()
# A slow machine is no bug: neither examples nor their making are timed.
UNTIMED = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}

# Where a whole change is judged, the same examples each time: new ones are found at a desk.
ALIKE = bool(os.environ.get("CI"))

hypothesis.settings.register_profile("default", print_blob=True, derandomize=ALIKE, **UNTIMED)
hypothesis.settings.register_profile("thorough", print_blob=True, max_examples=5000, **UNTIMED)
hypothesis.settings.load_profile(os.environ.get("CYBERCOOP_HYPOTHESIS_PROFILE") or "default")


def pytest_configure(config: pytest.Config) -> None:
    """Agree on the folder of the one PostgreSQL; the first test that needs it starts it."""
    folder = getattr(config, "workerinput", {}).get("postgres_folder")
    durable = os.environ.get("CYBERCOOP_TEST_PG_DURABLE") == "1"
    config.stash[SHARED_SERVER] = PostgresServer(
        Path(folder) if folder else fresh_folder(durable=durable), durable=durable
    )
    # Whoever ends the tests with SIGTERM (a time limit, say) leaves no server behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the one PostgreSQL is."""
    node.workerinput["postgres_folder"] = str(node.config.stash[SHARED_SERVER].folder)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Let one worker of pytest-xdist compile all tests, and the others read what it kept."""
    if not hasattr(session.config, "workerinput"):
        return (yield)
    with (session.config.stash[SHARED_SERVER].folder / "collecting").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(turn, fcntl.LOCK_SH)
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker of pytest-xdist begin with what takes long."""
    if hasattr(config, "workerinput"):
        items[:] = order.dealt(items, config.workerinput["workercount"])


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never again among what was imported.

    A test makes much and keeps nothing; Python's default is to look after 700 new objects, which
    takes a tenth of all the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the one PostgreSQL when all workers are done."""
    if not hasattr(config, "workerinput"):
        config.stash[SHARED_SERVER].remove()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the test data, or skip where this machine has none."""
    named = os.environ.get("CYBERCOOP_TEST_DATA")
    folder = Path(named or REPOSITORY.parent / "shared" / "data")
    if folder.is_dir():
        return folder
    if "CI" in os.environ and (REPOSITORY.parent / "shared").exists():
        pytest.fail(f"The test data is missing: {folder} is no folder.")
    pytest.skip("There is no test data here; CYBERCOOP_TEST_DATA names its folder.")


@pytest.fixture(scope="session")
def lender(pytestconfig: pytest.Config) -> Iterator[Lender]:
    """Lend who lends databases of a PostgreSQL server."""
    import ready_schema  # noqa: PLC0415 - who only hands out tests needs no product

    url = os.environ.get("CYBERCOOP_TEST_PG") or pytestconfig.stash[SHARED_SERVER].start()
    found = Lender(url)
    yield found
    ready_schema.forget(found)
    found.close()


@pytest.fixture
def postgres_url(lender: Lender) -> Iterator[str]:
    """Lend the URL of an empty PostgreSQL database of this test alone."""
    with lender.lend() as url:
        yield url


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """Lend a server of this test alone, not yet started, that it may crash and start again."""
    server = PostgresServer(fresh_folder(durable=True), durable=True)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Lend the URL of an empty database of this test alone; the test runs once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'coop.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail a test that talks to another machine than this one, or asks what its address is.

    An audit hook sees every socket of Python, also in threads and libraries. It does not see
    subprocesses, uvloop's resolver, nor the look-up of a name given to ``connect`` itself.
    ``pytest.fail`` is no ``Exception``: no handler of the product takes it for a network that is
    down.
    """
    if event == "socket.getaddrinfo" and not _is_local_name(arguments[0]):
        pytest.fail(f"The address of {arguments[0]!r} was asked for: tests need no other machine.")
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        sock, address = arguments
        if sock.family in {socket.AF_INET, socket.AF_INET6} and address:
            _require_loopback(address[0])


def _is_local_name(name: str | bytes | None) -> bool:
    host = name.decode("ascii") if isinstance(name, bytes) else name or "localhost"
    return host == "localhost" or host.endswith(".localhost") or _address(host) is not None


def _require_loopback(host: str) -> None:
    address = _address(host)
    if host != "localhost" and (address is None or not address.is_loopback):
        pytest.fail(f"A socket went to {host!r}: tests talk to this machine only.")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


sys.addaudithook(refuse_network)
