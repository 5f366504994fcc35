"""Which ids the ``feed`` collection of a reader has had, and what each of them serves.

Who gains a key gets a new id: a pager who kept his place would walk past the older releases
under the new key. The old id serves what it served, less what was lost since.
"""

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, bindparam, insert, select, update

from cybercoop.store import prepared
from cybercoop.store.database import Connection
from cybercoop.store.tables import feeds


@dataclass(frozen=True, slots=True)
class Feed:
    """Hold one id of a reader's ``feed`` and the locks that it serves."""

    id: str
    number: int
    locks: frozenset[str]


def identifier(secret: bytes, name: str) -> str:
    """Return the collection id of a name: an HMAC in the shape of a UUIDv4 (RFC 9562, 5.4)."""
    digest = hmac.digest(secret, f"collection|{name}".encode(), hashlib.sha256)
    return str(uuid.UUID(bytes=digest[:16], version=4))


async def all_of(connection: Connection, org_id: str) -> list[Feed]:
    """Return the ids that an organisation's feed has had, oldest first."""
    rows = await prepared.rows(connection, _feeds, "feeds", {"org_id": org_id})
    return [Feed(feed_id, number, frozenset(json.loads(locks))) for feed_id, number, locks in rows]


def _feeds(_shape: str) -> Select[Any]:
    query = select(feeds.c.id, feeds.c.number, feeds.c.locks)
    mine = feeds.c.org_id == bindparam("org_id", "", type_=String())
    return query.where(mine).order_by(feeds.c.number)


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
