"""Which ids the ``feed`` collection of a reader has had, and what each of them serves.

Who gains a key gets a new id: a pager who kept his place would walk past the older releases
under the new key. The old id serves what it served, less what was lost since.
"""

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import insert, select, update

from cybercoop.store.database import Connection
from cybercoop.store.tables import feeds


@dataclass(frozen=True, slots=True)
class Feed:
    """Hold one id of a reader's ``feed`` and the locks that it serves."""

    id: str
    number: int
    locks: frozenset[str]


@lru_cache(maxsize=1024)
def identifier(secret: bytes, name: str) -> str:
    """Return the collection id of a name: an HMAC in the shape of a UUIDv4 (RFC 9562, 5.4)."""
    digest = hmac.digest(secret, f"collection|{name}".encode(), hashlib.sha256)
    return str(uuid.UUID(bytes=digest[:16], version=4))


async def all_of(connection: Connection, org_id: str) -> list[Feed]:
    """Return the ids that an organisation's feed has had, oldest first."""
    query = select(*SHOWN).where(feeds.c.org_id == org_id).order_by(feeds.c.number)
    return [feed(*row) for row in await connection.execute(query)]


SHOWN = (feeds.c.id, feeds.c.number, feeds.c.locks)
"""The columns that ``feed`` takes."""


def feed(feed_id: str, number: int, locks: str) -> Feed:
    """Return the feed of a row."""
    return Feed(feed_id, number, frozenset(json.loads(locks)))


async def note_keys(
    connection: Connection, org_id: str, keys: frozenset[str], secret: bytes
) -> None:
    """Follow a change of an organisation's keys: lost ones end, a gained one starts a new id."""
    known = await all_of(connection, org_id)
    for feed in known:
        if not feed.locks <= keys:
            kept = json.dumps(sorted(feed.locks & keys))
            await connection.execute(update(feeds).where(feeds.c.id == feed.id).values(locks=kept))
    if known and keys <= known[-1].locks:
        return
    number = known[-1].number + 1 if known else 1
    row = {
        "id": identifier(secret, f"feed|{org_id}|{number}"),
        "org_id": org_id,
        "number": number,
        "locks": json.dumps(sorted(keys)),
    }
    await connection.execute(insert(feeds), row)
