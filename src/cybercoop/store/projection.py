"""What the projector reads and writes, all inside the transaction of one cycle."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
from sqlalchemy import (
    LargeBinary,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy import Row as RowOf
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.errors import Unreadable
from cybercoop.indicators.context import REFERRING
from cybercoop.store import bulk
from cybercoop.store.bulk import parts
from cybercoop.store.contributions import ASIDE, PENDING
from cybercoop.store.database import Connection
from cybercoop.store.service_tables import exceptions
from cybercoop.store.tables import clocks, contributions, recompute, releases

Place = tuple[str, bytes]
"""A lock and a key: where contributions meet and a release stands."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """Hold a contribution as the projector needs it."""

    seq: int
    org_id: str
    stix_id: str
    type: str
    spec_version: str
    modified: str
    latest: bool
    deleted: bool
    revoked: bool
    lock: str
    at_lock: str | None
    key: bytes | None
    tightened: bool
    named: bool
    with_text: bool
    effective_until: int | None
    note: str | None
    bytes: bytes

    @property
    def body(self) -> dict[str, Any]:
        """Return the parsed object; raise ``Unreadable`` when the disk kept it badly."""
        try:
            found: dict[str, Any] = msgspec.json.decode(self.bytes, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unreadable(self.seq) from error
        return found

    @property
    def place(self) -> Place | None:
        """Return where it counts; None where it waits."""
        return None if self.at_lock is None or self.key is None else (self.at_lock, self.key)

    @property
    def stands(self) -> bool:
        """Say whether it would count if nothing newer stood at its place."""
        return self.latest and not self.deleted and not self.revoked


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Hold of a pending contribution what tells which places to look at."""

    seq: int
    org_id: str
    stix_id: str
    type: str
    lock: str
    at_lock: str | None
    key: bytes | None


class Head(msgspec.Struct, frozen=True, gc=False):
    """Hold the newest version of the release at one place."""

    date_added: int
    lock: str
    key: bytes
    generation: int
    stix_id: str
    type: str
    created: int
    digest: bytes
    revoked: bool
    shared_id: bool
    effective_until: int | None
    kind: str | None


LISTED = ("effective_until", "kind", "value", "confidence", "warned")
"""What lists for devices say of a release beside its bytes."""

ROW = tuple(contributions.c[name] for name in Row.__struct_fields__)
_CLAIM = tuple(contributions.c[name] for name in Claim.__struct_fields__)
HEAD = tuple(releases.c[name] for name in Head.__struct_fields__)


_WORK = select(
    or_(
        exists().where(contributions.c.pending == literal(PENDING, literal_execute=True)),
        exists(select(recompute.c.lock)),
        exists().where(exceptions.c.ended_at.is_(None), exceptions.c.until <= bindparam("now")),
    )
)


async def anything_to_do(connection: Connection, now: int) -> bool:
    """Say whether a cycle would find work; asked four times a second, also when nobody pushes."""
    return bool((await connection.execute(_WORK, {"now": now})).scalar())


async def open_slot(connection: Connection, slot: int) -> bool:
    """Hold the projector's row until commit and take a slot; False when it is used already."""
    query = select(clocks.c.last).where(clocks.c.name == "projector").with_for_update()
    if slot <= (await connection.execute(query)).scalar_one():
        return False
    await connection.execute(update(clocks).where(clocks.c.name == "projector").values(last=slot))
    return True


async def last_slot(connection: Connection) -> int:
    """Return the slot that was used last."""
    query = select(clocks.c.last).where(clocks.c.name == "projector")
    slot: int = (await connection.execute(query)).scalar_one()
    return slot


async def claim(connection: Connection, shares: Mapping[str, int]) -> list[Claim]:
    """Return pending contributions, oldest first, at most its share of each lock.

    What refers to others comes with its other versions, whatever the share: one that has left its
    place and the one that comes there go in one cycle. Rows that a push is just superseding are
    left for the next cycle.
    """
    c = contributions.c
    pending = c.pending == literal(PENDING, literal_execute=True)
    each = [
        select(select(c.seq).where(pending, c.lock == lock).order_by(c.seq).limit(share).subquery())
        for lock, share in sorted(shares.items())
    ]
    seqs = set((await connection.execute(union_all(*each))).scalars())
    if len(seqs) >= min(shares.values()):  # else no share was cut
        seqs |= await _other_versions(connection, seqs, shares)
    chosen = select(*_CLAIM).where(c.seq.in_(bindparam("seqs", expanding=True))).order_by(c.seq)
    held = chosen.with_for_update(skip_locked=True)
    found: list[Claim] = []
    for part in parts(sorted(seqs)):
        found += [Claim(*row) for row in await connection.execute(held, {"seqs": part})]
    return found


