"""Reading a document: strict JSON, its canonical form, and the playbook that it is."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import rfc8785

from cybercoop import errors
from cybercoop.playbooks import conditions, duties, templates, variables
from cybercoop.playbooks.duties import Duty
from cybercoop.playbooks.steps import (
    Action,
    AnyStep,
    Call,
    Command,
    End,
    If,
    Parallel,
    Party,
    Playbook,
    Start,
    Switch,
    While,
)
from cybercoop.playbooks.variables import Variable
from cybercoop.stix import strict, times

Json = dict[str, Any]


def parse(raw: bytes) -> Json:
    """Return the document that ``raw`` is; raise Refused unless it has one canonical form."""
    document = strict.parse(raw)
    canonical(document)
    return document


def canonical(document: Json) -> bytes:
    """Return the one spelling of a document (RFC 8785), which is what is signed and hashed."""
    try:
        return rfc8785.dumps(document)
    except rfc8785.CanonicalizationError:
        raise errors.Refused("A number is too large for the canonical form.") from None


def digest(document: Json) -> str:
    """Return the SHA-256 of the canonical form, in hex: equal for equal content."""
    return hashlib.sha256(canonical(document)).hexdigest()


def playbook(document: Json) -> Playbook:
    """Return what a document says whose form and contents were checked."""
    return Playbook(
        id=document["id"],
        modified=times.micros(document["modified"]),
        digest=digest(document),
        name=document["name"],
        description=document.get("description", ""),
        created_by=document["created_by"],
        created=times.micros(document["created"]),
        revoked=document.get("revoked", False),
        valid_from=moment(document.get("valid_from")),
        valid_until=moment(document.get("valid_until")),
        level=next(iter(levels(document)), ""),
        labels=tuple(document.get("labels", ())),
        variables=_variables(document.get("playbook_variables", {})),
        start=document["workflow_start"],
        exception=document.get("workflow_exception", ""),
        steps={key: _step(key, entry) for key, entry in document["workflow"].items()},
        agents=_parties(document.get("agent_definitions", {})),
        targets=_parties(document.get("target_definitions", {})),
        logins=frozenset(document.get("authentication_info_definitions", {})),
    )


def levels(document: Json) -> list[str]:
    """Return the TLP levels that a document is marked with, in lower case without the prefix."""
    defined = document.get("data_marking_definitions", {})
    marks = [defined[one] for one in document.get("markings", ()) if one in defined]
    found = [str(mark["tlpv2_level"]) for mark in marks if mark["type"] == "marking-tlp"]
    return sorted({level.removeprefix("TLP:").lower() for level in found})


def called(document: Json) -> list[str]:
    """Return the ids of the playbooks that the steps of a checked document carry out."""
    steps = document["workflow"].values()
    return [one["playbook_id"] for one in steps if one["type"] == "playbook-action"]


def duty(entry: Json) -> Duty:
    """Return what our extension says of a step."""
    return duties.read(entry.get("step_extensions", {}).get(duties.EXTENSION, {}))


def said(command: Json) -> str:
    """Return what a command says, unpacked; raise ValueError where that is no text."""
    if "command_b64" in command:
        return base64.b64decode(command["command_b64"]).decode()
    return str(command.get("command", ""))


def content(command: Json) -> bytes:
    """Return the body that a command sends, unpacked."""
    if "content_b64" in command:
        return base64.b64decode(command["content_b64"])
    return str(command.get("content", "")).encode()


def body(command: Json) -> Any:
    """Return the JSON that a command sends, ``None`` for no body; raise ValueError for other."""
    sent = content(command)
    return json.loads(sent) if sent else None


def variable(name: str, entry: Json) -> Variable:
    """Return a variable as it is declared; raise Refused where its value does not fit."""
    kind, given = entry["type"], entry.get("value")
    return Variable(
        name=name,
        kind=kind,
        description=entry.get("description", ""),
        value=None if given is None else variables.value(kind, given),
        is_constant=entry.get("constant", False),
        is_external=entry.get("external", False),
    )


def _variables(entries: Json) -> dict[str, Variable]:
    return {name: variable(name, entry) for name, entry in entries.items()}


def moment(text: str | None) -> int | None:
    """Return a moment of a document in microseconds since 1970; nothing for no text."""
    return times.micros(text) if text else None


def _parties(entries: Json) -> dict[str, Party]:
    return {
        key: Party(
            id=key,
            kind=entry["type"],
            name=entry["name"],
            addresses={kind: tuple(some) for kind, some in entry.get("address", {}).items()},
            port=entry.get("port", ""),
            login=entry.get("authentication_info", ""),
        )
        for key, entry in entries.items()
    }


def _command(entry: Json) -> Command:
    return Command(
        kind=entry["type"],
        text=said(entry),
        description=entry.get("description", ""),
        activity=entry.get("playbook_activity", ""),
        headers={name: tuple(some) for name, some in entry.get("headers", {}).items()},
        content=content(entry),
    )


def _step(key: str, entry: Json) -> AnyStep:
    common: Json = {
        "id": key,
        "name": entry.get("name", ""),
        "description": entry.get("description", ""),
        "delay": int(entry.get("delay", 0)),
        "timeout": int(entry.get("timeout", 0)),
        "on_completion": entry.get("on_completion", ""),
        "on_success": entry.get("on_success", ""),
        "on_failure": entry.get("on_failure", ""),
        "variables": _variables(entry.get("step_variables", {})),
        "duty": duty(entry),
    }
    step: AnyStep = _STEPS[entry["type"]](common, entry)
    return step


def _action(common: Json, entry: Json) -> Action:
    commands = tuple(_command(one) for one in entry["commands"])
    targets = tuple(entry.get("targets", ()))
    given = common | _arguments(entry)
    return Action(**given, commands=commands, agent=entry["agent"], targets=targets)


def _call(common: Json, entry: Json) -> Call:
    called, version = entry["playbook_id"], entry.get("playbook_version", "")
    return Call(**common | _arguments(entry), playbook=called, version=version)


def _arguments(entry: Json) -> dict[str, tuple[str, ...]]:
    return {name: tuple(entry.get(name, ())) for name in ("in_args", "out_args")}


def _if(common: Json, entry: Json) -> If:
    condition = conditions.parse(entry["condition"])
    return If(
        **common,
        condition=condition,
        on_true=entry["on_true"],
        on_false=entry.get("on_false", ""),
    )


def _while(common: Json, entry: Json) -> While:
    condition = conditions.parse(entry["condition"])
    return While(**common, condition=condition, on_true=entry["on_true"])


def _switch(common: Json, entry: Json) -> Switch:
    name = templates.whole(entry["switch"]) or ""
    return Switch(**common, variable=name, cases=entry["cases"])


_STEPS: Mapping[str, Any] = {
    "start": lambda common, _: Start(**common),
    "end": lambda common, _: End(**common),
    "action": _action,
    "playbook-action": _call,
    "parallel": lambda common, entry: Parallel(**common, heads=tuple(entry["next_steps"])),
    "if-condition": _if,
    "while-condition": _while,
    "switch-condition": _switch,
}
