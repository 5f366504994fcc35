"""The report after a response to take away: a PDF set by typst, and STIX 2.1."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal

import typst

from cybercoop.responses.board import Sum
from cybercoop.responses.reporting import Deadline, Report, local
from cybercoop.sharing import marking
from cybercoop.stix import times
from cybercoop.store.members import Center

Language = Literal["de", "en"]
_SPACE = uuid.UUID("0d6d6a1f-54a1-5f0e-9d4c-8a1d3b1f6c52")
_ORDER: Mapping[Language, int] = {"de": 0, "en": 1}

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Einsatzbericht", "After-action report"),
    "exercise": ("ÜBUNG: kein echter Einsatz", "EXERCISE, not a real response"),
    "state": ("Stand", "State"),
    "playbook": ("Playbook", "Playbook"),
    "began": ("Beginn", "Began"),
    "ended": ("Ende", "Ended"),
    "marking": ("Freigabe", "Marking"),
    "kept": ("Fristen gehalten", "Deadlines kept"),
    "missed": ("Fristen versäumt", "Deadlines missed"),
    "made": ("Erstellt", "Made"),
    "counties": ("Organisationen", "Organisations"),
    "deadlines": ("Fristen", "Deadlines"),
    "answers": ("Antworten", "Answers"),
    "blocks": ("Sperren", "Blocks"),
    "points": ("Offene Punkte", "Open points"),
    "timeline": ("Einsatztagebuch", "Log"),
    "nothing": ("Nichts.", "Nothing."),
    "organisation": ("Organisation", "Organisation"),
    "reached": ("Erreicht", "Reached"),
    "accepted": ("Zugesagt", "Accepted"),
    "reason": ("Grund", "Reason"),
    "task": ("Aufgabe", "Task"),
    "due": ("Frist", "Due"),
    "outcome": ("Ausgang", "Outcome"),
    "question": ("Frage", "Question"),
    "answered": ("Antworten", "Answers"),
    "summed": ("Ergebnis", "Result"),
    "value": ("Wert", "Value"),
    "from": ("Von", "From"),
    "until": ("Bis", "Until"),
    "force": ("Wirksam", "In force"),
    "at": ("Zeit", "Time"),
    "what": ("Was geschah", "What happened"),
    "in_time": ("gehalten", "kept"),
    "late": ("versäumt", "missed"),
    "running": ("läuft", "runs"),
    "by_device": ("Gerät hat geholt", "fetched by a device"),
    "by_person": ("bestätigt", "confirmed"),
    "not_known": ("nicht bestätigt", "not confirmed"),
}

_HEADS: Mapping[str, tuple[Sequence[str], Sequence[int]]] = {
    "counties": (
        ("organisation", "state", "reached", "accepted", "ended", "reason"),
        (5, 3, 3, 3, 3, 4),
    ),
    "deadlines": (("organisation", "task", "due", "outcome"), (4, 6, 3, 3)),
    "answers": (("question", "answered", "summed"), (6, 2, 6)),
    "blocks": (("organisation", "value", "from", "until", "force"), (4, 5, 3, 3, 3)),
    "points": (("organisation", "task", "state", "reason"), (4, 6, 2, 4)),
    "timeline": (("at", "what"), (3, 11)),
}
"""The heads of each part, and how wide each column is beside the others."""

STATES: Mapping[str, tuple[str, str]] = {
    "proposed": ("vorgeschlagen", "proposed"),
    "rejected": ("abgelehnt", "rejected"),
    "invited": ("eingeladen", "invited"),
    "reached": ("erreicht", "reached"),
    "accepted": ("zugesagt", "accepted"),
    "declined": ("abgesagt", "declined"),
    "running": ("läuft", "running"),
    "waiting": ("wartet", "waiting"),
    "began": ("läuft", "began"),
    "open": ("offen", "open"),
    "claimed": ("übernommen", "claimed"),
    "done": ("erledigt", "done"),
    "failed": ("gescheitert", "failed"),
    "timed-out": ("Zeit abgelaufen", "timed out"),
    "stopped": ("beendet", "stopped"),
    "cancelled": ("abgebrochen", "cancelled"),
    "reverted": ("zurückgenommen", "reverted"),
    "yes": ("ja", "yes"),
    "no": ("nein", "no"),
    "unknown": ("unbekannt", "unknown"),
}
"""States and answers as people read them."""


def word(name: str, language: Language) -> str:
    """Return a state or an answer in words of a language."""
    return STATES.get(name, (name, name))[_ORDER[language]]


def pdf(report: Report, center: str, language: Language) -> bytes:
    """Return a report as PDF; the same report gives the same bytes.

    Values go in as data and are never read as markup. typst asks for no network, and takes the
    fonts that it brings.
    """
    template = resources.files(__package__).joinpath("report.typ").read_bytes()
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"said": json.dumps(_said(report, center, language))},
        ignore_system_fonts=True,
        timestamp=datetime.fromtimestamp(report.made_at // 1_000_000, UTC),
    )
    return made


def _text(name: str, language: Language) -> str:
    return _WORDS[name][_ORDER[language]]


def _said(report: Report, center: str, language: Language) -> dict[str, Any]:
    one = report.response
    facts = (
        ("state", word(one.state, language)),
        ("playbook", f"{one.playbook_id}\n{times.text(one.playbook_modified)}"),
        ("began", local(one.began_at) or "-"),
        ("ended", local(one.ended_at) or "-"),
        ("kept", str(report.kept)),
        ("missed", str(report.missed)),
    )
    return {
        "language": language,
        "center": center,
        "marking": one.lock,
        "title": f"{_text('title', language)}: {one.title}",
        "exercise": _text("exercise", language) if one.exercise else "",
        "made": f"{_text('made', language)} {local(report.made_at)}",
        "facts": [(_text(name, language), value) for name, value in facts],
        "parts": list(_parts(report, language)),
    }


def _parts(report: Report, language: Language) -> Iterable[dict[str, Any]]:
    for name, rows in _rows(report, language).items():
        heads, widths = _HEADS[name]
        yield {
            "title": _text(name, language),
            "nothing": _text("nothing", language),
            "heads": [_text(head, language) for head in heads],
            "widths": widths,
            "rows": [list(row) for row in rows],
        }


def _rows(report: Report, language: Language) -> dict[str, Iterable[Sequence[str]]]:
    return {
        "counties": [
            [
                *(one.organisation, word(one.state, language), local(one.reached_at)),
                *(local(one.accepted_at), local(one.ended_at), one.reason or ""),
            ]
            for one in report.counties
        ],
        "deadlines": [
            [one.organisation, one.title, local(one.due_at), _outcome(one, language)]
            for one in report.deadlines
        ],
        "answers": [[one.ask, str(one.answered), summed(one, language)] for one in report.sums],
        "blocks": [
            [
                *(one.organisation, one.value, local(one.since), local(one.until)),
                _text(_force(fetched=one.fetched, confirmed=one.confirmed), language),
            ]
            for one in report.blocks
        ],
        "points": [
            [one.organisation, one.title, word(one.state, language), one.reason or ""]
            for one in report.points
        ],
        "timeline": list(_timeline(report, language)),
    }


def _timeline(report: Report, language: Language) -> Iterable[list[str]]:
    for one in report.timeline:
        yield [local(one.at), one.german if language == "de" else one.english]


def _outcome(one: Deadline, language: Language) -> str:
    return _text({True: "in_time", False: "late", None: "running"}[one.kept], language)


def _force(*, fetched: bool, confirmed: bool) -> str:
    return "by_device" if fetched else "by_person" if confirmed else "not_known"


def summed(one: Sum, language: Language) -> str:
    """Return what was answered to a question in one line."""
    parts = [f"{word(name, language)}: {count}" for name, count in one.counts.items()]
    if one.total is not None:
        low, high = f"{one.least:g}", f"{one.most:g}"
        parts.append(f"Σ {one.total:g} ({low} – {high})")  # noqa: RUF001 - a span of numbers
    return ", ".join(parts)


def stix(
    report: Report, center: Center, name: str, groups: Mapping[str, str], language: Language = "de"
) -> dict[str, Any]:
    """Return a report as a STIX 2.1 bundle: a ``report`` and a ``note`` for each of its parts.

    ``groups`` maps group names to the ids of their marking-definitions.
    """
    one, moment = report.response, times.text(report.made_at)
    common = {
        "spec_version": "2.1",
        "created_by_ref": center.identity_id,
        "created": times.text(one.created_at),
        "modified": moment,
        "object_marking_refs": marking.marks_of(one.lock, groups),
        "lang": language,
    }
    if one.exercise:
        common["labels"] = ["exercise"]
    identity = {
        "type": "identity",
        "spec_version": "2.1",
        "id": center.identity_id,
        "created": times.text(one.created_at),
        "modified": times.text(one.created_at),
        "name": name,
        "identity_class": "organization",
    }
    whole = _id("report", one.id, "")
    notes = [
        common
        | {"type": "note", "id": _id("note", one.id, title), "abstract": title}
        | {"content": content, "object_refs": [whole]}
        for title, content in _notes(report, language)
    ]
    said = common | {
        "type": "report",
        "id": whole,
        "name": f"{_text('title', language)}: {one.title}",
        "published": moment,
        "object_refs": [identity["id"], *(note["id"] for note in notes)],
    }
    objects = [identity, said, *notes]
    return {"type": "bundle", "id": _id("bundle", one.id, moment), "objects": objects}


def _notes(report: Report, language: Language) -> Iterable[tuple[str, str]]:
    for part in _parts(report, language):
        lines = [" | ".join(row).replace("\n", " ") for row in part["rows"]]
        yield part["title"], "\n".join(lines) or part["nothing"]


def _id(kind: str, response_id: str, what: str) -> str:
    return f"{kind}--{uuid.uuid5(_SPACE, f'{response_id} {kind} {what}')}"
