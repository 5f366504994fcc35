"""Explaining firings: what happened, which conditions held, what was done, or why nothing was.

The whole of it is for the center. What takes part in a response reads ``for_all``: nothing in it
counts contributors, names organisations, or tells what else there was.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cybercoop.playbooks import templates
from cybercoop.responses.rules import Rule
from cybercoop.responses.triggers import Given, Happened, Met, kinds
from cybercoop.responses.triggers._deciding import WORDS, Decision
from cybercoop.stix import times


def happened(event: Happened) -> dict[str, Any]:
    """Return what happened, as everybody may read it who can open its lock."""
    gives = {name: value for name, value in event.gives.items() if value is not None}
    return {"at": times.text(event.at), "lock": event.lock} | gives


def why(rule: Rule, met: Met, decision: Decision, **more: Any) -> dict[str, Any]:
    """Return the explanation of one firing, for the center."""
    event = happened(met.event) | ({"inner": met.event.inner} if met.event.inner else {})
    return {
        "rule": {"name": rule.name, "title": rule.title, "kind": rule.kind},
        "happened": event,
        "held": [msgspec.to_builtins(one) for one in met.held],
        "done": done(decision, **more),
        "count": 1,
        "last": times.text(met.event.at),
    }


def done(decision: Decision, **more: Any) -> dict[str, Any]:
    """Return what was done, or why nothing was."""
    german, english = WORDS[decision.verdict]
    found: dict[str, Any] = {"verdict": decision.verdict, "de": german, "en": english}
    if decision.reason:
        found["reason"] = decision.reason
    if decision.until is not None:
        found["until"] = times.text(decision.until)
    return found | more


def together(some: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one explanation of several firings that ended alike: the first, and examples."""
    examples = [one["happened"] for one in some[:10]]
    return {**some[0], "count": len(some), "last": some[-1]["last"], "examples": examples}


def for_all(rule: Rule, event: Happened) -> dict[str, Any]:
    """Return the explanation that those read who take part in a response."""
    german, english = sentence(rule.kind, event.gives)
    told = {"rule": rule.title, "action": rule.action, "happened": happened(event)}
    return told | {"de": german, "en": english}


def sentence(kind: str, gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say in German and English what happened, with its values as they may stand before people."""
    harmless = {
        name: templates.shown(value) if isinstance(value, str) else value
        for name, value in gives.items()
    }
    return kinds()[kind].said(harmless)


def sentences(explained: Mapping[str, Any]) -> tuple[str, str]:
    """Return an explanation in German and English, as one paragraph each."""
    rule, ended = explained["rule"], explained["done"]
    german, english = sentence(rule["kind"], explained["happened"])
    held = "; ".join(
        f"{one['name']}: {_written(one['found'])} ({_written(one['wanted'])})"
        for one in explained["held"]
    )
    reason = f" {ended['reason']}" if ended.get("reason") else ""
    more = explained["count"] - 1
    de = [f"Regel „{rule['title']}“.", german]
    en = [f"Rule “{rule['title']}”.", english]
    if held:
        de.append(f"Gefunden (verlangt): {held}.")
        en.append(f"Found (wanted): {held}.")
    de.append(f"{ended['de']}{reason}")
    en.append(f"{ended['en']}{reason}")
    if more > 0:
        de.append(f"So ging es noch {more} weiteren.")
        en.append(f"So it went with {more} more.")
    return " ".join(de), " ".join(en)


def _written(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
