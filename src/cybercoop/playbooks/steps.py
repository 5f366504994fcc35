"""A playbook as an interpreter walks it: frozen, typed, every pointer a step's id.

A branch (of parallel, if, while, switch, and a way back) runs from its head to its own end step;
then control returns to the step that branched, and goes on behind it.
"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from cybercoop import errors
from cybercoop.playbooks import variables
from cybercoop.playbooks.conditions import Condition
from cybercoop.playbooks.duties import Duty
from cybercoop.playbooks.variables import Value, Variable

OTHERWISE = "default"


class Party(Struct, frozen=True, kw_only=True):
    """Hold an agent, who does something, or a target, to which it is done."""

    id: str
    kind: str
    name: str
    addresses: Mapping[str, tuple[str | int, ...]] = {}
    port: str = ""
    login: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """Hold one command; ``text`` is what it says, ``content`` the body of a request."""

    kind: str
    text: str = ""
    description: str = ""
    activity: str = ""
    headers: Mapping[str, tuple[str, ...]] = {}
    content: bytes = b""


class Step(Struct, frozen=True, kw_only=True):
    """Hold what all steps have; ``delay`` and ``timeout`` are milliseconds, 0 is none."""

    id: str
    name: str = ""
    description: str = ""
    delay: int = 0
    timeout: int = 0
    on_completion: str = ""
    on_success: str = ""
    on_failure: str = ""
    variables: Mapping[str, Variable] = {}
    duty: Duty = Duty()

    @property
    def next(self) -> str:
        """Return the step that follows when all went well; nothing follows an end."""
        return self.on_completion or self.on_success


class Start(Step, frozen=True, tag="start"):
    """Begin."""


class End(Step, frozen=True, tag="end"):
    """End the playbook, or the branch that it is in."""


class Action(Step, frozen=True, kw_only=True, tag="action"):
    """Carry out commands."""

    commands: tuple[Command, ...]
    agent: str
    targets: tuple[str, ...] = ()
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()


class Call(Step, frozen=True, kw_only=True, tag="playbook-action"):
    """Carry out another playbook; without ``version`` the newest that may be used."""

    playbook: str
    version: str = ""
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()


class Parallel(Step, frozen=True, kw_only=True, tag="parallel"):
    """Run all branches side by side and wait for all of them."""

    heads: tuple[str, ...]


class If(Step, frozen=True, kw_only=True, tag="if-condition"):
    """Run one branch, or none where there is no ``on_false``."""

    condition: Condition
    on_true: str
    on_false: str = ""


class While(Step, frozen=True, kw_only=True, tag="while-condition"):
    """Run the branch as long as the condition holds; ``duty.max_rounds`` bounds it."""

    condition: Condition
    on_true: str


class Switch(Step, frozen=True, kw_only=True, tag="switch-condition"):
    """Run the branch of the case that is the variable's value, else that of ``default``."""

    variable: str
    cases: Mapping[str, str]

    def takes(self, case: str, kind: str) -> bool:
        """Say whether a variable of this type can have the value that a case names."""
        return case == OTHERWISE or _value(kind, case) is not None

    def head(self, kind: str, value: Value) -> str:
        """Return the head of the branch to run; raise Refused where no case fits."""
        for case, head in self.cases.items():
            if case != OTHERWISE and _value(kind, case) == value:
                return head
        if OTHERWISE not in self.cases:
            raise errors.Refused(f"No case fits the value of {self.variable}.", "cases")
        return self.cases[OTHERWISE]


def _value(kind: str, text: str) -> Value | None:
    try:
        return variables.value(kind, text)
    except errors.Refused:
        return None


AnyStep: TypeAlias = Start | End | Action | Call | Parallel | If | While | Switch


class Playbook(Struct, frozen=True, kw_only=True):
    """Hold one version of a playbook; ``id`` and ``modified`` name it, ``digest`` is its content's.

    ``level`` is its TLP level in lower case without the prefix, empty where it carries none.
    Times are microseconds since 1970.
    """

    id: str
    modified: int
    digest: str
    name: str
    description: str
    created_by: str
    created: int
    revoked: bool
    valid_from: int | None
    valid_until: int | None
    level: str
    labels: tuple[str, ...]
    variables: Mapping[str, Variable]
    start: str
    exception: str
    steps: Mapping[str, AnyStep]
    agents: Mapping[str, Party]
    targets: Mapping[str, Party]
    logins: frozenset[str]


def branches(step: AnyStep) -> list[tuple[str, str]]:
    """Return the heads of the branches of a step, each with the field that names it."""
    found: list[tuple[str, str]] = []
    if isinstance(step, Parallel):
        found = [(f"next_steps[{at}]", head) for at, head in enumerate(step.heads)]
    elif isinstance(step, If):
        found = [("on_true", step.on_true), ("on_false", step.on_false)]
    elif isinstance(step, While):
        found = [("on_true", step.on_true)]
    elif isinstance(step, Switch):
        found = [(f"cases.{case}", head) for case, head in step.cases.items()]
    found.append(("revert", step.duty.revert))
    return [(field, head) for field, head in found if head]


def calls(playbook: Playbook) -> list[tuple[str, str]]:
    """Return the playbooks that this one carries out, by id and version (empty: the newest)."""
    steps = playbook.steps.values()
    return [(step.playbook, step.version) for step in steps if isinstance(step, Call)]


def is_valid(playbook: Playbook, now: int) -> bool:
    """Say whether a playbook may be started now: neither revoked, nor too early, nor too late."""
    begins = playbook.valid_from is None or playbook.valid_from <= now
    ends = playbook.valid_until is not None and playbook.valid_until <= now
    return begins and not ends and not playbook.revoked
