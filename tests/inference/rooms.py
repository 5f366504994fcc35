"""What may happen with incidents, playbooks and responses, as data."""

from dataclasses import dataclass

EXTRA = "__answer__"


@dataclass(frozen=True)
class Report:
    """An organisation opens an incident of its own."""

    who: str
    slot: str
    words: str = "geheim"


@dataclass(frozen=True)
class Note:
    """An organisation writes something on the timeline of its incident."""

    who: str
    slot: str


@dataclass(frozen=True)
class Advance:
    """An organisation says how bad its incident is."""

    who: str
    slot: str
    severity: str


@dataclass(frozen=True)
class Link:
    """An organisation notes a value that belongs to its incident."""

    who: str
    slot: str
    value: int


@dataclass(frozen=True)
class Give:
    """An organisation shares its incident, reduced or whole."""

    who: str
    slot: str
    mark: str
    reduced: bool = True


@dataclass(frozen=True)
class TakeBack:
    """An organisation takes back what it shared of its incident."""

    who: str
    slot: str


@dataclass(frozen=True)
class Tie:
    """An organisation links a response to its incident, whether it knows of it or not."""

    who: str
    slot: str
    response: str


@dataclass(frozen=True)
class Import:
    """The center imports a playbook, or a newer version of one, under a level."""

    slot: str
    level: str


@dataclass(frozen=True)
class Start:
    """The center proposes a response for those of some counties who open its lock.

    ``outcome`` says what comes of it: it begins, waits, is rejected or cancelled, or somebody
    breaks the glass. ``book`` is the level of the playbook.
    """

    slot: str
    mark: str
    counties: tuple[str, ...]
    book: str = "clear"
    outcome: str = "begin"


@dataclass(frozen=True)
class Lead:
    """The center approves, rejects, pauses, resumes, cancels or rolls back a response."""

    slot: str
    deed: str


@dataclass(frozen=True)
class Ask:
    """The center puts a task to counties that take part in a response."""

    slot: str
    counties: tuple[str, ...]
    hours: int | None = None


@dataclass(frozen=True)
class Block:
    """The engine blocks a value at counties that have accepted."""

    slot: str
    counties: tuple[str, ...]
    value: int


@dataclass(frozen=True)
class Join:
    """An organisation accepts its part, and may let others see how far it is."""

    who: str
    slot: str
    shares: bool = False


@dataclass(frozen=True)
class Leave:
    """An organisation declines its part."""

    who: str
    slot: str


@dataclass(frozen=True)
class Answer:
    """An organisation takes its task over, ends it, gives it up, or remarks upon it."""

    who: str
    slot: str
    deed: str = "done"
    number: int = 1


@dataclass(frozen=True)
class Weigh:
    """The engine puts the question of a playbook to counties."""

    slot: str
    counties: tuple[str, ...]


@dataclass(frozen=True)
class Tell:
    """An organisation answers the question of the playbook."""

    who: str
    slot: str
    number: int


@dataclass(frozen=True)
class Choose:
    """The engine decides in counties by the sum of the answers, and they see which way it went."""

    slot: str
    counties: tuple[str, ...]


Incident = Report | Note | Advance | Link | Give | TakeBack
Part = Join | Leave | Answer | Tell
Response = Start | Lead | Ask | Block | Weigh | Choose | Part
Room = Incident | Tie | Import | Response
