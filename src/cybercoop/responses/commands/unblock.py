"""Take a value off a county's response feed that its run has put there."""

from cybercoop.playbooks import templates
from cybercoop.responses.commands import Doing, Values
from cybercoop.responses.commands.block import value_of
from cybercoop.store import blocks, responses
from cybercoop.store.database import Connection

KINDS = ("unblock",)
IS_EFFECT = True


async def carry_out(doing: Doing) -> Values:
    """End the blocks of the value; what is off the feed already stays off."""
    _, value = value_of(doing)
    now = doing.house.around.now()

    async def end(connection: Connection) -> None:
        await blocks.end_value(connection, doing.run.id, value, now, "unblocked")
        await responses.note(
            connection,
            doing.response.id,
            now,
            "engine",
            "unblocked",
            doing.run.org_id,
            value=templates.shown(value),
        )

    await doing.house.record.do(end)
    return {}
