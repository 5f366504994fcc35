"""An incident as STIX 2.1: what is given to others, and what its own organisation takes away.

STIX 2.1 leaves the incident a stub (section 4.6): a name and a description. Class, severity and
state stand in a property extension of ours (section 7.3), the class as a label as well.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from cybercoop.incidents import taxonomy
from cybercoop.incidents.cases import Entry, Incident
from cybercoop.stix import times

EXTENSION = "extension-definition--0f0f3f0c-6c0b-5d0e-8f39-5a1b1b7c2a64"
"""What our property extension of an incident is called; never changed."""

_DATE = len("2026-01-31")
Body = dict[str, Any]


def stix_id(incident: Incident) -> str:
    """Return the id that an incident has in STIX."""
    return f"incident--{incident.id}"


def incident_object(incident: Incident, modified: int, *, reduced: bool) -> Body:
    """Return an incident as an object; ``modified`` is in microseconds since 1970.

    Reduced, its name is that of its class, and it has no text. Either way it holds no
    participant, person or file, and days instead of times.
    """
    category = (incident.category, incident.type)
    body: Body = {
        "type": "incident",
        "spec_version": "2.1",
        "id": stix_id(incident),
        "created": times.text(min(incident.created_at, modified)),
        "modified": times.text(modified),
        "name": taxonomy.title(*category, "en") if reduced else incident.title,
        "labels": [taxonomy.tag(*category)],
        "extensions": {EXTENSION: _extension(incident)},
    }
    if incident.text and not reduced:
        body["description"] = incident.text
    return body


def _extension(incident: Incident) -> Body:
    known = taxonomy.taxonomy()
    said: Body = {
        "extension_type": "property-extension",
        "taxonomy": f"{known.namespace} {known.version}",
        "category": incident.category,
        "incident_type": incident.type,
        "severity": incident.severity.value,
        "status": incident.state.value,
        "known": _day(incident.known_at),
    }
    return said if incident.began_at is None else said | {"began": _day(incident.began_at)}


def _day(moment: int) -> str:
    return times.text(moment)[:_DATE]


def own_id(incident: Incident, kind: str, what: str) -> str:
    """Return the id of something that belongs to an incident, the same every time."""
    return f"{kind}--{uuid.uuid5(uuid.UUID(incident.id), what)}"


def relations(incident: Incident, indicators: Iterable[str], modified: int) -> list[Body]:
    """Return relationships that say which indicators belong to an incident."""
    moment = times.text(modified)
    return [
        {
            "type": "relationship",
            "spec_version": "2.1",
            "id": own_id(incident, "relationship", one),
            "created": moment,
            "modified": moment,
            "relationship_type": "related-to",
            "source_ref": one,
            "target_ref": stix_id(incident),
        }
        for one in indicators
    ]


def bundle(
    incident: Incident,
    organisation: str,
    timeline: Iterable[Entry],
    indicators: Iterable[Mapping[str, Any]],
    modified: int,
) -> Body:
    """Return all of an incident but its people and files, for its own organisation."""
    creator = own_id(incident, "identity", "organisation")
    made = {"created": times.text(incident.created_at), "modified": times.text(modified)}
    identity = {"type": "identity", "spec_version": "2.1", "id": creator} | made
    identity |= {"name": organisation, "identity_class": "organization"}
    case = incident_object(incident, modified, reduced=False) | {"created_by_ref": creator}
    values = [dict(one) | {"created_by_ref": creator} for one in indicators]
    ties = [
        one | {"created_by_ref": creator}
        for one in relations(incident, [one["id"] for one in values], modified)
    ]
    notes = [
        {
            "type": "note",
            "spec_version": "2.1",
            "id": own_id(incident, "note", f"{number}"),
            "created_by_ref": creator,
            "created": times.text(entry.at),
            "modified": times.text(entry.at),
            "abstract": entry.what,
            "content": entry.text or entry.what,
            "object_refs": [case["id"]],
        }
        for number, entry in enumerate(timeline)
    ]
    objects = [_definition(creator, made), identity, case, *values, *ties, *notes]
    name = own_id(incident, "bundle", times.text(modified))
    return {"type": "bundle", "id": name, "objects": objects}


def _definition(creator: str, made: Body) -> Body:
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION,
        "created_by_ref": creator,
        **made,
        "name": "Class, severity and state of an incident",
        "schema": "cybercoop.incidents.bundle",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }
