"""A report on paper: the same bytes for the same case, and nothing in it is taken for markup."""

from dataclasses import replace

import pytest

from cybercoop.incidents import profiles, report
from cybercoop.incidents.cases import Entry, Incident, Part, PersonKind, Severity, State
from cybercoop.incidents.wording import words
from cybercoop.stix import times

NOW = times.micros("2026-11-01T12:00:00Z")
CASE = report.Case(
    Incident(
        *("0d9c1b9e-7a40-4d39-9d4f-2f0d1c7c1a11", "org", "Verschlüsselung im Bürgeramt"),
        *("Drei Rechner.\nNetz getrennt.", "malicious-code", "infected-system"),
        *(Severity.HIGH, State.CONTAINED, NOW, None, NOW, NOW),
    ),
    "Landkreis A",
    [Entry(NOW, "id", "reported", "high"), Entry(NOW, "id", "note", "Netz getrennt")],
    profiles.clocks_of("id", profiles.find("bsig"), NOW),
    [("police", "Landeskriminalamt")],
    [("domain", "evil-host.net"), ("sha256", "a" * 64)],
    [("speicher.bin", "256", "b" * 64)],
)
HOSTILE = (
    '#panic("x")',
    '#import "@preview/cetz:0.3.0"',
    '#read("/etc/passwd")',
    "= heading *bold* $x$ `raw` <label> @ref",
    '"); #let said = 1',
    "\\u{202e} \u202e \u4e2d\u6587 \U0001f512",
    "x" * 3000,
    "\n" * 200,
    "",
)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_same_case_gives_the_same_bytes(language: str) -> None:
    made = report.pdf(CASE, language)
    assert made.startswith(b"%PDF-")
    assert made == report.pdf(CASE, language)
    other = replace(CASE, organisation="Landkreis B")
    assert report.pdf(other, language) != made


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_read_as_markup(text: str) -> None:
    title = text.replace("\n", " ") or "x"
    incident = replace(CASE.incident, text=text, title=title)
    case = replace(
        CASE,
        incident=incident,
        organisation=text,
        timeline=[Entry(NOW, "id", text, text)],
        participants=[(text, text)],
        indicators=[("domain", text or "x")],
        files=[(text, "1", "c" * 64)],
    )
    assert report.pdf(case, "de").startswith(b"%PDF-")


def test_a_word_that_is_not_known_stays_as_it_is() -> None:
    assert report.word("contained", "de") == "eingedämmt"
    assert report.word("unheard-of", "en") == "unheard-of"


def test_a_title_stands_there_letter_by_letter() -> None:
    """The outline of a PDF repeats headings as they were set."""
    incident = replace(CASE.incident, title="#pagebreak() *x* $y$ @z")
    made = report.pdf(replace(CASE, incident=incident), "de")
    assert b"/Title(#pagebreak() *x* $y$ @z)" in made


def test_everything_that_is_named_has_a_word() -> None:
    named = {one.value for kind in (Severity, State, Part, PersonKind) for one in kind}
    assert sorted(named - words().keys()) == []
