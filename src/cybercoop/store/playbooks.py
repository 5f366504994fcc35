"""Playbooks in the database: versions as they were imported, never changed."""

import json
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import and_, func, insert, select

from cybercoop.errors import NotFound
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import playbooks


class Kept(Struct, frozen=True, kw_only=True):
    """Hold one imported version; ``signed_by`` names the pinned keys whose signature was good."""

    id: str
    modified: int
    digest: str
    name: str
    org_id: str
    lock: str
    revoked: bool
    signed_by: list[str]
    imported_at: int


_SHOWN = tuple(playbooks.c[name] for name in Kept.__struct_fields__)


async def add(connection: Connection, new: Kept, raw: bytes) -> None:
    """Remember a version that is not there yet."""
    row = msgspec.structs.asdict(new) | {"bytes": raw}
    await connection.execute(insert(playbooks), row | {"signed_by": json.dumps(new.signed_by)})


async def version(connection: Connection, playbook_id: str, modified: int) -> Kept | None:
    """Return one version of a playbook, if it is there."""
    c = playbooks.c
    query = select(*_SHOWN).where(c.id == playbook_id, c.modified == modified)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _kept(row)


async def usable(
    connection: Connection,
    playbook_id: str,
    modified: int | None,
    within: Collection[str] | None = None,
) -> Kept | None:
    """Return a version, or the newest without ``modified``; nothing where the newest is revoked.

    With ``within`` what bears no lock of these is not there.
    """
    c = playbooks.c
    query = select(*_SHOWN).where(c.id == playbook_id).order_by(c.modified.desc())
    found = [_kept(row) for row in await connection.execute(query)]
    if not found or found[0].revoked:
        return None
    may = [one for one in found if within is None or one.lock in within]
    return next((one for one in may if modified in {None, one.modified}), None)


async def newest(connection: Connection, locks: Collection[str] | None = None) -> list[Kept]:
    """Return the newest version of every playbook that these locks open, by name."""
    c = playbooks.c
    seen = select(c.id, func.max(c.modified).label("modified")).group_by(c.id)
    if locks is not None:
        seen = seen.where(c.lock.in_(locks))
    last = seen.subquery()
    query = select(*_SHOWN).join(last, and_(last.c.id == c.id, last.c.modified == c.modified))
    return [_kept(row) for row in await connection.execute(query.order_by(c.name, c.id))]


async def content(connection: Connection, playbook_id: str, modified: int) -> bytes:
    """Return the exact bytes of a version; raise ``NotFound`` where it is not there."""
    c = playbooks.c
    query = select(c.bytes).where(c.id == playbook_id, c.modified == modified)
    found = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"No playbook has the id {playbook_id} and this version.")
    return bytes(found)


def _kept(row: Any) -> Kept:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return Kept(**values | {"signed_by": json.loads(row.signed_by), "revoked": bool(row.revoked)})
