"""What belongs to an incident: people, participants, values, responses, files."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import incident_parts as deeds
from cybercoop.collect.incidents import LONGEST_TEXT
from cybercoop.incidents.cases import Part, PersonKind
from cybercoop.members.tokens import Scope
from cybercoop.store import incident_parts, incidents
from cybercoop.web.api._common import moment
from cybercoop.web.api.incidents import (
    ShownFile,
    ShownLink,
    ShownParticipant,
    acting,
    shown_file,
    shown_link,
    shown_participant,
)
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewConcerned(Asked):
    """Name a person whom the incident concerns; all of it can be erased."""

    kind: PersonKind
    name: Name
    mail: Annotated[str, Field(max_length=320)] = ""
    phone: Annotated[str, Field(max_length=60)] = ""
    note: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""


class Erasing(Asked):
    """Name one person to forget; without it all people of the incident."""

    person: Annotated[str | None, Field(max_length=36)] = None


class NewParticipant(Asked):
    """Name another organisation, and what it does about the incident."""

    name: Name
    part: Part


class NewLinks(Asked):
    """Name values, or hand over a text in which they stand."""

    values: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=16_384)], ...], Field(max_length=1000)
    ] = ()
    text: Annotated[str, Field(max_length=100_000)] = ""


class NewTie(Asked):
    """Name a response that you take part in."""

    response: Annotated[str, Field(min_length=1, max_length=36)]


class Naming(Asked):
    """Say what a file is called."""

    name: Name


class NamedConcerned(msgspec.Struct, frozen=True):
    """Say under which id somebody is named, and nothing of the person: answers may be kept."""

    id: str
    kind: str


class ShownConcerned(msgspec.Struct, frozen=True):
    """Show a person whom the incident concerns."""

    id: str
    kind: str
    name: str
    mail: str
    phone: str
    note: str
    created: str | None


class AllConcerned(msgspec.Struct, frozen=True):
    """Show the people whom the incident concerns."""

    people: list[ShownConcerned]


class Erased(msgspec.Struct, frozen=True):
    """Say of how many people nothing is known any more."""

    id: str
    erased: int


class Links(msgspec.Struct, frozen=True):
    """Show all values of the incident, and how many of them are new."""

    id: str
    added: int
    indicators: list[ShownLink]


class Ties(msgspec.Struct, frozen=True):
    """Show all responses that are linked to the incident."""

    id: str
    responses: list[str]


class FileContent(msgspec.Struct, frozen=True):
    """Show a file; its content is in base64."""

    id: str
    name: str
    sha256: str
    content: bytes


async def list_concerned(call: Call[Nothing, None]) -> AllConcerned:
    """Show the people of an incident; it takes a token that may write."""
    async with call.database.read() as connection:
        found = await incidents.find(connection, call.org.id, call.path["incident_id"])
        named = await incident_parts.people_of(connection, found.id)
    return AllConcerned(
        [
            ShownConcerned(
                one.id,
                one.kind.value,
                one.name,
                one.mail,
                one.phone,
                one.note,
                moment(one.created_at),
            )
            for one in named
        ]
    )


async def name_concerned(call: Call[Nothing, NewConcerned]) -> NamedConcerned:
    """Name a person whom an incident concerns."""
    said = call.body
    async with call.database.write() as connection:
        by = await acting(connection, call)
        words = (said.name, said.mail, said.phone, said.note)
        one = call.path["incident_id"]
        made = await deeds.add_person(connection, by, one, said.kind, *words)
        answer = NamedConcerned(made.id, made.kind.value)
        await call.keep(connection, answer)
    return answer


async def erase_concerned(call: Call[Erasing, None]) -> Erased:
    """Delete what is known of people, for good."""
    one = call.path["incident_id"]
    async with call.database.write() as connection:
        by = await acting(connection, call)
        count = await deeds.erase(connection, by, one, call.query.person)
        answer = Erased(one, count)
        await call.keep(connection, answer)
    return answer


async def add_participant(call: Call[Nothing, NewParticipant]) -> ShownParticipant:
    """Note another organisation that does something about an incident."""
    said = call.body
    async with call.database.write() as connection:
        by = await acting(connection, call)
        made = await deeds.join(connection, by, call.path["incident_id"], said.name, said.part)
        answer = shown_participant(made)
        await call.keep(connection, answer)
    return answer


async def link_indicators(call: Call[Nothing, NewLinks]) -> Links:
    """Note values that belong to an incident; nobody else sees them by that."""
    values = await deeds.values_in(call.body.values, call.body.text)
    one = call.path["incident_id"]
    async with call.database.write() as connection:
        by = await acting(connection, call)
        added = await deeds.link(connection, by, one, values)
        held = await incident_parts.linked(connection, one)
        answer = Links(one, added, [shown_link(each) for each in held])
        await call.keep(connection, answer)
    return answer


async def link_response(call: Call[Nothing, NewTie]) -> Ties:
    """Link a response to an incident."""
    one = call.path["incident_id"]
    async with call.database.write() as connection:
        by = await acting(connection, call)
        await deeds.tie(connection, by, one, call.body.response)
        answer = Ties(one, await incident_parts.responses_of(connection, one))
        await call.keep(connection, answer)
    return answer


async def attach_file(call: Call[Naming, bytes]) -> ShownFile:
    """Keep a file with an incident: the body as it is."""
    async with call.database.write() as connection:
        by = await acting(connection, call)
        one = call.path["incident_id"]
        made = await deeds.attach(connection, by, one, call.query.name, call.body)
        answer = shown_file(made)
        await call.keep(connection, answer)
    return answer


async def show_file(call: Call[Nothing, None]) -> FileContent:
    """Return a file of an incident."""
    async with call.database.read() as connection:
        found = await incidents.find(connection, call.org.id, call.path["incident_id"])
        one, content = await incident_parts.content_of(connection, found.id, call.path["file_id"])
    return FileContent(one.id, one.name, one.hash, content)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/incidents/{incident_id}/people",
        Scope.WRITE,
        list_concerned,
        "List the people whom an incident concerns.",
        "Die Personen auflisten, die ein Vorfall betrifft.",
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/people",
        Scope.WRITE,
        name_concerned,
        "Name a person whom an incident concerns; it can be erased.",
        "Eine Person nennen, die ein Vorfall betrifft; das ist löschbar.",
        status=201,
    ),
    Endpoint(
        "DELETE",
        "/incidents/{incident_id}/people",
        Scope.WRITE,
        erase_concerned,
        "Delete the personal data of an incident for good.",
        "Die personenbezogenen Daten eines Vorfalls endgültig löschen.",
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/participants",
        Scope.WRITE,
        add_participant,
        "Note who else does something about an incident.",
        "Festhalten, wer sonst an einem Vorfall arbeitet.",
        status=201,
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/indicators",
        Scope.WRITE,
        link_indicators,
        "Note values that belong to an incident; they stay with you.",
        "Werte festhalten, die zu einem Vorfall gehören; sie bleiben bei Ihnen.",
        status=201,
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/responses",
        Scope.WRITE,
        link_response,
        "Link a response that you take part in.",
        "Einen Einsatz verknüpfen, an dem Sie teilnehmen.",
        status=201,
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/files",
        Scope.WRITE,
        attach_file,
        "Keep a file with an incident, with its hash.",
        "Eine Datei mit ihrer Prüfsumme zu einem Vorfall legen.",
        status=201,
        also=frozenset({422}),
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}/files/{file_id}",
        Scope.READ,
        show_file,
        "Return a file of an incident.",
        "Eine Datei eines Vorfalls ausgeben.",
    ),
)
