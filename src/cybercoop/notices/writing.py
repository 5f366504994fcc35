"""Writing: what a letter says to its receiver, in German and English, as text, HTML and JSON.

Whatever stands in a notice may have come from outside. It is shown so that no program makes a link
of it, and what the way may not carry is not written at all: no word, no name, no id.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from cybercoop.playbooks.templates import shown
from cybercoop.stix import times
from cybercoop.store.notices import Notice

Language = Literal["de", "en"]

_LONGEST_SUBJECT = 160
_LONGEST_LINES = 200
_PIECE = re.compile(r"[«»]|[^«»]{1,400}")
_SAID: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "waiting": "Es wartet etwas auf Sie.",
        "overview": "Tagesüberblick: Es wartet etwas auf Sie.",
        "link": "Hier können Sie ohne Anmeldung antworten, einmal und sieben Tage lang:",
        "all": "Alles Weitere sehen Sie, wenn Sie sich anmelden:",
    },
    "en": {
        "waiting": "Something is waiting for you.",
        "overview": "Daily overview: something is waiting for you.",
        "link": "Here you can answer without signing in, once and for seven days:",
        "all": "All else you see when you sign in:",
    },
}


@dataclass(frozen=True, slots=True)
class Words:
    """Hold what a notice says in one language, fit to be shown."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one notice as its receiver gets it; without words something is waiting."""

    id: str
    words: Mapping[Language, Words] | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Hold what a mail says."""

    subject: str
    text: str
    html: str


def words_of(notice: Notice) -> Mapping[Language, Words]:
    """Return what a notice says, fit to be shown."""
    return {
        "de": Words(_subject(notice.subject_de), harmless(notice.text_de)),
        "en": Words(_subject(notice.subject_en), harmless(notice.text_en)),
    }


def harmless(text: str) -> str:
    """Return a text in which nothing is a link or unseen; it keeps its lines and guillemets.

    Empty lines at its end are left out.
    """
    return "\n".join(map(_line, text.splitlines()[:_LONGEST_LINES])).rstrip("\n")


def _line(text: str) -> str:
    # Values that are shown already stand in guillemets and must come out as they went in.
    plain = text.replace("[@]", "@")
    return "".join(one if one in "«»" else shown(one) for one in _PIECE.findall(plain))


def _subject(text: str) -> str:
    """Return a subject of one line, whatever it was."""
    line = _line(" ".join(text.split()))
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1] + "…"


def mail(lines: Sequence[Line], address: str) -> Written:
    """Write a mail of one notice, or of all that a day has gathered."""
    subject = _headline(lines)
    values = {"items": lines, "address": address, "subject": subject, "said": _SAID}
    text = _environment().get_template("letter.txt").render(values)
    html = _environment().get_template("letter.html").render(values)
    return Written(subject, re.sub(r"\n{3,}", "\n\n", text), html)


def _headline(lines: Sequence[Line]) -> str:
    first = lines[0].words
    if len(lines) == 1 and first is not None:
        both = (first["de"].subject, first["en"].subject)
        return " / ".join(dict.fromkeys(one for one in both if one))
    name = "waiting" if len(lines) == 1 else "overview"
    return " / ".join(said[name] for said in _SAID.values())


def call(line: Line, notice: Notice, address: str) -> bytes:
    """Write the body of a call of a webhook: JSON, with the notice or that something is waiting."""
    said: dict[str, Any] = {"type": "notice", "key": line.id, "url": address}
    if line.words is None:
        said["waiting"] = {language: texts["waiting"] for language, texts in _SAID.items()}
        return msgspec.json.encode(said)
    said |= {"at": times.text(notice.at), "urgency": notice.urgency, "task": notice.task_id}
    said["subject"] = {language: words.subject for language, words in line.words.items()}
    said["text"] = {language: words.text for language, words in line.words.items()}
    return msgspec.json.encode(said)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cybercoop.notices"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
