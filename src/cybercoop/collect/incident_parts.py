"""What is put into an incident: people, participants, values, responses, files."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence

from cybercoop.collect import reading
from cybercoop.collect.incidents import Acting, found, line, note, words
from cybercoop.collect.reading import Value
from cybercoop.collect.recognising import recognised
from cybercoop.errors import Malformed, NotFound, Refused
from cybercoop.incidents.cases import Part, PersonKind
from cybercoop.members.organisations import checked_mail
from cybercoop.sharing import keys_of
from cybercoop.store import incident_parts, runs
from cybercoop.store.database import Connection
from cybercoop.store.incident_parts import Concerned, File, Linked, Participant
from cybercoop.store.runs import Reader

MOST_VALUES = 1000
MOST_FILE = 10 * 1024 * 1024
MOST_FILES = 50
MOST_BYTES = 100 * 1024 * 1024
MOST_PEOPLE = 1000
_LONGEST_PHONE = 60
_LONGEST_MAIL = 320


async def add_person(
    connection: Connection,
    by: Acting,
    incident_id: str,
    kind: PersonKind,
    name: str,
    mail: str = "",
    phone: str = "",
    remark: str = "",
) -> Concerned:
    """Name a person whom an incident concerns; the timeline says only that somebody was named.

    Raises ``Refused`` for what is no name, mail address or telephone number.
    """
    incident = await found(connection, by, incident_id)
    if await incident_parts.count_people(connection, incident.id) >= MOST_PEOPLE:
        raise Refused(f"An incident names at most {MOST_PEOPLE} people.")
    new = Concerned(
        by.around.uuid(),
        kind,
        line(name, "name"),
        checked_mail(line(mail, "mail", _LONGEST_MAIL)) if mail.strip() else "",
        line(phone, "phone", _LONGEST_PHONE) if phone.strip() else "",
        words(remark, "note"),
        by.now,
    )
    await incident_parts.add_person(connection, incident.id, new)
    await note(connection, by, incident, "person", kind.value)
    return new


async def erase(
    connection: Connection, by: Acting, incident_id: str, person_id: str | None = None
) -> int:
    """Delete what is known of one person, or of all, for good, and return of how many.

    The timeline keeps that it was done, when, and by whom. Raises ``NotFound`` where the
    incident names no such person.
    """
    incident = await found(connection, by, incident_id)
    gone = await incident_parts.erase(connection, incident.id, person_id)
    if person_id is not None and not gone:
        raise NotFound("This incident names no such person.")
    await note(connection, by, incident, "erased", str(gone))
    return gone


async def join(
    connection: Connection, by: Acting, incident_id: str, name: str, part: Part
) -> Participant:
    """Note another organisation that does something about an incident."""
    incident = await found(connection, by, incident_id)
    new = Participant(by.around.uuid(), line(name, "name"), part, by.now)
    if not await incident_parts.join(connection, incident.id, new):
        raise Refused("It takes part in this way already.", "name")
    await note(connection, by, incident, "participant", f"{part.value}: {new.name}")
    return new


async def values_in(texts: Sequence[str], text: str) -> list[tuple[str, str]]:
    """Return kind and normal form of values, and of those that stand in a text, each once.

    A text may be anything that is read here: a list, a mail, a report, MISP, STIX. Raises
    ``Refused`` for a value that is none, and where there is nothing at all.
    """
    said = [recognised(one) for one in texts]
    if text.strip():
        said += await asyncio.to_thread(lambda: list(_read(text)))
    unique = list(dict.fromkeys(said))
    if not unique:
        raise Refused("There is no address, name, link or hash in it.", "values")
    if len(unique) > MOST_VALUES:
        raise Refused(f"At most {MOST_VALUES} values belong to an incident.", "values")
    return unique


def _read(text: str) -> Iterable[tuple[str, str]]:
    try:
        for one in reading.read("text", text.encode("utf-8", "replace")):
            if isinstance(one, Value):
                yield one.kind, one.value
    except Malformed as error:
        raise Refused(str(error), "text") from error


async def link(
    connection: Connection, by: Acting, incident_id: str, values: Sequence[tuple[str, str]]
) -> int:
    """Note values that belong to an incident, and return how many are new; nobody else sees it."""
    incident = await found(connection, by, incident_id)
    known = await incident_parts.linked(connection, incident.id)
    if len(known) + len(values) > MOST_VALUES:
        raise Refused(f"At most {MOST_VALUES} values belong to an incident.", "values")
    new = [Linked(kind, value, by.now) for kind, value in values]
    count = await incident_parts.link(connection, incident.id, new)
    if count:
        await note(connection, by, incident, "indicators", str(count))
    return count


async def tie(connection: Connection, by: Acting, incident_id: str, response_id: str) -> None:
    """Link a response that the organisation sees; raise ``NotFound`` for any other."""
    incident = await found(connection, by, incident_id)
    await runs.response(connection, Reader(by.org.id, keys_of(by.org)), response_id)
    if await incident_parts.tie(connection, incident.id, response_id, by.now):
        await note(connection, by, incident, "response", response_id)


async def attach(
    connection: Connection, by: Acting, incident_id: str, name: str, content: bytes
) -> File:
    """Keep a file with its hash; raise ``Refused`` for an empty one, or one too many."""
    incident = await found(connection, by, incident_id)
    if not 0 < len(content) <= MOST_FILE:
        raise Refused(f"A file has 1 to {MOST_FILE} bytes.", "file")
    held = await incident_parts.files_of(connection, incident.id)
    if len(held) >= MOST_FILES or sum(one.size for one in held) + len(content) > MOST_BYTES:
        msg = f"An incident holds {MOST_FILES} files, together of {MOST_BYTES} bytes."
        raise Refused(msg, "file")
    digest = hashlib.sha256(content).hexdigest()
    new = File(by.around.uuid(), line(name, "name"), digest, len(content), by.now)
    await incident_parts.attach(connection, incident.id, new, content)
    await note(connection, by, incident, "file", f"{new.name} (SHA-256 {digest})")
    return new
