"""What belongs to an incident: people, participants, indicators, responses, files.

Whoever asks has found the incident by its organisation before (``store.incidents.find``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from cybercoop.errors import NotFound
from cybercoop.incidents.cases import Part, PersonKind
from cybercoop.store.database import Connection
from cybercoop.store.incident_erasing import overwrite
from cybercoop.store.incident_tables import (
    incident_files,
    incident_indicators,
    incident_participants,
    incident_people,
    incident_responses,
)
from cybercoop.store.response_tables import responses


@dataclass(frozen=True, slots=True)
class Concerned:
    """Hold one person whom an incident concerns: the only personal data there is of it."""

    id: str
    kind: PersonKind
    name: str
    mail: str
    phone: str
    note: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Participant:
    """Hold another organisation that does something about an incident."""

    id: str
    name: str
    part: Part
    created_at: int


@dataclass(frozen=True, slots=True)
class Linked:
    """Hold a value that belongs to an incident; ``push_id`` where others were given it."""

    kind: str
    value: str
    created_at: int
    push_id: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """Hold what is said of a file; ``hash`` is its SHA-256."""

    id: str
    name: str
    hash: str
    size: int
    created_at: int


_CONCERNED = tuple(one.name for one in fields(Concerned))
_LINKED = tuple(one.name for one in fields(Linked))
_FILE = tuple(one.name for one in fields(File))


def _row(incident_id: str, thing: object, names: Sequence[str]) -> dict[str, Any]:
    return {"incident_id": incident_id} | {name: getattr(thing, name) for name in names}


async def add_person(connection: Connection, incident_id: str, new: Concerned) -> None:
    """Remember a person whom an incident concerns."""
    await connection.execute(insert(incident_people), _row(incident_id, new, _CONCERNED))


async def people_of(connection: Connection, incident_id: str) -> list[Concerned]:
    """Return the people whom an incident concerns, in the order they were named."""
    c = incident_people.c
    query = select(*(c[name] for name in _CONCERNED)).where(c.incident_id == incident_id)
    rows = await connection.execute(query.order_by(c.created_at, c.id))
    return [Concerned(row[0], PersonKind(row[1]), *row[2:]) for row in rows]


async def count_people(connection: Connection, incident_id: str) -> int:
    """Return how many people are named in an incident."""
    query = select(func.count()).where(incident_people.c.incident_id == incident_id)
    return int((await connection.execute(query)).scalar_one())


async def erase(connection: Connection, incident_id: str, person_id: str | None) -> int:
    """Delete one person of an incident, or all, for good; return how many that were."""
    await overwrite(connection)
    gone = delete(incident_people).where(incident_people.c.incident_id == incident_id)
    if person_id is not None:
        gone = gone.where(incident_people.c.id == person_id)
    return (await connection.execute(gone)).rowcount


async def join(connection: Connection, incident_id: str, new: Participant) -> bool:
    """Remember a participant; say whether it is a new one."""
    c = incident_participants.c
    same = select(c.id).where(c.incident_id == incident_id, c.name == new.name, c.part == new.part)
    if (await connection.execute(same)).first() is not None:
        return False
    names = ("id", "name", "part", "created_at")
    await connection.execute(insert(incident_participants), _row(incident_id, new, names))
    return True


async def participants_of(connection: Connection, incident_id: str) -> list[Participant]:
    """Return who does something about an incident, in the order they came."""
    c = incident_participants.c
    query = select(c.id, c.name, c.part, c.created_at).where(c.incident_id == incident_id)
    rows = await connection.execute(query.order_by(c.created_at, c.id))
    return [Participant(row[0], row[1], Part(row[2]), row[3]) for row in rows]


async def link(connection: Connection, incident_id: str, new: Sequence[Linked]) -> int:
    """Remember values that belong to an incident; return how many are new."""
    known = {(one.kind, one.value) for one in await linked(connection, incident_id)}
    rows = {(one.kind, one.value): one for one in new if (one.kind, one.value) not in known}
    if rows:
        said = [_row(incident_id, one, _LINKED) for one in rows.values()]
        await connection.execute(insert(incident_indicators), said)
    return len(rows)


async def linked(connection: Connection, incident_id: str) -> list[Linked]:
    """Return the values that belong to an incident."""
    c = incident_indicators.c
    query = select(*(c[name] for name in _LINKED)).where(c.incident_id == incident_id)
    rows = await connection.execute(query.order_by(c.created_at, c.kind, c.value))
    return [Linked(*row) for row in rows]


async def mark_given(
    connection: Connection, incident_id: str, given: Sequence[Linked], push_id: str | None
) -> None:
    """Note under which push others were given these values; none where they have them no more."""
    c = incident_indicators.c
    for one in given:
        mine = c.incident_id == incident_id, c.kind == one.kind, c.value == one.value
        await connection.execute(update(incident_indicators).where(*mine).values(push_id=push_id))


async def tie(connection: Connection, incident_id: str, response_id: str, now: int) -> bool:
    """Link a response to an incident; say whether it was not linked before."""
    if response_id in await responses_of(connection, incident_id):
        return False
    row = {"incident_id": incident_id, "response_id": response_id, "created_at": now}
    await connection.execute(insert(incident_responses), row)
    return True


async def responses_of(connection: Connection, incident_id: str) -> list[str]:
    """Return the ids of the responses that are linked to an incident, oldest link first."""
    c = incident_responses.c
    query = select(c.response_id).join(responses, responses.c.id == c.response_id)
    query = query.where(c.incident_id == incident_id).order_by(c.created_at, c.response_id)
    return list((await connection.execute(query)).scalars())


async def attach(connection: Connection, incident_id: str, new: File, content: bytes) -> None:
    """Remember a file."""
    row = _row(incident_id, new, _FILE) | {"bytes": content}
    await connection.execute(insert(incident_files), row)


async def files_of(connection: Connection, incident_id: str) -> list[File]:
    """Return what is said of the files of an incident, oldest first."""
    c = incident_files.c
    query = select(*(c[name] for name in _FILE)).where(c.incident_id == incident_id)
    return [File(*row) for row in await connection.execute(query.order_by(c.created_at, c.id))]


async def content_of(connection: Connection, incident_id: str, file_id: str) -> tuple[File, bytes]:
    """Return a file of an incident; raise ``NotFound`` where it has no such one."""
    c = incident_files.c
    query = select(*(c[name] for name in _FILE), c.bytes)
    query = query.where(c.incident_id == incident_id, c.id == file_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound("This incident has no such file.")
    return File(*row[:-1]), bytes(row[-1])
