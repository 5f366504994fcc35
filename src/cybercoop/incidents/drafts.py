"""Drafts: what a report could say, in German, made of what is known; people finish and send it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cybercoop.incidents import profiles, taxonomy
from cybercoop.incidents.cases import Incident
from cybercoop.incidents.wording import word

MISSING = "[bitte ergänzen]"

FACTS = (
    *("organisation", "known", "began", "category", "severity", "state", "text", "indicators"),
    *("contact", "earlier", "impact", "measures", "cause", "malicious", "cross_border"),
    *("persons", "records", "consequences", "delay", "advice", "evidence", "signatory"),
    *("support", "lessons", "plans"),
)
"""What a draft may ask for; what is not known is left to be filled in by hand."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTICE = "Entwurf, von Menschen zu prüfen und zu senden."


def draft(profile: str, stage: str, facts: Mapping[str, str]) -> str:
    """Return the text of a report, with what is not among ``facts`` left open.

    Raises ``Refused`` for a duty or stage that is not known. Facts stand as they are: nothing in
    them is read as part of the template.
    """
    duty = profiles.find(profile)
    known = {name: facts.get(name, "").strip() or MISSING for name in FACTS}
    said = duty.stage(stage).draft.strip().format_map(known)
    unsure = "" if duty.verified else " Die Vorgaben dieser Meldung sind noch nicht geprüft."
    return f"{_NOTICE} {profiles.NOTE.de}{unsure}\nEmpfänger: {duty.to.de}\n\n{said}\n"


def facts_of(
    incident: Incident, organisation: str, zone: str, indicators: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return what a draft may say of an incident; times are those of the clocks on the wall."""
    return {
        "organisation": organisation,
        "known": local(incident.known_at, zone),
        "began": "" if incident.began_at is None else local(incident.began_at, zone),
        "category": taxonomy.title(incident.category, incident.type, "de"),
        "severity": word(incident.severity.value, "de"),
        "state": word(incident.state.value, "de"),
        "text": incident.text or incident.title,
        "indicators": "\n".join(indicators),
    }


def local(moment: int, zone: str) -> str:
    """Return a time as people of a zone write it, with the name of the time that holds."""
    at = (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))
    return f"{at:%d.%m.%Y, %H:%M} Uhr ({at.tzname()})"
