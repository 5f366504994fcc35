"""People of an organisation: a county manages its own, the center everybody's."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import founding
from cybercoop.errors import NotFound, Refused
from cybercoop.members.organisations import Person, changed, checked_mail, goes_by
from cybercoop.members.tokens import Scope
from cybercoop.store import members, people
from cybercoop.store.database import Connection
from cybercoop.web.api._common import whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Name = Annotated[str, Field(min_length=1, max_length=200)]


class PeopleAsked(Paging):
    """Say whose people to list; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None


class NewPerson(Asked):
    """Name a person of your organisation, or, as the center, of another."""

    name: Name
    mail: Annotated[str, Field(min_length=3, max_length=320)]
    organisation: Name | None = None
    phones: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    roles: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    deputy: Annotated[
        Name | None, Field(description="who stands in: mail address or id of a colleague")
    ] = None


class ChangedPerson(Asked):
    """Say what is different now; what is left out stays, and lists take the place of lists."""

    name: Name | None = None
    mail: Annotated[str | None, Field(min_length=3, max_length=320)] = None
    phones: Annotated[tuple[Name, ...] | None, Field(max_length=10)] = None
    roles: Annotated[tuple[Name, ...] | None, Field(max_length=20)] = None
    deputy: Annotated[
        str | None,
        Field(max_length=200, description="mail address or id of a colleague; empty for nobody"),
    ] = None


class ShownPerson(msgspec.Struct, frozen=True):
    """Show a person."""

    id: str
    organisation: str
    name: str
    mail: str
    phones: tuple[str, ...]
    roles: tuple[str, ...]
    deputy: str | None


class ShownPeople(msgspec.Struct, frozen=True):
    """Show a page of people, by name."""

    people: list[ShownPerson]
    next: str | None


def _shown(one: Person) -> ShownPerson:
    return ShownPerson(one.id, one.org_id, one.name, one.mail, one.phones, one.roles, one.deputy_id)


async def list_people(call: Call[PeopleAsked, None]) -> ShownPeople:
    """Show the people of an organisation."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        found = await people.all_of(connection, org.id)
    shown, following = page(call, found, lambda one: (one.name, one.id))
    return ShownPeople([_shown(one) for one in shown], following)


async def add_person(call: Call[Nothing, NewPerson]) -> ShownPerson:
    """Add a person to an organisation."""
    said, around = call.body, call.around
    async with call.database.write() as connection:
        org = await whose(connection, call, said.organisation)
        name, mail = founding.checked_name(said.name), checked_mail(said.mail)
        deputy = await _deputy(connection, org.id, said.deputy)
        new = Person(around.uuid(), org.id, name, mail, said.phones, said.roles, deputy)
        await members.add_person(connection, new, around.now())
        await call.keep(connection, _shown(new))
    return _shown(new)


async def change_person(call: Call[Nothing, ChangedPerson]) -> ShownPerson:
    """Change what is known of a person."""
    said = call.body
    async with call.database.write() as connection:
        # Two may change different things of a person at once: none is lost.
        await people.hold(connection, call.path["person_id"])
        before = await _known(connection, call)
        deputy = said.deputy and await _deputy(connection, before.org_id, said.deputy)
        after = changed(
            before,
            name=None if said.name is None else founding.checked_name(said.name),
            mail=said.mail,
            phones=said.phones,
            roles=said.roles,
            deputy_id=deputy,
        )
        await people.change(connection, after)
        await call.keep(connection, _shown(after))
    return _shown(after)


async def _known(connection: Connection, call: Call[Nothing, object]) -> Person:
    """Return the person of that id; to a county those of others are not there."""
    for one in await people.all_of(connection, None if call.is_center else call.org.id):
        if one.id == call.path["person_id"]:
            return one
    raise NotFound("There is no such person.")


async def _deputy(connection: Connection, org_id: str, named: str | None) -> str | None:
    """Return the id of a colleague; raise ``Refused`` where there is none of that name."""
    if named is None:
        return None
    for one in await people.all_of(connection, org_id):
        if goes_by(one, named):
            return one.id
    raise Refused("There is no person of that mail address or id in the organisation.", "deputy")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/people",
        Scope.READ,
        list_people,
        "List the people of your organisation.",
        "Die Personen Ihrer Organisation auflisten.",
        also=frozenset({422}),
    ),
    Endpoint(
        "POST",
        "/people",
        Scope.ADMIN,
        add_person,
        "Add a person.",
        "Eine Person hinzufügen.",
        status=201,
    ),
    Endpoint(
        "PATCH",
        "/people/{person_id}",
        Scope.ADMIN,
        change_person,
        "Change what is known of a person.",
        "Ändern, was über eine Person bekannt ist.",
    ),
)
