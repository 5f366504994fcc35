"""Plain pages at ``/``: signing in, pasting with a preview, looking up; German and English.

They work without scripts, and without the style. The console will replace them.
"""

from aiohttp import web

from cybercoop.members.tokens import Scope
from cybercoop.web.handed_in import PRODUCTS, Products
from cybercoop.web.pages import (
    devices,
    entry,
    incidents,
    kept,
    lookup,
    pushes,
    pushing,
    rendering,
    responses,
    tasks,
)
from cybercoop.web.pages.visits import TITLE, Room, dressed, page

_ROOMS: tuple[tuple[str, str, Room, Scope | None], ...] = (
    ("GET", "/signin", entry.form, None),
    ("POST", "/signin", entry.sign_in, None),
    ("POST", "/signout", entry.sign_out, None),
    ("GET", "/", entry.start, Scope.READ),
    ("GET", "/push", pushing.form, Scope.WRITE),
    ("POST", "/push/preview", pushing.preview, Scope.WRITE),
    ("POST", "/push/send", pushing.send, Scope.WRITE),
    ("POST", "/push/undo", pushing.undo, Scope.WRITE),
    ("GET", "/pushes", pushes.listing, Scope.WRITE),
    ("GET", "/lookup", lookup.form, Scope.READ),
    ("POST", "/lookup", lookup.answer, Scope.READ),
    ("GET", "/kept", kept.listing, Scope.READ),
    ("GET", "/devices", devices.listing, Scope.READ),
    ("GET", "/devices/new", devices.form, Scope.ADMIN),
    ("POST", "/devices/new", devices.make, Scope.ADMIN),
    *tasks.ROOMS,
    *responses.ROOMS,
    *incidents.ROOMS,
)
_CLOSED = ("/api/", "/taxii2", "/feeds/", "/healthz", "/readyz", "/metrics")
"""What programs ask for; whatever their Accept says, they get no pages."""


def add_routes(app: web.Application, title: str, products: Products) -> None:
    """Put the pages of the center with that title into ``app``; feeds are made for ``products``."""
    app[TITLE], app[PRODUCTS] = title, products
    for method, path, room, scope in _ROOMS:
        add = app.router.add_get if method == "GET" else app.router.add_post
        add(path, page(room, scope))
    app.router.add_get("/style.css", _style)
    paths = tuple(path for _, path, _, _ in _ROOMS)
    app.middlewares.insert(0, dressed(paths, _CLOSED))


async def _style(_: web.Request) -> web.Response:
    headers = {"Cache-Control": "public, max-age=3600"}
    return web.Response(body=rendering.style(), content_type="text/css", headers=headers)
