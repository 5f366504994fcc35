"""Turns: writers of one SQLite file wait for each other, in this process and in others.

SQLite alone lets a writer look again after ever longer pauses, so that whoever writes much starves
the others. A lock beside the file wakes the next one as soon as the last one is done. Another one
is for whoever works on the file for good. The system takes both from a process that is killed.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from cybercoop.errors import Misused

WORKER = "-worker"
"""What the name of a SQLite file is followed by in that of the lock of its one worker."""

_PATIENCE = 3
_PAUSE = 0.02


class Turn:
    """Hold the place of one process in the queue for a file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._held: int | None = None
        self._here = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._here.acquire()
        try:
            if self._lock(waiting=False):
                return
        except OSError:
            self._here.release()
            raise
        taken = asyncio.ensure_future(asyncio.to_thread(self._lock, waiting=True))
        try:
            await asyncio.shield(taken)
        except BaseException:
            # The thread goes on to wait for a turn that nobody wants any more.
            taken.add_done_callback(lambda _: self._give_back())
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._give_back()

    def close(self) -> None:
        """Forget the file of the queue; it is opened again when it is needed."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _lock(self, *, waiting: bool) -> bool:
        if self._held is None:
            self._held = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | (0 if waiting else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _give_back(self) -> None:
        if self._held is not None:
            fcntl.flock(self._held, fcntl.LOCK_UN)
        self._here.release()


@contextmanager
def alone(file: str) -> Iterator[None]:
    """Hold a lock for as long as this process and those that it forks meanwhile go on.

    Raises ``Misused`` where another process keeps holding it; one that was killed just now may
    still be ending.
    """
    held = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    over = time.monotonic() + _PATIENCE
    try:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > over:
                    msg = f"Another server works on {file.removesuffix(WORKER)}; stop that first."
                    raise Misused(msg) from error
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(held)
