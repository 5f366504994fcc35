"""What becomes of a response, for whoever may see it: log, board, report."""

from typing import Any, Literal

import msgspec

from cybercoop.members.tokens import Scope
from cybercoop.responses import reporting
from cybercoop.responses.board import Cell, Column, Line, Sum
from cybercoop.responses.reporting import Report
from cybercoop.store import runs
from cybercoop.web.api._common import moment
from cybercoop.web.api._responses import (
    Names,
    OtherState,
    ShownResponse,
    name_of,
    names,
    reader,
    shown_response,
)
from cybercoop.web.api.incident_sharing import StixBundle
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing
from cybercoop.web.reports import Looked, board_of, report_of, stix_of
from cybercoop.web.taking_part import note_reached


class Spoken(Asked):
    """Name the language."""

    language: Literal["de", "en"] = "de"


class ShownLine(msgspec.Struct, frozen=True):
    """Show a line of the log: what happened, and the same in words."""

    at: str | None
    who: str
    what: str
    organisation: str | None
    said: dict[str, Any]
    german: str
    english: str


class ShownLog(msgspec.Struct, frozen=True):
    """Show a page of the log, oldest first."""

    log: list[ShownLine]
    next: str | None


class BoardColumn(msgspec.Struct, frozen=True):
    """Show a step, and how many organisations are how far with it."""

    key: str
    title: str
    role: str
    counts: dict[str, int]
    overdue: int


class BoardCell(msgspec.Struct, frozen=True):
    """Show how far one organisation is with one step."""

    state: str
    overdue: bool
    task: str | None
    due: str | None
    ended: str | None


class BoardLine(msgspec.Struct, frozen=True):
    """Show one organisation; ``cells`` stand in the order of the columns."""

    run: str
    organisation: str
    state: str
    overdue: bool
    attempt: int
    cells: list[BoardCell | None]


class BoardSum(msgspec.Struct, frozen=True, kw_only=True):
    """Show what was answered to a question; texts of others reach the center alone."""

    key: str
    name: str
    ask: str
    kind: str
    answered: int
    waiting: int
    counts: dict[str, int]
    total: float | None
    least: float | None
    most: float | None
    texts: list[tuple[str, str]]


class BoardBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Show what is blocked, and how one knows that it is in force."""

    organisation: str
    value: str
    since: str | None
    until: str | None
    reason: str | None
    listed: bool
    fetched: bool
    confirmed: bool


class ShownBoard(msgspec.Struct, frozen=True, kw_only=True):
    """Show the board: organisation by step."""

    id: str
    shown: ShownResponse
    columns: list[BoardColumn]
    lines: list[BoardLine]
    states: dict[str, int]
    overdue: int
    sums: list[BoardSum]
    blocks: list[BoardBlock]
    others: list[OtherState]
    agreed: list[str]


class ReportCounty(msgspec.Struct, frozen=True, kw_only=True):
    """Show how it went for one organisation."""

    organisation: str
    state: str
    attempts: int
    invited: str | None
    reached: str | None
    accepted: str | None
    ended: str | None
    reason: str | None


class ReportDeadline(msgspec.Struct, frozen=True):
    """Show a deadline; ``kept`` is empty while it runs."""

    organisation: str
    title: str
    due: str | None
    ended: str | None
    kept: bool | None


class ReportPoint(msgspec.Struct, frozen=True):
    """Show what is left to do, or was not done."""

    organisation: str
    title: str
    state: str
    reason: str | None


class ReportEntry(msgspec.Struct, frozen=True):
    """Show a line of the timeline."""

    at: str | None
    what: str
    german: str
    english: str


class ShownReport(msgspec.Struct, frozen=True, kw_only=True):
    """Show the report after a response, or as far as it has come."""

    id: str
    shown: ShownResponse
    made: str | None
    timeline: list[ReportEntry]
    organisations: list[ReportCounty]
    deadlines: list[ReportDeadline]
    kept: int
    missed: int
    answers: list[BoardSum]
    blocks: list[BoardBlock]
    open: list[ReportPoint]


def shown_sum(one: Sum, known: Names) -> BoardSum:
    """Return what is shown of the answers to a question."""
    return BoardSum(
        key=one.key,
        name=one.name,
        ask=one.ask,
        kind=one.kind,
        answered=one.answered,
        waiting=one.waiting,
        counts=dict(one.counts),
        total=one.total,
        least=one.least,
        most=one.most,
        texts=[(name_of(org, known), text) for org, text in one.texts],
    )


def _cell(one: Cell | None) -> BoardCell | None:
    if one is None:
        return None
    return BoardCell(one.state, one.overdue, one.task, moment(one.due_at), moment(one.ended_at))


def _line(one: Line, known: Names) -> BoardLine:
    name, cells = name_of(one.run.org_id, known), [_cell(cell) for cell in one.cells]
    return BoardLine(one.run.id, name, one.state, one.overdue, one.run.attempt, cells)


def _column(one: Column) -> BoardColumn:
    return BoardColumn(one.key, one.title, one.role, dict(one.counts), one.overdue)


def _block(one: reporting.Block) -> BoardBlock:
    return BoardBlock(
        organisation=one.organisation,
        value=one.value,
        since=moment(one.since),
        until=moment(one.until),
        reason=one.reason,
        listed=one.listed,
        fetched=one.fetched,
        confirmed=one.confirmed,
    )


def shown_board(found: Looked, *, is_center: bool) -> ShownBoard:
    """Return what is shown of a board."""
    made, known = found.board, found.names
    said = [one for one in found.seen.approvals if one["subject"] == made.response.id]
    return ShownBoard(
        id=made.response.id,
        shown=shown_response(made.response, known, is_center=is_center),
        columns=[_column(one) for one in made.columns],
        lines=sorted((_line(one, known) for one in made.lines), key=lambda one: one.organisation),
        states=dict(made.states),
        overdue=made.overdue,
        sums=[shown_sum(one, known) for one in made.sums],
        blocks=[_block(one) for one in reporting.blocks_in_words(found.blocks, known)],
        others=[OtherState(name_of(one, known), state) for one, state in found.seen.others],
        agreed=[name_of(one["person_id"], known) for one in said if one["agreed"]],
    )


async def show_board(call: Call[Nothing, None]) -> ShownBoard:
    """Show the board as far as the asker may see it."""
    found = await board_of(call.app, call.org, call.path["response_id"])
    note_reached(call.app, call.org.id, found.seen.runs)
    return shown_board(found, is_center=call.is_center)


async def show_log(call: Call[Paging, None]) -> ShownLog:
    """Show the log as far as the asker may see it."""
    async with call.database.read() as connection:
        seen = await runs.read(connection, reader(call), call.path["response_id"])
        known = await names(connection, call)
    lines = list(enumerate(seen.log))
    shown, following = page(call, lines, lambda one: (one[0],))
    return ShownLog([_entry(row, known) for _, row in shown], following)


def _entry(row: dict[str, Any], known: Names) -> ShownLine:
    words = reporting.entry(row, known)
    org = None if row["org_id"] is None else name_of(row["org_id"], known)
    at, who = moment(row["at"]), reporting.who(row["who"], known)[1]
    return ShownLine(at, who, row["what"], org, row["said"], words.german, words.english)


def shown_report(made: Report, known: Names, *, is_center: bool) -> ShownReport:
    """Return what is shown of a report."""
    return ShownReport(
        id=made.response.id,
        shown=shown_response(made.response, known, is_center=is_center),
        made=moment(made.made_at),
        timeline=[
            ReportEntry(moment(one.at), one.what, one.german, one.english) for one in made.timeline
        ],
        organisations=[
            ReportCounty(
                organisation=one.organisation,
                state=one.state,
                attempts=one.attempts,
                invited=moment(one.invited_at),
                reached=moment(one.reached_at),
                accepted=moment(one.accepted_at),
                ended=moment(one.ended_at),
                reason=one.reason,
            )
            for one in made.counties
        ],
        deadlines=[
            ReportDeadline(
                one.organisation, one.title, moment(one.due_at), moment(one.ended_at), one.kept
            )
            for one in made.deadlines
        ],
        kept=made.kept,
        missed=made.missed,
        answers=[shown_sum(one, known) for one in made.sums],
        blocks=[_block(one) for one in made.blocks],
        open=[
            ReportPoint(one.organisation, one.title, one.state, one.reason) for one in made.points
        ],
    )


async def show_report(call: Call[Nothing, None]) -> ShownReport:
    """Show the report as far as the asker may see it."""
    made = await report_of(call.app, call.org, call.path["response_id"])
    async with call.database.read() as connection:
        known = await names(connection, call)
    return shown_report(made, known, is_center=call.is_center)


async def show_report_stix(call: Call[Spoken, None]) -> StixBundle:
    """Return the report as a STIX bundle."""
    said = call.query.language
    made = await stix_of(call.app, call.org, call.path["response_id"], said)
    return StixBundle(made["type"], made["id"], made["objects"])


ENDPOINTS = (
    Endpoint(
        "GET",
        "/responses/{response_id}/log",
        Scope.READ,
        show_log,
        "Show the log of a response as far as you may see it.",
        "Das Einsatztagebuch zeigen, soweit Sie es sehen dürfen.",
    ),
    Endpoint(
        "GET",
        "/responses/{response_id}/board",
        Scope.READ,
        show_board,
        "Show the board: organisation by step, what is late, and the answers summed.",
        "Die Lage zeigen: Organisation je Schritt, was überfällig ist, Antworten in Summe.",
    ),
    Endpoint(
        "GET",
        "/responses/{response_id}/report",
        Scope.READ,
        show_report,
        "Show the report after a response, or as far as it has come.",
        "Den Einsatzbericht zeigen, auch vor dem Ende.",
    ),
    Endpoint(
        "GET",
        "/responses/{response_id}/report.stix",
        Scope.READ,
        show_report_stix,
        "Return the report as a STIX bundle.",
        "Den Einsatzbericht als STIX-Bündel ausgeben.",
    ),
)
