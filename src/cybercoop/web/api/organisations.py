"""Organisations and groups: the center manages them, everybody else sees what it is part of."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from cybercoop.collect import founding
from cybercoop.door import WAKE
from cybercoop.errors import NotFound
from cybercoop.members.organisations import MOST_TAGS, Kind, Organisation, checked_tags
from cybercoop.members.tokens import Scope
from cybercoop.sharing.keys import groups_of
from cybercoop.store import members
from cybercoop.store.database import Connection
from cybercoop.web.api._common import in_sight, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Name = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[
    tuple[Name, ...],
    Field(max_length=MOST_TAGS, description="words by which responses choose it"),
]


class NewOrganisation(Asked):
    """Say who takes part and how; a client, and only a client, names its county in ``of``."""

    name: Name
    kind: Literal["member", "client", "partner"]
    of: Annotated[Name | None, Field(description="name or id of the county")] = None
    community: Annotated[bool, Field(description="let a partner read GREEN")] = False
    default_tlp: Literal["clear", "green", "amber", "amber+strict"] | None = None
    default_group: Annotated[str | None, Field(max_length=48)] = None
    named: bool = False
    catalogue: bool = False
    tags: Tags = ()


class Tagging(Asked):
    """Say which tags an organisation gets, and which it loses."""

    add: Tags = ()
    remove: Tags = ()


class NewGroup(Asked):
    """Name a group."""

    title: Name


class Joining(Asked):
    """Name an organisation, by name or id."""

    organisation: Name


class ShownOrganisation(msgspec.Struct, frozen=True):
    """Show an organisation; ``groups`` leaves out ``members``, which goes without saying."""

    id: str
    name: str
    kind: str
    of: str | None
    community: bool
    default_tlp: str | None
    default_group: str | None
    named: bool
    catalogue: bool
    groups: list[str]
    tags: list[str]


class ShownOrganisations(msgspec.Struct, frozen=True):
    """Show a page of organisations, by name."""

    organisations: list[ShownOrganisation]
    next: str | None


class ShownGroup(msgspec.Struct, frozen=True):
    """Show a group, the marking that addresses it, and who is in it."""

    id: str
    title: str
    marking: str
    organisations: list[str]


class ShownGroups(msgspec.Struct, frozen=True):
    """Show a page of groups, by id."""

    groups: list[ShownGroup]
    next: str | None


def _shown(one: Organisation) -> ShownOrganisation:
    return ShownOrganisation(
        one.id,
        one.name,
        one.kind.value,
        one.parent_id,
        one.community,
        one.default_tlp,
        one.default_group,
        one.named,
        one.catalogue,
        sorted(groups_of(one)),
        sorted(one.tags),
    )


async def list_organisations(call: Call[Paging, None]) -> ShownOrganisations:
    """Show all organisations to the center, and every other its own."""
    async with call.database.read() as connection:
        found = await in_sight(connection, call)
    shown, following = page(call, found, lambda one: (one.name, one.id))
    return ShownOrganisations([_shown(one) for one in shown], following)


async def add_organisation(call: Call[Nothing, NewOrganisation]) -> ShownOrganisation:
    """Enrol an organisation."""
    said, around = call.body, call.around
    tags = checked_tags(said.tags)
    async with call.database.read() as connection:
        parent = None if said.of is None else await whose(connection, call, said.of)
    new = Organisation(
        around.uuid(),
        founding.checked_name(said.name),
        Kind(said.kind),
        community=said.community or said.kind != Kind.PARTNER.value,
        contributions_id=around.uuid(),
        parent_id=None if parent is None else parent.id,
        default_tlp=said.default_tlp,
        default_group=said.default_group,
        named=said.named,
        catalogue=said.catalogue,
        tags=tags,
    )
    return _shown(await founding.add_organisation(call.database, new, around))


async def tag_organisation(call: Call[Nothing, Tagging]) -> ShownOrganisation:
    """Give tags to an organisation and take others away."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.path["organisation"])
    said = call.body
    return _shown(await founding.change_tags(call.database, org.id, said.add, said.remove))


