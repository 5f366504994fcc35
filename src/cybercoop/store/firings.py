"""What rules look at and what they made of it: watches, firings, and who said the same.

Releases are written in cycles, one after the other: all stamps of a slot are committed before the
projector's clock shows a later one. So the clock is what tells whether there is anything new.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Row,
    and_,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import Text

from cybercoop.store.bulk import parts
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import blocks, firings, responses, watches
from cybercoop.store.service_tables import holds
from cybercoop.store.tables import clocks, contributions, releases

ACTED = ("proposed", "started", "waiting")
"""Verdicts that use up a rule's limit, and after which the same subject counts as repeated."""


class Released(Struct, frozen=True, gc=False):
    """Hold a release as rules look at it; ``date_added`` is when it came."""

    date_added: int
    lock: str
    key: bytes
    stix_id: str
    type: str
    kind: str | None
    value: str | None
    confidence: int | None
    bytes: bytes


class Contributed(Struct, frozen=True, gc=False):
    """Hold one contribution at the place of a release: whose it is, and since when it counts."""

    org_id: str
    key: bytes
    at_lock: str
    date_added: int
    modified: str
    seq: int
    latest: bool
    deleted: bool
    revoked: bool
    bytes: bytes

    @property
    def stands(self) -> bool:
        """Say whether nobody has taken it back."""
        return bool(self.latest) and not self.deleted and not self.revoked


class Firing(Struct, frozen=True, kw_only=True):
    """Hold what a rule made of something; ``subject`` is empty where several are counted in one.

    ``at`` is microseconds since 1970, ``why`` the explanation, which only the center reads.
    """

    rule: str
    subject: str
    at: int
    verdict: str
    why: dict[str, Any]
    lock: str
    response_id: str | None = None
    seq: int = 0


_RELEASED = tuple(releases.c[name] for name in Released.__struct_fields__)
_CONTRIBUTED = tuple(contributions.c[name] for name in Contributed.__struct_fields__)
_SHOWN = tuple(firings.c[name] for name in Firing.__struct_fields__)


_HEADS = union_all(
    select(literal("clock").label("what"), clocks.c.name, cast(clocks.c.last, Text())).where(
        clocks.c.name.in_(("projector", "incidents"))
    ),
    select(literal("watch"), watches.c.name, watches.c.cursor),
)


async def heads(connection: Connection) -> tuple[dict[str, int], dict[str, str]]:
    """Return how far everything has come that rules look at, and how far they have looked."""
    rows = (await connection.execute(_HEADS)).all()
    far = {name: int(said) for what, name, said in rows if what == "clock"}
    return far, {name: said for what, name, said in rows if what == "watch"}


async def take(connection: Connection, name: str) -> str | None:
    """Return a cursor and keep others from it until commit; nothing where there is none."""
    query = select(watches.c.cursor).where(watches.c.name == name).with_for_update()
    return (await connection.execute(query)).scalar()


async def put(connection: Connection, name: str, cursor: str) -> None:
    """Remember a cursor."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(watches).values(name=name, cursor=cursor)
    await connection.execute(
        new.on_conflict_do_update(index_elements=["name"], set_={"cursor": cursor})
    )


async def put_earlier(connection: Connection, name: str, moment: int) -> None:
    """Remember a moment where none is known, or only later ones; it is held until commit."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(watches).values(name=name, cursor=str(moment))
    known = cast(watches.c.cursor, BigInteger())
    earlier = new.on_conflict_do_update(
        index_elements=["name"], set_={"cursor": str(moment)}, where=known > moment
    )
    await connection.execute(earlier)


async def forget(connection: Connection, names: Collection[str]) -> None:
    """Forget cursors: whoever looks again begins with what comes then."""
    await connection.execute(delete(watches).where(watches.c.name.in_(sorted(names))))


async def released(
    connection: Connection, types: Sequence[str], after: int, until: int, most: int
) -> list[Released]:
    """Return what stands of these types that came between two stamps, the oldest first."""
    c = releases.c
    query = select(*_RELEASED).where(c.date_added > after, c.date_added <= until)
    query = query.where(c.type.in_(types), c.latest == true(), c.revoked == false())
    rows = await connection.execute(query.order_by(c.date_added).limit(most))
    return [Released(*row) for row in rows]


async def at_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Released]:
    """Return what stands under these released ids."""
    c = releases.c
    found: dict[str, Released] = {}
    for part in parts(ids):
        query = select(*_RELEASED).where(c.stix_id.in_(part), c.latest == true())
        for row in await connection.execute(query.where(c.revoked == false())):
            found[row.stix_id] = Released(*row)
    return found


async def contributed(connection: Connection, keys: Sequence[bytes]) -> list[Contributed]:
    """Return every contribution that may count at these keys, under any lock."""
    c = contributions.c
    found: list[Contributed] = []
    for part in parts(keys):
        query = select(*_CONTRIBUTED).where(c.key.in_(part), c.counts == true())
        rows = await connection.execute(query.where(c.at_lock.is_not(None)))
        found += [Contributed(*row) for row in rows]
    return found


