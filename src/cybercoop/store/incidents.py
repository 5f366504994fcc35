"""Incidents in the database: cases, their timelines and clocks, and what was shared of them.

Every look-up names the organisation: a foreign incident is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import RowMapping, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.errors import NotFound
from cybercoop.incidents.cases import Entry, Incident, Severity, State
from cybercoop.incidents.clocks import SOON, Clock
from cybercoop.incidents.reminding import Reminder, reminder
from cybercoop.store.database import Connection
from cybercoop.store.incident_tables import (
    incident_clocks,
    incident_entries,
    incident_shares,
    incidents,
    org_profiles,
)
from cybercoop.store.tables import clocks, organisations

_CASE = tuple(one.name for one in fields(Incident))
_CLOCK = tuple(one.name for one in fields(Clock))
_MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Shared:
    """Hold what others were given of an incident, as it was then, and under which lock.

    ``stamp`` rises with every change in the order of commits; ``withdrawn`` says that it was
    taken back.
    """

    incident_id: str
    org_id: str
    stix_id: str
    lock: str
    category: str
    type: str
    severity: Severity
    state: State
    reduced: bool
    withdrawn: bool
    first_at: int
    stamp: int


_SHARED = tuple(one.name for one in fields(Shared))


def _row(thing: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _case(row: RowMapping) -> Incident:
    return Incident(
        **dict(row) | {"severity": Severity(row["severity"]), "state": State(row["state"])}
    )


async def add(connection: Connection, new: Incident) -> None:
    """Remember an incident."""
    await connection.execute(insert(incidents), _row(new, _CASE))


async def save(connection: Connection, changed: Incident) -> None:
    """Remember an incident as it is now."""
    mine = update(incidents).where(incidents.c.id == changed.id)
    await connection.execute(mine.values(_row(changed, _CASE)))


async def find(
    connection: Connection, org_id: str, incident_id: str, *, changing: bool = False
) -> Incident:
    """Return an incident of an organisation; raise ``NotFound`` where it has no such one.

    With ``changing`` nobody else changes it until commit.
    """
    c = incidents.c
    query = select(*(c[name] for name in _CASE)).where(c.id == incident_id, c.org_id == org_id)
    row = (
        (await connection.execute(query.with_for_update() if changing else query))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("There is no such incident.")
    return _case(row)


async def all_of(connection: Connection, org_id: str) -> list[Incident]:
    """Return the incidents of an organisation, newest first."""
    c = incidents.c
    query = select(*(c[name] for name in _CASE)).where(c.org_id == org_id)
    rows = await connection.execute(query.order_by(c.created_at.desc(), c.id))
    return [_case(row) for row in rows.mappings()]


async def note(connection: Connection, incident_id: str, entry: Entry) -> None:
    """Add a line to the timeline of an incident."""
    row = _row(entry, ("at", "who", "what", "text"))
    await connection.execute(insert(incident_entries), row | {"incident_id": incident_id})


async def timeline(
    connection: Connection, incident_id: str, most: int | None = None
) -> list[Entry]:
    """Return the timeline of an incident, or at most its newest lines; oldest first."""
    c = incident_entries.c
    query = select(c.at, c.who, c.what, c.text).where(c.incident_id == incident_id)
    rows = (await connection.execute(query.order_by(c.seq.desc()).limit(most))).all()
    return [Entry(*row) for row in reversed(rows)]


async def chosen(connection: Connection, org_id: str) -> Mapping[str, bool]:
    """Return which duties an organisation has said to hold for it, or not."""
    c = org_profiles.c
    query = select(c.profile, c.applies).where(c.org_id == org_id)
    return {row.profile: bool(row.applies) for row in await connection.execute(query)}


async def choose(connection: Connection, org_id: str, profile: str, *, applies: bool) -> None:
    """Remember whether a duty holds for an organisation; the last word counts."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(org_profiles).values(org_id=org_id, profile=profile, applies=applies)
    key = ["org_id", "profile"]
    said = new.on_conflict_do_update(index_elements=key, set_={"applies": applies})
    await connection.execute(said)


