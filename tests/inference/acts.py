"""What may happen in a center, as data; and a second, much simpler book of who may see what.

The book knows nothing of the product's policy: it says with sets of names what DESIGN says in
its table of sharing rules, so that a mistake in the policy shows as a difference.
"""

from dataclasses import dataclass, field

from inference.rooms import Room

MEMBERS = ("a", "b", "c")
COMMUNITY = (*MEMBERS, "d", "p")
EVERYBODY = (*COMMUNITY, "n")
CENTER = "center"
GROUPS = ("g", "h")
READERS = (*EVERYBODY, "nobody")
LEVELS = ("clear", "green", "amber", "amber+strict")
MARKS = (
    None,
    "red",
    *LEVELS,
    *(f"{level} {group}" for group in GROUPS for level in LEVELS[2:]),
)
SLOTS = ("s0", "s1", "s2")

WARNED, PASSING, ADDRESS, HELD, NEVER = range(5)
VALUES = (
    "evil.example",
    "evil.cybercoop-test.net",
    "198.51.100.7",
    "45.12.0.0/20",
    "bund.de",
)
"""One that the guard warns of, one that it lets pass, an address, one held, one never released."""


def observed(value: int) -> str:
    """Return the type of the observable that has a value."""
    return "ipv4-addr" if VALUES[value][0].isdigit() else "domain-name"


@dataclass(frozen=True)
class Push:
    """An organisation pushes one of its objects, in its newest form.

    Who is named has his text cleared, too. What is ``older`` comes as STIX 2.0.
    """

    who: str
    slot: str
    value: int
    mark: str | None
    confidence: int | None = None
    kind: str = "indicator"
    revoked: bool = False
    named: bool = False
    older: bool = False

    @property
    def type(self) -> str:
        """Return the STIX type of the object."""
        if self.kind == "observable":
            return observed(self.value)
        types = {"benign": "indicator", "based-on": "relationship", "remark": "note"}
        return types.get(self.kind, self.kind)


@dataclass(frozen=True)
class Delete:
    """An organisation deletes one of its objects."""

    who: str
    slot: str
    type: str = "indicator"


@dataclass(frozen=True)
class Undo:
    """An organisation takes back how it last pushed one of its objects."""

    who: str
    slot: str
    type: str = "indicator"


@dataclass(frozen=True)
class Steal:
    """An organisation pushes its own indicator under an id that the center gave to another."""

    who: str
    number: int
    mark: str | None


@dataclass(frozen=True)
class Sight:
    """An organisation has seen what the center released under some id, or writes about it."""

    who: str
    number: int
    mark: str | None
    kind: str = "sighting"


@dataclass(frozen=True)
class Say:
    """The reader has seen a value, or finds it harmless, wherever he reads it."""

    value: int
    harmless: bool


@dataclass(frozen=True)
class Decide:
    """The center decides about a value that the guard holds under a lock, if it does."""

    lock: str
    value: int
    decision: str


@dataclass(frozen=True)
class Confirm:
    """The center confirms a change that the canary of a lock held back, if it did."""

    lock: str


@dataclass(frozen=True)
class Except:
    """The center lets nobody block a value, or an organisation its own devices."""

    who: str
    value: int
    days: int | None = None


@dataclass(frozen=True)
class Fetch:
    """A device of an organisation fetches its lists."""

    who: str


@dataclass(frozen=True)
class Move:
    """An organisation joins or leaves a group."""

    who: str
    group: str


@dataclass(frozen=True)
class Wait:
    """Time passes; values expire."""

    days: int


Own = Push | Delete | Undo | Steal | Sight
Act = Own | Say | Decide | Confirm | Except | Fetch | Move | Wait | Room


@dataclass(frozen=True)
class Case:
    """A history, who looks, and after which acts; after hurried ones no cycle comes."""

    history: tuple[Act, ...]
    reader: str
    looks: frozenset[int] = frozenset()
    hurried: frozenset[int] = frozenset()


@dataclass
class Facts:
    """What came out while a history happened: echoes by number, and which ids acts took.

    ``rooms`` are the ids of all responses, tasks and so on that there were at a look.
    """

    echoes: set[int] = field(default_factory=set)
    ids: dict[int, str] = field(default_factory=dict)
    rooms: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)


class Book:
    """Who is in which group, and which locks that opens; written down by hand."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {"g": {"a", "b"}, "h": {"b", "c"}}

    def move(self, act: Move) -> None:
        self.groups[act.group] ^= {act.who}

    def lock(self, who: str, mark: str | None) -> str | None:
        """Return the lock of a push; None where it is refused. The center addresses any group."""
        level, _, group = (mark or "").partition(" ")
        if level == "red" or (group and who not in {*self.groups[group], CENTER}):
            return None
        kind = {"amber": "group", "amber+strict": "strict"}.get(level)
        if kind:
            return f"{kind}:{group or 'members'}"
        return {"": f"own:{who}", "clear": "public", "green": "community"}[level]

    def opens(self, reader: str) -> set[str]:
        """Return the locks that a reader opens now."""
        locks = {"public"}
        if reader in {*COMMUNITY, CENTER}:
            locks.add("community")
        for group, inside in (*self.groups.items(), ("members", {*MEMBERS, CENTER})):
            if reader in inside:
                locks |= {f"group:{group}", f"strict:{group}"}
            if reader == "d" and "a" in inside:
                locks.add(f"group:{group}")
        return locks
