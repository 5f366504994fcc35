"""The projector: cycles cut by time, one at a time per database."""

import asyncio
from contextlib import suppress

import structlog

from cybercoop.collect.cycle import Cycle
from cybercoop.sharing import stamps
from cybercoop.store import members, projection
from cybercoop.store.database import Database
from cybercoop.store.members import Center
from cybercoop.store.projection import Row
from cybercoop.surroundings import Surroundings

SHARE = 2000
"""How many contributions of each lock one cycle takes at most."""

_BEHIND = 10
"""A clock that jumped back by more slots than this is not waited for."""

_log = structlog.get_logger("projector")


async def cycle(database: Database, center: Center, now: int, share: int = SHARE) -> int | None:
    """Project what is pending and return how many contributions that were.

    Does nothing and returns None when this slot of time was used already. Everything is one
    transaction that holds the projector's row: a crash leaves no trace, and a second projector
    waits.
    """
    async with database.write() as connection:
        slot = stamps.slot_of(now)
        if slot + _BEHIND < (last := await projection.last_slot(connection)):
            slot = last + 1
        if not await projection.open_slot(connection, slot):
            return None
        groups = await members.all_groups(connection)
        lanes = stamps.lanes({group.id: group.lane for group in groups})
        claims = await projection.claim(connection, lanes, share)
        queued = await projection.queued(connection, share)
        names = await projection.organisation_names(connection)
        await Cycle(connection, center, slot, groups, names).run(claims, queued)
        return len(claims) + len(queued)


class Projector:
    """Run cycles for as long as the process lives."""

    def __init__(self, database: Database, center: Center, surroundings: Surroundings) -> None:
        self._database, self._center, self._surroundings = database, center, surroundings
        self._woken = asyncio.Event()
        self._share = SHARE

    def wake(self) -> None:
        """Look for work now; other processes' pushes are found within a quarter of a second."""
        self._woken.set()

    async def run(self) -> None:
        """Cycle whenever there is something to do, until cancelled."""
        while True:
            try:
                busy = await self._once()
            except Exception as error:  # noqa: BLE001 - the top of the worker's loop
                _log.error("cycle failed", share=self._share, error=repr(error))
                busy = await self._narrow_down(error)
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), 0.25)
                self._woken.clear()

    async def _once(self) -> bool:
        async with self._database.read() as connection:
            if not await projection.anything_to_do(connection):
                return False
        done = await cycle(self._database, self._center, self._surroundings.now(), self._share)
        if done is None:
            rest = stamps.SLOT - self._surroundings.now() % stamps.SLOT
            await asyncio.sleep(rest / 1_000_000)
        else:
            self._share = min(self._share * 2, SHARE)
        return True

    async def _narrow_down(self, error: Exception) -> bool:
        """Halve the share until one contribution is left to blame, and set that aside."""
        if self._share > 1:
            self._share //= 2
            return False
        async with self._database.write() as connection:
            groups = await members.all_groups(connection)
            locks = stamps.lanes({group.id: group.lane for group in groups})
            claims: list[Row] = await projection.claim(connection, locks, 1)
            for row in claims:
                note = f"It could not be released ({type(error).__name__}); the center was told."
                await projection.set_aside(connection, row.seq, note)
        return False