async def clocks_of(connection: Connection, incident_id: str) -> list[Clock]:
    """Return the clocks of an incident, what is due first before the rest."""
    c = incident_clocks.c
    query = select(*(c[name] for name in _CLOCK)).where(c.incident_id == incident_id)
    found = [Clock(*row) for row in await connection.execute(query)]
    return sorted(found, key=lambda one: (one.due_at or one.since, one.profile, one.stage))


async def start(connection: Connection, new: Sequence[Clock]) -> None:
    """Remember clocks."""
    if new:
        await connection.execute(insert(incident_clocks), [_row(one, _CLOCK) for one in new])


async def turn(connection: Connection, changed: Clock) -> None:
    """Remember a clock as it is now."""
    c = incident_clocks.c
    mine = update(incident_clocks).where(
        c.incident_id == changed.incident_id,
        c.profile == changed.profile,
        c.stage == changed.stage,
    )
    await connection.execute(mine.values(_row(changed, _CLOCK)))


async def due(
    connection: Connection, now: int, org_id: str | None = None
) -> list[tuple[str, Clock]]:
    """Return organisation and clock of every duty that is due soon or overdue, oldest first.

    ``now`` is microseconds since 1970; without ``org_id`` the duties of all who take part. What
    was a false alarm is not reported.
    """
    c = incident_clocks.c
    soon = c.due_at - (c.due_at - c.since) // SOON <= now
    query = (
        select(incidents.c.org_id, *(c[name] for name in _CLOCK))
        .join(incidents, incidents.c.id == c.incident_id)
        .join(organisations, organisations.c.id == incidents.c.org_id)
        .where(c.outcome == "", organisations.c.left_at.is_(None))
        .where(incidents.c.state != State.FALSE_ALARM, or_(c.due_at.is_(None), soon))
    )
    if org_id is not None:
        query = query.where(incidents.c.org_id == org_id)
    found = [(row[0], Clock(*row[1:])) for row in await connection.execute(query)]
    ready = [one for one in found if one[1].is_overdue(now) or one[1].is_soon(now)]
    return sorted(ready, key=lambda one: (one[1].due_at or 0, one[1].incident_id, one[1].stage))


async def reminders(connection: Connection, now: int) -> list[Reminder]:
    """Return what people are to be told of reports that are due soon or overdue.

    The same comes again until the clock has ended; ``Reminder.key`` says what was told already.
    """
    found = [reminder(org_id, clock, now) for org_id, clock in await due(connection, now)]
    return [one for one in found if one is not None]


async def share_of(connection: Connection, incident_id: str) -> Shared | None:
    """Return what others were given of an incident; None where that was nothing ever."""
    c = incident_shares.c
    query = select(*(c[name] for name in _SHARED)).where(c.incident_id == incident_id)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _shared(row)


async def share(connection: Connection, new: Shared) -> None:
    """Remember what others are given of an incident from now on; its ``stamp`` is made here."""
    query = select(clocks.c.last).where(clocks.c.name == "incidents").with_for_update()
    last = (await connection.execute(query)).scalar_one()
    stamp = max(new.stamp, last + 1)
    mine = update(clocks).where(clocks.c.name == "incidents")
    await connection.execute(mine.values(last=stamp))
    c = incident_shares.c
    await connection.execute(delete(incident_shares).where(c.incident_id == new.incident_id))
    await connection.execute(insert(incident_shares), _row(new, _SHARED) | {"stamp": stamp})


async def changed_since(
    connection: Connection, cursor: int, limit: int = _MOST_CHANGES
) -> list[Shared]:
    """Return what was shared, shared again or taken back after ``cursor``, in order.

    ``cursor`` is the ``stamp`` of the last one that was looked at, 0 at first. What was never
    shared is not among it, nor what changed in an incident after it was shared.
    """
    c = incident_shares.c
    query = select(*(c[name] for name in _SHARED)).where(c.stamp > cursor)
    rows = await connection.execute(query.order_by(c.stamp).limit(limit))
    return [_shared(row) for row in rows.mappings()]


def _shared(row: RowMapping) -> Shared:
    flags = {name: bool(row[name]) for name in ("reduced", "withdrawn")}
    words = {"severity": Severity(row["severity"]), "state": State(row["state"])}
    return Shared(**dict(row) | flags | words)
