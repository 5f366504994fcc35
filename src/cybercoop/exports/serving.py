"""The shelf: builds at hand for whoever fetches, and kept up to date behind the scenes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from time import time

import structlog

from cybercoop.collect.guarding import Guard
from cybercoop.exports import following
from cybercoop.exports.building import (
    Build,
    Pair,
    Plan,
    Record,
    Site,
    State,
    build,
    forget,
    stored,
    turned,
)
from cybercoop.members.device_feeds import Cut
from cybercoop.sharing import keys_of
from cybercoop.store import guarding, projection, releases
from cybercoop.store.database import Database
from cybercoop.store.device_feeds import Asker, Version
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

GuardNow = Callable[[], Awaitable[Guard]]
"""Returns the guard as the database has it now."""

PAUSE = 1.0
"""Seconds between two looks at whether anything has changed."""

_PATIENCE = 20
"""Seconds that a device waits for a list that nobody has fetched before."""

_PACE = 5
"""After a build comes as long a pause, times this: a large list leaves most of a core alone."""

_AGAIN = 10.0
"""Seconds until what failed is tried again."""

_CYCLES = 60.0
"""Seconds after which what cycles may have prolonged is looked up, though nothing new is there."""

_FORGOTTEN = 26 * 3600.0
"""Seconds without a fetch after which a list is no longer kept up to date, nor kept at all."""

_SWEPT = 3600.0
"""Seconds between two searches for such lists."""

_log = structlog.get_logger("feeds")


@dataclass(frozen=True, slots=True)
class _Kept:
    """Hold a build and, by the loop's clock, when it may be tried again, and what that takes."""

    build: Build | None
    tried: float = 0
    rests_until: float = 0
    took: float = 0