async def list_groups(call: Call[Paging, None]) -> ShownGroups:
    """Show the groups that the asker is in, and all of them to the center."""
    async with call.database.read() as connection:
        found = await _groups_in_sight(connection, call)
    shown, following = page(call, found, lambda one: (one.id,))
    return ShownGroups(list(shown), following)


async def _groups_in_sight(connection: Connection, call: Call[object, object]) -> list[ShownGroup]:
    everybody = await members.all_organisations(connection)
    mine = groups_of(call.org)
    return [
        ShownGroup(
            one.id,
            one.title,
            one.marking_id,
            [who.name for who in everybody if one.id in groups_of(who)],
        )
        for one in await members.all_groups(connection)
        if call.is_center or one.id in mine
    ]


async def add_group(call: Call[Nothing, NewGroup]) -> ShownGroup:
    """Make a group."""
    made = await founding.add_group(call.database, call.body.title, call.around)
    call.app[WAKE]()
    return ShownGroup(made.id, made.title, made.marking_id, [])


async def join_group(call: Call[Nothing, Joining]) -> ShownGroup:
    """Put an organisation into a group."""
    return await _change(call, call.body.organisation, joins=True)


async def leave_group(call: Call[Nothing, None]) -> ShownGroup:
    """Take an organisation out of a group; it loses the key at once."""
    return await _change(call, call.path["organisation"], joins=False)


async def _change(call: Call[Nothing, object], name: str, *, joins: bool) -> ShownGroup:
    group_id = call.path["group_id"]
    async with call.database.read() as connection:
        groups = {one.id for one in await _groups_in_sight(connection, call)}
        if group_id not in groups:
            raise NotFound("There is no such group.")
        org = await whose(connection, call, name)
    await founding.change_membership(call.database, group_id, org.id, joins=joins)
    async with call.database.read() as connection:
        found = await _groups_in_sight(connection, call)
    return next(one for one in found if one.id == group_id)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/organisations",
        Scope.READ,
        list_organisations,
        "List organisations: all for the center, else your own.",
        "Organisationen auflisten: alle für das Zentrum, sonst die eigene.",
    ),
    Endpoint(
        "POST",
        "/organisations",
        Scope.ADMIN,
        add_organisation,
        "Enrol an organisation.",
        "Eine Organisation aufnehmen.",
        status=201,
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/organisations/{organisation}/tags",
        Scope.ADMIN,
        tag_organisation,
        "Give tags to an organisation, and take others away; responses choose by them.",
        "Einer Organisation Schlagworte geben und nehmen; Einsätze wählen danach aus.",
        for_center=True,
    ),
    Endpoint(
        "GET",
        "/groups",
        Scope.READ,
        list_groups,
        "List the groups that you are in, and who else is.",
        "Die Verteiler auflisten, in denen Sie sind, und wer noch darin ist.",
    ),
    Endpoint(
        "POST",
        "/groups",
        Scope.ADMIN,
        add_group,
        "Make a group; its marking addresses it on the wire.",
        "Einen Verteiler anlegen; seine Markierung spricht ihn an.",
        status=201,
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/groups/{group_id}/organisations",
        Scope.ADMIN,
        join_group,
        "Put an organisation into a group.",
        "Eine Organisation in einen Verteiler aufnehmen.",
        for_center=True,
    ),
    Endpoint(
        "DELETE",
        "/groups/{group_id}/organisations/{organisation}",
        Scope.ADMIN,
        leave_group,
        "Take an organisation out of a group; it loses the key at once.",
        "Eine Organisation aus einem Verteiler nehmen; sie verliert sofort die Berechtigung.",
        also=frozenset({422}),
        for_center=True,
    ),
)
