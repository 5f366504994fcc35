"""How far a playbook has come: responses, the runs of counties, and tasks of people.

A run's stored state says what the county and its end are; whether it runs or waits follows from
its steps and tasks. *Overdue* is no state: it follows from the deadlines of open tasks. Times are
microseconds since 1970 (UTC).

A response is proposed, rejected, running, done, failed, cancelled or reverted; a run is invited,
reached, accepted (shown as running or waiting), declined, done, failed, cancelled or reverted; a
task is open, claimed, done, failed or cancelled.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.variables import Value

GOING: frozenset[str] = frozenset({"invited", "reached", "accepted", "running", "waiting"})
"""States of a run that has not ended."""
OPEN: frozenset[str] = frozenset({"open", "claimed"})
"""States of a task that somebody still has to end."""


class Response(Struct, frozen=True, kw_only=True):
    """Hold one playbook being carried out across chosen counties."""

    id: str
    playbook_id: str
    playbook_modified: int
    title: str
    lock: str
    state: str
    exercise: bool
    paused: bool
    wanted: str
    variables: Mapping[str, Value]
    why: Mapping[str, Any]
    rule: str | None
    incident_id: str | None
    started_by: str | None
    approvals_needed: int
    approvals_since: int
    glass_until: int | None
    ratified_at: int | None
    known_at: int
    created_at: int
    began_at: int | None
    turn: int
    ended_at: int | None
    changed_at: int

    @property
    def is_free(self) -> bool:
        """Say whether a rule has only proposed it, and nobody has taken it up yet."""
        is_open = self.state == "proposed" and self.started_by is None
        return is_open and self.why.get("action") == "propose"


class Run(Struct, frozen=True, kw_only=True):
    """Hold one county's part of a response."""

    id: str
    response_id: str
    org_id: str
    attempt: int
    latest: bool
    state: str
    wanted: str
    invited_at: int
    reached_at: int | None
    accepted_at: int | None
    accepted_by: str | None
    shares_state: bool
    began_at: int | None
    ended_at: int | None
    reason: str | None
    changed_at: int


class Task(Struct, frozen=True, kw_only=True):
    """Hold a step that waits for a person; ``approvals`` over 0 asks people only to agree."""

    id: str
    response_id: str
    run_id: str
    org_id: str
    place: str
    step_id: str
    title: str
    text: str
    listed: list[tuple[str, str]]
    role: str
    questions: Mapping[str, Question]
    answers: Mapping[str, Value] | None
    approvals: int
    state: str
    assignee: str | None
    created_at: int
    due_at: int | None
    stage: int
    next_at: int | None
    ended_at: int | None
    ended_by: str | None
    reason: str | None

    def is_overdue(self, now: int) -> bool:
        """Say whether it waits for longer than it should."""
        return self.state in OPEN and self.due_at is not None and self.due_at < now


class Step(Struct, frozen=True, kw_only=True):
    """Hold what happened at one place of a run; ``seq`` counts in the order of beginning."""

    run_id: str
    place: str
    seq: int
    step_id: str
    kind: str
    state: str
    began_at: int
    ended_at: int | None
    results: Mapping[str, Value] | None
    reason: str | None


def shown_state(run: Run, open_tasks: int, begun_steps: int) -> str:
    """Return the state that people read: an accepted run is running or waits for somebody."""
    if run.state != "accepted":
        return run.state
    if open_tasks:
        return "waiting"
    return "running" if begun_steps else "accepted"
