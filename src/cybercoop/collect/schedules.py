"""Schedules: sources are collected when they are due, by one worker of several.

A workflow of DBOS looks every half minute which sources are due, and starts one workflow for each.
Its id is made of the source and of the time for which it was due, so that workers who look at the
same moment start it once; claiming that time in our own database decides. The run of a worker
that died is taken over at the latest when the source is due again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from cybercoop.collect import collecting, definitions
from cybercoop.collect.collecting import House
from cybercoop.collect.definitions import Source
from cybercoop.durable import Durable, Part
from cybercoop.errors import Misused

EVERY_HALF_MINUTE = "*/30 * * * * *"
_PAUSE = 30
_AT_ONCE = 4

_log = structlog.get_logger("schedules")


@dataclass(frozen=True, slots=True)
class Schedules:
    """Hold what the workflows work with: all of it lives on the loop of the whole process."""

    house: House
    feeds: Path
    wake: Callable[[], None]
    defined: dict[str, Source] = field(default_factory=dict)

    async def known(self) -> dict[str, Source]:
        """Return the definitions as they are on the disk, or were before somebody broke one."""
        try:
            found = await asyncio.to_thread(definitions.read, self.feeds)
        except Misused as error:
            _log.error("definitions cannot be read", reason=str(error))
            return dict(self.defined)
        self.defined.clear()
        self.defined.update({source.name: source for source in found})
        return dict(self.defined)

    async def look(self) -> dict[str, int]:
        """Return which sources are due and since when; log those whose state has changed."""
        now, known = self.house.around.now(), await self.known()
        await collecting.add_enabled(self.house.database, known.values(), self.house.around)
        await collecting.tell_changes(self.house.database, known.values(), now)
        return await collecting.due(self.house.database, known.values(), now)

    async def claim(self, name: str, since: int) -> bool:
        """Take the time for which a source was due; say whether nobody else had taken it."""
        source = (await self.known()).get(name)
        now = self.house.around.now()
        return source is not None and await collecting.claim(
            self.house.database, source, since, now
        )

    async def collect(self, name: str) -> str:
        """Collect from a source and return why that failed, or nothing."""
        known = await self.known()
        if name not in known:
            return "There is no definition of this name any more."
        try:
            run = await collecting.collect(self.house, known[name], lambda *_: None)
        except Misused as error:  # it was turned off, or a person is collecting from it
            return str(error)
        self.wake()
        now = self.house.around.now()
        await collecting.tell_changes(self.house.database, [known[name]], now)
        return run.reason


def part(schedules: Schedules) -> Part:
    """Return what a worker has to do for sources; a center without any pays nothing for it."""

    async def needed() -> bool:
        await schedules.look()
        return await collecting.any_on(schedules.house.database)

    return Part(needed, partial(_register, schedules), pause=_PAUSE)


def _register(schedules: Schedules, durable: Durable) -> None:
    queue = durable.queue("sources", _AT_ONCE)

    async def collect(name: str, since: int) -> str:
        if not await durable.step("claim", schedules.claim, name, since):
            return "Somebody else took it."
        return await durable.step("collect", schedules.collect, name)

    collect_workflow = durable.workflow("collect", collect)

    async def look(_at: object, _context: object) -> None:
        for name, since in (await durable.step("look", schedules.look)).items():
            # By the hour: a start that failed before it could claim does not stand in the way.
            hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
            await durable.start(queue, collect_workflow, f"{name} {since} {hour}", name, since)

    look_workflow = durable.workflow("look", look)
    durable.every("look", EVERY_HALF_MINUTE, look_workflow)
    durable.at_once(queue, look_workflow, None, None)