async def _other_versions(
    connection: Connection, seqs: Iterable[int], locks: Iterable[str]
) -> set[int]:
    """Return what waits under these locks of the objects that have these versions."""
    c, one = contributions.c, contributions.alias()
    query = (
        select(c.seq)
        .join(one, (one.c.org_id == c.org_id) & (one.c.stix_id == c.stix_id))
        .where(
            one.c.seq.in_(bindparam("seqs", expanding=True)),
            one.c.type.in_(sorted(REFERRING)),
            *(c.pending == PENDING, c.deleted == false(), c.lock.in_(sorted(locks))),
        )
    )
    found: set[int] = set()
    for part in parts(sorted(seqs)):
        found |= set((await connection.execute(query, {"seqs": part})).scalars())
    return found


async def rows(connection: Connection, seqs: Sequence[int]) -> list[Row]:
    """Return contributions by their numbers, in their order."""
    c = contributions.c
    query = select(*ROW).where(c.seq.in_(bindparam("seqs", expanding=True))).order_by(c.seq)
    found: list[Row] = []
    for part in parts(seqs):
        found += [Row(*row) for row in await connection.execute(query, {"seqs": part})]
    return found


async def queued(connection: Connection, shares: Mapping[str, int]) -> list[Place]:
    """Return places that wait for another look, at most its share of each lock."""
    places = recompute.c.lock, recompute.c.key
    each = [
        select(select(*places).where(recompute.c.lock == lock).limit(share).subquery())
        for lock, share in sorted(shares.items())
    ]
    return [(row.lock, row.key) for row in await connection.execute(union_all(*each))]


async def waiting(connection: Connection, locks: Iterable[str]) -> Sequence[RowOf[Any]]:
    """Return lock, key, type, kind, value and bytes of what is live and waits under these locks.

    The bytes are left out where there is a kind, which says all that a list needs.
    """
    c = releases.c
    raw = case((c.kind.is_(None), c.bytes), else_=literal(b"", LargeBinary())).label("bytes")
    same = (recompute.c.lock == c.lock) & (recompute.c.key == c.key)
    shown = (c.lock, c.key, c.type, c.kind, c.value, raw)
    query: Select[Any] = select(*shown).join(recompute, same)
    live = query.where(c.head == true(), c.revoked == false(), c.lock.in_(sorted(locks)))
    rows: Sequence[RowOf[Any]] = (await connection.execute(live)).all()
    return rows


async def queue(
    connection: Connection, places: Iterable[Place], shut: AbstractSet[Place] = frozenset()
) -> None:
    """Let places wait for another look, once each.

    What stood at those of ``shut`` must go out of sight then, whatever else they are queued for.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(recompute)
    waiting = new.on_conflict_do_update(
        index_elements=[recompute.c.lock, recompute.c.key],
        set_={"shut": or_(recompute.c.shut, new.excluded.shut)},
    )
    rows = [{"lock": one[0], "key": one[1], "shut": one in shut} for one in sorted(set(places))]
    if rows:
        await connection.execute(waiting, rows)


async def unqueue(connection: Connection, places: Iterable[Place]) -> set[Place]:
    """Forget that places waited; return where what stood there must go out of sight."""
    keys: dict[str, list[bytes]] = defaultdict(list)
    for lock, key in places:
        keys[lock].append(key)
    shut: set[Place] = set()
    for lock, some in keys.items():
        for part in parts(some):
            mine = and_(recompute.c.lock == lock, recompute.c.key.in_(part))
            found = select(recompute.c.key).where(mine, recompute.c.shut == true())
            shut |= {(lock, key) for key in (await connection.execute(found)).scalars()}
            await connection.execute(delete(recompute).where(mine))
    return shut


async def candidates(connection: Connection, keys: Sequence[bytes]) -> list[Row]:
    """Return every contribution that may count at these keys, under any lock."""
    c = contributions.c
    query = select(*ROW).where(
        c.key.in_(bindparam("keys", expanding=True)), c.counts == true(), c.at_lock.is_not(None)
    )
    found: list[Row] = []
    for part in parts(keys):
        found += [Row(*row) for row in await connection.execute(query, {"keys": part})]
    return found


async def heads(connection: Connection, keys: Sequence[bytes]) -> list[Head]:
    """Return the newest release at every place of these keys."""
    query = select(*HEAD).where(
        releases.c.key.in_(bindparam("keys", expanding=True)), releases.c.head == true()
    )
    found: list[Head] = []
    for part in parts(keys):
        found += [Head(*row) for row in await connection.execute(query, {"keys": part})]
    return found


async def entries(connection: Connection, lock: str) -> int:
    """Return how many live releases of a lock stand on lists for devices."""
    c = releases.c
    query = select(func.count()).where(
        c.lock == lock, c.latest == true(), c.revoked == false(), c.kind.is_not(None)
    )
    return int((await connection.execute(query)).scalar_one())


async def release_bytes(connection: Connection, date_added: int) -> bytes:
    """Return the bytes of one release."""
    query = select(releases.c.bytes).where(releases.c.date_added == date_added)
    return bytes((await connection.execute(query)).scalar_one())


async def release(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new versions; the ones before them stop being the latest."""
    await bulk.add(connection, releases, rows)


