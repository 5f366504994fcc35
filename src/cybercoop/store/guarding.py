"""What the guard remembers: own values, exceptions, what is held and what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Row,
    RowMapping,
    Select,
    bindparam,
    delete,
    false,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.sharing import keys_of
from cybercoop.store import feeds, members
from cybercoop.store.database import Connection
from cybercoop.store.projection import Place
from cybercoop.store.service_tables import assets, canaries, exceptions, holds
from cybercoop.store.tables import clocks, contributions, releases

_CLOCK = "guard"
_CHUNK = 5000
RELEASE, KEEP = "release", "keep"


@dataclass(frozen=True, slots=True)
class Held:
    """Hold one entry of the review queue: what is kept out of releases, and by which rule."""

    place: Place
    kind: str
    value: str
    level: str
    rule: str

    def id(self, secret: bytes) -> str:
        """Return the id of the entry, the same whenever the place is held."""
        lock, key = self.place
        return feeds.identifier(secret, f"hold|{lock}|{key.hex()}")


async def version(connection: Connection) -> int:
    """Return a number that rises whenever rules, exceptions or decisions change."""
    query = select(clocks.c.last).where(clocks.c.name == _CLOCK)
    return (await connection.execute(query)).scalar() or 0


async def changed(connection: Connection) -> None:
    """Let every projector read rules, exceptions and decisions anew."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(clocks).values(name=_CLOCK, last=1)
    risen = {"last": clocks.c.last + 1}
    await connection.execute(first.on_conflict_do_update(index_elements=["name"], set_=risen))


async def own_values(connection: Connection) -> list[tuple[str, str]]:
    """Return kind (``network`` or ``domain``) and value of all that organisations have."""
    c = assets.c
    query = select(c.kind, c.value).where(c.kind.in_(("network", "domain"))).order_by(c.id)
    return [(row.kind, row.value) for row in await connection.execute(query)]


async def decisions(connection: Connection) -> frozenset[Place]:
    """Return the places that the center releases although a rule holds them."""
    query = select(holds.c.lock, holds.c.key).where(holds.c.decision == RELEASE)
    return frozenset((row.lock, row.key) for row in await connection.execute(query))


async def at(connection: Connection, keys: Sequence[bytes]) -> dict[Place, str]:
    """Return the rule by which places of these keys are held now."""
    c = holds.c
    if (
        await connection.execute(select(c.id).where(c.standing == true()).limit(1))
    ).first() is None:
        return {}
    query = select(c.lock, c.key, c.rule).where(
        c.key.in_(bindparam("keys", expanding=True)), c.standing == true()
    )
    found: dict[Place, str] = {}
    for start in range(0, len(keys), _CHUNK):
        rows = await connection.execute(query, {"keys": list(keys[start : start + _CHUNK])})
        found |= {(row.lock, row.key): row.rule for row in rows}
    return found


async def hold(connection: Connection, held: Iterable[Held], secret: bytes, now: int) -> None:
    """Put places into the review queue; a decision made before stays."""
    for one in held:
        said = {"kind": one.kind, "value": one.value, "level": one.level, "rule": one.rule}
        known = update(holds).where(holds.c.lock == one.place[0], holds.c.key == one.place[1])
        if not (await connection.execute(known.values(standing=True, **said))).rowcount:
            place = {"lock": one.place[0], "key": one.place[1]}
            row = {"id": one.id(secret), "held_at": now, "standing": True} | place | said
            await connection.execute(insert(holds), row)


async def let_go(connection: Connection, places: Iterable[Place]) -> None:
    """Take places off the review queue: no rule holds them any more, or nothing stands there."""
    for lock, key in places:
        gone = update(holds).where(holds.c.lock == lock, holds.c.key == key)
        await connection.execute(gone.values(standing=False))


