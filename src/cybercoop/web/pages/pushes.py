"""My pushes: what the organisation gave lately, push by push, each to be taken back as one."""

from dataclasses import dataclass

from aiohttp import web

from cybercoop.stix import outline
from cybercoop.store import pushes
from cybercoop.web.pages.rendering import moment
from cybercoop.web.pages.visits import Visit

MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """Hold what is shown of one push: when it came, how much of it stands, and one value."""

    id: str
    at: str
    count: int
    example: str


async def listing(visit: Visit) -> web.StreamResponse:
    """Show the last pushes of which something stands, newest first, each with its undo."""
    async with visit.database.read() as connection:
        found = await pushes.recent(connection, visit.org.id, MOST)
    lines = [
        Line(one.id, moment(one.at, visit.language), one.count, _value(one.example))
        for one in found
    ]
    return visit.page("pushes.html", lines=lines, most=MOST, looked_at=pushes.LOOKED_AT)


def _value(raw: bytes) -> str:
    """Return what a person takes an object for."""
    said = outline.texts(raw, "pattern", "value", "name", "id")
    return next((said[name] for name in ("pattern", "value", "name", "id") if name in said), "")
