"""Telling: a notice is written down with all that it goes to, within whoever's transaction."""

import json
from collections.abc import Sequence

from cybercoop.store import feeds, members
from cybercoop.store import notices as remembered
from cybercoop.store.database import Connection
from cybercoop.store.notices import Notice, Receiver

__all__ = ["Notice", "tell"]

CENTER = "center"
"""The role that stands for the people of the center."""


async def tell(connection: Connection, notice: Notice) -> None:
    """Send a notice on its way to people by mail, and to the webhooks of their organisation.

    It is told if the transaction commits, and once: a second of the same key changes nothing.
    """
    if not await remembered.add(connection, notice):
        return
    center = await members.the_center(connection)
    org_id = center.org_id if notice.role == CENTER else notice.org_id
    people = await remembered.people_of(connection, org_id, notice.person_id)
    hooks = await remembered.hooks_of(connection, people[0].org_id if people else org_id)
    told = [*(_with_role(people, notice) or people), *hooks]
    # Keys of notices may tell what they are about, and ids leave the house.
    ids = {
        feeds.identifier(center.secret, f"notice|{notice.key}|{_name(one)}"): one for one in told
    }
    await remembered.deliver(connection, notice, ids)


def _with_role(people: Sequence[Receiver], notice: Notice) -> list[Receiver]:
    """Return who has the role of a notice; where nobody has, it concerns everybody."""
    return [one for one in people if notice.role in json.loads(one.roles)]


def _name(one: Receiver) -> str:
    return f"mail|{one.person_id}" if one.person_id else f"webhook|{one.webhook_id}"
