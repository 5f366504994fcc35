"""What an organisation takes away of an incident: STIX, PDF, drafts of reports, or all of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from cybercoop.collect.incident_sharing import indicators_of
from cybercoop.collect.incidents import Acting
from cybercoop.incidents import bundle, drafts, profiles, report
from cybercoop.incidents.cases import Incident
from cybercoop.incidents.taxonomy import Language
from cybercoop.stix import times
from cybercoop.store import incident_parts, incidents
from cybercoop.store.database import Connection


async def as_stix(
    connection: Connection, by: Acting, incident_id: str
) -> tuple[Incident, dict[str, Any]]:
    """Return an incident and all of it but people and files as a STIX bundle, for its owner."""
    incident = await incidents.find(connection, by.org.id, incident_id)
    timeline = await incidents.timeline(connection, incident.id)
    values = await incident_parts.linked(connection, incident.id)
    objects = indicators_of(incident, values, incident.changed_at)
    name = by.org.name
    return incident, bundle.bundle(incident, name, timeline, objects, incident.changed_at)


async def as_pdf(
    connection: Connection, by: Acting, incident_id: str, language: Language
) -> tuple[Incident, bytes]:
    """Return an incident and all of it but people as a PDF, for its owner."""
    incident = await incidents.find(connection, by.org.id, incident_id)
    held = await incident_parts.participants_of(connection, incident.id)
    values = await incident_parts.linked(connection, incident.id)
    files = await incident_parts.files_of(connection, incident.id)
    case = report.Case(
        incident,
        by.org.name,
        await incidents.timeline(connection, incident.id),
        await incidents.clocks_of(connection, incident.id),
        [(one.part.value, one.name) for one in held],
        [(one.kind, one.value) for one in values],
        [(one.name, str(one.size), one.hash) for one in files],
    )
    return incident, await asyncio.to_thread(report.pdf, case, language)


async def draft(
    connection: Connection, by: Acting, incident_id: str, profile: str, stage: str
) -> tuple[str, int | None]:
    """Return the draft of one report, filled with what is known, and when it is due.

    Raises ``Refused`` for a duty or stage that is not known.
    """
    incident = await incidents.find(connection, by.org.id, incident_id)
    duty = profiles.find(profile)
    values = await incident_parts.linked(connection, incident.id)
    clocks = await incidents.clocks_of(connection, incident.id)
    held = {one.stage: one for one in clocks if one.profile == duty.name}
    lines = tuple(f"{one.kind}: {one.value}" for one in values)
    facts = drafts.facts_of(incident, by.org.name, duty.zone, lines)
    earlier = held.get(duty.stage(stage).since)
    if earlier is not None and earlier.ended_at is not None:
        facts["earlier"] = drafts.local(earlier.ended_at, duty.zone)
    due = held[stage].due_at if stage in held else None
    return drafts.draft(duty.name, stage, facts), due


async def whole(connection: Connection, incident: Incident) -> AsyncIterator[bytes]:
    """Yield one JSON object with all there is of an incident: people, and files as base64, too.

    Files come one at a time: together they may be larger than what memory is there.
    """
    held = incident.id
    share = await incidents.share_of(connection, held)
    body = _told(incident) | {
        "timeline": [_told(one) for one in await incidents.timeline(connection, held)],
        "clocks": [_told(one) for one in await incidents.clocks_of(connection, held)],
        "people": [_told(one) for one in await incident_parts.people_of(connection, held)],
        "participants": [
            _told(one) for one in await incident_parts.participants_of(connection, held)
        ],
        "indicators": [_told(one) for one in await incident_parts.linked(connection, held)],
        "responses": await incident_parts.responses_of(connection, held),
        "share": None if share is None else _told(share),
    }
    yield msgspec.json.encode(body)[:-1] + b',"files":['
    for number, one in enumerate(await incident_parts.files_of(connection, held)):
        _, content = await incident_parts.content_of(connection, held, one.id)
        yield b"," * (number > 0) + msgspec.json.encode(_told(one) | {"content": content})
    yield b"]}"


def _told(thing: object) -> dict[str, Any]:
    """Return a record as JSON takes it, its times as text (RFC 3339)."""
    said: dict[str, Any] = msgspec.to_builtins(thing)
    return {name: _moment(name, value) for name, value in said.items() if name != "stamp"}


def _moment(name: str, value: object) -> object:
    is_time = name in {"at", "since"} or name.endswith("_at")
    return times.text(value) if is_time and isinstance(value, int) else value