class Shelf:
    """Hold the builds of all lists that somebody fetches."""

    def __init__(
        self,
        database: Database,
        center: Center,
        title: str,
        folder: Path,
        around: Surroundings,
        guard_now: GuardNow,
    ) -> None:
        self._database, self._center, self._around = database, center, around
        self._guard_now = guard_now
        self._site = Site(database.url, folder, title, Event())
        self._kept: dict[Plan, _Kept] = {}
        self._wanted: dict[Plan, float] = {}
        self._first: dict[Plan, asyncio.Task[None]] = {}
        self._own: dict[str, tuple[Version, tuple[Pair, ...]]] = {}
        self._last: dict[str, Plan] = {}
        self._after: dict[Plan, int] = {}
        self._turn, self._following = asyncio.Lock(), asyncio.Lock()
        self._swept = 0.0

    async def plan_of(self, asker: Asker) -> Plan:
        """Return what the list of a feed is made of right now: keys and own exceptions too."""
        org_id = asker.org.id
        known = self._own.get(org_id)
        if known is None or known[0] != asker.excepted:
            now = self._around.now()
            async with self._database.read() as connection:
                own = await guarding.excepted(connection, org_id, now)
            known = self._own[org_id] = (asker.excepted, tuple(sorted(own)))
        feed, cut = asker.feed, asker.feed.cut
        if feed.responses:
            return Plan(feed.format, cut, (), blocks_of=org_id)
        plan = Plan(feed.format, cut, cut.locks(keys_of(asker.org)), known[1])
        self._turn_to(plan, feed.id)
        return plan

    def _turn_to(self, plan: Plan, feed_id: str) -> None:
        """Remember when the list was made that a feed had before: the next is to be newer.

        A feed may come back to an older list, and the serial of a zone must not fall.
        """
        if self._last.get(feed_id) != plan:
            self._last[feed_id] = plan
            before = turned(self._site, plan, feed_id)
            self._after[plan] = max(self._after.get(plan, 0), before)
            if plan in self._kept:
                self._kept[plan] = replace(self._kept[plan], rests_until=0)

    def _is_too_old(self, plan: Plan, build: Build) -> bool:
        return build.record.made <= self._after.get(plan, 0)

    async def build_of(self, plan: Plan) -> Build | None:
        """Return the last good build of a plan; the first one is waited for, but not for long."""
        self._wanted[plan] = _moment()
        if plan.blocks_of:
            return await self._followed(plan)
        kept = self._kept.get(plan)
        missing = kept is None or kept.build is None or self._is_too_old(plan, kept.build)
        if missing and (kept is None or kept.rests_until <= _moment()):
            if plan not in self._first:
                self._first[plan] = asyncio.create_task(self._begin(plan))
            await asyncio.wait([self._first[plan]], timeout=_PATIENCE)
            kept = self._kept.get(plan)
        return None if kept is None else kept.build

    async def _followed(self, plan: Plan) -> Build | None:
        """Return the list of what responses block as it is now, else the last good one."""
        async with self._following:
            if plan not in self._kept:
                self._kept[plan] = _Kept(await asyncio.to_thread(stored, self._site, plan))
            before = self._kept[plan].build
            (made,) = await asyncio.gather(self._follow(plan, before), return_exceptions=True)
            if isinstance(made, Build):
                self._kept[plan] = _Kept(made)
                return made
            _log.error("feed not built", feed=plan.zone, error=ascii(made))
            return before

    async def _follow(self, plan: Plan, before: Build | None) -> Build:
        rules, (_, own), now = (
            await self._guard_now(),
            self._own[plan.blocks_of],
            self._around.now(),
        )
        state = following.state_of(rules, own)
        if before is not None:
            over = await following.is_over(self._database, plan, before.record, state, now)
            if not over:
                return before
        given = await following.given(self._database, plan, rules, own, now)
        return await asyncio.to_thread(build, self._site, plan, state, now, before, given)

    def record_of(self, format_name: str, cut: Cut, locks: tuple[str, ...]) -> Record | None:
        """Return what is known of such a list, whatever exceptions it has; None if unbuilt."""
        for plan, kept in self._kept.items():
            if kept.build and (plan.format, plan.cut, plan.locks) == (format_name, cut, locks):
                return kept.build.record
        return None

    async def _begin(self, plan: Plan) -> None:
        (failed,) = await asyncio.gather(self._take_up(plan), return_exceptions=True)
        del self._first[plan]
        if failed is not None:
            _log.error("feed not begun", feed=plan.zone, error=ascii(failed))

    async def _take_up(self, plan: Plan) -> None:
        """Go on with the build that another process left on the disk, or make the first one."""
        found = await asyncio.to_thread(stored, self._site, plan)
        state = await self._state([plan])
        self._kept[plan] = _Kept(found)
        if found is None or self._is_due(plan, state):
            await self._make(plan, state)

    async def run(self) -> None:
        """Look every second, until cancelled, whether a list that somebody fetches has changed."""
        self._swept = _moment()
        while True:
            (failed,) = await asyncio.gather(self.look(), return_exceptions=True)
            if failed is not None:
                _log.error("feeds not looked after", error=ascii(failed))
            await asyncio.sleep(PAUSE if failed is None else _AGAIN)

    async def look(self) -> None:
        """Build anew what has changed, one list after the other."""
        self._drop()
        kept = self._kept.items()
        plans = [plan for plan, one in kept if one.build is not None and not plan.blocks_of]
        if not plans:
            return
        state = await self._state(plans)
        # The quick ones first: an exception is to count in all of them within seconds.
        for plan in sorted(plans, key=lambda plan: self._kept[plan].took):
            if self._is_due(plan, state):
                await self._make(plan, state)

    async def close(self) -> None:
        """Break off what is being built."""
        self._site.closing.set()
        await asyncio.gather(*self._first.values(), return_exceptions=True)
        async with self._turn:
            self._kept.clear()

    def _is_due(self, plan: Plan, state: State) -> bool:
        kept = self._kept[plan]
        if kept.build is None:
            return False
        record = kept.build.record
        if record.state.excepted != state.excepted:
            return True
        if _moment() < kept.rests_until:
            return False
        ended = record.ends is not None and record.ends <= self._around.now()
        fell = self._is_too_old(plan, kept.build)
        cycled = record.state.cycle != state.cycle and _moment() - kept.tried > _CYCLES
        return ended or fell or cycled or record.state.newest != _of(plan, state)

    async def _state(self, plans: list[Plan]) -> State:
        found = sorted({lock for plan in plans for lock in plan.locks})
        async with self._database.read() as connection:
            # Read before the entries are: what comes between makes the next look build again.
            cycle = await projection.last_slot(connection)
            newest = dict(await releases.newest(connection, found))
            now = self._around.now()
            excepted = await guarding.excepted(connection, self._center.org_id, now)
        return State(newest, tuple(sorted(excepted)), cycle)

    async def _make(self, plan: Plan, state: State) -> None:
        """Build a list; where that fails the last good one stays, and the log says why."""
        async with self._turn:
            kept = self._kept.get(plan)
            before, begun = kept.build if kept else None, _moment()
            own = State(_of(plan, state), state.excepted, state.cycle)
            now, after = self._around.now(), self._after.get(plan, 0)
            work = asyncio.to_thread(build, self._site, plan, own, now, before, after=after)
            (made,) = await asyncio.gather(work, return_exceptions=True)
            ended, took = _moment(), _moment() - begun
            if isinstance(made, Build):
                self._kept[plan] = _Kept(made, ended, ended + _PACE * took, took)
                return
            self._kept[plan] = _Kept(before, ended, ended + _AGAIN, took)
            _log.error("feed not built", feed=plan.zone, error=ascii(made))

    def _drop(self) -> None:
        """Forget lists that nobody has fetched for long."""
        if _moment() - self._swept < _SWEPT:
            return
        self._swept = _moment()
        for plan, at in list(self._wanted.items()):
            if at < self._swept - _FORGOTTEN:
                del self._wanted[plan]
                self._kept.pop(plan, None)
                self._after.pop(plan, None)
        forget(self._site, self._wanted, time() - _FORGOTTEN)


def _moment() -> float:
    """Return the seconds of a clock that nobody sets."""
    return asyncio.get_running_loop().time()


def _of(plan: Plan, state: State) -> dict[str, int]:
    return {lock: state.newest.get(lock, 0) for lock in plan.locks}
