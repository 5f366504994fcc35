"""Feeds for devices: made for a product with a token and its steps, rotated, ended."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.collect import device_feeds as deeds
from cybercoop.errors import NotFound, Refused
from cybercoop.members.device_feeds import DeviceFeed
from cybercoop.members.tokens import Scope
from cybercoop.store import device_feeds
from cybercoop.store.database import Connection
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.handed_in import PRODUCTS

Name = Annotated[str, Field(min_length=1, max_length=200)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Entries = Annotated[int, Field(ge=1, le=100_000_000)]


class FeedsAsked(Paging):
    """Say whose feeds to list; only the center names another organisation."""

    organisation: Annotated[str | None, Field(max_length=200)] = None


class NewFeed(Asked):
    """Say for which product a feed is, and what it lists; without kinds all that it takes."""

    product: Name
    kinds: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
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


class MadeFeed(msgspec.Struct, frozen=True):
    """Show a feed and its new token, which is nowhere else.

    A device fetches ``/feeds/{id}`` with the token, or ``/feeds/{token}`` where it can send none.
    A request that comes again under its idempotency key finds no text of the token any more.
    """

    id: str
    token: str | None
    shown: ShownFeed


def _shown(one: DeviceFeed, now: int) -> ShownFeed:
    return ShownFeed(
        one.id,
        one.org_id,
        one.title,
        one.product,
        one.format,
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
        answer = MadeFeed(made.id, token, _shown(made, call.around.now()))
        await call.keep(connection, answer)
    return answer


def _wanted(call: Call[Any, Any], said: NewFeed) -> DeviceFeed:
    products = call.app[PRODUCTS]
    if said.product not in products.titles():
        known = ", ".join(sorted(products.titles()))
        raise Refused(f"There is no such product; there are {known}.", "product")
    if products.asks_taxii(said.product):
        raise Refused("This product asks TAXII; make a token that may read.", "product")
    if not said.title.isprintable():
        raise Refused("A title is one line.", "title")
    found = products.wanted(said.product, said.kinds, said.least, said.title.strip())
    most = found.cut.most if said.most is None else said.most
    cut = replace(found.cut, lock=said.lock, age_days=said.age_days, most=most)
    return replace(found, cut=cut, addresses=said.addresses, alarm_hours=said.alarm_hours)


async def rotate_feed(call: Call[Nothing, FeedRotation]) -> MadeFeed:
    """Give a feed another token; the ones before end after the overlap."""
    async with call.database.write() as connection:
        feed = await _find(connection, call)
        hours = call.body.overlap_hours
        made, token = await deeds.rotate(connection, call.around, feed.id, hours)
        answer = MadeFeed(made.id, token, _shown(made, call.around.now()))
        await call.keep(connection, answer)
    return answer


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
        "Make a feed for a product; its token is shown this once.",
        "Einen Feed für ein Produkt anlegen; seine Marke wird nur dieses eine Mal gezeigt.",
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
