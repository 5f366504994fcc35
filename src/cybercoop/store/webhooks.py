"""Webhooks in the database: where an organisation's programs are told."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select, update

from cybercoop.errors import NotFound
from cybercoop.store.database import Connection
from cybercoop.store.notice_tables import webhooks
from cybercoop.store.tables import organisations


@dataclass(frozen=True, slots=True)
class Webhook:
    """Hold a webhook; ``most`` is the most confidential that it may be told."""

    id: str
    org_id: str
    url: str
    most: str
    internal: bool
    created_at: int
    ended_at: int | None = None


async def add(connection: Connection, new: Webhook, secret: bytes) -> None:
    """Remember a webhook and what its calls are signed with."""
    row = {name: getattr(new, name) for name in Webhook.__slots__}
    await connection.execute(insert(webhooks), {**row, "secret": secret})


async def all_of(connection: Connection, org_id: str | None = None) -> list[Webhook]:
    """Return the webhooks of an organisation, or of all, that have not ended; oldest first."""
    query = _standing().order_by(webhooks.c.created_at, webhooks.c.id)
    if org_id is not None:
        query = query.where(webhooks.c.org_id == org_id)
    return [_webhook(row) for row in (await connection.execute(query)).mappings()]


async def find(connection: Connection, webhook_id: str) -> Webhook:
    """Return a webhook that has not ended; raise ``NotFound``."""
    query = _standing().where(webhooks.c.id == webhook_id)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise NotFound("There is no such webhook.")
    return _webhook(row)


async def secret(connection: Connection, webhook_id: str) -> bytes:
    """Return what the calls of a webhook are signed with; raise ``NotFound``."""
    query = select(webhooks.c.secret).where(webhooks.c.id == webhook_id)
    found = (await connection.execute(query)).scalar()
    if found is None:
        raise NotFound("There is no such webhook.")
    return bytes(found)


async def end(connection: Connection, webhook_id: str, now: int) -> None:
    """End a webhook at once; what waits for it is not sent any more."""
    await connection.execute(
        update(webhooks).where(webhooks.c.id == webhook_id).values(ended_at=now)
    )


def _standing() -> Select[Any]:
    return (
        select(*(webhooks.c[name] for name in Webhook.__slots__))
        .join(organisations, organisations.c.id == webhooks.c.org_id)
        .where(webhooks.c.ended_at.is_(None), organisations.c.left_at.is_(None))
    )


def _webhook(row: Any) -> Webhook:
    return Webhook(**{**row, "internal": bool(row["internal"])})
