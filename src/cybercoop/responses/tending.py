"""What time does to responses: deadlines are told, blocks end, broken glass is swept up.

Each look is one statement for each kind; what is found is held, and changed in the transaction
that finds it, so that of several workers one does it. Each kind has a transaction of its own: none
waits for people while it keeps others from something else.
"""

import asyncio
from contextlib import suppress
from itertools import count

from cybercoop.errors import CoopError
from cybercoop.playbooks.progress import Task
from cybercoop.responses import leading, telling
from cybercoop.responses.carrying import ENGINE, Carrying
from cybercoop.store import blocks, incidents, people, responses
from cybercoop.store.database import Connection, explained

_EVERY = 5
_REMIND_EVERY = 12
_LAST = 2
"""The stage of a deadline that is the last one told: the center knows."""


async def tend(house: Carrying) -> None:
    """Look every few seconds what time has done, until cancelled."""
    for number in count():
        # A database that is away is there again in some other moment.
        with suppress(CoopError, OSError), explained():
            await look(house)
            if number % _REMIND_EVERY == 0:
                await remind(house)
        await asyncio.sleep(_EVERY)


async def remind(house: Carrying) -> None:
    """Tell organisations which reports their incidents ask for; each stage once."""
    now = house.around.now()
    async with house.database.read() as connection:
        due = await incidents.reminders(connection, now)
    if due:
        async with house.database.write() as connection:
            for one in due:
                await telling.of_duty(connection, one, now)


async def look(house: Carrying) -> None:
    """Tell deadlines, end blocks that are over, and take back what nobody ratified."""
    now = house.around.now()
    async with house.database.read() as connection:
        if not await responses.anything_due(connection, now):
            return
    for deed in (tell_deadlines, end_blocks, sweep_up):
        async with house.database.write() as connection:
            await deed(house, connection, now)


async def tell_deadlines(_: Carrying, connection: Connection, now: int) -> None:
    """Tell every deadline that is due to whom it is to be told now."""
    for late in await responses.tasks_due(connection, now):
        await _told(connection, late, now)


async def end_blocks(_: Carrying, connection: Connection, now: int) -> None:
    """End the blocks whose time is over."""
    for over in await blocks.expire(connection, now):
        told = {"value": over.value}
        await responses.note(
            connection, over.response_id, now, ENGINE, "block-ended", over.org_id, **told
        )


async def sweep_up(house: Carrying, connection: Connection, now: int) -> None:
    """Take back what was begun on one person's word, and what nobody ratified in time."""
    for response_id in await responses.unratified(connection, now):
        await responses.change(connection, response_id, now, glass_until=None)
        reason = "Nobody ratified it within the hour."
        await leading.roll_back(house, connection, response_id, ENGINE, reason)


async def _told(connection: Connection, late: Task, now: int) -> None:
    """Tell a deadline to whom it is to be told now, and remember to whom next, and when."""
    response = await responses.response(connection, late.response_id)
    deputies = await people.deputies(connection, late.org_id, late.role, late.assignee)
    await telling.of_deadline(connection, response, late, now, deputies)
    what = ("reminded", "deputy-asked", "center-told")[late.stage]
    told = {"task": late.title}
    await responses.note(connection, response.id, now, ENGINE, what, late.org_id, **told)
    following = None if late.stage == _LAST else _next(late, now)
    values = {"stage": late.stage + 1, "next_at": following}
    await responses.change_task(connection, late.id, {"open", "claimed"}, **values)


def _next(late: Task, now: int) -> int:
    """Return when a deadline is told again: when it passes, and when a quarter more has passed."""
    due = late.due_at or now
    return due if late.stage == 0 else max(now, due) + (due - late.created_at) // 4
