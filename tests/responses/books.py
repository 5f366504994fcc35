"""Playbooks made for tests: a few words say what happens, this makes a document of it."""

import json
import uuid
from typing import Any

from cybercoop.playbooks.duties import EXTENSION

_SPACE = uuid.UUID("00000000-0000-4000-8000-000000000000")
COUNTY = "organization--11111111-1111-4111-8111-111111111111"
_MARK = "marking-tlp--11111111-1111-4111-8111-111111111111"
_CREATED = "2026-01-01T00:00:00Z"


def key(kind: str, name: str) -> str:
    """Return the id of a step by its kind and short name."""
    return f"{kind}--{uuid.uuid5(_SPACE, name)}"


def action(name: str, *commands: dict[str, Any], to: str, **more: Any) -> dict[str, Any]:
    """Return an action, by its id, that leads to a step."""
    duty = more.pop("duty", None)
    step = {"type": "action", "name": name, "commands": list(commands), "agent": COUNTY}
    step |= {"on_completion": to} if "on_success" not in more else {}
    if duty is not None:
        step["step_extensions"] = {EXTENSION: duty}
    return {key("action", name): step | more}


def manual(
    name: str, *, to: str, asks: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return a task that asks for the answers of ``asks`` (variable and kind of question)."""
    duty = dict(more.pop("duty", {}))
    if asks:
        duty["questions"] = {
            variable: {"ask": f"{variable}?", "kind": kind} for variable, kind in asks.items()
        }
        more["out_args"] = list(asks)
    return action(name, {"type": "manual", "command": name}, to=to, duty=duty, **more)


def end(name: str = "end") -> dict[str, Any]:
    """Return an end."""
    return {key("end", name): {"type": "end"}}


def step(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """Return a step of any kind."""
    return {key(kind, name): {"type": kind, "name": name} | more}


def book(
    name: str,
    first: str,
    *steps: dict[str, Any],
    variables: dict[str, Any] | None = None,
    level: str = "AMBER",
    **more: Any,
) -> bytes:
    """Return a playbook whose first step behind the start is ``first``."""
    start = key("start", name)
    workflow: dict[str, Any] = {start: {"type": "start", "on_completion": first}}
    for one in steps:
        workflow |= one
    identity = f"identity--{uuid.uuid5(_SPACE, 'center')}"
    document = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": key("playbook", name),
        "name": name,
        "created_by": identity,
        "created": _CREATED,
        "modified": _CREATED,
        "playbook_variables": variables or {},
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {COUNTY: {"type": "organization", "name": "Landkreis"}},
        "extension_definitions": {
            EXTENSION: {
                "type": "extension-definition",
                "name": "cybercoop duties",
                "created_by": identity,
                "schema": "cybercoop.playbooks.duties",
                "version": "1",
            }
        },
        "markings": [_MARK],
        "data_marking_definitions": {
            _MARK: {
                "type": "marking-tlp",
                "id": _MARK,
                "created_by": identity,
                "created": _CREATED,
                "tlpv2_level": f"TLP:{level}",
            }
        },
    }
    found = {name: value for name, value in (document | more).items() if value is not None}
    return json.dumps(found).encode()
