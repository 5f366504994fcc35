"""What the schema lets pass and nobody could carry out is refused, with the step and the field."""

import base64
import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.playbooks import checking, documents, duties, graph, steps
from cybercoop.playbooks.wording import SENTENCES
from playbooks.documents import OURS, broken, number, rich

EXTENSION = duties.EXTENSION
Change = Callable[[dict[str, Any]], None]


def verdict(document: Any) -> checking.Verdict:
    return checking.check(json.dumps(document).encode())


def said(document: Any) -> list[tuple[str, str, str]]:
    return [(one.rule, one.step, one.field) for one in verdict(document).findings]


def step(document: dict[str, Any], kind: str, at: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = document["workflow"][f"{kind}--{number(at)}"]
    return found


def extended(document: dict[str, Any], at: int = 1, **entry: Any) -> None:
    """Give an action an entry of our extension."""
    definition = document["extension_definitions"][f"extension-definition--{number(1)}"]
    document["extension_definitions"][EXTENSION] = definition
    step(document, "action", at)["step_extensions"] = {EXTENSION: entry}


def commanded(kind: str, at: int = 1, **entry: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        step(document, "action", at)["commands"] = [{"type": kind} | entry]

    return change


def ours(kind: str, **arguments: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        commanded(kind)(document)
        extended(document, arguments=arguments)

    return change


def asking(**question: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        extended(document, questions={"__leer__": {"ask": "Was?"} | question})

    return change


def at(*path: Any, value: Any = None) -> Change:
    """Return the change that puts a value somewhere, or takes away what is there."""

    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        if value is None:
            del document[path[-1]]
        else:
            document[path[-1]] = value

    return change


def flow(kind: str, place: int, field: str, value: Any = None) -> Change:
    return at("workflow", f"{kind}--{number(place)}", field, value=value)


ACTION, END = f"action--{number(1)}", f"end--{number(1)}"
ADDRESS = f"http-api--{number(1)}"

REFUSED: list[tuple[str, Change, str, str, str]] = [
    ("start", at("workflow_start", value=ACTION), "no-start", "", "workflow_start"),
    ("dangling", flow("action", 2, "on_completion", f"end--{number(77)}"), "dangling",
     f"action--{number(2)}", "on_completion"),
    ("exception", at("workflow_exception", value=f"end--{number(77)}"), "dangling", "",
     "workflow_exception"),
    ("case", flow("switch-condition", 1, "cases", {"default": f"end--{number(77)}"}), "dangling",
     f"switch-condition--{number(1)}", "cases.default"),
    ("to start", flow("action", 2, "on_completion", f"start--{number(1)}"), "to-start",
     f"action--{number(2)}", "on_completion"),
    ("no next", flow("parallel", 1, "on_completion"), "no-next", f"parallel--{number(1)}", ""),
    ("two nexts", flow("action", 1, "on_completion", END), "two-nexts", ACTION, ""),
    ("circle", flow("action", 4, "on_completion", f"while-condition--{number(1)}"), "cycle",
     f"action--{number(4)}", ""),
    ("shared end", flow("action", 2, "on_completion", f"end--{number(3)}"), "shared-step",
     f"end--{number(3)}", ""),
    ("out of a branch", flow("action", 3, "on_completion", f"switch-condition--{number(1)}"),
     "shared-step", f"switch-condition--{number(1)}", ""),
    ("same branch", flow("parallel", 1, "next_steps", [f"action--{number(2)}"] * 2),
     "same-branch-twice", f"parallel--{number(1)}", "next_steps"),
    ("condition", flow("if-condition", 1, "condition", "x = 1"), "bad-condition",
     f"if-condition--{number(1)}", "condition"),
    ("comparison", flow("if-condition", 1, "condition", "__anzahl__ = 'x'"), "bad-comparison",
     f"if-condition--{number(1)}", "condition"),
    ("switch", flow("switch-condition", 1, "switch", "__leer__"), "bad-switch",
     f"switch-condition--{number(1)}", "switch"),
    ("case type", flow("switch-condition", 1, "switch", "__anzahl__:value"), "bad-comparison",
     f"switch-condition--{number(1)}", "cases.ja"),
    ("undeclared", commanded("manual", command="Zu __fehlt__:value"), "undeclared", ACTION,
     "commands[0]"),
    ("undeclared input", flow("action", 1, "in_args", ["__fehlt__"]), "undeclared", ACTION,
     "in_args[0]"),
    ("undeclared result", flow("action", 4, "out_args", ["x"]), "undeclared",
     f"action--{number(4)}", "out_args[0]"),
    ("constant result", at("playbook_variables", "__leer__", value={
        "type": "string", "value": "a", "constant": True}), "constant-changed", ACTION,
     "out_args[0]"),
    ("constant", at("playbook_variables", "__c__", value={"type": "string", "constant": True}),
     "constant-without-value", "", "playbook_variables.__c__"),
    ("type", at("playbook_variables", "__c__", value={"type": "shell"}), "unknown-variable-type",
     "", "playbook_variables.__c__.type"),
    ("value", at("playbook_variables", "__anzahl__", "value", value="viele"), "wrong-value", "",
     "playbook_variables.__anzahl__.value"),
    ("shadow", flow("action", 1, "step_variables", {"__wert__": {"type": "string"}}), "shadows",
     ACTION, "step_variables.__wert__"),
    ("agent", flow("action", 1, "agent", f"group--{number(77)}"), "unresolved-agent", ACTION,
     "agent"),
    ("target", flow("action", 1, "targets", [f"ssh--{number(77)}"]), "unresolved-target", ACTION,
     "targets[0]"),
    ("login", at("target_definitions", f"ssh--{number(1)}", "authentication_info",
                 value=f"oauth2--{number(77)}"), "unresolved-secret", "",
     f"target_definitions.ssh--{number(1)}.authentication_info"),
    ("address", at("target_definitions", ADDRESS, "address", "fax", value=["1"]),
     "unknown-key", "", f"target_definitions.{ADDRESS}.address.fax"),
    ("secret", at("authentication_info_definitions", f"user-auth--{number(1)}", "password",
                  value="geheim"), "plain-secret", "",
     f"authentication_info_definitions.user-auth--{number(1)}.password"),
    ("unknown command", commanded("format-disk", command="x"), "unknown-command", ACTION,
     "commands[0].type"),
    ("hunt command", commanded("yara", command_b64="eA=="), "unknown-command", ACTION,
     "commands[0].type"),
    ("no command", commanded("manual"), "one-command", ACTION, "commands[0]"),
    ("two commands", commanded("manual", command="x", command_b64="eA=="), "one-command", ACTION,
     "commands[0]"),
    ("no text", commanded("manual", command_b64="//8="), "not-text", ACTION,
     "commands[0].command_b64"),
    ("property", at("extra", value=1), "unknown-property", "", "extra"),
    ("command property", commanded("manual", command="x", sudo=True), "unknown-property", ACTION,
     "commands[0].sudo"),
    ("step of unknown type", at("workflow", f"loop--{number(1)}", value={"type": "loop"}),
     "unknown-key", f"loop--{number(1)}", ""),
    ("no address", commanded("http-api", command="GET /"), "no-target", ACTION, ""),
    ("pasted into an address", commanded("http-api", command="GET /__wert__:value"), "pasted",
     ACTION, "commands[0].command"),
    ("pasted into a header", commanded("http-api", command="GET /", headers={
        "X": ["__wert__:value"]}), "pasted", ACTION, "commands[0].headers"),
    ("pasted into a text", commanded("http-api", command="POST /", content=(
        '{"a":"b __wert__:value"}')), "pasted", ACTION, "commands[0].content"),
    ("pasted into other content", commanded("http-api", command="POST /", content=(
        "a=__wert__:value")), "pasted", ACTION, "commands[0].content"),
    ("pasted into packed content", commanded("openc2-http", command="POST /", content_b64=(
        base64.b64encode(b'{"__wert__:value": 1}').decode())), "pasted", ACTION,
     "commands[0].content_b64"),
    ("marking", at("markings", value=[f"marking-tlp--{number(7)}"]), "unresolved-marking", "",
     "markings[0]"),
    ("times", at("modified", value="2025-01-01T00:00:00Z"), "times-reversed", "", "modified"),
    ("no such day", at("valid_until", value="2027-02-31T00:00:00Z"), "wrong-time", "",
     "valid_until"),
    ("time-out", flow("action", 1, "timeout", -1), "too-small", ACTION, "timeout"),
    ("delay", flow("action", 1, "delay", 10**12), "too-great", ACTION, "delay"),
    ("long name", at("name", value="x" * 251), "too-long", "", "name"),
    ("undefined extension", flow("action", 1, "step_extensions", {EXTENSION: {}}),
     "undefined-extension", ACTION, f"step_extensions.{EXTENSION}"),
    ("role", lambda doc: extended(doc, role="boss"), "not-among", ACTION,
     f"step_extensions.{EXTENSION}.role"),
    ("deadline", lambda doc: extended(doc, deadline={"within": "PT"}), "wrong-form", ACTION,
     f"step_extensions.{EXTENSION}.deadline.within"),
    ("entry", lambda doc: extended(doc, sms=True), "unknown-property", ACTION,
     f"step_extensions.{EXTENSION}.sms"),
    ("question", asking(kind="number"), "question-type", ACTION,
     f"step_extensions.{EXTENSION}.questions.__leer__"),
    ("choices", asking(kind="choice", choices=["nur eine"]), "no-choices", ACTION,
     f"step_extensions.{EXTENSION}.questions.__leer__"),
    ("no choice", asking(kind="text", choices=["a", "b"]), "no-choices", ACTION,
     f"step_extensions.{EXTENSION}.questions.__leer__"),
    ("asked in vain", lambda doc: extended(doc, 2, questions={"__wert__": {
        "ask": "Was?", "kind": "text"}}), "not-asked", f"action--{number(2)}",
     f"step_extensions.{EXTENSION}.questions.__wert__"),
    ("no way back", ours("block", value="__wert__:value", hours=5), "no-revert", ACTION, ""),
    ("no hours", ours("block", value="__wert__:value"), "missing", ACTION,
     f"step_extensions.{EXTENSION}.arguments"),
    ("literal block", ours("unblock", value="192.0.2.1"), "wrong-form", ACTION,
     f"step_extensions.{EXTENSION}.arguments.value"),
    ("number block", ours("unblock", value="__anzahl__:value"), "argument-type", ACTION,
     f"step_extensions.{EXTENSION}.arguments.value"),
    ("foreign", ours("unblock", value="__wert__:value", force=1), "foreign-argument", ACTION,
     f"step_extensions.{EXTENSION}.arguments.force"),
    ("to nobody", ours("notify", to="boss", urgency="now", text="x"), "not-among", ACTION,
     f"step_extensions.{EXTENSION}.arguments.to"),
    ("dangling way back", lambda doc: extended(doc, revert=f"action--{number(77)}"), "dangling",
     ACTION, "revert"),
    ("way back in a circle", lambda doc: extended(doc, 2, revert=f"action--{number(2)}"), "cycle",
     f"action--{number(2)}", ""),
]  # fmt: skip


def test_the_rich_document_is_taken() -> None:
    assert verdict(rich()).playbook is not None


@pytest.mark.parametrize(
    ("change", "rule", "where", "field"), [one[1:] for one in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_cannot_be_carried_out_is_refused_where_it_stands(
    change: Change, rule: str, where: str, field: str
) -> None:
    document = json.loads(json.dumps(rich()))
    change(document)
    found = verdict(document)
    assert found.playbook is None
    assert found.fits_schema
    assert (rule, where, field) in said(document)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (at("workflow", f"end--{number(70)}", value={"type": "end"}), "unreachable"),
        (flow("switch-condition", 1, "cases", {"ja": f"action--{number(5)}"}), "no-default"),
        (commanded("ssh", command="ls __wert__:value"), "needs-agent"),
        (at("playbook_variables", "__leer__", "external"), ""),
        (flow("start", 1, "step_extensions", {f"extension-definition--{number(1)}": {}}),
         "unknown-extension"),
        (at("agent_definitions", f"robot--{number(1)}", value={"type": "robot", "name": "x"}),
         "unknown-agent-type"),
    ],
)  # fmt: skip
def test_what_is_odd_is_warned_of_and_taken(change: Change, rule: str) -> None:
    document = json.loads(json.dumps(rich()))
    change(document)
    found = verdict(document)
    assert found.playbook is not None
    assert not rule or rule in {one.rule for one in found.findings}


def test_what_never_gets_a_value_is_warned_of() -> None:
    document = rich()
    document["playbook_variables"]["__wert__"] = {"type": "ipv4-addr"}
    assert ("never-set", ACTION, "in_args[0]") in said(document)


def nested(depth: int, rounds: int) -> dict[str, Any]:
    """Return a playbook of loops inside of loops."""
    document = rich()
    definition = document["extension_definitions"][f"extension-definition--{number(1)}"]
    document["extension_definitions"] = {EXTENSION: definition}
    flow: dict[str, Any] = {f"end--{number(100)}": {"type": "end"}}
    flow[f"start--{number(1)}"] = {
        "type": "start",
        "on_completion": f"while-condition--{number(1)}",
    }
    for place in range(1, depth + 1):
        last = place == depth
        flow[f"while-condition--{number(place)}"] = {
            "type": "while-condition",
            "condition": "__anzahl__ > 0",
            "on_true": f"end--{number(200)}" if last else f"while-condition--{number(place + 1)}",
            "on_completion": f"end--{number(100 if place == 1 else 200 + place)}",
            "step_extensions": {EXTENSION: {"max_rounds": rounds}},
        }
        flow[f"end--{number(200 + place)}"] = {"type": "end"}
    flow[f"end--{number(200)}"] = {"type": "end"}
    del flow[f"end--{number(201)}"]
    return document | {"workflow": flow, "workflow_exception": f"end--{number(100)}"}


def test_loops_and_depth_are_bounded() -> None:
    assert verdict(nested(2, 100)).playbook is not None
    assert "too-many-rounds" in {rule for rule, _, _ in said(nested(2, 101))}
    assert verdict(nested(graph.DEEPEST, 1)).playbook is not None
    assert "too-deep" in {rule for rule, _, _ in said(nested(graph.DEEPEST + 1, 1))}


def test_size_is_bounded() -> None:
    many = rich()
    for place in range(300):
        many["workflow"][f"end--{number(1000 + place)}"] = {"type": "end"}
    assert ("too-many", "", "workflow") in said(many)
    wide = rich() | {"labels": ["x"] * 1001}
    assert ("too-many", "", "labels") in said(wide)
    huge = rich() | {"description": "x" * 20_001}
    assert ("too-long", "", "description") in said(huge)
    assert said(rich() | {"description": "x" * (1 << 20)})[0][0] == "not-json"
    lots = rich() | {f"x{place}": 1 for place in range(9_000)}
    assert len(verdict(lots).findings) <= checking.MOST_FINDINGS


def test_what_the_public_files_are_refused_for(data_dir: Path) -> None:
    folder = data_dir / "COSSAS__SOARCA" / "examples"
    refused = {}
    for file in sorted(folder.glob("*.json")):
        found = checking.check(file.read_bytes())
        rules = {one.rule for one in found.findings if one.grade != "warning"}
        refused[file.name] = (found.playbook is None, rules)
    assert refused == {
        "fin-playbook.json": (True, {"unknown-key", "wrong-form"}),
        "http-playbook.json": (False, set()),
        "manual-playbook.json": (False, set()),
        "openc2-playbook.json": (True, {"unknown-command"}),
        "powershell-playbook.json": (True, {"unknown-key"}),
        "ssh-playbook.json": (True, {"plain-secret"}),
    }


def walk(playbook: steps.Playbook, head: str, budget: list[int]) -> None:
    """Go every way from a step to the end of its branch, and into every branch; never for ever."""
    waiting = [head]
    while waiting:
        budget[0] -= 1
        assert budget[0], "It does not end."
        one = playbook.steps[waiting.pop()]
        for _, branch in steps.branches(one):
            walk(playbook, branch, budget)
        if not isinstance(one, steps.End):
            assert one.next
            waiting += [key for key in (one.next, one.on_failure) if key]


@given(st.data(), st.integers(1, 4), st.integers(0, len(OURS)))
def test_no_document_crashes_the_check_and_what_is_taken_ends(
    chance: st.DataObject, times: int, which: int
) -> None:
    base = json.loads(OURS[which].read_bytes()) if which < len(OURS) else rich()
    document = broken(base, chance, times)
    try:
        raw = json.dumps(document).encode()
    except UnicodeEncodeError:
        return
    found = checking.check(raw)
    for one in found.findings:
        assert one.english.isascii()
        assert one.english != one.german
    assert (found.playbook is None) == any(one.grade != "warning" for one in found.findings)
    if found.playbook is not None:
        walk(found.playbook, found.playbook.start, [5_000])
        assert documents.digest(documents.parse(raw)) == found.playbook.digest


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_crash_the_check(raw: bytes) -> None:
    assert checking.check(raw).playbook is None


def test_every_sentence_is_there_in_both_languages_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for rule, (english, german) in SENTENCES.items():
        assert gaps(english) == gaps(german), rule
        assert english != german, rule


def test_equal_content_has_one_digest() -> None:
    document = rich()
    turned = dict(reversed(document.items()))
    assert documents.canonical(document) == documents.canonical(turned)
    assert documents.digest(document) != documents.digest(document | {"name": "anders"})
    assert said(document | {"priority": 2**60})[0][0] == "not-json"