async def outdate(connection: Connection, heads: Mapping[int, bool]) -> None:
    """Let releases stop being the newest of their places, by ``date_added``.

    Those that are true stay the latest version of their ids: what was revoked and came back under
    another one. Who saw it stand learns that it ended, however late he asks.
    """
    for stays in (False, True):
        for part in parts([one for one, same in heads.items() if same is stays]):
            chosen = update(releases).where(releases.c.date_added.in_(part))
            await connection.execute(chosen.values(head=False, latest=stays))


async def prolong(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change what lists say of a version that stands: ``b_date_added`` and ``LISTED`` each."""
    if rows:
        moved = update(releases).where(releases.c.date_added == bindparam("b_date_added"))
        values: dict[str, Any] = {name: bindparam(name) for name in LISTED}
        await connection.execute(moved.values(values), list(rows))


async def purge(connection: Connection, lock: str, ids: Sequence[str]) -> None:
    """Stop serving all that had these ids under a lock but the newest of its place."""
    await connection.execute(
        delete(releases).where(
            releases.c.stix_id.in_(ids),
            func.coalesce(releases.c.lock, "") == lock,
            releases.c.head == false(),
        )
    )


async def done(connection: Connection, seqs: Sequence[int]) -> None:
    """Remember that contributions were projected."""
    for part in parts(seqs):
        await connection.execute(
            update(contributions).where(contributions.c.seq.in_(part)).values(pending=0)
        )


async def set_aside(connection: Connection, seq: int, note: str) -> None:
    """Put a contribution aside that cannot be projected, with a word for its owner.

    It counts nowhere any more, so that what others say of the same goes on; where it stood,
    another look is taken.
    """
    c = contributions.c
    place = (await connection.execute(select(c.at_lock, c.key).where(c.seq == seq))).first()
    await connection.execute(
        update(contributions)
        .where(c.seq == seq)
        .values(pending=ASIDE, note=note, at_lock=None, counts=False)
    )
    if place is not None and place.at_lock is not None and place.key is not None:
        shut = await unqueue(connection, [(place.at_lock, place.key)])
        await queue(connection, [(place.at_lock, place.key)], shut)


async def discount(connection: Connection, seqs: Sequence[int]) -> None:
    """Remember that newer contributions stand in the place of these."""
    for part in parts(seqs):
        await connection.execute(
            update(contributions).where(contributions.c.seq.in_(part)).values(counts=False)
        )


async def tighten(connection: Connection, seqs: Sequence[int], *, tightened: bool) -> None:
    """Remember whether what was released at the places of these must still go out of sight."""
    for part in parts(seqs):
        await connection.execute(
            update(contributions).where(contributions.c.seq.in_(part)).values(tightened=tightened)
        )


async def move(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let contributions count elsewhere: ``b_seq``, ``at_lock``, ``key`` and ``note`` each."""
    if rows:
        moved = update(contributions).where(contributions.c.seq == bindparam("b_seq"))
        values: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in ("at_lock", "key", "note")
        }
        await connection.execute(moved.values(counts=True, **values), list(rows))


async def wake(connection: Connection, seqs: Sequence[int]) -> None:
    """Let contributions be looked at in the next cycle."""
    for part in parts(seqs):
        await connection.execute(
            update(contributions).where(contributions.c.seq.in_(part)).values(pending=PENDING)
        )
