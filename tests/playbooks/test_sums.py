"""Sums of answers in a playbook: what can be summed is taken, all else is refused by its field."""

import json
from typing import Any

import pytest

from cybercoop.playbooks import checking
from cybercoop.playbooks.duties import EXTENSION, Deadline, Sum
from cybercoop.responses.summing import figure
from responses.books import book, end, key, manual, step

END = key("end", "end")
IF = key("if-condition", "if")
ASKED = {"__yes__": "yes-no-unknown", "__n__": "number", "__f__": "number", "__text__": "text"}
DECLARED: dict[str, Any] = {
    "__yes__": {"type": "string"},
    "__n__": {"type": "integer"},
    "__f__": {"type": "float"},
    "__text__": {"type": "string"},
    "__sum__": {"type": "integer"},
    "__word__": {"type": "string"},
    "__fixed__": {"type": "integer", "value": "1", "constant": True},
}


def deciding(duty: dict[str, Any], condition: str = "__n__ > 0") -> dict[str, Any]:
    """Return a playbook that asks, and decides with this entry of our extension."""
    raw = book(
        "sums",
        key("action", "ask"),
        manual("ask", to=IF, asks=ASKED),
        step(
            "if-condition",
            "if",
            condition=condition,
            on_true=key("end", "yes"),
            on_completion=END,
            step_extensions={EXTENSION: duty},
        ),
        end("yes"),
        end(),
        variables=DECLARED,
    )
    found: dict[str, Any] = json.loads(raw)
    return found


def findings(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = checking.check(json.dumps(document).encode())
    assert (found.playbook is None) == any(one.grade != "warning" for one in found.findings)
    return [(one.rule, one.step, one.field) for one in found.findings]


@pytest.mark.parametrize(
    ("target", "one"),
    [
        ("__sum__", {"of": "__yes__", "as": "count", "answer": "yes"}),
        ("__sum__", {"of": "__text__", "as": "count"}),
        ("__sum__", {"of": "__n__", "as": "total"}),
        ("__f__", {"of": "__f__", "as": "total"}),
        ("__f__", {"of": "__n__", "as": "total"}),
    ],
)
def test_what_can_be_summed_is_taken_and_has_a_value(target: str, one: dict[str, str]) -> None:
    document = deciding(
        {"sums": {target: one}, "wait": {"within": "PT4H", "from": "knowledge"}}, f"{target} > 1"
    )
    assert findings(document) == []
    playbook = checking.check(json.dumps(document).encode()).playbook
    assert playbook is not None
    duty = playbook.steps[IF].duty
    assert duty.sums == {target: Sum(one["of"], one["as"], one.get("answer", ""))}  # type: ignore[arg-type]
    assert duty.wait == Deadline(0, 240, "knowledge")


@pytest.mark.parametrize(
    ("target", "one", "rule", "field"),
    [
        ("__sum__", {"of": "__word__", "as": "count"}, "nobody-asks", ".of"),
        ("__sum__", {"of": "__text__", "as": "total"}, "sum-type", ""),
        ("__sum__", {"of": "__f__", "as": "total"}, "sum-type", ""),
        ("__word__", {"of": "__n__", "as": "total"}, "sum-type", ""),
        ("__fixed__", {"of": "__n__", "as": "total"}, "constant-changed", ""),
        ("__none__", {"of": "__n__", "as": "total"}, "undeclared", ""),
        ("__sum__", {"of": "__yes__", "as": "count", "answer": "ja"}, "sum-answer", ".answer"),
        ("__sum__", {"of": "__n__", "as": "total", "answer": "3"}, "sum-answer", ".answer"),
        ("__sum__", {"of": "__text__", "as": "count", "answer": "x"}, "sum-answer", ".answer"),
        ("__sum__", {"of": "__n__", "as": "mean"}, "not-among", ".as"),
        ("__sum__", {"as": "count"}, "missing", ""),
        ("sum", {"of": "__n__", "as": "total"}, "unknown-key", ""),
    ],
)
def test_what_cannot_be_summed_is_refused_where_it_stands(
    target: str, one: dict[str, str], rule: str, field: str
) -> None:
    place = f"step_extensions.{EXTENSION}.sums.{target}{field}"
    assert (rule, IF, place) in findings(deciding({"sums": {target: one}}))


def test_only_steps_that_decide_have_sums_and_only_sums_are_waited_for() -> None:
    document = deciding({"wait": {"within": "PT4H"}})
    assert ("misplaced", IF, f"step_extensions.{EXTENSION}.wait") in findings(document)
    document = deciding({})
    ask = key("action", "ask")
    duty = document["workflow"][ask]["step_extensions"][EXTENSION]
    duty["sums"] = {"__sum__": {"of": "__n__", "as": "total"}}
    assert ("misplaced", ask, f"step_extensions.{EXTENSION}.sums") in findings(document)


def test_a_sum_of_nothing_is_nothing() -> None:
    assert figure(Sum("__n__", "total"), []) == figure(Sum("__n__", "count"), []) == 0
    assert figure(Sum("__n__", "total"), [1, 2]) == 3
    assert figure(Sum("__yes__", "count"), ["yes", "no"]) == 2
    assert figure(Sum("__yes__", "count", "no"), ["yes", "no"]) == 1
