"""Kept: what the organisation gave that is not released, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from cybercoop import guard
from cybercoop.guard import Level
from cybercoop.guard.verdicts import by_rule
from cybercoop.sharing import locks
from cybercoop.stix import outline
from cybercoop.store import contributions, guarding
from cybercoop.store.database import Connection
from cybercoop.store.paging import Filters
from cybercoop.web.pages.visits import Visit

MOST = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold one contribution that others do not get; ``reason_de`` is "" where there is none."""

    value: str
    stix_id: str
    own: bool
    reason: str
    reason_de: str


async def listing(visit: Visit) -> web.StreamResponse:
    """Show what is kept and not released, newest first."""
    async with visit.database.read() as connection:
        rows = await contributions.unreleased(connection, visit.org.id, MOST)
        held = await guarding.held_of(connection, visit.org.id, MOST)
        ids = list(dict.fromkeys(row["stix_id"] for row in (*rows, *held)))
        values = await _values(connection, visit.org.id, ids)
    found = [_kept(row, values, row["note"], "") for row in rows]
    for row in held:
        said = guard.as_others_see(by_rule(row["rule"], Level[row["level"].upper()]))
        found.append(_kept(row, values, said.reason_en, said.reason_de))
    return visit.page("kept.html", kept=found, most=MOST)


def _kept(row: Any, values: Mapping[str, str], reason: str, reason_de: str) -> Kept:
    stix_id = row["stix_id"]
    return Kept(values.get(stix_id, ""), stix_id, locks.is_own(row["lock"]), reason, reason_de)


async def _values(connection: Connection, org_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Return what a person takes each of these own objects for."""
    found: dict[str, str] = {}
    filters = Filters(limit=2 * MOST, ids=tuple(ids))
    if not ids:
        return found
    page = await contributions.read(connection, org_id, filters, ("stix_id", "bytes"))
    for *_, stix_id, raw in page.rows:
        said = outline.texts(bytes(raw), "pattern", "value", "name")
        found[stix_id] = next(iter(said.values()), "")
    return found
