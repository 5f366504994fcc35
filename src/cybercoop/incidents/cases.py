"""Cases: severity, the states that an incident goes through, and who is named in it."""

from dataclasses import dataclass
from enum import StrEnum

from cybercoop.errors import Refused


class Severity(StrEnum):
    """Name how grave an incident is for the organisation that has it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class State(StrEnum):
    """Name how far an incident has come."""

    REPORTED = "reported"
    INVESTIGATING = "investigating"
    CONTAINED = "contained"
    RECOVERING = "recovering"
    CLOSED = "closed"
    FALSE_ALARM = "false-alarm"


class PersonKind(StrEnum):
    """Name what a person has to do with an incident."""

    AFFECTED = "affected"
    REPORTER = "reporter"
    CONTACT = "contact"
    HANDLER = "handler"
    WITNESS = "witness"
    SUSPECT = "suspect"


class Part(StrEnum):
    """Name what another organisation does about an incident."""

    RESPONDER = "responder"
    FORENSICS = "forensics"
    CERT = "cert"
    POLICE = "police"
    AUTHORITY = "authority"
    SUPPLIER = "supplier"
    INSURER = "insurer"
    OTHER = "other"


_OPEN = frozenset({State.INVESTIGATING, State.CONTAINED, State.RECOVERING})
ENDS = frozenset({State.CLOSED, State.FALSE_ALARM})
NEXT: dict[State, frozenset[State]] = {
    State.REPORTED: _OPEN | ENDS,
    State.INVESTIGATING: (_OPEN | ENDS) - {State.INVESTIGATING},
    State.CONTAINED: (_OPEN | ENDS) - {State.CONTAINED},
    State.RECOVERING: (_OPEN | ENDS) - {State.RECOVERING},
    # What was closed comes back where it broke out again, or was no false alarm.
    State.CLOSED: frozenset({State.INVESTIGATING}),
    State.FALSE_ALARM: frozenset({State.INVESTIGATING}),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """Hold one case; times are microseconds since 1970.

    ``known_at`` is when the organisation came to know of it: legal clocks run from there.
    ``began_at`` is when it happened, as far as that is known.
    """

    id: str
    org_id: str
    title: str
    text: str
    category: str
    type: str
    severity: Severity
    state: State
    known_at: int
    began_at: int | None
    created_at: int
    changed_at: int

    @property
    def is_open(self) -> bool:
        """Say whether there is still something to do."""
        return self.state not in ENDS


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one line of a timeline: when, who, what happened, and in which words."""

    at: int
    who: str
    what: str
    text: str


def check_step(state: State, following: State) -> None:
    """Refuse a state that does not follow from another."""
    if following not in NEXT[state]:
        after = ", ".join(one.value for one in State if one in NEXT[state])
        raise Refused(f"After {state.value} comes one of: {after}.", "state")