async def queue(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """Return the review queue: undecided first, newest first."""
    query = (
        select(holds)
        .where(or_(holds.c.standing == true(), holds.c.decision.is_not(None)))
        .order_by(holds.c.decision.is_not(None), holds.c.held_at.desc(), holds.c.id)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


async def find(connection: Connection, hold_id: str) -> RowMapping | None:
    """Return one entry of the review queue."""
    query = select(holds).where(holds.c.id == hold_id)
    return (await connection.execute(query)).mappings().first()


async def decide(
    connection: Connection, hold_id: str, decision: str | None, by: str, now: int
) -> None:
    """Remember what was decided about a held place; None takes a decision back."""
    said = {"decision": decision, "decided_at": now, "decided_by": by}
    await connection.execute(update(holds).where(holds.c.id == hold_id).values(said))


async def listed(connection: Connection, after: int) -> Sequence[Row[Any]]:
    """Return date_added, lock, key, kind and value of a chunk of all that devices are given."""
    c = releases.c
    query = select(c.date_added, c.lock, c.key, c.kind, c.value)
    return await _chunk(connection, query.where(c.kind.is_not(None)), after)


async def unlisted(connection: Connection, types: Sequence[str], after: int) -> Sequence[Row[Any]]:
    """Return date_added, lock, key, type and bytes of a chunk of what no list carries."""
    c = releases.c
    query = select(c.date_added, c.lock, c.key, c.type, c.bytes)
    return await _chunk(connection, query.where(c.kind.is_(None), c.type.in_(types)), after)


async def _chunk(connection: Connection, query: Select[Any], after: int) -> Sequence[Row[Any]]:
    c = releases.c
    live = query.where(c.latest == true(), c.revoked == false(), c.date_added > after)
    rows: Sequence[Row[Any]] = (
        await connection.execute(live.order_by(c.date_added).limit(_CHUNK))
    ).all()
    return rows


async def held_of(connection: Connection, org_id: str, limit: int) -> Sequence[RowMapping]:
    """Return an organisation's own contributions that a rule holds back, with level and rule.

    Only under locks that it can open: elsewhere what others gave, what the center decided and
    what a canary stopped would show in it.
    """
    c = contributions.c
    keys = keys_of(await members.find(connection, org_id))
    query = (
        select(c.stix_id, c.version, c.lock, holds.c.level, holds.c.rule)
        .join(holds, (holds.c.lock == c.at_lock) & (holds.c.key == c.key))
        .where(
            c.org_id == org_id,
            c.latest == true(),
            c.deleted == false(),
            c.revoked == false(),
            holds.c.standing == true(),
            holds.c.lock.in_(sorted(keys)),
        )
        .order_by(c.date_added.desc())
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


async def held_places(connection: Connection) -> list[Place]:
    """Return every place that a rule holds now."""
    query = select(holds.c.lock, holds.c.key).where(holds.c.standing == true())
    return [(row.lock, row.key) for row in await connection.execute(query)]


async def canary(connection: Connection, lock: str) -> RowMapping | None:
    """Return what the canary of a lock remembers."""
    query = select(canaries).where(canaries.c.lock == lock)
    return (await connection.execute(query)).mappings().first()


async def remember_canary(connection: Connection, lock: str, said: Mapping[str, Any]) -> None:
    """Let the canary of a lock remember ``said``: columns of its table."""
    await connection.execute(delete(canaries).where(canaries.c.lock == lock))
    await connection.execute(insert(canaries), {"lock": lock, **said})


async def all_canaries(connection: Connection) -> Sequence[RowMapping]:
    """Return every canary that ever counted, stopped ones first."""
    c = canaries.c
    query = select(canaries).order_by(c.stopped_at.is_(None), c.lock)
    return (await connection.execute(query)).mappings().all()


async def stopped(connection: Connection) -> frozenset[str]:
    """Return the locks that stand still until somebody confirms."""
    query = select(canaries.c.lock).where(canaries.c.stopped_at.is_not(None))
    return frozenset((await connection.execute(query)).scalars())


async def excepted(connection: Connection, org_id: str, now: int) -> list[tuple[str, str]]:
    """Return kind and value of an organisation's exceptions in force."""
    c = exceptions.c
    query = select(c.kind, c.value).where(
        c.org_id == org_id, c.ended_at.is_(None), or_(c.until.is_(None), c.until > now)
    )
    return [(row.kind, row.value) for row in await connection.execute(query)]


async def end_what_is_over(connection: Connection, now: int) -> int:
    """End exceptions whose time is over; return how many that were."""
    c = exceptions.c
    over = update(exceptions).where(c.ended_at.is_(None), c.until <= now)
    return (await connection.execute(over.values(ended_at=now))).rowcount
