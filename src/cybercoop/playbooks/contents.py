"""What a document says in a form that the schema lets pass, and that nobody could carry out.

This is looked at before a playbook is made of the document: values, times, commands, duties.
"""

from collections.abc import Iterator
from typing import Any

from cybercoop import errors
from cybercoop.playbooks import conditions, documents, duties, shapes, templates, variables
from cybercoop.playbooks.documents import Json
from cybercoop.playbooks.findings import Finding, Path, found
from cybercoop.stix import times

MOST_STEPS = 300
MOST_VARIABLES = 200
MOST_COMMANDS = 20
MOST_BRANCHES = 50
LONGEST_TEXT = 20_000
LONGEST_NAME = 250
LONGEST_WAIT = 366 * 86_400_000

PEOPLE = frozenset({"manual"})
OURS = frozenset(duties.ARGUMENTS)
REQUESTS = frozenset({"http-api", "openc2-http"})
AT_COUNTY = frozenset({"bash", "ssh", "powershell"})
COMMANDS = PEOPLE | OURS | REQUESTS | AT_COUNTY

_SECRETS = ("password", "token")
_PACKED = {"command_b64", "content_b64", "public_cert_chain", "value"}
_MOST = {
    "commands": MOST_COMMANDS,
    "next_steps": MOST_BRANCHES,
    "cases": MOST_BRANCHES,
    "targets": MOST_BRANCHES,
    "signatures": MOST_BRANCHES,
    "in_args": MOST_VARIABLES,
    "out_args": MOST_VARIABLES,
    "step_variables": MOST_VARIABLES,
    "playbook_variables": MOST_VARIABLES,
    "workflow": MOST_STEPS,
}
_EXTENSIONS = ("agent_target_extensions", "authentication_info_extensions")
_EXTENSIBLE = ("agent_definitions", "target_definitions", "authentication_info_definitions")


def check(document: Json) -> Iterator[Finding]:
    """Yield what is wrong with the contents of a document whose form is right."""
    yield from _sizes(document, ())
    yield from _times(document)
    yield from _variables(document.get("playbook_variables", {}), ("playbook_variables",))
    yield from _secrets(document.get("authentication_info_definitions", {}))
    yield from _markings(document)
    yield from _extensions(document)
    for key, entry in document["workflow"].items():
        yield from _step(entry, ("workflow", key))