async def held(connection: Connection, after: int, until: int) -> list[Row[Any]]:
    """Return what the guard keeps back since, for it is some county's own."""
    c = holds.c
    query = select(c.id, c.lock, c.key, c.kind, c.value, c.rule, c.held_at)
    query = query.where(c.held_at > after, c.held_at <= until, c.standing == true())
    own = query.where(c.rule.in_(("own-network", "own-domain")))
    return list(await connection.execute(own.order_by(c.held_at, c.id)))


async def add(connection: Connection, new: Firing) -> None:
    """Remember a firing."""
    await connection.execute(insert(firings), _row(new))


async def count_up(connection: Connection, new: Firing, since: int) -> None:
    """Count firings that did nothing: into a row of the same kind since a moment, or a new one."""
    c = firings.c
    like = and_(c.rule == new.rule, c.subject == "", c.at >= since)
    query = select(c.seq, c.why).where(like, c.verdict == new.verdict, c.lock == new.lock)
    row = (await connection.execute(query.order_by(c.seq.desc()).limit(1))).first()
    if row is None:
        await add(connection, new)
        return
    why = msgspec.json.decode(row.why, type=dict[str, Any])
    why["count"] += new.why["count"]
    why["last"] = new.why["last"]
    known = why.setdefault("examples", [])
    known += new.why.get("examples", [])[: max(0, 10 - len(known))]
    text = msgspec.json.encode(why).decode()
    await connection.execute(update(firings).where(c.seq == row.seq).values(why=text))


async def change(connection: Connection, seq: int, new: Firing) -> None:
    """Remember what became of a firing that had waited."""
    row = _row(new)
    await connection.execute(update(firings).where(firings.c.seq == seq).values(row))


async def acted(connection: Connection, rule: str, since: int) -> list[tuple[str, str, int]]:
    """Return subject, lock and time of all that a rule did since a moment, the oldest first."""
    c = firings.c
    query = select(c.subject, c.lock, c.at).where(c.rule == rule, c.at >= since)
    rows = await connection.execute(query.where(c.verdict.in_(ACTED)).order_by(c.at, c.seq))
    return [(row.subject, row.lock, row.at) for row in rows]


async def waiting(connection: Connection) -> list[Firing]:
    """Return the firings that wait for the end of quiet hours, the oldest first."""
    query = select(*_SHOWN).where(firings.c.verdict == "waiting").order_by(firings.c.seq)
    return [_firing(row) for row in await connection.execute(query)]


async def latest(
    connection: Connection, rule: str | None, before: int | None, most: int
) -> list[Firing]:
    """Return firings, of one rule or of all, the newest first."""
    query = select(*_SHOWN).order_by(firings.c.seq.desc()).limit(most)
    if rule is not None:
        query = query.where(firings.c.rule == rule)
    if before is not None:
        query = query.where(firings.c.seq < before)
    return [_firing(row) for row in await connection.execute(query)]


async def about(
    connection: Connection, rules: Collection[str], subjects: Sequence[str], since: int
) -> list[tuple[str, str, str, int]]:
    """Return subject, lock, id and beginning of responses that rules had begun about subjects.

    Those that go on, and those that ended since a moment.
    """
    c, r = firings.c, responses.c
    goes_on = or_(r.ended_at.is_(None), r.ended_at >= since)
    found = []
    for part in parts(subjects):
        query = select(c.subject, r.lock, r.id, r.began_at).join(responses, r.id == c.response_id)
        query = query.where(c.rule.in_(sorted(rules)), c.subject.in_(part), goes_on)
        rows = await connection.execute(query.where(r.began_at.is_not(None)))
        found += [(row.subject, row.lock, row.id, row.began_at) for row in rows]
    return found


async def blocked(
    connection: Connection, values: Sequence[str], now: int
) -> list[tuple[str, str, str, int]]:
    """Return value, lock, id and beginning of responses whose blocks of values are in force."""
    b, r = blocks.c, responses.c
    found = []
    for part in parts(values):
        query = select(b.value, r.lock, r.id, func.min(b.since).label("since"))
        query = query.join(responses, r.id == b.response_id)
        query = query.where(b.value.in_(part), b.ended_at.is_(None), b.until > now)
        rows = await connection.execute(query.group_by(b.value, r.lock, r.id))
        found += [(row.value, row.lock, row.id, row.since) for row in rows]
    return found


def _row(one: Firing) -> dict[str, Any]:
    row = msgspec.structs.asdict(one) | {"why": msgspec.json.encode(one.why).decode()}
    del row["seq"]
    return row


def _firing(row: Row[Any]) -> Firing:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    why = msgspec.json.decode(row.why, type=dict[str, Any])
    return Firing(**values | {"why": why})
