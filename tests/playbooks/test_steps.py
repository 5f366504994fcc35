"""What an interpreter asks of a playbook: the next branch, who is called, whether it may start."""

import json

import pytest

from cybercoop.errors import Refused
from cybercoop.playbooks import checking, duties, steps
from cybercoop.playbooks.duties import Question
from cybercoop.stix import times
from playbooks.documents import number, rich


def book(**more: object) -> steps.Playbook:
    found = checking.check(json.dumps(rich() | more).encode()).playbook
    assert found is not None
    return found


def test_a_switch_takes_the_case_of_its_value_else_the_default() -> None:
    switch = book().steps[f"switch-condition--{number(1)}"]
    assert isinstance(switch, steps.Switch)
    assert switch.head("string", "ja") == f"action--{number(5)}"
    assert switch.head("string", "default") == switch.head("string", "x") == f"end--{number(8)}"
    strict = steps.Switch(id="s", variable="__n__", cases={"07": "a"})
    assert strict.head("integer", 7) == "a"
    with pytest.raises(Refused, match="No case"):
        strict.head("integer", 8)


def test_branches_and_calls_are_listed() -> None:
    found = book()
    parallel = found.steps[f"parallel--{number(1)}"]
    heads = [f"action--{number(2)}", f"playbook-action--{number(1)}"]
    assert [head for _, head in steps.branches(parallel)] == heads
    assert steps.calls(found) == [(f"playbook--{number(5)}", "")]
    assert found.level == "green"


@pytest.mark.parametrize(
    ("now", "more", "valid"),
    [
        ("2026-01-31T08:29:59Z", {}, False),
        ("2026-01-31T08:30:00Z", {}, True),
        ("2027-01-31T08:30:00.5Z", {}, False),
        ("2026-06-01T00:00:00Z", {"revoked": True}, False),
    ],
)
def test_a_playbook_counts_in_its_time_only(now: str, more: dict[str, bool], valid: bool) -> None:
    assert steps.is_valid(book(**more), times.micros(now)) is valid


def test_an_answer_is_one_of_those_that_were_asked_for() -> None:
    asked = Question("Betroffen?", "yes-no-unknown")
    assert duties.answer(asked, "string", " Ja ") == "yes"
    assert duties.answer(asked, "string", "Unbekannt") == "unknown"
    chosen = Question("Wie?", "choice", ("gut", "schlecht"))
    assert duties.answer(chosen, "string", "gut") == "gut"
    assert duties.answer(Question("Wie viele?", "number"), "integer", "12") == 12
    for question, kind, given in (
        (asked, "string", "vielleicht"),
        (asked, "string", None),
        (chosen, "string", "mittel"),
        (chosen, "string", ["gut"]),
        (Question("Wie viele?", "number"), "integer", "zwölf"),
        (Question("Datei?", "file"), "sha256-hash", "../../etc/passwd"),
    ):
        with pytest.raises(Refused):
            duties.answer(question, kind, given)
