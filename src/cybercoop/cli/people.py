"""Commands about people: ``user add``, ``user change``."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cybercoop.cli.opened import on_database
from cybercoop.cli.shown import Json, one
from cybercoop.collect import founding
from cybercoop.errors import Misused
from cybercoop.members.organisations import Person, changed, checked_mail
from cybercoop.store import members, people
from cybercoop.store.database import Connection, Database
from cybercoop.surroundings import Surroundings

user = typer.Typer(no_args_is_help=True, help="People of an organisation.")


class Part(StrEnum):
    """Name what a person can be without."""

    PHONES = "phones"
    ROLES = "roles"
    DEPUTY = "deputy"


@user.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    org_name: Annotated[str, typer.Option("--org", help="Organisation, by name or id.")],
    mail: Annotated[str, typer.Option(help="Mail address.")],
    phone: Annotated[list[str] | None, typer.Option(help="Phone number; may be repeated.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Role; may be repeated.")] = None,
    deputy: Annotated[str | None, typer.Option(help="Who stands in, by mail or id.")] = None,
    as_json: Json = False,
) -> None:
    """Add a person to an organisation.

    For example:

    cybercoop user add "IT" --org "Landkreis Cochem-Zell" --mail it@example.org
    cybercoop user add B --org A --mail b@a.example --deputy a@a.example
    """

    async def work(database: Database) -> Person:
        around = Surroundings()
        async with database.write() as connection:
            org_id = (await members.find(connection, org_name)).id
            phones, roles = tuple(phone or ()), tuple(role or ())
            who = founding.checked_name(name)
            stands_in = await _deputy(connection, org_id, deputy)
            new = Person(around.uuid(), org_id, who, checked_mail(mail), phones, roles, stands_in)
            await members.add_person(connection, new, around.now())
        return new

    made = on_database(work)
    one(_shown(made), f"{made.name} is known. The id is {made.id}.", as_json=as_json)


@user.command("change")
def user_change(
    who: Annotated[str, typer.Argument(help="The person, by mail address or id.")],
    name: Annotated[str | None, typer.Option(help="Name from now on.")] = None,
    mail: Annotated[str | None, typer.Option(help="Mail address from now on.")] = None,
    phone: Annotated[
        list[str] | None, typer.Option(help="Phone number instead of those before; repeatable.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Role instead of those before; repeatable.")
    ] = None,
    deputy: Annotated[str | None, typer.Option(help="Who stands in, by mail or id.")] = None,
    without: Annotated[
        list[Part] | None, typer.Option(help="What the person has no more; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what is known of a person; what is not named stays.

    For example:

    cybercoop user change it@example.org --role it-lead --role crisis-team
    cybercoop user change it@example.org --deputy b@example.org --without phones
    """

    async def work(database: Database) -> Person:
        async with database.write() as connection:
            before = await members.find_person(connection, who)
            stands_in = await _deputy(connection, before.org_id, deputy)
            after = changed(
                before,
                name=None if name is None else founding.checked_name(name),
                mail=mail,
                phones=tuple(phone) if phone else _nothing(without, Part.PHONES),
                roles=tuple(role) if role else _nothing(without, Part.ROLES),
                deputy_id="" if without and Part.DEPUTY in without else stands_in,
            )
            await people.change(connection, after)
        return after

    made = on_database(work)
    one(_shown(made), f"{made.name} is known by {made.mail}.", as_json=as_json)


def _nothing(without: list[Part] | None, part: Part) -> tuple[str, ...] | None:
    return () if part in (without or ()) else None


def _shown(made: Person) -> dict[str, Any]:
    return {
        "id": made.id,
        "name": made.name,
        "mail": made.mail,
        "organisation": made.org_id,
        "phones": list(made.phones),
        "roles": list(made.roles),
        "deputy": made.deputy_id,
    }


async def _deputy(connection: Connection, org_id: str, named: str | None) -> str | None:
    if named is None:
        return None
    found = await members.find_person(connection, named)
    if found.org_id != org_id:
        raise Misused("A deputy is of the same organisation.")
    return found.id
