"""My feeds: which lists the organisation's devices fetch, and a new one with its steps."""

import re
from dataclasses import dataclass

from aiohttp import web

from cybercoop.collect import device_feeds as deeds
from cybercoop.collect import tokens
from cybercoop.door import SURROUNDINGS
from cybercoop.errors import Malformed, Misused, NotFound
from cybercoop.members.device_feeds import Cut, DeviceFeed, Wish
from cybercoop.members.tokens import Scope
from cybercoop.store import device_feeds, feeds
from cybercoop.web.handed_in import PRODUCTS
from cybercoop.web.pages.rendering import moment
from cybercoop.web.pages.visits import Visit, is_https

_LONGEST_TITLE = 200
_USER = "feed"
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?").fullmatch


@dataclass(frozen=True, slots=True)
class Line:
    """Hold what is shown of one feed."""

    title: str
    product: str
    responses: bool
    entries: int
    fetched: str
    by: str
    silent: bool


async def listing(visit: Visit) -> web.StreamResponse:
    """Show the feeds of the organisation, and from which products a new one may be chosen."""
    titles = visit.request.app[PRODUCTS].titles()
    async with visit.database.read() as connection:
        found = await device_feeds.all_feeds(connection, visit.org.id)
        lines = [
            Line(
                one.title,
                titles.get(one.product or "", one.format),
                one.responses,
                await deeds.count(connection, one, visit.org, visit.now),
                moment(one.fetched_at, visit.language),
                one.fetched_by or "",
                one.is_silent(visit.now),
            )
            for one in found
        ]
    return visit.page("devices.html", lines=lines, titles=titles, may_make=_may_make(visit))


def _may_make(visit: Visit) -> bool:
    return visit.reader is not None and visit.reader.scope.covers(Scope.ADMIN)


async def form(visit: Visit) -> web.StreamResponse:
    """Show what can be said about a new feed for the product that was chosen."""
    return _form(visit, visit.request.query.get("product", ""))


def _form(visit: Visit, name: str, reason: str = "") -> web.StreamResponse:
    products = visit.request.app[PRODUCTS]
    if name not in products.titles():
        raise NotFound("There is no such product.")
    taxii = products.asks_taxii(name)
    return visit.page(
        "device.html",
        422 if reason else 200,
        name=name,
        product=products.titles()[name],
        kinds=() if taxii else products.kinds(name),
        all_kinds=taxii or products.takes_all(name),
        taxii=taxii,
        reason=reason,
    )


async def make(visit: Visit) -> web.StreamResponse:
    """Make a feed with a token, which is shown this once, and show the steps."""
    products, said = visit.request.app[PRODUCTS], visit.form
    name, kind, least = said.text("product"), said.text("kind"), said.text("least") or "0"
    if name not in products.titles():
        raise NotFound("There is no such product.")
    if products.asks_taxii(name):
        places = await _for_taxii(visit)
    else:
        if not re.fullmatch("[0-9]{1,2}|100", least):
            return _form(visit, name, visit.text("device.wrong_least"))
        title = "".join(filter(str.isprintable, said.text("title"))).strip()[:_LONGEST_TITLE]
        cut = Cut((kind,) if kind else (), int(least))
        wish = Wish(name, None, cut, title, responses=said.text("responses") == "1")
        try:
            wanted, _ = products.ordered(wish)
        except Misused as error:
            return _form(visit, name, visit.why(str(error)))
        places = await _for_device(visit, wanted)
    recipe = products.recipe(name, places, visit.language)
    title = products.titles()[name]
    return visit.page("made.html", product=title, places=places, recipe=recipe)


async def _for_device(visit: Visit, wanted: DeviceFeed) -> dict[str, str]:
    around, address = visit.request.app[SURROUNDINGS], _address(visit.request)
    async with visit.database.write() as connection:
        feed, token = await deeds.create(connection, around, visit.org, wanted)
    return visit.request.app[PRODUCTS].places(feed, token, address)


async def _for_taxii(visit: Visit) -> dict[str, str]:
    """Make a token that may read: these products ask TAXII, where a feed is a collection."""
    around, address = visit.request.app[SURROUNDINGS], _address(visit.request)
    async with visit.database.write() as connection:
        _, text = await tokens.create(connection, around, visit.org.id, Scope.READ)
        known = await feeds.all_of(connection, visit.org.id)
    url = f"{address}/taxii2/coop/"
    return {"url": url, "user": _USER, "token": text, "feed": known[-1].id}


def _address(request: web.Request) -> str:
    """Return where the browser found this center: there its devices find it, too."""
    if not _HOST(request.host):
        raise Malformed("The address of this center cannot be told from the request.")
    return f"{'https' if is_https(request) else 'http'}://{request.host}"
