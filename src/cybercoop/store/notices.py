"""Notices in the database: told once for each key, and each delivery with how far it has come.

What goes out together, as one mail or one call of a webhook, is a letter. A worker who claims one
has some minutes for it; afterwards it is due again, whatever became of the worker.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    String,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.members.organisations import Organisation
from cybercoop.store import members, prepared
from cybercoop.store.database import Connection
from cybercoop.store.notice_tables import deliveries, notices, webhooks
from cybercoop.store.tables import center, group_members, organisations, people

CENTER = "center"
"""The role that stands for the people of the center."""

_LONGEST_LETTER = 100
"""Notices; mail servers refuse what is too large, and then nobody would be told of any."""

Urgency = Literal["now", "digest"]


class State(StrEnum):
    """Name how far a delivery has come; ``kept`` is what no way leads out for."""

    GATHERED = "gathered"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold what somebody is to be told: one person, or all of an organisation who have a role.

    ``key`` names it for ever; ``lock`` is what its words stand under, ``at`` microseconds since
    1970. Without role and person everybody of the organisation is told.
    """

    key: str
    org_id: str
    urgency: Urgency
    lock: str
    subject_de: str
    subject_en: str
    text_de: str
    text_en: str
    at: int
    role: str | None = None
    person_id: str | None = None
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Hold a person or a webhook that can be told something."""

    org_id: str
    person_id: str | None = None
    webhook_id: str | None = None
    roles: str = "[]"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hold what a list shows of one notice on its way to one receiver; nothing of its words."""

    id: str
    org_id: str
    person_id: str | None
    webhook_id: str | None
    state: State
    urgency: str
    tries: int
    at: int
    next_at: int | None
    ended_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """Hold one notice of a letter."""

    id: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold what goes to one receiver together, oldest first; times as in ``Notice``."""

    id: str
    number: int
    until: int
    org_id: str
    items: Sequence[Item]
    person_id: str | None
    mail: str | None
    webhook_id: str | None


async def add(connection: Connection, new: Notice) -> bool:
    """Remember a notice; False where one of that key is known."""
    known = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    done = await connection.execute(known(notices).values(asdict(new)).on_conflict_do_nothing())
    return done.rowcount == 1


async def receivers_of(connection: Connection, new: Notice) -> tuple[bytes, list[Receiver]]:
    """Return whom a notice may concern, people and webhooks, and the center's secret.

    Of an organisation, of the center where that is the role, or the one person named with the
    webhooks of that person's organisation; those who have left are nobody's.
    """
    shape = "person" if new.person_id else "center" if new.role == CENTER else "organisation"
    values = {"whose": new.person_id or new.org_id}
    # One statement: this stands in the way of whoever starts four hundred tasks at once.
    rows = await prepared.rows(connection, _concerned, shape, values)
    found = [
        Receiver(org_id, webhook_id=one) if roles is None else Receiver(org_id, one, roles=roles)
        for one, org_id, roles, _ in rows
    ]
    return (bytes(rows[0][3]) if rows else b""), found


def _concerned(shape: str) -> CompoundSelect[Any]:
    named = bindparam("whose", "", type_=String())
    person = people.c.id == named
    whose: dict[str, ColumnElement[str]] = {
        "person": select(people.c.org_id).where(person).scalar_subquery(),
        "center": select(center.c.org_id).scalar_subquery(),
        "organisation": named,
    }
    org_id, secret = whose[shape], select(center.c.secret).scalar_subquery()
    takes_part = organisations.c.left_at.is_(None)
    them = (
        select(people.c.id, people.c.org_id, people.c.roles, secret)
        .join(organisations, organisations.c.id == people.c.org_id)
        .where(person if shape == "person" else people.c.org_id == org_id, takes_part)
    )
    hooks = (
        select(webhooks.c.id, webhooks.c.org_id, cast(null(), Text), secret)
        .join(organisations, organisations.c.id == webhooks.c.org_id)
        .where(webhooks.c.org_id == org_id, webhooks.c.ended_at.is_(None), takes_part)
    )
    return union_all(them, hooks)


async def deliver(connection: Connection, new: Notice, receivers: Mapping[str, Receiver]) -> None:
    """Send a notice on its way; ``receivers`` by the ids of their deliveries.

    A mail that has time waits until it is gathered with others; a program is told at once.
    """
    rows = [
        {
            "id": delivery_id,
            "notice_key": new.key,
            "org_id": one.org_id,
            "person_id": one.person_id,
            "webhook_id": one.webhook_id,
            "state": State.WAITING.value if at_once else State.GATHERED.value,
            "letter": delivery_id if at_once else None,
            "tries": 0,
            "next_at": new.at,
            "at": new.at,
        }
        for delivery_id, one in receivers.items()
        for at_once in (new.urgency == "now" or one.person_id is None,)
    ]
    if rows:
        await connection.execute(insert(deliveries), rows)


async def is_any_waiting(connection: Connection, gathered_before: int) -> bool:
    """Say whether something should go out, or is in the hands of a worker who may have died."""
    c = deliveries.c
    waits = and_(c.state == State.WAITING.value, c.next_at.is_not(None))
    query = select(or_(exists().where(waits), exists().where(_gathered(gathered_before))))
    return bool((await connection.execute(query)).scalar())


def _gathered(before: int) -> ColumnElement[bool]:
    c = deliveries.c
    return and_(c.state == State.GATHERED.value, c.next_at < before)


async def keep_mail(connection: Connection) -> None:
    """Let mail wait no longer where no way leads out for it."""
    c = deliveries.c
    waits = c.state.in_((State.WAITING.value, State.GATHERED.value))
    kept = update(deliveries).where(waits, c.next_at.is_not(None), c.person_id.is_not(None))
    await connection.execute(kept.values(state=State.KEPT.value, next_at=None))


async def bind(connection: Connection, gathered_before: int, now: int, most: int) -> None:
    """Make one letter for each of at most so many people of what was gathered for them."""
    c = deliveries.c
    gathered = _gathered(gathered_before)
    whose = select(c.person_id).where(gathered).distinct().limit(most)
    found = list(await connection.scalars(whose))
    # Another worker who gathers at the same time waits here, and then finds nothing left.
    query = (
        select(c.id, c.person_id)
        .where(gathered, c.person_id.in_(found))
        .order_by(c.at, c.notice_key)
        .with_for_update()
    )
    counts: Counter[str] = Counter()
    first: dict[tuple[str, int], str] = {}
    rows = []
    for row in await connection.execute(query):
        of = (row.person_id, counts[row.person_id] // _LONGEST_LETTER)
        rows.append({"b_id": row.id, "b_letter": first.setdefault(of, row.id)})
        counts[row.person_id] += 1
    if rows:
        bound = update(deliveries).where(c.id == bindparam("b_id"))
        values = {"state": State.WAITING.value, "next_at": now, "letter": bindparam("b_letter")}
        await connection.execute(bound.values(values), rows)


async def claim(
    connection: Connection, now: int, lease: int, patience: int, most: int
) -> dict[str, int]:
    """Take the letters that are due for this worker alone; return the number of the try of each.

    Whoever does not end one within ``lease`` loses it; after ``patience`` nobody tries again.
    """
    c = deliveries.c
    due = and_(c.state == State.WAITING.value, c.next_at <= now)
    query = select(c.letter).where(due).group_by(c.letter).order_by(func.min(c.next_at))
    found = list(await connection.scalars(query.limit(most)))
    if not found:
        return {}
    claimed = (
        update(deliveries)
        .where(c.letter.in_(found), due)
        .values(
            tries=c.tries + 1, next_at=now + lease, until=func.coalesce(c.until, now + patience)
        )
        .returning(c.letter, c.tries)
    )
    return {str(row.letter): int(row.tries) for row in await connection.execute(claimed)}


async def letter(connection: Connection, letter_id: str, number: int) -> Letter | None:
    """Return a letter that is to be sent in this try; None where another try has begun."""
    c = deliveries.c
    query = (
        select(notices, c.id.label("delivery_id"), c.org_id.label("to_org"), c.until)
        .add_columns(c.person_id.label("to_person"), c.webhook_id, people.c.mail)
        .join(notices, notices.c.key == c.notice_key)
        .outerjoin(people, people.c.id == c.person_id)
        .where(_try(letter_id, number))
        .order_by(c.at, c.notice_key)
    )
    rows = (await connection.execute(query)).mappings().all()
    if not rows:
        return None
    head = rows[0]
    return Letter(
        letter_id,
        number,
        head["until"],
        head["to_org"],
        [Item(row["delivery_id"], _notice(row)) for row in rows],
        head["to_person"],
        head["mail"],
        head["webhook_id"],
    )


def _notice(row: Mapping[Any, Any]) -> Notice:
    return Notice(**{name: row[name] for name in Notice.__slots__})


def _try(letter_id: str, number: int) -> ColumnElement[bool]:
    c = deliveries.c
    return and_(c.letter == letter_id, c.state == State.WAITING.value, c.tries == number)


async def end(connection: Connection, sent: Letter, state: State, now: int, reason: str) -> None:
    """Note that a letter has arrived, or that nobody tries any more and why."""
    ended = update(deliveries).where(_try(sent.id, sent.number))
    values = {"state": state.value, "next_at": None, "ended_at": now, "reason": reason or None}
    await connection.execute(ended.values(values))


async def put_off(connection: Connection, sent: Letter, next_at: int, reason: str) -> None:
    """Note why a letter did not arrive, and when to try again."""
    again = update(deliveries).where(_try(sent.id, sent.number))
    await connection.execute(again.values(next_at=next_at, reason=reason))


async def receiver(connection: Connection, org_id: str) -> Organisation | None:
    """Return an organisation with its groups; None where it takes part no longer."""
    query = select(organisations).where(
        organisations.c.id == org_id, organisations.c.left_at.is_(None)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    c = group_members.c
    joined = select(c.group_id, c.org_id).where(c.org_id.in_((org_id, row["parent_id"])))
    inside = (await connection.execute(joined)).all()
    own = [one.group_id for one in inside if one.org_id == org_id]
    parents = [one.group_id for one in inside if one.org_id != org_id]
    return members.organisation(dict(row), own, parents)


async def all_of(
    connection: Connection, org_id: str | None, states: Iterable[str], most: int
) -> list[Delivery]:
    """Return the newest deliveries of an organisation, or of all, in these states or in any."""
    c = deliveries.c
    query = (
        select(*(c[name] for name in Delivery.__slots__ if name != "urgency"), notices.c.urgency)
        .join(notices, notices.c.key == c.notice_key)
        .order_by(c.at.desc(), c.id)
        .limit(most)
    )
    if org_id is not None:
        query = query.where(c.org_id == org_id)
    if wanted := list(states):
        query = query.where(c.state.in_(wanted))
    rows = (await connection.execute(query)).mappings()
    return [Delivery(**{**row, "state": State(row["state"])}) for row in rows]
