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
from cybercoop.exports import recipes
from cybercoop.exports.products import Limit
from cybercoop.members.device_feeds import Cut, DeviceFeed, Network, Wish
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.store import device_feeds as remembered
from cybercoop.store import feeds, members
from cybercoop.store.database import Connection, Database
from cybercoop.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, help="Feeds for firewalls, DNS servers and other devices.")

FeedId = Annotated[str, typer.Argument(help="Id of the feed.")]
Language = Literal["de", "en"]
Lang = Annotated[str | None, typer.Option(help="de or en; by default what LANG says.")]

_HOURS = {"h": 1, "d": 24}
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
    return configured().public_address


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
    responses: Annotated[
        bool, typer.Option("--responses", help="Only what responses block at this organisation.")
    ] = False,
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
    cybercoop feed create --product unbound --responses --org "Landkreis A"
    """
    language, place = _language(lang, locale), _address(url)
    if product is not None and format_name is None and recipes.asks_taxii(product):
        made = _taxii(product, org, place, language)
        _print(made, language, placeholder=url is None, as_json=as_json)
        return
    cut = Cut(tuple(kind or ()), least, lock, age_days, most)
    more = (_networks(address or ()), alarm_hours)
    wish = Wish(product, format_name, cut, title or "", responses, *more)
    wanted, limit = recipes.ordered(wish)

    async def work(database: Database) -> tuple[DeviceFeed, str]:
        async with database.write() as connection:
            owner = await members.find(connection, org)
            return await device_feeds.create(connection, Surroundings(), owner, wanted)

    made = _made(*on_database(work), place, language) | _note(limit, language)
    _print(made, language, placeholder=url is None, as_json=as_json)


def _note(limit: Limit | None, language: Language) -> dict[str, str]:
    if limit is None:
        return {}
    said = limit.de if language == "de" else limit.en
    return {"note": _LIMITED[language].format(entries=limit.entries, limit=said)}


def _made(feed: DeviceFeed, token: str, place: str, language: Language) -> dict[str, Any]:
    """Return what is printed of a feed: the secret stands in the URL where a device wants it."""
    places = recipes.places(feed, token, place)
    said = _shown(feed) | places | {"path_url": f"{place}/feeds/{token}"}
    return said | (_recipe(feed.product, places, language) if feed.product else {"steps": []})


def _recipe(product: str, places: Mapping[str, str], language: Language) -> dict[str, Any]:
    found = recipes.recipe(product, places, language)
    told = {"steps": [*found.steps], "test": found.test, "limits": [*found.limits]}
    return told | ({"warning": found.warning} if found.warning else {})


def _taxii(product: str, org: str, place: str, language: Language) -> dict[str, Any]:
    """Make a token that may read: these products ask TAXII, where a feed is a collection."""

    async def work(database: Database) -> dict[str, Any]:
        async with database.write() as connection:
            owner = await members.find(connection, org)
            token, text = await tokens.create(connection, Surroundings(), owner.id, Scope.READ)
            known = await feeds.all_of(connection, owner.id)
        said = {"id": token.id, "organisation": owner.id, "product": product}
        places = {"url": f"{place}/taxii2/coop/", "user": recipes.USER, "token": text}
        places |= {"feed": known[-1].id}
        return said | places | _recipe(product, places, language)

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
        "responses": feed.responses,
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
        kept = ("title", "of", "format", "responses", "entries", "fetched", "by", "alarm", "id")
        rows = [{column: row[column] for column in kept} for row in rows]
    many("feeds", rows, as_json=as_json)


async def _line(connection: Connection, feed: DeviceFeed, org: Organisation) -> dict[str, Any]:
    now = Surroundings().now()
    return _shown(feed) | {
        "of": org.name,
        "entries": await device_feeds.count(connection, feed, org, now),
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
    made = _made(feed, token, place, "en")
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