def _sizes(value: Any, path: Path) -> Iterator[Finding]:
    """Walk every value; how deep it can go is bounded by what strict JSON takes."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if isinstance(value, dict | list):
        if len(value) > (most := _MOST.get(name, 1_000)):
            yield found("too-many", path, limit=most)
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for part, one in inside:
            yield from _sizes(one, (*path, part))
    longest = LONGEST_NAME if name == "name" else LONGEST_TEXT
    if isinstance(value, str) and name not in _PACKED and len(value) > longest:
        yield found("too-long", path, limit=longest)


def _times(document: Json) -> Iterator[Finding]:
    names = ("created", "modified", "valid_from", "valid_until")
    moments: dict[str, int] = {}
    for name in names:
        if name in document:
            try:
                moments[name] = times.micros(document[name])
            except ValueError:
                yield found("wrong-time", (name,))
    for first, second in (("created", "modified"), ("valid_from", "valid_until")):
        if first in moments and second in moments and moments[first] > moments[second]:
            yield found("times-reversed", (second,), first=first, second=second)


def _variables(entries: Json, path: Path) -> Iterator[Finding]:
    for name, entry in entries.items():
        here = (*path, name)
        if entry["type"] not in variables.KINDS:
            yield found("unknown-variable-type", (*here, "type"), name=entry["type"])
            continue
        try:
            documents.variable(name, entry)
        except errors.Refused:
            yield found("wrong-value", (*here, "value"), kind=entry["type"])
        if entry.get("constant") and entry.get("value") is None and not entry.get("external"):
            yield found("constant-without-value", here)


def _secrets(entries: Json) -> Iterator[Finding]:
    for key, entry in entries.items():
        for name in _SECRETS:
            given = entry.get(name, "")
            if given and templates.whole(given) is None:
                yield found("plain-secret", ("authentication_info_definitions", key, name))


def _markings(document: Json) -> Iterator[Finding]:
    defined = document.get("data_marking_definitions", {})
    for at, name in enumerate(document.get("markings", ())):
        if name not in defined:
            yield found("unresolved-marking", ("markings", at), name=name)
    if len(documents.levels(document)) > 1:
        yield found("several-markings", ("markings",))


def _extensions(document: Json) -> Iterator[Finding]:
    """Yield extensions that nobody defined, or that mean nothing to us."""
    holders: list[tuple[Path, Any]] = [
        (("playbook_extensions",), document.get("playbook_extensions", {}))
    ]
    for place in _EXTENSIBLE:
        for key, entry in document.get(place, {}).items():
            holders += [((place, key, name), entry.get(name, {})) for name in _EXTENSIONS]
    holders += [
        (("workflow", key, "step_extensions"), entry.get("step_extensions", {}))
        for key, entry in document["workflow"].items()
    ]
    defined = document.get("extension_definitions", {})
    for path, entries in holders:
        for name in entries:
            if name not in defined:
                yield found("undefined-extension", (*path, name), name=name)
            if name != duties.EXTENSION or path[0] != "workflow":
                yield found("unknown-extension", (*path, name), "warning", name=name)


def _step(entry: Json, path: Path) -> Iterator[Finding]:
    yield from _variables(entry.get("step_variables", {}), (*path, "step_variables"))
    for name in ("timeout", "delay"):
        if name in entry:
            yield from shapes.ours(shapes.integer(1, LONGEST_WAIT))(entry[name], (*path, name))
    for at, command in enumerate(entry.get("commands", ())):
        yield from _command(command, (*path, "commands", at))
    if "condition" in entry:
        try:
            conditions.parse(entry["condition"])
        except errors.Refused as refused:
            yield found("bad-condition", (*path, "condition"), reason=refused.reason)
    if "switch" in entry and templates.whole(entry["switch"]) is None:
        yield found("bad-switch", (*path, "switch"))
    ours = entry.get("step_extensions", {}).get(duties.EXTENSION)
    if ours is not None:
        yield from duties.FORM(ours, (*path, "step_extensions", duties.EXTENSION))


def _command(entry: Json, path: Path) -> Iterator[Finding]:
    kind = entry["type"]
    if kind not in COMMANDS:
        yield found("unknown-command", (*path, "type"), name=kind)
        return
    if kind in AT_COUNTY:
        yield found("needs-agent", (*path, "type"), "warning", name=kind)
    if kind in OURS:
        return
    if ("command" in entry) == ("command_b64" in entry):
        yield found("one-command", path)
        return
    try:
        text = documents.said(entry)
    except UnicodeDecodeError:
        yield found("not-text", (*path, "command_b64"))
        return
    if len(text) > LONGEST_TEXT:
        yield found("too-long", path, limit=LONGEST_TEXT)
    if kind in REQUESTS:
        yield from _request(entry, path)


def _request(entry: Json, path: Path) -> Iterator[Finding]:
    """Yield where a variable would be pasted into an address, a header or part of a text."""
    if templates.names(entry["command"]):
        yield found("pasted", (*path, "command"))
    if any(True for _ in templates.uses(entry.get("headers", {}))):
        yield found("pasted", (*path, "headers"))
    if "content" in entry and "content_b64" in entry:
        yield found("forbidden", path, name="content_b64")
        return
    field = "content_b64" if "content_b64" in entry else "content"
    try:
        uses = list(templates.uses(documents.body(entry)))
    except (ValueError, RecursionError):  # another format than JSON: sent as it is
        uses = [(name, False) for name in templates.names(entry.get("content", ""))]
    if not all(is_whole for _, is_whole in uses):
        yield found("pasted", (*path, field))
