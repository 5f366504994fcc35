"""Processes of the product that are forked from one which has imported it all already.

To start Python and import the product takes two to three seconds of a processor; a fork takes a
hundredth of one. What is forked is a process like any other: it can be stopped and killed.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from pkgutil import iter_modules
from typing import Self

from cybercoop import cli
from cybercoop.collect import readers, sources
from cybercoop.exports import formats
from cybercoop.responses import commands, triggers

_FORKS = multiprocessing.get_context("forkserver")
# What a command imports when it needs it.
_LATE = [
    f"{folder.__name__}.{one.name}"
    for folder in (cli, readers, sources, formats, commands, triggers)
    for one in iter_modules(folder.__path__)
]
_FORKS.set_forkserver_preload(["cybercoop.__main__", *_LATE, "dbos", "uvloop"])
_PR_SET_PDEATHSIG = 1


class Fork:
    """A ``cybercoop`` command that runs, with the members of ``subprocess.Popen``."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        pipes = [_FORKS.Pipe(duplex=False) for _ in range(2)]
        self.args = list(words)
        self._process = _FORKS.Process(
            target=_become, args=(self.args, folder, dict(environment), *(end for _, end in pipes))
        )
        self._process.start()
        for _, end in pipes:
            end.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(end.fileno())) for end, _ in pipes)
        for end, _ in pipes:
            end.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        # The server of forks takes note of an end before it says so.
        with suppress(ProcessLookupError):
            if self.returncode is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and return how; raise ``TimeoutExpired`` when it goes on."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait until it has ended and return all that it printed, and all complaints."""
        with ThreadPoolExecutor(2) as threads:
            texts = [threads.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            finally:
                self.kill()
            return texts[0].result(), texts[1].result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self.stdout.close()
        self.stderr.close()


def _become(
    words: list[str], folder: Path, environment: dict[str, str], out: Connection, err: Connection
) -> None:
    """Turn this process into a command that prints into two pipes."""
    from cybercoop.__main__ import main  # noqa: PLC0415 - preloaded where this runs

    gc.freeze()  # what was imported stays, and is shared with all others
    # Where tests are broken off by force, nothing of theirs goes on (only Linux knows this).
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    for end in (out, err):
        end.close()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["cybercoop", *words]
    main()
