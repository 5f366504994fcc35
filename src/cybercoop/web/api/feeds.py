"""Feeds for devices: made for a product with a token and its steps, or free; rotated, ended."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.collect import device_feeds as deeds
from cybercoop.door import SETTINGS
from cybercoop.errors import NotFound, Refused
from cybercoop.members.device_feeds import Cut, DeviceFeed, Wish
from cybercoop.members.tokens import Scope
from cybercoop.store import device_feeds
from cybercoop.store.database import Connection
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.handed_in import LANGUAGES, PRODUCTS, Recipe

Name = Annotated[str, Field(min_length=1, max_length=200)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Entries = Annotated[int, Field(ge=1, le=100_000_000)]


class FeedsAsked(Paging):
    """Say whose feeds to list; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None


class NewFeed(Asked):
    """Say for which product a feed is, or in which format; without kinds all that it takes."""

    product: Name | None = None
    format: Annotated[Name | None, Field(description="a format, instead of a product")] = None
    kinds: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    responses: Annotated[
        bool, Field(description="list what responses block at you, and nothing else")
    ] = False
    title: Annotated[str, Field(max_length=200)] = ""
    least: Annotated[int, Field(ge=0, le=100, description="lowest confidence")] = 0
    lock: Annotated[Name | None, Field(description="one lock instead of all keys")] = None
    age_days: Annotated[Days | None, Field(description="days since the last change")] = None
    most: Annotated[Entries | None, Field(description="most important entries only")] = None
    addresses: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        Field(max_length=100, description="networks that may fetch; none for everywhere"),
    ] = ()
    alarm_hours: Annotated[int, Field(ge=1, le=8760, description="silence until the alarm")] = 24


class FeedRotation(Asked):
    """Say for how many hours the tokens before still work."""

    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24


class ShownFeed(msgspec.Struct, frozen=True):
    """Show a feed, and when and by whom it was last fetched."""

    id: str
    organisation: str
    title: str
    product: str | None
    format: str
    responses: bool
    kinds: tuple[str, ...]
    least: int
    lock: str | None
    age_days: int | None
    most: int | None
    addresses: list[str]
    alarm_hours: int
    silent: bool
    created: str | None
    fetched: str | None
    fetched_by: str | None


class ShownFeeds(msgspec.Struct, frozen=True):
    """Show a page of feeds, oldest first."""

    feeds: list[ShownFeed]
    next: str | None


class Told(msgspec.Struct, frozen=True):
    """Say in one language how a product is set up: watching first, blocking later."""

    steps: list[str]
    test: str
    limits: list[str]
    warning: str


class Steps(msgspec.Struct, frozen=True):
    """Say how a product is set up, in both languages."""

    de: Told
    en: Told


class MadeFeed(msgspec.Struct, frozen=True):
    """Show a feed and its new token, which is nowhere else.

    A device fetches ``url`` with the token as password or bearer, or ``path_url`` where it can send
    none; ``name`` is what it calls the list. There are steps where the feed is for a product. A
    request that comes again under its idempotency key finds nothing that holds the token any more.
    """

    id: str
    token: str | None
    shown: ShownFeed
    url: str | None = None
    path_url: str | None = None
    user: str | None = None
    name: str | None = None
    steps: Steps | None = None


def _shown(one: DeviceFeed, now: int) -> ShownFeed:
    return ShownFeed(
        one.id,
        one.org_id,
        one.title,
        one.product,
        one.format,
        one.responses,
        one.cut.kinds,
        one.cut.least,
        one.cut.lock,
        one.cut.age_days,
        one.cut.most,
        [str(network) for network in one.addresses],
        one.alarm_hours,
        one.is_silent(now),
        moment(one.created_at),
        moment(one.fetched_at),
        one.fetched_by,
    )


async def list_feeds(call: Call[FeedsAsked, None]) -> ShownFeeds:
    """Show the feeds of an organisation."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        found = await device_feeds.all_feeds(connection, org.id)
    shown, following = page(call, found, lambda one: (one.created_at, one.id))
    return ShownFeeds([_shown(one, call.around.now()) for one in shown], following)


async def create_feed(call: Call[Nothing, NewFeed]) -> MadeFeed:
    """Make a feed of the asker's own with its first token."""
    wanted = _wanted(call, call.body)
    async with call.database.write() as connection:
        made, token = await deeds.create(connection, call.around, call.org, wanted)
        return await _kept(connection, call, made, token)


