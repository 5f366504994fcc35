"""Commands about who takes part: ``init``, ``org``, ``group``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cybercoop.cli.opened import on_database
from cybercoop.cli.shown import Json, many, one
from cybercoop.collect import founding, leaving
from cybercoop.collect.leaving import Left
from cybercoop.errors import Misused
from cybercoop.members.organisations import (
    Group,
    Kind,
    Organisation,
    checked_tags,
)
from cybercoop.sharing.keys import groups_of
from cybercoop.sharing.marking import LEVELS
from cybercoop.store import members
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

org = typer.Typer(no_args_is_help=True, help="Organisations: members, clients, partners.")
group = typer.Typer(no_args_is_help=True, help="Groups that share under a common agreement.")

Name = Annotated[str, typer.Argument(help="Name or id of the organisation.")]
Tags = Annotated[
    list[str] | None, typer.Option(help="Word by which responses choose it; may be repeated.")
]


class Part(StrEnum):
    """Name the kinds that can be added; the center is made by ``init``."""

    MEMBER = Kind.MEMBER.value
    CLIENT = Kind.CLIENT.value
    PARTNER = Kind.PARTNER.value


def init(
    name: Annotated[str, typer.Option(help="Name of the virtual center.")],
    as_json: Json = False,
) -> None:
    """Make the center on the configured database.

    For example:

    cybercoop init --name "Virtuelles Zentrum EMH"
    """

    async def work(database: Database) -> Organisation:
        return await founding.found_center(database, name, Surroundings())

    made = on_database(work, upgrades=True)
    one(_shown(made), f"{made.name} is founded. Its id is {made.id}.", as_json=as_json)


def _shown(made: Organisation) -> dict[str, Any]:
    return {
        "id": made.id,
        "name": made.name,
        "kind": made.kind.value,
        "of": made.parent_id,
        "community": made.community,
        "default_tlp": made.default_tlp,
        "default_group": made.default_group,
        "named": made.named,
        "catalogue": made.catalogue,
        "groups": sorted(groups_of(made)),
        "tags": sorted(made.tags),
    }


@org.command("add")
def org_add(
    name: Annotated[str, typer.Argument(help="How everybody calls it.")],
    kind: Annotated[Part, typer.Option(help="What part it takes.")],
    of: Annotated[str | None, typer.Option(help="The county of a client.")] = None,
    community: Annotated[
        bool, typer.Option("--community", help="Let a partner read GREEN.")
    ] = False,
    default_tlp: Annotated[str | None, typer.Option(help="Level of what carries none.")] = None,
    default_group: Annotated[
        str | None, typer.Option(help="Group of what names none; it joins it.")
    ] = None,
    named: Annotated[
        bool, typer.Option("--named", help="Be named in what it contributes to.")
    ] = False,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Release its objects with their ids.")
    ] = False,
    tag: Tags = None,
    as_json: Json = False,
) -> None:
    """Enrol an organisation.

    For example:

    cybercoop org add "Landkreis Cochem-Zell" --kind member
    cybercoop org add "Stadt Daun" --kind client --of "Landkreis Vulkaneifel"
    cybercoop org add "Landes-CERT" --kind partner --community --tag lagebild
    """
    level, tags = _level(default_tlp), checked_tags(tag or ())

    async def work(database: Database) -> Organisation:
        around = Surroundings()
        new = Organisation(
            around.uuid(),
            founding.checked_name(name),
            Kind(kind.value),
            community=community or kind is not Part.PARTNER,
            contributions_id=around.uuid(),
            parent_id=None if of is None else await _id_of(database, of),
            default_tlp=level,
            default_group=default_group,
            named=named,
            catalogue=catalogue,
            tags=tags,
        )
        return await founding.add_organisation(database, new, around)

    made = on_database(work)
    hint = f'Give it a token with: cybercoop token create "{made.name}"'
    one(_shown(made), f"{made.name} takes part as {made.kind.value}. {hint}", as_json=as_json)


async def _id_of(database: Database, name: str) -> str:
    async with database.read() as connection:
        return (await members.find(connection, name)).id


def _level(default_tlp: str | None) -> str | None:
    if default_tlp is None or default_tlp.lower() in LEVELS[:-1]:
        return default_tlp and default_tlp.lower()
    msg = f"--default-tlp is one of {', '.join(LEVELS[:-1])}."
    raise Misused(msg)


@org.command("list")
def org_list(as_json: Json = False) -> None:
    """List the organisations that take part.

    For example:

    cybercoop org list --json
    """

    async def work(database: Database) -> list[Organisation]:
        async with database.read() as connection:
            return await members.all_organisations(connection)

    found = on_database(work)
    names = {each.id: each.name for each in found}
    rows = [_shown(each) for each in found]
    if not as_json:
        kept = ("name", "kind", "of", "community", "default_tlp", "groups", "tags", "id")
        rows = [{name: row[name] for name in kept} for row in rows]
        rows = [row | {"of": names.get(row["of"])} for row in rows]
    many("organisations", rows, as_json=as_json)


@org.command("tag")
def org_tag(
    name: Name,
    add: Annotated[list[str] | None, typer.Option(help="Tag to give; may be repeated.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="Tag to take away; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Give tags to an organisation, and take others away; responses choose by them.

    For example:

    cybercoop org tag "Landkreis Cochem-Zell" --add kritis --remove probe
    """

    async def work(database: Database) -> Organisation:
        return await founding.change_tags(database, name, add or (), remove or ())

    changed = on_database(work)
    carried = ", ".join(sorted(changed.tags)) or "no tags"
    one(_shown(changed), f"{changed.name} carries {carried}.", as_json=as_json)


