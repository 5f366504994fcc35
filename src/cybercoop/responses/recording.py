"""Writing what hundreds of runs have done at the same moment in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cybercoop.store.database import Connection, Database

T = TypeVar("T")
Deed = Callable[[Connection], Awaitable[T]]

_MOST = 500


class Recorder:
    """Carry out deeds in the order in which they came, as many as wait in one transaction.

    A commit costs more than what it commits. Deeds that fail take none with them: a transaction
    in which one failed leaves no trace, and each of its deeds gets one of its own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Deed[Any], asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def do(self, deed: Deed[T]) -> T:
        """Return what a deed returns, once it is committed."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((deed, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            some = [(deed, done) for deed, done in some if not done.done()]
            if not await self._done([deed for deed, _ in some], [done for _, done in some]):
                for deed, done in some:
                    await self._done([deed], [done], last=True)

    async def _done(
        self, deeds: list[Deed[Any]], waiting: list[asyncio.Future[Any]], *, last: bool = False
    ) -> bool:
        """Carry deeds out in one transaction; say whether that went well, or was the last try."""
        trying = asyncio.ensure_future(self._together(deeds))
        await asyncio.wait([trying])
        error = trying.exception()
        if error is not None and not last:
            return False
        for number, done in enumerate(waiting):
            if done.done():
                continue
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(trying.result()[number])
        return True

    async def _together(self, deeds: list[Deed[Any]]) -> list[Any]:
        async with self._database.write() as connection:
            return [await deed(connection) for deed in deeds]
