"""What an organisation takes away of an incident: a STIX bundle, a PDF, drafts of reports."""

import asyncio
from typing import Any

from cybercoop.collect.incident_sharing import indicators_of
from cybercoop.collect.incidents import Acting
from cybercoop.incidents import bundle, drafts, profiles, report
from cybercoop.incidents.cases import Incident
from cybercoop.incidents.taxonomy import Language
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
