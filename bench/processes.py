"""The server under test: real processes on loopback, and what they hold in memory."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MEBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Server:
    """Hold a running process and the address it serves on."""

    pid: int
    address: str

    @property
    def port(self) -> int:
        """Return the port on loopback."""
        return int(self.address.rpartition(":")[2])

    def resident(self) -> float:
        """Return the resident memory of the process in MiB, as the kernel counts it."""
        said = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", said)
        return int(found[1]) / _MEBIBYTE if found else 0.0


@contextlib.contextmanager
def serving(database_url: str, *, projects: bool) -> Iterator[Server]:
    """Lend a center that serves this database; ``projects`` lets releases come by themselves."""
    with _started(["serve", *([] if projects else ["--web-only"])], database_url) as web:
        yield Server(web.pid, _address_of(web))


@contextlib.contextmanager
def sending_still() -> Iterator[Server]:
    """Lend a server that sends back what it was given, and knows nothing else."""
    command = [sys.executable, str(Path(__file__).with_name("still.py"))]
    with _process(command, dict(os.environ)) as process:
        yield Server(process.pid, _address_of(process))


@contextlib.contextmanager
def _started(arguments: list[str], database_url: str) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory(prefix="cybercoop-bench-state-") as folder:
        own = {
            "CYBERCOOP_DATABASE": database_url,
            "CYBERCOOP_DATA": folder,
            "CYBERCOOP_LISTEN": "127.0.0.1:0",
        }
        command = [sys.executable, "-m", "cybercoop", *arguments]
        with _process(command, dict(os.environ) | own, folder) as process:
            yield process


@contextlib.contextmanager
def _process(
    command: list[str], environment: dict[str, str], folder: str | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address_of(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    found = re.search(r"http://\S+:\d+", line)
    if found is None:
        raise RuntimeError(f"The server did not start; it said {line!r}.")
    return found[0]
