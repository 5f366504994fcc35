"""Incidents of the asker's organisation: reported, shown, changed, with timeline and clocks."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from cybercoop.collect import incidents as deeds
from cybercoop.collect.incidents import LONGEST_TEXT, LONGEST_TITLE, Acting, Told
from cybercoop.incidents import taxonomy
from cybercoop.incidents.cases import NEXT, Entry, Incident, Severity, State
from cybercoop.incidents.clocks import Clock
from cybercoop.members.tokens import Scope
from cybercoop.store import incident_parts as parts
from cybercoop.store import incidents
from cybercoop.store.database import Connection
from cybercoop.store.incident_parts import File, Linked, Participant
from cybercoop.store.incidents import Shared
from cybercoop.web.api._common import Moment, micros, moment
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

_NEWEST = 100

Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Word = Annotated[str, Field(min_length=1, max_length=60)]


class IncidentsAsked(Paging):
    """Say which incidents to list; without a state all of them."""

    state: Annotated[
        Literal["reported", "investigating", "contained", "recovering", "closed", "false-alarm"]
        | None,
        Field(description="only those in this state"),
    ] = None


class NewIncident(Asked):
    """Say what happened; the category may be left until somebody knows."""

    title: Title
    text: Text = ""
    category: Word = taxonomy.UNDETERMINED[0]
    type: Word = taxonomy.UNDETERMINED[1]
    severity: Severity = Severity.MEDIUM
    known: Annotated[
        Moment | None, Field(description="when you came to know of it; clocks run from there")
    ] = None
    began: Annotated[Moment | None, Field(description="when it happened, if known")] = None


class ChangedIncident(Asked):
    """Say what is different now; what is left out stays."""

    title: Title | None = None
    text: Text | None = None
    category: Word | None = None
    type: Word | None = None
    severity: Severity | None = None
    state: State | None = None
    known: Moment | None = None
    began: Moment | None = None


class NewNote(Asked):
    """Say something on the timeline."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class ShownIncident(msgspec.Struct, frozen=True):
    """Show an incident in a list."""

    id: str
    title: str
    category: str
    type: str
    severity: str
    state: str
    known: str | None
    began: str | None
    created: str | None
    changed: str | None


class ShownIncidents(msgspec.Struct, frozen=True):
    """Show a page of incidents, oldest first."""

    incidents: list[ShownIncident]
    next: str | None


class ShownEntry(msgspec.Struct, frozen=True):
    """Show a line of the timeline; ``who`` is the id of a person or token."""

    at: str | None
    who: str
    what: str
    text: str


class ShownTimeline(msgspec.Struct, frozen=True):
    """Show a page of a timeline, oldest line first."""

    timeline: list[ShownEntry]
    next: str | None


class ShownClock(msgspec.Struct, frozen=True):
    """Show until when a report is due; ``due`` is empty where the law has no number."""

    profile: str
    stage: str
    since: str | None
    due: str | None
    overdue: bool
    outcome: str
    ended: str | None
    ended_by: str
    reason: str


class ShownParticipant(msgspec.Struct, frozen=True):
    """Show another organisation that does something about it."""

    id: str
    name: str
    part: str


class ShownLink(msgspec.Struct, frozen=True):
    """Show a value that belongs to it; with ``push`` others were given it."""

    kind: str
    value: str
    push: str | None


class ShownFile(msgspec.Struct, frozen=True):
    """Show what is said of a file; ``sha256`` is of its content."""

    id: str
    name: str
    sha256: str
    size: int
    created: str | None


class ShownShare(msgspec.Struct, frozen=True):
    """Show what others were given of it."""

    id: str
    lock: str
    reduced: bool
    withdrawn: bool
    severity: str
    state: str


class WholeIncident(msgspec.Struct, frozen=True):
    """Show all of an incident but the people in it, of whom there is a number.

    ``timeline`` holds its newest 100 lines, oldest first; the others stand in a list of their own.
    """

    id: str
    shown: ShownIncident
    text: str
    next_states: list[str]
    timeline: list[ShownEntry]
    clocks: list[ShownClock]
    participants: list[ShownParticipant]
    indicators: list[ShownLink]
    responses: list[str]
    files: list[ShownFile]
    people: int
    share: ShownShare | None


async def acting(connection: Connection, call: Call[Any, Any]) -> Acting:
    """Return who asks."""
    return await deeds.acting(connection, call.org, call.reader.token_id, call.around)


def _case(one: Incident) -> ShownIncident:
    return ShownIncident(
        one.id,
        one.title,
        one.category,
        one.type,
        one.severity.value,
        one.state.value,
        moment(one.known_at),
        moment(one.began_at),
        moment(one.created_at),
        moment(one.changed_at),
    )


def _entry(one: Entry) -> ShownEntry:
    return ShownEntry(moment(one.at), one.who, one.what, one.text)


def shown_clock(one: Clock, now: int) -> ShownClock:
    """Return what is shown of a clock."""
    return ShownClock(
        one.profile,
        one.stage,
        moment(one.since),
        moment(one.due_at),
        one.is_overdue(now),
        one.outcome,
        moment(one.ended_at),
        one.ended_by,
        one.reason,
    )


def shown_participant(one: Participant) -> ShownParticipant:
    """Return what is shown of a participant."""
    return ShownParticipant(one.id, one.name, one.part.value)


def shown_link(one: Linked) -> ShownLink:
    """Return what is shown of a value."""
    return ShownLink(one.kind, one.value, one.push_id)


