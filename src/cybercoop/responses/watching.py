"""Waiting for a run to change, whoever changes it: this process, another one, or a command.

One statement for all that wait, a few times a second, and none where nobody waits.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from cybercoop.errors import Misused
from cybercoop.store import responses
from cybercoop.store.database import Database, explained

_EVERY = 0.25
_LONGEST = 60
"""Seconds after which everybody looks again: some worker's clock may be far behind."""
_BACK = 10_000_000
"""Microseconds to look back: a transaction that stamped earlier may commit later."""


Wait = Callable[[float | None], Awaitable[None]]


class Watch:
    """Tell those who wait that their run has changed."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._seen: dict[str, int] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def listening(self, run_id: str) -> Iterator[Wait]:
        """Notice what changes about a run from now on; what is lent waits for it, or for so long.

        Who waits begins to listen, looks, and waits where there is nothing yet: what changes
        between looking and waiting is noticed.
        """
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[run_id].add(told)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

        async def wait(seconds: float | None) -> None:
            await asyncio.wait([told], timeout=min(_LONGEST, seconds or _LONGEST))

        try:
            yield wait
        finally:
            told.cancel()
            self._waiting[run_id].discard(told)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    async def stop(self) -> None:
        """Look no more, so that the database can be closed."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        since = self._now() - _BACK
        while self._waiting:
            await asyncio.sleep(_EVERY)
            # A database that is away is there again in some other moment.
            with suppress(Misused, OSError), explained():
                async with self._database.read() as connection:
                    changed = await responses.changed_runs(connection, since)
                fresh = [run_id for run_id, at in changed if self._seen.get(run_id) != at]
                self._seen = dict(changed)
                since = max([since, *(at - _BACK for _, at in changed)])
                for run_id in fresh:
                    for told in self._waiting.get(run_id, ()):
                        if not told.done():
                            told.set_result(None)
