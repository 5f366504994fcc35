"""Looking up: is a value listed, since when, how surely, and what speaks against it."""

from aiohttp import web

from cybercoop.collect.known import Asker
from cybercoop.collect.looking_up import look_up
from cybercoop.web.handed_in import LISTS
from cybercoop.web.pages.visits import Visit
from cybercoop.web.rules_now import guard_now

MOST = 500
_LONGEST = 2000


async def form(visit: Visit) -> web.StreamResponse:
    """Show the form that takes values."""
    return visit.page("lookup.html", found=None, asked="", reason="")


async def answer(visit: Visit) -> web.StreamResponse:
    """Show what is known of each value, one per line."""
    asked = visit.form.text("values")
    values = [line.strip() for line in asked.splitlines() if line.strip()]
    if len(values) > MOST or any(len(value) > _LONGEST for value in values):
        reason = visit.text("lookup.too_many", most=MOST)
        return visit.page("lookup.html", 422, found=None, asked=asked, reason=reason)
    app = visit.request.app
    rules = await guard_now(app)
    asker = Asker(visit.org, visit.center, visit.now)
    found = await look_up(visit.database, rules, app[LISTS], asker, values)
    return visit.page("lookup.html", found=found, asked=asked, reason="")
