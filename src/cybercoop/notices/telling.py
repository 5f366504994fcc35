"""Telling: a notice is written down with all that it goes to, within whoever's transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace

from cybercoop.store import feeds
from cybercoop.store import notices as remembered
from cybercoop.store.database import Connection
from cybercoop.store.notices import CENTER, Notice, Receiver

__all__ = ["CENTER", "Notice", "tell"]


async def tell(connection: Connection, notice: Notice) -> None:
    """Send a notice on its way to people by mail, and to the webhooks of their organisation.

    It is told if the transaction commits, and once: a second of the same key changes nothing.
    """
    if not await remembered.add(connection, _storable(notice)):
        return
    secret, found = await remembered.receivers_of(connection, notice)
    # Keys of notices may tell what they are about, and ids leave the house.
    ids = {
        feeds.identifier(secret, f"notice|{notice.key}|{_name(one)}"): one
        for one in _told(found, notice)
    }
    await remembered.deliver(connection, notice, ids)


def _storable(notice: Notice) -> Notice:
    """Return a notice that every database takes: nobody's task fails for how it is worded."""
    return replace(
        notice,
        subject_de=_plain(notice.subject_de),
        subject_en=_plain(notice.subject_en),
        text_de=_plain(notice.text_de),
        text_en=_plain(notice.text_en),
    )


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _told(found: Sequence[Receiver], notice: Notice) -> list[Receiver]:
    """Return all webhooks, and who has the role; where nobody has, it concerns everybody."""
    people = [one for one in found if one.person_id]
    meant = [one for one in people if notice.role in json.loads(one.roles)]
    return (meant or people) + [one for one in found if one.webhook_id]


def _name(one: Receiver) -> str:
    return f"mail|{one.person_id}" if one.person_id else f"webhook|{one.webhook_id}"
