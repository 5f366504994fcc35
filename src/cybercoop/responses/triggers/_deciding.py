"""Deciding what a rule makes of something: act, wait, or leave it, and why.

A decision about something under a lock follows from what stands under that lock alone, so that
nobody can tell from a response that is missing what happened under a lock that he cannot open.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from cybercoop.responses.rules import Rule
from cybercoop.responses.triggers import Met

WORDS: Mapping[str, tuple[str, str]] = {
    "act": ("Die Regel handelt.", "The rule acts."),
    "proposed": ("Ein Einsatz wurde vorgeschlagen.", "A response was proposed."),
    "started": ("Ein Einsatz wurde begonnen.", "A response was begun."),
    "waiting": (
        "Es ist Ruhezeit; danach wird gehandelt.",
        "These are quiet hours; it acts when they end.",
    ),
    "repeated": (
        "Dasselbe hat die Regel vor Kurzem schon ausgelöst.",
        "The same fired the rule a short while ago.",
    ),
    "limited": (
        "Die Regel hat so oft gehandelt, wie sie darf.",
        "The rule has acted as often as it may.",
    ),
    "own": (
        "Es ist die Wirkung eines eigenen Einsatzes oder des Zentrums selbst.",
        "It is what a response of ours, or the center itself, has caused.",
    ),
    "no-county": (
        "Kein gewählter Landkreis hat die Berechtigung dafür.",
        "No county that was chosen holds the key to it.",
    ),
    "refused": ("Der Einsatz ist so nicht möglich.", "The response is not possible so."),
}
"""What each verdict says, in German and English."""


class Decision(Struct, frozen=True):
    """Hold a verdict; ``until`` is when a rule that waits may act, ``reason`` what else to say."""

    verdict: str
    reason: str = ""
    until: int | None = None


@dataclass(slots=True)
class Memory:
    """Hold what one rule did of late: when about which subject, and when under each lock."""

    subjects: dict[tuple[str, str], int] = field(default_factory=dict)
    locks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def note(self, subject: str, lock: str, at: int) -> None:
        """Remember that the rule did something."""
        self.subjects[lock, subject] = at
        self.locks[lock].append(at)


def decide(rule: Rule, met: Met, memory: Memory, now: int) -> Decision:
    """Return what a rule makes of something that meets it; what acts is noted by the caller."""
    event = met.event
    if met.own:
        return Decision("own", met.own)
    last = memory.subjects.get((event.lock, event.subject))
    if last is not None and now - last < rule.repeats:
        return Decision("repeated")
    most, window = rule.most
    if sum(now - at < window for at in memory.locks[event.lock]) >= most:
        return Decision("limited", rule.limit)
    until = rule.quiet_until(now)
    return Decision("act") if until is None else Decision("waiting", rule.quiet, until)