async def _kept(
    connection: Connection, call: Call[Any, Any], feed: DeviceFeed, token: str
) -> MadeFeed:
    """Return the answer with a new token, and remember it without all that holds the token."""
    plain = MadeFeed(feed.id, token, _shown(feed, call.around.now()))
    await call.keep(connection, plain)
    return _with_steps(call, plain, feed, token)


def _with_steps(call: Call[Any, Any], plain: MadeFeed, feed: DeviceFeed, token: str) -> MadeFeed:
    products, address = call.app[PRODUCTS], call.app[SETTINGS].public_address
    said = products.places(feed, token, address)
    told = None
    if feed.product is not None:
        found = {language: products.recipe(feed.product, said, language) for language in LANGUAGES}
        told = Steps(**{name: _told(one) for name, one in found.items()})
    return msgspec.structs.replace(
        plain,
        url=said["url"],
        path_url=f"{address}/feeds/{token}",
        user=said["user"],
        name=said["feed"],
        steps=told,
    )


def _told(recipe: Recipe) -> Told:
    return Told([*recipe.steps], recipe.test, [*recipe.limits], recipe.warning)


def _wanted(call: Call[Any, Any], said: NewFeed) -> DeviceFeed:
    products = call.app[PRODUCTS]
    if (said.product is None) == (said.format is None):
        raise Refused("Name a product or a format, and not both.", "product")
    if said.product is not None and said.product not in products.titles():
        known = ", ".join(sorted(products.titles()))
        raise Refused(f"There is no such product; there are {known}.", "product")
    if said.product is not None and products.asks_taxii(said.product):
        raise Refused("This product asks TAXII; make a token that may read.", "product")
    if not said.title.isprintable():
        raise Refused("A title is one line.", "title")
    cut = Cut(said.kinds, said.least, said.lock, said.age_days, said.most)
    wish = Wish(
        *(said.product, said.format, cut, said.title.strip()),
        *(said.responses, said.addresses, said.alarm_hours),
    )
    return products.ordered(wish)[0]


async def rotate_feed(call: Call[Nothing, FeedRotation]) -> MadeFeed:
    """Give a feed another token; the ones before end after the overlap."""
    async with call.database.write() as connection:
        feed = await _find(connection, call)
        hours = call.body.overlap_hours
        made, token = await deeds.rotate(connection, call.around, feed.id, hours)
        return await _kept(connection, call, made, token)


async def end_feed(call: Call[Nothing, None]) -> ShownFeed:
    """End a feed and all of its tokens at once."""
    async with call.database.write() as connection:
        feed = await _find(connection, call)
        ended = await deeds.end(connection, call.around, feed.id)
    return _shown(ended, call.around.now())


async def _find(connection: Connection, call: Call[Any, Any]) -> DeviceFeed:
    """Return a feed that the asker manages; a foreign one is not there."""
    org_id = None if call.is_center else call.org.id
    for one in await device_feeds.all_feeds(connection, org_id):
        if one.id == call.path["feed_id"]:
            return one
    raise NotFound("There is no such feed.")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/feeds",
        Scope.READ,
        list_feeds,
        "List your feeds for devices, and when each was fetched.",
        "Ihre Feeds für Geräte auflisten und wann jeder geholt wurde.",
        also=frozenset({422}),
    ),
    Endpoint(
        "POST",
        "/feeds",
        Scope.ADMIN,
        create_feed,
        "Make a feed for a product, or in a format; its token is shown this once, with the steps.",
        "Einen Feed für ein Produkt oder in einem Format anlegen; seine Marke wird nur dieses eine"
        " Mal gezeigt, mit den Schritten zum Einrichten.",
        status=201,
        secret="token",  # noqa: S106 - the name of a field
    ),
    Endpoint(
        "POST",
        "/feeds/{feed_id}/rotation",
        Scope.ADMIN,
        rotate_feed,
        "Give a feed another token; the ones before end after an overlap.",
        "Einem Feed eine neue Marke geben; die alten enden nach einer Übergangszeit.",
        status=201,
        secret="token",  # noqa: S106 - the name of a field
    ),
    Endpoint(
        "DELETE",
        "/feeds/{feed_id}",
        Scope.ADMIN,
        end_feed,
        "End a feed and all of its tokens at once.",
        "Einen Feed und alle seine Marken sofort beenden.",
    ),
)
