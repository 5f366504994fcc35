"""What an organisation has: networks, names and software."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import assets as deeds
from cybercoop.collect.assets import Told
from cybercoop.door import WAKE
from cybercoop.members.assets import Asset, AssetKind
from cybercoop.members.tokens import Scope
from cybercoop.store import assets
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Name = Annotated[str | None, Field(max_length=500)]


class AssetsAsked(Paging):
    """Say whose things to list; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None


class NewAsset(Asked):
    """Name a network, a domain, or a software by vendor, product and version."""

    kind: AssetKind
    value: Annotated[str, Field(min_length=1, max_length=500)]
    vendor: Name = None
    version: Name = None


class NewAssets(Asked):
    """Name things that you have; all are taken, or none."""

    assets: Annotated[list[NewAsset], Field(min_length=1, max_length=10_000)]


class ShownAsset(msgspec.Struct, frozen=True):
    """Show one thing that an organisation has."""

    id: str
    organisation: str
    kind: str
    value: str
    vendor: str | None
    version: str | None
    created: str | None


class ShownAssets(msgspec.Struct, frozen=True):
    """Show a page of what an organisation has."""

    assets: list[ShownAsset]
    next: str | None


class AddedAssets(msgspec.Struct, frozen=True):
    """Show what was noted."""

    assets: list[ShownAsset]


class DroppedAsset(msgspec.Struct, frozen=True):
    """Name what is forgotten."""

    id: str


def _shown(one: Asset) -> ShownAsset:
    made = moment(one.created_at)
    return ShownAsset(one.id, one.org_id, one.kind.value, one.value, one.vendor, one.version, made)


async def list_assets(call: Call[AssetsAsked, None]) -> ShownAssets:
    """Show what an organisation has, in the order it was said."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        found = await assets.all_of(connection, org.id)
    shown, following = page(call, found, lambda one: (one.created_at, one.id))
    return ShownAssets([_shown(one) for one in shown], following)


async def add_assets(call: Call[Nothing, NewAssets]) -> AddedAssets:
    """Note what the asker has; its networks and names are protected from then on."""
    told = [Told(one.kind, one.value, one.vendor, one.version) for one in call.body.assets]
    made = await deeds.add(call.database, call.org.id, told, call.around)
    call.app[WAKE]()
    return AddedAssets([_shown(one) for one in made])


async def drop_asset(call: Call[Nothing, None]) -> DroppedAsset:
    """Forget one thing that the asker has; the center may forget anybody's."""
    one = call.path["asset_id"]
    await deeds.drop(call.database, one, None if call.is_center else call.org.id)
    call.app[WAKE]()
    return DroppedAsset(one)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/assets",
        Scope.READ,
        list_assets,
        "List networks, names and software that you have.",
        "Netze, Namen und Software auflisten, die Sie haben.",
        also=frozenset({422}),
    ),
    Endpoint(
        "POST",
        "/assets",
        Scope.ADMIN,
        add_assets,
        "Say what you have; your networks and names are never blocked.",
        "Sagen, was Sie haben; Ihre Netze und Namen werden nie gesperrt.",
        status=201,
    ),
    Endpoint(
        "DELETE",
        "/assets/{asset_id}",
        Scope.ADMIN,
        drop_asset,
        "Forget what you no longer have.",
        "Vergessen, was Sie nicht mehr haben.",
    ),
)
