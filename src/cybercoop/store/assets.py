"""What organisations have, and their exceptions, in the database."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, or_, select, update

from cybercoop.members.assets import Asset, AssetKind, Exemption
from cybercoop.store.database import Connection
from cybercoop.store.service_tables import assets, exceptions


async def add(connection: Connection, new: Asset) -> None:
    """Remember one thing that an organisation has."""
    row = {name: getattr(new, name) for name in Asset.__slots__}
    await connection.execute(insert(assets), row)


async def all_of(connection: Connection, org_id: str | None) -> list[Asset]:
    """Return what an organisation has, or what all have, in the order it was said."""
    c = assets.c
    query = select(c.id, c.org_id, c.kind, c.value, c.created_at, c.vendor, c.version)
    query = query.order_by(c.created_at, c.id)
    if org_id is not None:
        query = query.where(c.org_id == org_id)
    return [
        Asset(row.id, row.org_id, AssetKind(row.kind), row.value, row.created_at, *row[5:])
        for row in await connection.execute(query)
    ]


async def drop(connection: Connection, asset_id: str, org_id: str | None) -> int:
    """Forget one thing; None as organisation forgets anybody's. Return how many that were."""
    gone = delete(assets).where(assets.c.id == asset_id)
    if org_id is not None:
        gone = gone.where(assets.c.org_id == org_id)
    return (await connection.execute(gone)).rowcount


async def except_for(connection: Connection, new: Exemption) -> None:
    """Remember an exception."""
    row = {name: getattr(new, name) for name in Exemption.__slots__}
    await connection.execute(insert(exceptions), row)


async def exemptions(connection: Connection, orgs: Sequence[str], now: int) -> list[Exemption]:
    """Return the exceptions of these organisations that are in force, newest first."""
    c = exceptions.c
    columns = [c[name] for name in Exemption.__slots__]
    query = (
        select(*columns)
        .where(
            c.org_id.in_(list(orgs)), c.ended_at.is_(None), or_(c.until.is_(None), c.until > now)
        )
        .order_by(c.created_at.desc(), c.id)
    )
    return [Exemption(*row) for row in await connection.execute(query)]


async def end(connection: Connection, exemption_id: str, org_id: str, now: int) -> int:
    """End an exception of an organisation; return whether it was in force (1 or 0)."""
    c = exceptions.c
    mine = update(exceptions).where(c.id == exemption_id, c.org_id == org_id, c.ended_at.is_(None))
    return (await connection.execute(mine.values(ended_at=now))).rowcount
