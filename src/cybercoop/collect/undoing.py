"""Undoing: a whole push is taken back, and what stood before it stands again."""

from cybercoop.errors import NotFound
from cybercoop.members.organisations import Organisation
from cybercoop.store import contributions, pushes
from cybercoop.store.database import Database


async def undo(database: Database, org: Organisation, push_id: str, now: int) -> int:
    """Take back every version that ``org`` gave under a push and return how many there were.

    The next cycle releases what was released before the push; what was given after it stays.
    ``now`` is microseconds since 1970. Raises ``NotFound`` for a push that is not this
    organisation's, or of which nothing is left.
    """
    async with database.write() as connection:
        # Holds the organisation's clock: a push that is still going on comes before or after.
        await contributions.stamps(connection, org.id, now, 0)
        found = await pushes.count(connection, org.id, push_id)
        if not found:
            raise NotFound("Nothing is left of this push, or it is not one of yours.")
        await pushes.take_back(connection, org.id, [push_id])
    return found
