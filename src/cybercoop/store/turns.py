"""Turns: writers of one SQLite file wait for each other, in this process and in others.

SQLite alone lets a writer look again after ever longer pauses, so that whoever writes much starves
the others. A lock beside the file wakes the next one as soon as the last one is done.
"""

import asyncio
import fcntl
import os
from types import TracebackType


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
