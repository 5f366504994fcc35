"""Sources that the center collects from: how each is, turned on and off."""

import asyncio
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cybercoop.collect import collecting, definitions
from cybercoop.collect.collecting import ALARMING, State
from cybercoop.collect.definitions import Source
from cybercoop.door import SETTINGS
from cybercoop.errors import NotFound
from cybercoop.members.tokens import Scope
from cybercoop.store import sources
from cybercoop.store.sources import Row
from cybercoop.web.api._common import moment
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class Start(Asked):
    """Say that somebody has read the terms of a source and keeps them."""

    accept_terms: Annotated[bool, Field(description="you have read its terms")] = False


class ShownSource(msgspec.Struct, frozen=True):
    """Show a definition, and how the source is."""

    name: str
    title: str
    kind: str
    schedule: str
    tlp: str
    terms: str
    verified: bool
    state: str
    alarm: bool
    organisation: str | None
    tried: str | None
    succeeded: str | None
    next: str | None
    objects: int
    failures: int
    reason: str | None


class ShownSources(msgspec.Struct, frozen=True):
    """Show a page of the sources that are defined, by name."""

    sources: list[ShownSource]
    next: str | None


def _shown(source: Source, row: Row | None, now: int) -> ShownSource:
    state = collecting.state_of(row, source, now)
    return ShownSource(
        source.name,
        source.title,
        source.kind,
        source.schedule,
        source.tlp,
        source.terms,
        source.verified,
        state.value,
        state in ALARMING,
        row.org_id if row else None,
        moment(row.tried_at) if row else None,
        moment(row.succeeded_at) if row else None,
        moment(row.next_at) if row and state is not State.OFF else None,
        row.objects if row else 0,
        row.failures if row else 0,
        row.failure if row else None,
    )


async def list_sources(call: Call[Paging, None]) -> ShownSources:
    """Show every definition, on or off."""
    known, rows = await _known(call), await _rows(call)
    shown, following = page(call, known.values(), lambda one: (one.name,))
    now = call.around.now()
    return ShownSources([_shown(one, rows.get(one.name), now) for one in shown], following)


async def start_source(call: Call[Nothing, Start]) -> ShownSource:
    """Collect from a source from now on, when its schedule says so."""
    source = await _one(call)
    accepted = call.body.accept_terms
    await collecting.add(call.database, source, call.around, accept_terms=accepted)
    return _shown(source, (await _rows(call))[source.name], call.around.now())


async def stop_source(call: Call[Nothing, None]) -> ShownSource:
    """Collect from a source no longer; what it gave stays until its time is over."""
    source = await _one(call)
    await collecting.stop(call.database, source.name, call.around.now())
    return _shown(source, (await _rows(call))[source.name], call.around.now())


async def _known(call: Call[Any, Any]) -> dict[str, Source]:
    folder = call.app[SETTINGS].feeds
    if not folder.is_dir():
        return {}
    found = await asyncio.to_thread(definitions.read, folder)
    return {source.name: source for source in found}


async def _rows(call: Call[Any, Any]) -> dict[str, Row]:
    async with call.database.read() as connection:
        return {row.name: row for row in await sources.every(connection)}


async def _one(call: Call[Any, Any]) -> Source:
    found = (await _known(call)).get(call.path["name"])
    if found is None:
        raise NotFound("There is no definition of that name.")
    return found


ENDPOINTS = (
    Endpoint(
        "GET",
        "/sources",
        Scope.ADMIN,
        list_sources,
        "List what the center can collect from, and how each source is.",
        "Auflisten, woraus das Zentrum sammeln kann und wie es um jede Quelle steht.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/sources/{name}/start",
        Scope.ADMIN,
        start_source,
        "Collect from a source from now on.",
        "Ab jetzt aus einer Quelle sammeln.",
        for_center=True,
    ),
    Endpoint(
        "POST",
        "/sources/{name}/stop",
        Scope.ADMIN,
        stop_source,
        "Collect from a source no longer.",
        "Nicht mehr aus einer Quelle sammeln.",
        for_center=True,
    ),
)
