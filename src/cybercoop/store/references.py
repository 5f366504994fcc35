"""What contributions refer to, and what that turned out to be."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, false, select, true, update

from cybercoop.store.bulk import parts
from cybercoop.store.database import Connection
from cybercoop.store.projection import ROW, Place, Row
from cybercoop.store.tables import contributions, ends, releases


async def anything_refers(connection: Connection) -> bool:
    """Say whether any contribution refers to another."""
    return (await connection.execute(select(ends.c.seq).limit(1))).first() is not None


async def referring(
    connection: Connection,
    ids: Sequence[str],
    keys: Sequence[bytes],
    types: Collection[str] | None = None,
) -> list[Row]:
    """Return live contributions that refer to one of these ids, or to what has these keys.

    ``types`` says of which types; None means all.
    """
    found: dict[int, Row] = {}
    if not await anything_refers(connection):
        return []
    for column, values in ((ends.c.ref, ids), (ends.c.key, keys)):
        query = (
            select(*ROW)
            .where(
                contributions.c.seq.in_(
                    select(ends.c.seq).where(column.in_(bindparam("values", expanding=True)))
                )
            )
            .order_by(contributions.c.seq)
        )
        if types is not None:
            query = query.where(contributions.c.type.in_(sorted(types)))
        for part in parts(values):
            rows = await connection.execute(query, {"values": part})
            found |= {row.seq: Row(*row) for row in rows}
    return [found[seq] for seq in sorted(found)]


async def ends_of(
    connection: Connection, seqs: Sequence[int]
) -> dict[int, dict[str, bytes | None]]:
    """Return what each contribution refers to, and the keys found for that."""
    query = select(ends).where(ends.c.seq.in_(bindparam("seqs", expanding=True)))
    found: dict[int, dict[str, bytes | None]] = {seq: {} for seq in seqs}
    for part in parts(seqs):
        for row in await connection.execute(query, {"seqs": part}):
            found[row.seq][row.ref] = row.key
    return found


async def remember_ends(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember the keys of what is referred to: ``b_seq``, ``b_ref`` and ``key`` each."""
    if rows:
        found = update(ends).where(
            ends.c.seq == bindparam("b_seq"), ends.c.ref == bindparam("b_ref")
        )
        await connection.execute(found.values(key=bindparam("key")), list(rows))


async def given(
    connection: Connection, orgs: Iterable[str], ids: Sequence[str]
) -> dict[tuple[str, str], Place]:
    """Return where what these contributors gave under these ids counts, by contributor and id."""
    c = contributions.c
    query = select(c.org_id, c.stix_id, c.at_lock, c.key).where(
        c.org_id.in_(sorted(orgs)),
        c.stix_id.in_(bindparam("ids", expanding=True)),
        c.latest == true(),
        c.deleted == false(),
        c.revoked == false(),
        c.at_lock.is_not(None),
        c.key.is_not(None),
    )
    found: dict[tuple[str, str], Place] = {}
    for part in parts(ids):
        for row in await connection.execute(query, {"ids": part}):
            found[row.org_id, row.stix_id] = (row.at_lock, row.key)
    return found


async def released(connection: Connection, ids: Sequence[str]) -> list[tuple[str, Place]]:
    """Return the places of releases that have, or had, these ids.

    A value that returns does so under another id, and means the same.
    """
    c = releases.c
    query = select(c.stix_id, c.lock, c.key).where(c.stix_id.in_(bindparam("ids", expanding=True)))
    found: list[tuple[str, Place]] = []
    for part in parts(ids):
        rows = await connection.execute(query.distinct(), {"ids": part})
        found += [(row.stix_id, (row.lock, row.key)) for row in rows]
    return found
