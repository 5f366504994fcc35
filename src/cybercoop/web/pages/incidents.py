"""Incidents: a list, a form, and a page for each with its clocks, its timeline and what to do."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from cybercoop.collect import incident_documents as documents
from cybercoop.collect import incident_parts as belonging
from cybercoop.collect import incident_sharing as sharing
from cybercoop.collect import incidents as deeds
from cybercoop.collect.incident_sharing import Way
from cybercoop.collect.incidents import Acting, Told
from cybercoop.door import SURROUNDINGS, WAKE
from cybercoop.errors import Forbidden, Misused, NotFound, Refused
from cybercoop.incidents import drafts, profiles, report, taxonomy, wording
from cybercoop.incidents.cases import NEXT, Incident, PersonKind, Severity, State
from cybercoop.incidents.clocks import Clock
from cybercoop.members.organisations import MEMBERS
from cybercoop.members.tokens import Scope
from cybercoop.sharing import Addressed
from cybercoop.sharing.marking import LEVELS
from cybercoop.store import incident_parts, incidents
from cybercoop.store.database import Connection
from cybercoop.web.pages.rendering import Language
from cybercoop.web.pages.visits import Room, Visit, see_other

MOST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOWNLOAD = "application/octet-stream"
_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Due:
    """Hold what is shown of one clock."""

    clock: Clock
    title: str
    stage: str
    due: str
    ended: str
    overdue: bool


def _place(visit: Visit) -> str:
    return visit.request.match_info["incident_id"]


def _path(visit: Visit) -> str:
    return f"/incidents/{_place(visit)}"


async def _by(connection: Connection, visit: Visit) -> Acting:
    if visit.reader is None:
        raise Forbidden("Sign in first.")
    around = visit.request.app[SURROUNDINGS]
    return await deeds.acting(connection, visit.org, visit.reader.token_id, around)


def _page(visit: Visit, template: str, status: int = 200, **values: object) -> web.Response:
    def say(name: str) -> str:
        return wording.word(name, visit.language)

    def local(moment: int | None) -> str:
        return "" if moment is None else drafts.local(moment, report.ZONE)

    return visit.page(template, status, w=say, local=local, **values)


def _due(clock: Clock, language: Language, now: int) -> Due:
    known = profiles.profiles().get(clock.profile)
    title, stage, zone = clock.profile, clock.stage, report.ZONE
    if known is not None:
        title, zone = known.title.text(language), known.zone
        stage = known.stage(clock.stage).title.text(language)
    number = wording.word("no_number", language)
    due = number if clock.due_at is None else drafts.local(clock.due_at, zone)
    ended = "" if clock.ended_at is None else drafts.local(clock.ended_at, zone)
    return Due(clock, title, stage, due, ended, clock.is_overdue(now))


async def listing(visit: Visit) -> web.StreamResponse:
    """Show the newest incidents of the organisation, and what has to be reported soon."""
    async with visit.database.read() as connection:
        found = await incidents.all_of(connection, visit.org.id)
        due = await incidents.due(connection, visit.now, visit.org.id)
    pressing = [_due(clock, visit.language, visit.now) for _, clock in due]
    return _page(visit, "incidents.html", found=found[:MOST], more=len(found) > MOST, due=pressing)


def _kinds(language: Language) -> Sequence[tuple[str, str]]:
    return [
        (f"{category}/{kind}", taxonomy.title(category, kind, language))
        for category, kinds in taxonomy.types().items()
        for kind in kinds
    ]


async def form(visit: Visit) -> web.StreamResponse:
    """Show the form that takes a new incident."""
    return _form(visit)


def _form(visit: Visit, reason: str = "") -> web.Response:
    return _page(
        visit,
        "incident_new.html",
        422 if reason else 200,
        reason=reason,
        kinds=_kinds(visit.language),
        severities=list(Severity),
        said=visit.form,
    )


async def make(visit: Visit) -> web.StreamResponse:
    """Report an incident and show it."""
    said = visit.form
    category, _, kind = said.text("kind").partition("/")
    try:
        told = Told(
            said.text("title"),
            said.text("text"),
            category,
            kind,
            _severity(said.text("severity")),
            _moment(visit, "known"),
            _moment(visit, "began"),
        )
        async with visit.database.write() as connection:
            made = await deeds.report(connection, await _by(connection, visit), told)
    except Refused as error:
        return _form(visit, error.reason)
    return see_other(f"/incidents/{made.id}")


def _severity(said: str) -> Severity:
    if said not in set(Severity):
        raise Refused("There is no such severity.", "severity")
    return Severity(said)


def _moment(visit: Visit, name: str) -> int | None:
    """Return a local time of a form; what is left out, or comes twice, is read as clocks do."""
    said = visit.form.text(name).strip()
    if not said:
        return None
    try:
        at = datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(report.ZONE))
        return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise Refused("The time cannot be read.", name) from error


async def show(visit: Visit) -> web.StreamResponse:
    """Show an incident with all that belongs to it, and what can be done."""
    return await _shown(visit)


async def _shown(visit: Visit, reason: str = "") -> web.Response:
    async with visit.database.read() as connection:
        one = await incidents.find(connection, visit.org.id, _place(visit))
        clocks = await incidents.clocks_of(connection, one.id)
        people = await incident_parts.people_of(connection, one.id) if visit.may_write else []
        values = {
            "timeline": await incidents.timeline(connection, one.id),
            "participants": await incident_parts.participants_of(connection, one.id),
            "linked": await incident_parts.linked(connection, one.id),
            "files": await incident_parts.files_of(connection, one.id),
            "share": await incidents.share_of(connection, one.id),
        }
    running = {clock.profile for clock in clocks}
    others = [each for name, each in profiles.profiles().items() if name not in running]
    return _page(
        visit,
        "incident.html",
        422 if reason else 200,
        one=one,
        kind=taxonomy.title(one.category, one.type, visit.language),
        reason=reason,
        due=[_due(clock, visit.language, visit.now) for clock in clocks],
        people=people,
        person_kinds=list(PersonKind),
        states=[state for state in State if state in NEXT[one.state]],
        severities=list(Severity),
        others=others,
        levels=LEVELS[3::-1],
        groups=sorted(visit.org.groups - {MEMBERS}),
        disclaimer=profiles.NOTE.text(visit.language),
        **values,
    )


Deed = Callable[[Connection, Acting, Visit], Awaitable[object]]


async def _change(connection: Connection, by: Acting, visit: Visit) -> None:
    changes: dict[str, object] = {"severity": _severity(visit.form.text("severity"))}
    state = visit.form.text("state")
    if state:
        if state not in set(State):
            raise Refused("There is no such state.", "state")
        changes["state"] = State(state)
    await deeds.update(connection, by, _place(visit), changes)


async def _note(connection: Connection, by: Acting, visit: Visit) -> None:
    await deeds.remark(connection, by, _place(visit), visit.form.text("note"))


async def _clock(connection: Connection, by: Acting, visit: Visit) -> None:
    said = visit.form
    place = (said.text("profile"), said.text("stage"))
    outcome = said.text("outcome")
    reason = said.text("reason")
    await deeds.end_clock(connection, by, _place(visit), place, outcome, None, reason)


async def _start(connection: Connection, by: Acting, visit: Visit) -> None:
    await deeds.start(connection, by, _place(visit), visit.form.text("profile"))


async def _link(connection: Connection, by: Acting, visit: Visit) -> None:
    values = await belonging.values_in((), visit.form.text("values"))
    await belonging.link(connection, by, _place(visit), values)


async def _person(connection: Connection, by: Acting, visit: Visit) -> None:
    said = visit.form
    if said.text("kind") not in set(PersonKind):
        raise Refused("There is no such kind of person.", "kind")
    words = (said.text("name"), said.text("mail"), said.text("phone"))
    kind = PersonKind(said.text("kind"))
    await belonging.add_person(connection, by, _place(visit), kind, *words)


async def _erase(connection: Connection, by: Acting, visit: Visit) -> None:
    await belonging.erase(connection, by, _place(visit))


async def _attach(connection: Connection, by: Acting, visit: Visit) -> None:
    await belonging.attach(connection, by, _place(visit), visit.form.name, visit.form.content)


async def _withdraw(connection: Connection, by: Acting, visit: Visit) -> None:
    await sharing.withdraw(connection, by, _place(visit))


_DEEDS: dict[str, Deed] = {
    "change": _change,
    "note": _note,
    "clock": _clock,
    "start": _start,
    "link": _link,
    "person": _person,
    "erase": _erase,
    "attach": _attach,
    "withdraw": _withdraw,
}


async def act(visit: Visit) -> web.StreamResponse:
    """Do what one of the forms of an incident says, and show it again."""
    deed = _DEEDS.get(visit.form.text("deed"))
    if deed is None:
        raise NotFound("There is nothing of that name to do.")
    try:
        async with visit.database.write() as connection:
            await deed(connection, await _by(connection, visit), visit)
    except (Refused, Misused) as error:
        return await _shown(visit, str(error))
    visit.request.app[WAKE]()
    return see_other(_path(visit))


def _way(visit: Visit) -> Way:
    said = visit.form
    addressed = Addressed(said.text("tlp") or None, said.text("group") or None)
    with_text, named = said.text("with_text") == "1", said.text("named") == "1"
    return Way(addressed, not with_text, named, said.text("values") == "1")


async def preview(visit: Visit) -> web.StreamResponse:
    """Show the very objects that would be given, and to whom."""
    try:
        return await _previewed(visit)
    except (Refused, Misused) as error:
        return await _shown(visit, str(error))


async def _previewed(visit: Visit, reason: str = "") -> web.Response:
    async with visit.database.read() as connection:
        by = await _by(connection, visit)
        one = await incidents.find(connection, visit.org.id, _place(visit))
    seen = await sharing.preview(visit.database, visit.center, by, one.id, _way(visit))
    text = msgspec.json.format(msgspec.json.encode(seen.objects), indent=2).decode()
    status = 409 if reason else 200
    values = {"one": one, "seen": seen, "text": text, "reason": reason}
    return _page(visit, "incident_share.html", status, said=visit.form, **values)


async def share(visit: Visit) -> web.StreamResponse:
    """Give what the preview showed; where the incident has changed since, show it again."""
    try:
        async with visit.database.write() as connection:
            by = await _by(connection, visit)
            one = await deeds.found(connection, by, _place(visit))
            is_as_seen = str(one.changed_at) == visit.form.text("changed")
            if is_as_seen:
                await sharing.share(connection, visit.center, by, one.id, _way(visit))
        if not is_as_seen:
            return await _previewed(visit, wording.word("page_moved", visit.language))
    except (Refused, Misused) as error:
        return await _shown(visit, str(error))
    visit.request.app[WAKE]()
    return see_other(_path(visit))


async def draft(visit: Visit) -> web.StreamResponse:
    """Show the draft of one report."""
    asked = visit.request.query
    async with visit.database.read() as connection:
        by = await _by(connection, visit)
        one = await incidents.find(connection, visit.org.id, _place(visit))
        place = (asked.get("profile", ""), asked.get("stage", ""))
        text, _ = await documents.draft(connection, by, one.id, *place)
    return _page(visit, "incident_draft.html", one=one, text=text)


async def paper(visit: Visit) -> web.StreamResponse:
    """Return an incident as PDF."""
    async with visit.database.read() as connection:
        by = await _by(connection, visit)
        one, made = await documents.as_pdf(connection, by, _place(visit), visit.language)
    return _file(made, "application/pdf", f"{one.id}.pdf")


async def bundle(visit: Visit) -> web.StreamResponse:
    """Return an incident as STIX."""
    async with visit.database.read() as connection:
        one, made = await documents.as_stix(connection, await _by(connection, visit), _place(visit))
    # Not as JSON: what is answered as JSON becomes a page that tells of an error.
    return _file(msgspec.json.encode(made), _DOWNLOAD, f"{one.id}.json")


async def file(visit: Visit) -> web.StreamResponse:
    """Return a file of an incident, to be kept and not to be shown."""
    async with visit.database.read() as connection:
        one: Incident = await incidents.find(connection, visit.org.id, _place(visit))
        number = visit.request.match_info["file_id"]
        found, content = await incident_parts.content_of(connection, one.id, number)
    return _file(content, _DOWNLOAD, found.id)


def _file(content: bytes, kind: str, name: str) -> web.Response:
    headers = _SAFE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=content, content_type=kind, headers=headers)


ROOMS: tuple[tuple[str, str, Room, Scope | None], ...] = (
    ("GET", "/incidents", listing, Scope.READ),
    ("GET", "/incidents/new", form, Scope.WRITE),
    ("POST", "/incidents/new", make, Scope.WRITE),
    ("GET", "/incidents/{incident_id}", show, Scope.READ),
    ("POST", "/incidents/{incident_id}", act, Scope.WRITE),
    ("POST", "/incidents/{incident_id}/preview", preview, Scope.WRITE),
    ("POST", "/incidents/{incident_id}/share", share, Scope.WRITE),
    ("GET", "/incidents/{incident_id}/draft", draft, Scope.READ),
    ("GET", "/incidents/{incident_id}/report.pdf", paper, Scope.READ),
    ("GET", "/incidents/{incident_id}/bundle.json", bundle, Scope.READ),
    ("GET", "/incidents/{incident_id}/files/{file_id}", file, Scope.READ),
)
