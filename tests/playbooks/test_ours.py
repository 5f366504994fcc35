"""The playbooks that come along: valid for everybody, complete for a county, careful with law."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cybercoop.playbooks import checking, conditions, duties, steps, templates
from cybercoop.playbooks.steps import Action, Call, If, Playbook, Switch, While
from playbooks.documents import OURS, oracle

LABELS = {"playbook-1", "playbook-3", "playbook-4", "playbook-5", "playbook-8", "playbook-s"}


def read(file: Path) -> Playbook:
    found = checking.check(file.read_bytes())
    assert found.playbook is not None, found.findings
    return found.playbook


BOOKS = {file.stem: read(file) for file in OURS}
each = pytest.mark.parametrize("name", BOOKS)


def actions(book: Playbook) -> list[Action]:
    return [step for step in book.steps.values() if isinstance(step, Action)]


def kinds(step: Action) -> set[str]:
    return {command.kind for command in step.commands}


def test_all_six_are_there() -> None:
    assert {label for book in BOOKS.values() for label in book.labels} >= LABELS
    assert len({book.id for book in BOOKS.values()}) == len(BOOKS) == len(LABELS)


@each
def test_a_playbook_passes_both_verdicts_without_a_warning(name: str, data_dir: Path) -> None:
    file = next(file for file in OURS if file.stem == name)
    assert oracle(data_dir).is_valid(json.loads(file.read_bytes()))
    assert checking.check(file.read_bytes()).findings == ()
    assert BOOKS[name].level == "clear"


@each
def test_every_task_has_who_until_when_and_what(name: str) -> None:
    for step in actions(BOOKS[name]):
        assert step.duty.title, step.id
        assert re.fullmatch(r"[A-Za-z0-9 ,;:'-]+", step.name), step.name
        if kinds(step) == {"manual"}:
            assert step.duty.role, step.name
            assert step.duty.deadline is not None, step.name
            assert len(step.commands[0].text) > 80, step.name
            assert step.timeout == 0  # a deadline is no time-out


@each
def test_every_block_can_be_taken_back(name: str) -> None:
    for step in actions(BOOKS[name]):
        if "block" in kinds(step):
            back = BOOKS[name].steps[step.duty.revert]
            assert isinstance(back, Action)
            assert kinds(back) == {"unblock"}
            assert back.duty.arguments["value"] == step.duty.arguments["value"]


@each
def test_every_change_by_hand_can_be_taken_back(name: str) -> None:
    """What is cut, locked, tightened or renewed in a system names its way back."""
    verbs = r"\b(isolate|cut|limit|tighten|stop|protect|lock|remove|patch|block by hand)\b"
    reverts = {step.duty.revert for step in actions(BOOKS[name])}
    changes = [
        step
        for step in actions(BOOKS[name])
        if re.search(verbs, step.name.lower()) and kinds(step) == {"manual"}
    ]
    for step in changes:
        is_way_back = step.id in reverts
        before = "before patching" in step.name
        assert step.duty.revert or is_way_back or before, step.name


@each
def test_answers_are_compared_with_what_can_be_answered(name: str) -> None:
    book = BOOKS[name]
    possible: dict[str, set[str]] = {}
    for step in actions(book):
        for variable, question in step.duty.questions.items():
            said = {"choice": set(question.choices), "yes-no-unknown": {"yes", "no", "unknown"}}
            if question.kind in said:
                possible.setdefault(variable, set()).update(said[question.kind])
    for step in book.steps.values():
        compared: list[tuple[str, Any]] = []
        if isinstance(step, If | While):
            compared = [(one.name, one.literal) for one in conditions.comparisons(step.condition)]
        if isinstance(step, Switch):
            compared = [(step.variable, case) for case in step.cases if case != steps.OTHERWISE]
        for variable, literal in compared:
            assert literal in possible.get(variable, {literal}), (variable, literal)


@each
def test_every_answer_that_is_not_required_is_never_decided_by(name: str) -> None:
    book = BOOKS[name]
    optional = {
        variable
        for step in actions(book)
        for variable, question in step.duty.questions.items()
        if not question.required
    }
    for step in book.steps.values():
        if isinstance(step, If | While):
            assert not optional & set(conditions.names(step.condition))
        if isinstance(step, Switch):
            assert step.variable not in optional


@each
def test_every_question_is_answered_into_its_variable(name: str) -> None:
    examples = {"number": 3, "yes-no-unknown": "Ja", "text": "etwas", "file": "a" * 64}
    for step in actions(BOOKS[name]):
        for variable, question in step.duty.questions.items():
            kind = BOOKS[name].variables[variable].kind
            given = question.choices[0] if question.choices else examples[question.kind]
            assert duties.answer(question, kind, given) in {given, "yes"}


def test_what_is_called_is_there_and_gets_what_it_needs() -> None:
    by_id = {book.id: book for book in BOOKS.values()}
    callers = 0
    for book in BOOKS.values():
        for step in book.steps.values():
            if isinstance(step, Call):
                callers += 1
                called = by_id[step.playbook]
                needed = {one.name for one in called.variables.values() if one.is_external}
                assert needed == set(step.in_args)
                for name in needed:
                    assert called.variables[name].kind == book.variables[name].kind
    assert callers == 4


@each
def test_no_playbook_gives_legal_advice_or_sends_by_itself(name: str) -> None:
    book = BOOKS[name]
    assert "keine Rechtsberatung" in book.description
    for step in actions(book):
        if "report" in kinds(step):
            after = book.steps[step.next]  # a draft is followed by a person who releases it
            assert isinstance(after, Action)
            assert kinds(after) == {"manual"}
            assert after.duty.approvals >= 1


def test_the_clocks_are_those_of_the_law() -> None:
    book = BOOKS["s-meldewesen"]
    due = {}
    for step in actions(book):
        if "report" in kinds(step):
            after = book.steps[step.next].duty
            assert after.deadline is not None
            arguments = step.duty.arguments
            due[arguments["profile"], arguments["stage"]] = after.deadline
    day = 24 * 60
    assert due["bsig", "early"] == duties.Deadline(0, day, "knowledge")
    assert due["bsig", "report"] == duties.Deadline(0, 3 * day, "knowledge")
    assert due["bsig", "final"] == duties.Deadline(1, 0, "step")
    assert due["dsgvo-33", "report"] == duties.Deadline(0, 3 * day, "knowledge")


@each
def test_texts_can_be_rendered_with_hostile_values(name: str) -> None:
    book = BOOKS[name]
    values: dict[str, Any] = dict.fromkeys(book.variables, "`id` https://evil.example/\n")
    for step in actions(book):
        for command in step.commands:
            text = templates.rendered(command.text, values)
            assert "https://" not in text
            assert ":value" not in text