def shown_file(one: File) -> ShownFile:
    """Return what is said of a file."""
    return ShownFile(one.id, one.name, one.hash, one.size, moment(one.created_at))


def shown_share(one: Shared) -> ShownShare:
    """Return what others were given."""
    words = (one.severity.value, one.state.value)
    return ShownShare(one.stix_id, one.lock, one.reduced, one.withdrawn, *words)


async def whole(connection: Connection, one: Incident, now: int) -> WholeIncident:
    """Return all that is shown of an incident."""
    share = await incidents.share_of(connection, one.id)
    return WholeIncident(
        one.id,
        _case(one),
        one.text,
        [state.value for state in State if state in NEXT[one.state]],
        [_entry(each) for each in await incidents.timeline(connection, one.id, _NEWEST)],
        [shown_clock(each, now) for each in await incidents.clocks_of(connection, one.id)],
        [shown_participant(each) for each in await parts.participants_of(connection, one.id)],
        [shown_link(each) for each in await parts.linked(connection, one.id)],
        await parts.responses_of(connection, one.id),
        [shown_file(each) for each in await parts.files_of(connection, one.id)],
        await parts.count_people(connection, one.id),
        None if share is None else shown_share(share),
    )


async def list_incidents(call: Call[IncidentsAsked, None]) -> ShownIncidents:
    """Show the incidents of the asker's organisation; nobody else sees them here."""
    async with call.database.read() as connection:
        found = await incidents.all_of(connection, call.org.id)
    wanted = [one for one in found if call.query.state in {None, one.state}]
    shown, following = page(call, wanted, lambda one: (one.created_at, one.id))
    return ShownIncidents([_case(one) for one in shown], following)


async def report_incident(call: Call[Nothing, NewIncident]) -> WholeIncident:
    """Open an incident and start its clocks."""
    said = call.body
    told = Told(
        said.title,
        said.text,
        said.category,
        said.type,
        said.severity,
        micros(said.known),
        micros(said.began),
    )
    async with call.database.write() as connection:
        made = await deeds.report(connection, await acting(connection, call), told)
        answer = await whole(connection, made, call.around.now())
        await call.keep(connection, answer)
    return answer


async def show_incident(call: Call[Nothing, None]) -> WholeIncident:
    """Show one incident of the asker's organisation."""
    async with call.database.read() as connection:
        found = await incidents.find(connection, call.org.id, call.path["incident_id"])
        return await whole(connection, found, call.around.now())


async def show_timeline(call: Call[Paging, None]) -> ShownTimeline:
    """Show the timeline of an incident of the asker's organisation."""
    async with call.database.read() as connection:
        found = await incidents.find(connection, call.org.id, call.path["incident_id"])
        entries = await incidents.timeline(connection, found.id)
    # Lines are only ever added, so that the number of one is its place for ever.
    shown, following = page(call, enumerate(entries), lambda one: (one[0],))
    return ShownTimeline([_entry(one) for _, one in shown], following)


async def change_incident(call: Call[Nothing, ChangedIncident]) -> WholeIncident:
    """Change an incident, its state too."""
    said = {
        {"known": "known_at", "began": "began_at"}.get(name, name): value
        for name, value in call.body
        if value is not None
    }
    said |= {name: micros(said[name]) for name in ("known_at", "began_at") if name in said}
    async with call.database.write() as connection:
        by = await acting(connection, call)
        changed = await deeds.update(connection, by, call.path["incident_id"], said)
        answer = await whole(connection, changed, call.around.now())
        await call.keep(connection, answer)
    return answer


async def note_on_incident(call: Call[Nothing, NewNote]) -> WholeIncident:
    """Put something on the timeline."""
    async with call.database.write() as connection:
        by = await acting(connection, call)
        changed = await deeds.remark(connection, by, call.path["incident_id"], call.body.text)
        answer = await whole(connection, changed, call.around.now())
        await call.keep(connection, answer)
    return answer


ENDPOINTS = (
    Endpoint(
        "GET",
        "/incidents",
        Scope.READ,
        list_incidents,
        "List the incidents of your organisation.",
        "Die Vorfälle Ihrer Organisation auflisten.",
    ),
    Endpoint(
        "POST",
        "/incidents",
        Scope.WRITE,
        report_incident,
        "Report an incident; it stays with you until you share it.",
        "Einen Vorfall melden; er bleibt bei Ihnen, bis Sie ihn teilen.",
        status=201,
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}",
        Scope.READ,
        show_incident,
        "Show an incident with timeline and clocks.",
        "Einen Vorfall mit Verlauf und Fristen zeigen.",
    ),
    Endpoint(
        "GET",
        "/incidents/{incident_id}/timeline",
        Scope.READ,
        show_timeline,
        "Show the timeline of an incident, oldest line first.",
        "Den Verlauf eines Vorfalls zeigen, die älteste Zeile zuerst.",
    ),
    Endpoint(
        "PATCH",
        "/incidents/{incident_id}",
        Scope.WRITE,
        change_incident,
        "Change an incident, its state too.",
        "Einen Vorfall ändern, auch seinen Stand.",
    ),
    Endpoint(
        "POST",
        "/incidents/{incident_id}/notes",
        Scope.WRITE,
        note_on_incident,
        "Put something on the timeline of an incident.",
        "Etwas in den Verlauf eines Vorfalls schreiben.",
        status=201,
    ),
)
