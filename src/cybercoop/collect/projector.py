"""The projector: cycles cut by time, one at a time per database."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from cybercoop.collect import guarding
from cybercoop.collect.cycle import Cycle
from cybercoop.collect.guarding import Guard, Keeper
from cybercoop.errors import Unreadable
from cybercoop.sharing import stamps
from cybercoop.store import members, projection
from cybercoop.store.database import Database, is_away, unbroken
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

SHARE = 2000
"""How many contributions of each lock one cycle takes at most."""

_LONGEST_PAUSE = 0.1
"""Seconds between two cycles at most while there is something to do."""

_BEHIND = 10
"""A clock that jumped back by more slots than this is not waited for."""

_NARROWER = 16
"""By how much a failed cycle's share shrinks: each failure costs the others a quarter second."""

_log = structlog.get_logger("projector")


async def cycle(
    database: Database,
    center: Center,
    now: int,
    share: int = SHARE,
    only: Sequence[str] | None = None,
    keeper: Keeper | None = None,
) -> int | None:
    """Project what is pending and return how many contributions that were.

    ``only`` names the locks to look at; no lock means the places that wait for another look,
    and None means everything. ``keeper`` keeps the guard from cycle to cycle. Does nothing
    and returns None when this slot of time was used already. Everything is one
    transaction that holds the projector's row: a crash leaves no trace, and a second projector
    waits.
    """
    async with database.write() as connection:
        slot = stamps.slot_of(now)
        if slot + _BEHIND < (last := await projection.last_slot(connection)):
            # Every other one stays empty, so that the clock comes up with what was stamped ahead.
            slot = last + (slot % 2)
        if not await projection.open_slot(connection, slot):
            return None
        groups = await members.all_groups(connection)
        lanes = stamps.lanes({group.id: group.lane for group in groups})
        # No lock gets more than its lane has stamps for, so that hardly anything has to wait.
        shares = {lock: min(share, lane.capacity) for lock, lane in lanes.items()}
        keeper = keeper or Keeper()
        guard = await guarding.current(connection, center.org_id, now, keeper.guard)
        moving = {lock: one for lock, one in shares.items() if lock not in guard.stopped}
        looked_at = {lock: one for lock, one in moving.items() if only is None or lock in only}
        claims = await projection.claim(connection, looked_at) if looked_at else []
        queued = [] if only or not moving else await projection.queued(connection, moving)
        queued += [] if only else await guarding.urgent(connection, guard, keeper.guard)
        names = await members.names_ever(connection)
        await Cycle(connection, center, slot, groups, names, guard).run(claims, queued)
    keeper.guard = guard
    return len(claims) + len(queued)


class Projector:
    """Run cycles for as long as the process lives."""

    def __init__(
        self,
        database: Database,
        center: Center,
        surroundings: Surroundings,
        guard: Guard | None = None,
    ) -> None:
        self._database, self._center, self._surroundings = database, center, surroundings
        self._woken = asyncio.Event()
        self._share = SHARE
        self._failure: Exception | None = None
        self._away = False
        self._alone: list[list[str]] = []
        self._slot = 0
        self._keeper = Keeper(guard)

    def wake(self) -> None:
        """Look for work now; other processes' pushes are found within a quarter of a second."""
        self._woken.set()

    async def run(self) -> None:
        """Cycle whenever there is something to do, until cancelled."""
        while True:
            try:
                busy = await unbroken(self._once())
                self._away = False
            except Exception as error:  # noqa: BLE001 - the top of the worker's loop
                if not (self._away and is_away(error)):  # once is enough, whatever that takes
                    _log.error("cycle failed", share=self._share, error=repr(error))
                self._failure, self._away, busy = error, is_away(error), False
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), 0.25)
                self._woken.clear()

    async def _once(self) -> bool:
        failure, self._failure = self._failure, None
        if failure is not None and not is_away(failure):
            await self._narrow_down(failure)
        now = self._surroundings.now()
        async with self._database.read() as connection:
            if not await projection.anything_to_do(connection, now):
                self._alone = []
                return False
        if stamps.slot_of(now) == self._slot:
            await self._slot_is_over()
            return True
        only = self._alone[-1] if self._alone else None
        begun = asyncio.get_running_loop().time()
        done = await cycle(self._database, self._center, now, self._share, only, self._keeper)
        # Pushes wait while a cycle writes. A pause lets them in, and the next cycle has more to do
        # for the same price; what was pushed is still released within a second.
        taken = asyncio.get_running_loop().time() - begun
        self._slot = stamps.slot_of(now)
        await asyncio.sleep(min(taken / 4, _LONGEST_PAUSE))
        if done is None:
            await self._slot_is_over()
        elif self._alone:
            self._alone.pop()
        else:
            self._share = min(self._share * 2, SHARE)
        # What waits under a lock that stands still is no reason to look again at once.
        return done != 0

    async def _slot_is_over(self) -> None:
        """Wait for the next slot: a clock that was set back must not use several in one."""
        rest = stamps.SLOT - self._surroundings.now() % stamps.SLOT
        await asyncio.sleep(rest / 1_000_000)

    async def _narrow_down(self, error: Exception) -> None:
        """Find out which contribution is to blame, and set just that one aside.

        The share shrinks until one contribution of each lock is left; then each lock has
        its turn alone.
        """
        if isinstance(error, Unreadable):
            await self._set_aside([error.seq], error)
        elif self._alone:
            await self._give_up(self._alone.pop(), error)
        elif self._share > 1:
            self._share = max(1, self._share // _NARROWER)
        else:
            async with self._database.write() as connection:
                groups = await members.all_groups(connection)
                lanes = stamps.lanes({group.id: group.lane for group in groups})
                claims = await projection.claim(connection, dict.fromkeys(lanes, 1))
            self._alone = [[], *([row.lock] for row in claims)]

    async def _give_up(self, only: list[str], error: Exception) -> None:
        """Set aside the one contribution that its lock cannot get past."""
        async with self._database.write() as connection:
            if not only:
                groups = await members.all_groups(connection)
                lanes = stamps.lanes({group.id: group.lane for group in groups})
                waiting = await projection.queued(connection, dict.fromkeys(lanes, 1))
                _log.error("place given up", places=repr(waiting), error=repr(error))
                await projection.unqueue(connection, waiting)
                return
            claims = await projection.claim(connection, dict.fromkeys(only, 1))
        await self._set_aside([row.seq for row in claims], error)

    async def _set_aside(self, seqs: list[int], error: Exception) -> None:
        note = f"It could not be released ({type(error).__name__}); the center was told."
        async with self._database.write() as connection:
            for seq in seqs:
                _log.error("contribution set aside", seq=seq, error=repr(error))
                await projection.set_aside(connection, seq, note)
