"""Commands about feeds for devices: ``feed create``, ``list``, ``rotate``, ``end``."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Annotated, Any, Literal

import typer

from cybercoop.cli.opened import configured, on_database
from cybercoop.cli.shown import Json, date, many, one
from cybercoop.collect import device_feeds, tokens
from cybercoop.errors import Misused
from cybercoop.exports import orders, products
from cybercoop.exports.cut import zone_of
from cybercoop.exports.orders import Order
from cybercoop.exports.products import Product
from cybercoop.members.device_feeds import Cut, DeviceFeed, Network
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.sharing import keys_of
from cybercoop.store import device_feeds as remembered
from cybercoop.store import feeds, members, releases
from cybercoop.store.database import Connection, Database
from cybercoop.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, help="Feeds for firewalls, DNS servers and other devices.")

FeedId = Annotated[str, typer.Argument(help="Id of the feed.")]
Language = Literal["de", "en"]
Lang = Annotated[str | None, typer.Option(help="de or en; by default what LANG says.")]

_HOURS = {"h": 1, "d": 24}
_USER = "feed"
_LIMITED: Mapping[Language, str] = {
    "de": "Die Liste endet nach {entries} Einträgen ({limit}); --most ändert das.",
    "en": "The list ends after {entries} entries ({limit}); --most changes that.",
}
_PLACEHOLDER: Mapping[Language, str] = {
    "de": "Die Adresse ist ein Platzhalter: Nennen Sie die öffentliche mit --url.",
    "en": "The address is a placeholder: name the public one with --url.",
}


def _language(said: str | None, lang: str) -> Language:
    if said not in {None, "de", "en"}:
        raise Misused("--lang is de or en.")
    return "de" if said == "de" or (said is None and lang.lower().startswith("de")) else "en"


def _networks(said: Sequence[str]) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one.strip()) for one in said)
    except ValueError as error:
        raise Misused(f"--address: {error}; write 192.0.2.7 or 192.0.2.0/24.") from error


def _address(url: str | None) -> str:
    if url is not None:
        if not re.match("https?://.", url):
            raise Misused("--url is the public address of the center, https://…")
        return url.rstrip("/")
    settings = configured()
    return f"{'https' if settings.tls else 'http'}://{settings.listen}"


@app.command("create")
def create(
    org: Annotated[str, typer.Option(help="Organisation whose keys decide what is listed.")],
    product: Annotated[str | None, typer.Option(help="Which device it is for.")] = None,
    format_name: Annotated[str | None, typer.Option("--format", help="Instead: a format.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Which values; repeatable.")] = None,
    title: Annotated[str | None, typer.Option(help="What `feed list` calls it.")] = None,
    least: Annotated[int, typer.Option(min=0, max=100, help="Lowest confidence.")] = 0,
    lock: Annotated[str | None, typer.Option(help="One lock instead of all keys.")] = None,
    age_days: Annotated[int | None, typer.Option(min=1, help="Days since the last change.")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Most important entries only.")] = None,
    address: Annotated[list[str] | None, typer.Option(help="Network that may fetch.")] = None,
    alarm_hours: Annotated[int, typer.Option(min=1, help="Silence until the alarm.")] = 24,
    url: Annotated[
        str | None, typer.Option(envvar="CYBERCOOP_URL", help="Public address of the center.")
    ] = None,
    lang: Lang = None,
    locale: Annotated[str, typer.Option(envvar="LANG", hidden=True)] = "",
    as_json: Json = False,
) -> None:
    """Make a feed with a token, and say how to set the device up: watching first.

    For example:

    cybercoop feed create --product fortigate --kind domain --org "Landkreis A"
    cybercoop feed create --format rpz --org "Landkreis A" --least 50 --json
    """
    if (product is None) == (format_name is None):
        raise Misused("Name a --product or a --format.")
    language, place = _language(lang, locale), _address(url)
    found = orders.product_of(product) if product else None
    if found is not None and found.auth == "taxii":
        _print(
            _taxii(found, org, place, language), language, placeholder=url is None, as_json=as_json
        )
        return
    cut = Cut(tuple(kind or ()), least, lock, age_days, most)
    order = orders.for_product(found, cut) if found else orders.for_format(format_name or "", cut)
    name = title or f"{product or order.format}: {', '.join(order.cut.kinds)}"
    wanted = DeviceFeed(
        "", "", name, order.format, order.cut, product, _networks(address or ()), alarm_hours
    )

    async def work(database: Database) -> tuple[DeviceFeed, str]:
        async with database.write() as connection:
            owner = await members.find(connection, org)
            return await device_feeds.create(connection, Surroundings(), owner, wanted)

    made = _made(*on_database(work), place, found, order, language)
    _print(made, language, placeholder=url is None, as_json=as_json)


def _made(
    feed: DeviceFeed,
    token: str,
    place: str,
    product: Product | None,
    order: Order | None,
    language: Language,
) -> dict[str, Any]:
    """Return what is printed of a feed: the secret stands in the URL where a device wants it."""
    in_path = product is not None and product.auth == "path"
    url = f"{place}/feeds/{token if in_path else feed.id}"
    zone = zone_of(feed.format, feed.cut)
    said: dict[str, Any] = _shown(feed) | {"url": url, "user": _USER, "token": token, "feed": zone}
    said["path_url"] = f"{place}/feeds/{token}"
    if order is not None and order.limit is not None:
        limit = order.limit.de if language == "de" else order.limit.en
        said["note"] = _LIMITED[language].format(entries=order.limit.entries, limit=limit)
    return said | (_recipe(product, said, language) if product else {"steps": []})


def _recipe(product: Product, said: Mapping[str, Any], language: Language) -> dict[str, Any]:
    places = {name: said[name] for name in ("url", "user", "token", "feed")}
    told: dict[str, Any] = {"steps": products.steps(product, language, places)}
    told["test"] = products.filled(getattr(product.test, language), places)
    told["limits"] = [products.filled(one, places) for one in getattr(product.limits, language)]
    if product.warning is not None:
        told["warning"] = products.filled(getattr(product.warning, language), places)
    return told


def _taxii(product: Product, org: str, place: str, language: Language) -> dict[str, Any]:
    """Make a token that may read: these products ask TAXII, where a feed is a collection."""

    async def work(database: Database) -> dict[str, Any]:
        async with database.write() as connection:
            owner = await members.find(connection, org)
            token, text = await tokens.create(connection, Surroundings(), owner.id, Scope.READ)
            known = await feeds.all_of(connection, owner.id)
        said = {"id": token.id, "organisation": owner.id, "product": product.name, "user": _USER}
        said |= {"url": f"{place}/taxii2/coop/", "token": text, "feed": known[-1].id}
        return said | _recipe(product, said, language)

    return on_database(work)


def _print(
    said: Mapping[str, Any], language: Language, *, placeholder: bool, as_json: bool
) -> None:
    lines = [f"Feed {said['id']}", f"URL: {said['url']}"]
    lines += [f"Name: {said['feed']}  User: {said['user']}  Password: {said['token']}"]
    lines += [said[name] for name in ("note", "warning") if name in said]
    lines += [_PLACEHOLDER[language]] if placeholder else []
    lines += ["", *said["steps"], ""] if said["steps"] else []
    lines += [*said.get("limits", ()), *([said["test"]] if "test" in said else [])]
    one(said, "\n".join(lines), as_json=as_json)


def _shown(feed: DeviceFeed) -> dict[str, Any]:
    return {
        "id": feed.id,
        "title": feed.title,
        "organisation": feed.org_id,
        "product": feed.product,
        "format": feed.format,
        "kinds": list(feed.cut.kinds),
        "least": feed.cut.least,
        "lock": feed.cut.lock,
        "age_days": feed.cut.age_days,
        "most": feed.cut.most,
        "addresses": [*map(str, feed.addresses)],
        "created": date(feed.created_at),
    }


@app.command("list")
def list_all(
    name: Annotated[str | None, typer.Argument(help="Only of this organisation.")] = None,
    as_json: Json = False,
) -> None:
    """List feeds: what they hold, who fetched last, and which device fell silent.

    Entries are counted before exceptions and what a format leaves out.

    For example:

    cybercoop feed list
    cybercoop feed list "Landkreis Cochem-Zell" --json
    """

    async def work(database: Database) -> list[dict[str, Any]]:
        async with database.read() as connection:
            orgs = {each.id: each for each in await members.all_organisations(connection)}
            org_id = (await members.find(connection, name)).id if name else None
            found = await remembered.all_feeds(connection, org_id)
            return [await _line(connection, feed, orgs[feed.org_id]) for feed in found]

    rows = on_database(work)
    if not as_json:
        kept = ("title", "of", "format", "entries", "fetched", "by", "alarm", "id")
        rows = [{column: row[column] for column in kept} for row in rows]
    many("feeds", rows, as_json=as_json)


async def _line(connection: Connection, feed: DeviceFeed, org: Organisation) -> dict[str, Any]:
    now = Surroundings().now()
    return _shown(feed) | {
        "of": org.name,
        "entries": await releases.count(connection, keys_of(org), feed.cut, now),
        "fetched": date(feed.fetched_at),
        "by": feed.fetched_by,
        "version": feed.fetched_version,
        "alarm_hours": feed.alarm_hours,
        "alarm": feed.is_silent(now),
    }


@app.command("rotate")
def rotate(
    feed_id: FeedId,
    overlap: Annotated[str, typer.Option(help="How long the old token works: 7d or 12h.")] = "7d",
    url: Annotated[
        str | None, typer.Option(envvar="CYBERCOOP_URL", help="Public address of the center.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make another token for a feed; the one before ends after the overlap.

    For example:

    cybercoop feed rotate 3f0c2b7a-7f0e-4a53-9d55-6a4a0d1b2c3d --overlap 7d
    """
    said = re.fullmatch(r"([0-9]{1,3})([dh])", overlap)
    if said is None:
        raise Misused("--overlap is a number of days or hours: 7d, 12h, or 0h for at once.")
    hours, place = int(said[1]) * _HOURS[said[2]], _address(url)

    async def work(database: Database) -> tuple[DeviceFeed, str]:
        async with database.write() as connection:
            return await device_feeds.rotate(connection, Surroundings(), feed_id, hours)

    feed, token = on_database(work)
    product = products.all().get(feed.product or "")
    made = _made(feed, token, place, product, None, "en")
    sentence = f"The new token of feed {feed.id}, shown only this once:\n{token}\n{made['url']}"
    one(made, sentence, as_json=as_json)


@app.command("end")
def end(feed_id: FeedId, as_json: Json = False) -> None:
    """End a feed and its tokens at once; some firewalls stop blocking then.

    For example:

    cybercoop feed end 3f0c2b7a-7f0e-4a53-9d55-6a4a0d1b2c3d
    """

    async def work(database: Database) -> DeviceFeed:
        async with database.write() as connection:
            return await device_feeds.end(connection, Surroundings(), feed_id)

    ended = on_database(work)
    one(
        _shown(ended) | {"ended": date(ended.ended_at)},
        f"Feed {ended.id} has ended.",
        as_json=as_json,
    )
