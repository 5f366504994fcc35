"""A process beside this one: forked at the start, woken through a pipe, and never outliving it.

A web process answers with one core while its worker merges and carries out on another. They share
nothing but the database and two pipes: one wakes the worker and ends it when its maker is gone,
the other ends with the worker.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_PATIENCE = 20
"""Seconds that a worker has for its last transaction."""

Listen = Callable[[Callable[[], None]], None]


class Beside:
    """Hold the other process as its maker knows it."""

    def __init__(self, pid: int, waking: int, ending: int) -> None:
        self._pid, self._waking, self._ending = pid, waking, ending
        os.set_blocking(waking, False)
        self.has_ended = False

    def wake(self) -> None:
        """Begin, or look for work now; whoever is awake already is not told twice."""
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._waking, b".")

    def when_ended(self, told: Callable[[], None]) -> None:
        """Have the running loop call ``told`` once the other process has ended."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self._ending)
            self.has_ended = True
            told()

        loop.add_reader(self._ending, ended)

    def stop(self) -> None:
        """Ask the other process to end; it does what it is doing to its end."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)

    def close(self) -> None:
        """Stop the other process and wait until it has ended, for a while."""
        self.stop()
        over = time.monotonic() + _PATIENCE
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > over:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                break
            time.sleep(0.005)
        os.close(self._waking)
        os.close(self._ending)


@contextmanager
def forked(work: Callable[[Listen], None]) -> Iterator[Beside]:
    """Lend a process that calls ``work`` once it is woken first.

    ``work`` gets a function to be called on its loop with what wakes it further on. Only to be
    called before this process has loops or threads, of which a fork has none. The other process
    leaves it to its maker to hear of the keyboard; an error of ``work`` ends it as one of its
    maker's would.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    woken, waking = os.pipe()
    ending, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(waking)
        os.close(ending)
        _become(work, woken)
    os.close(woken)
    os.close(alive)
    beside = Beside(pid, waking, ending)
    try:
        yield beside
    finally:
        beside.close()


def _become(work: Callable[[Listen], None], woken: int) -> None:
    """Be the other process to its end; what goes wrong is told as any command tells it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Before it is woken its maker may still find that there is nothing to work on.
    if os.read(woken, 1):
        work(lambda wake: _listen(woken, wake))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _listen(woken: int, wake: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def listen() -> None:
        while os.read(woken, 4096):
            with suppress(RuntimeError):  # the loop is closed: it is ending anyway
                loop.call_soon_threadsafe(wake)
        # Its maker was killed. What it did counts up to its last transaction, as if killed, too.
        os._exit(1)

    threading.Thread(target=listen, name="beside", daemon=True).start()