@org.command("leave")
def org_leave(
    name: Name,
    export: Annotated[
        Path, typer.Option(help="File that takes all that it contributed, and its incidents.")
    ],
    withdraw: Annotated[
        bool | None,
        typer.Option(
            "--withdraw/--keep",
            help="What becomes of its contributions and incidents; one of the two is needed.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let an organisation leave: its credentials end at once, its data is handed out.

    For example:

    cybercoop org leave "Landkreis Cochem-Zell" --export all.json --withdraw
    """
    if withdraw is None:
        raise Misused("Say what becomes of its contributions and incidents: --withdraw or --keep.")

    async def work(database: Database) -> Left:
        return await leaving.leave(database, name, export, Surroundings().now(), withdraw=withdraw)

    left = on_database(work)
    became = "withdrawn" if withdraw else "kept"
    said = {"id": left.org.id, "exported": left.versions, "incidents": left.incidents}
    said |= {"file": str(export), "contributions": became}
    counted = f"{left.versions} object versions and {left.incidents} incidents"
    text = f"{left.org.name} has left. {counted} are in {export}; they are {became} here."
    one(said, text, as_json=as_json)


@group.command("add")
def group_add(
    title: Annotated[str, typer.Argument(help="What the group is called.")], as_json: Json = False
) -> None:
    """Make a group; its marking-definition addresses it on the wire.

    For example:

    cybercoop group add Krisenstab
    """

    async def work(database: Database) -> Group:
        return await founding.add_group(database, title, Surroundings())

    made = on_database(work)
    said = {"id": made.id, "title": made.title, "marking": made.marking_id}
    one(said, f"The group {made.id} is addressed by {made.marking_id}.", as_json=as_json)


@group.command("list")
def group_list(as_json: Json = False) -> None:
    """List groups, their marking-definitions and who is in them.

    For example:

    cybercoop group list
    """

    async def work(database: Database) -> list[dict[str, Any]]:
        async with database.read() as connection:
            everybody = await members.all_organisations(connection)
            found = await members.all_groups(connection)
        return [
            {
                "id": each.id,
                "title": each.title,
                "marking": each.marking_id,
                "organisations": [who.name for who in everybody if each.id in groups_of(who)],
            }
            for each in found
        ]

    many("groups", on_database(work), as_json=as_json)


def _change(group_id: str, name: str, *, joins: bool, as_json: bool) -> None:
    async def work(database: Database) -> Organisation:
        return await founding.change_membership(database, group_id, name, joins=joins)

    changed = on_database(work)
    what = "is now in" if joins else "is no longer in"
    said = {"id": changed.id, "group": group_id, "groups": sorted(groups_of(changed))}
    one(said, f"{changed.name} {what} {group_id}.", as_json=as_json)


@group.command("join")
def group_join(
    group_id: Annotated[str, typer.Argument(help="Id of the group.")],
    name: Name,
    as_json: Json = False,
) -> None:
    """Put an organisation into a group.

    For example:

    cybercoop group join krisenstab "Landkreis Cochem-Zell"
    """
    _change(group_id, name, joins=True, as_json=as_json)


@group.command("leave")
def group_leave(
    group_id: Annotated[str, typer.Argument(help="Id of the group.")],
    name: Name,
    as_json: Json = False,
) -> None:
    """Take an organisation out of a group; it loses the key at once.

    For example:

    cybercoop group leave krisenstab "Landkreis Cochem-Zell"
    """
    _change(group_id, name, joins=False, as_json=as_json)
