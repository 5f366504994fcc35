"""An incident on paper: a PDF for its own organisation, set by typst from a template of ours."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import typst

from cybercoop.incidents import drafts, profiles, taxonomy
from cybercoop.incidents.cases import Entry, Incident
from cybercoop.incidents.clocks import Clock
from cybercoop.incidents.taxonomy import Language
from cybercoop.incidents.wording import word

ZONE = "Europe/Berlin"
"""Whose clocks on the wall a report shows; each time names the one that holds."""

_SECOND = 1_000_000
_Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """Hold all that a report tells of an incident; no people are among it.

    ``participants`` are part and name, ``indicators`` kind and value, ``files`` name, size and
    hash.
    """

    incident: Incident
    organisation: str
    timeline: Sequence[Entry]
    clocks: Sequence[Clock]
    participants: Sequence[_Row]
    indicators: Sequence[_Row]
    files: Sequence[_Row]


def pdf(case: Case, language: Language) -> bytes:
    """Return a report as PDF; the same case gives the same bytes.

    Values go in as data and are never read as markup. typst asks for no network, and takes the
    fonts that it brings.
    """
    template = resources.files(__package__).joinpath("report.typ").read_bytes()
    at = datetime.fromtimestamp(case.incident.changed_at // _SECOND, UTC)
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"said": json.dumps(_said(case, language))},
        ignore_system_fonts=True,
        timestamp=at,
    )
    return made


def _said(case: Case, language: Language) -> dict[str, Any]:
    one = case.incident
    return {
        "language": language,
        "organisation": case.organisation,
        "title": one.title,
        "text": one.text,
        "facts": _facts(one, language),
        "clocks": [_clock(each, language) for each in case.clocks],
        "timeline": [
            (drafts.local(each.at, ZONE), word(each.what, language), each.text)
            for each in case.timeline
        ],
        "participants": [(word(part, language), name) for part, name in case.participants],
        "indicators": list(case.indicators),
        "files": list(case.files),
        "words": _headings(language),
        "made": f"{word('as_of', language)} {drafts.local(one.changed_at, ZONE)}",
        "note": profiles.NOTE.text(language),
    }


def _facts(one: Incident, language: Language) -> list[tuple[str, str]]:
    began = "-" if one.began_at is None else drafts.local(one.began_at, ZONE)
    said = (
        ("category", taxonomy.title(one.category, one.type, language)),
        ("severity", word(one.severity.value, language)),
        ("state", word(one.state.value, language)),
        ("known", drafts.local(one.known_at, ZONE)),
        ("began", began),
        ("number", one.id),
    )
    return [(word(name, language), value) for name, value in said]


def _clock(clock: Clock, language: Language) -> _Row:
    due = word("no_number", language)
    known = profiles.profiles().get(clock.profile)
    what, zone = f"{clock.profile}: {clock.stage}", ZONE
    if known is not None:
        zone = known.zone
        stage = known.stage(clock.stage)
        what = f"{known.title.text(language)}\n{stage.title.text(language)}"
    if clock.due_at is not None:
        due = drafts.local(clock.due_at, zone)
    how = word(clock.outcome or "open", language)
    if clock.ended_at is not None:
        how += f"\n{drafts.local(clock.ended_at, zone)}"
    return what, due, f"{how}\n{clock.reason}".strip()


def _headings(language: Language) -> dict[str, Any]:
    heads = {
        "clock_heads": ("duty", "due", "outcome"),
        "timeline_heads": ("at", "what", "note_of"),
        "participant_heads": ("part", "organisation"),
        "indicator_heads": ("kind", "value"),
        "file_heads": ("file_name", "size", "hash"),
    }
    titles = ("own", "text", "clocks", "timeline", "participants", "indicators_title", "files")
    said: dict[str, Any] = {name: word(name, language) for name in titles}
    said["indicators"] = said.pop("indicators_title")
    return said | {name: [word(each, language) for each in some] for name, some in heads.items()}
