"""Boards and reports as a reader may have them, and the report as a file."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from cybercoop.door import CENTER, RESPONSES, SURROUNDINGS, require
from cybercoop.errors import Malformed
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.responses import papers, reporting
from cybercoop.responses.board import Board, board
from cybercoop.responses.reporting import Report
from cybercoop.store import members, runs
from cybercoop.store.blocks import State
from cybercoop.store.runs import Seen
from cybercoop.web.endpoints import ROOT
from cybercoop.web.taking_part import names_for, reader_for

Language = Literal["de", "en"]


@dataclass(frozen=True, slots=True)
class Looked:
    """Hold a board with what belongs to it."""

    board: Board
    seen: Seen
    blocks: Sequence[State]
    names: Mapping[str, str]


async def board_of(app: web.Application, org: Organisation, response_id: str) -> Looked:
    """Return the board of a response as an organisation may see it; raise ``NotFound``."""
    house, reader, now = app[RESPONSES], reader_for(org, app[CENTER]), app[SURROUNDINGS].now()
    async with house.database.read() as connection:
        seen = await runs.read(connection, reader, response_id, steps_too=True, log_too=False)
        blocks = await runs.blocks_of(connection, reader, response_id, now)
        names = await names_for(connection, org, app[CENTER])
    playbook = await house.book(seen.response.playbook_id, seen.response.playbook_modified)
    made = board(seen, playbook, now, texts=reader.is_center)
    return Looked(made, seen, blocks, names)


async def report_of(app: web.Application, org: Organisation, response_id: str) -> Report:
    """Return the report of a response as an organisation may see it; raise ``NotFound``."""
    reader, now = reader_for(org, app[CENTER]), app[SURROUNDINGS].now()
    async with app[RESPONSES].database.read() as connection:
        seen = await runs.read(connection, reader, response_id)
        blocks = await runs.blocks_of(connection, reader, response_id, now)
        names = await names_for(connection, org, app[CENTER])
    return reporting.report(seen, blocks, names, now, texts=reader.is_center)


async def stix_of(
    app: web.Application, org: Organisation, response_id: str, language: Language
) -> dict[str, Any]:
    """Return the report as a STIX bundle; raise ``NotFound``."""
    report = await report_of(app, org, response_id)
    async with app[RESPONSES].database.read() as connection:
        center = await members.find(connection, app[CENTER].org_id)
        groups = {one.id: one.marking_id for one in await members.all_groups(connection)}
    return papers.stix(report, app[CENTER], center.name, groups, language)


async def pdf_of(
    app: web.Application, org: Organisation, response_id: str, language: Language
) -> bytes:
    """Return the report as a PDF; raise ``NotFound``."""
    report = await report_of(app, org, response_id)
    async with app[RESPONSES].database.read() as connection:
        center = await members.find(connection, app[CENTER].org_id)
    return await asyncio.to_thread(papers.pdf, report, center.name, language)


def add_routes(app: web.Application) -> None:
    """Put the report as a file into ``app``: what is no JSON is no endpoint."""
    app.router.add_get(f"{ROOT}/responses/{{response_id}}/report.pdf", _pdf)


async def _pdf(request: web.Request) -> web.Response:
    org = require(request, Scope.READ).org
    language: Language = "de"
    if (said := request.query.get("language", language)) not in {"de", "en"}:
        raise Malformed("language is de or en.")
    if said == "en":
        language = "en"
    made = await pdf_of(request.app, org, request.match_info["response_id"], language)
    return file_answer(made, request.match_info["response_id"])


def file_answer(made: bytes, response_id: str) -> web.Response:
    """Return a PDF as browsers keep it; nothing else than its id is in its name."""
    headers = {
        "Content-Disposition": f'attachment; filename="{response_id}.pdf"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=made, content_type="application/pdf", headers=headers)
