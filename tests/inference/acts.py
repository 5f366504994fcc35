"""What may happen in a center, as data; and a second, much simpler book of who may see what.

The book knows nothing of the product's policy: it says with sets of names what DESIGN says in
its table of sharing rules, so that a mistake in the policy shows as a difference.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

MEMBERS = ("a", "b", "c")
COMMUNITY = (*MEMBERS, "d", "p")
EVERYBODY = (*COMMUNITY, "n")
GROUPS = ("g", "h")
READERS = (*EVERYBODY, "nobody")
MARKS = (
    None,
    "clear",
    "green",
    "amber",
    "amber+strict",
    "red",
    "amber g",
    "amber h",
    "amber+strict g",
    "amber+strict h",
)
SLOTS = ("s0", "s1", "s2")


@dataclass(frozen=True)
class Push:
    """An organisation pushes one of its objects, in its newest form."""

    who: str
    slot: str
    value: int
    mark: str | None
    confidence: int | None = None
    kind: str = "indicator"
    revoked: bool = False
    named: bool = False


@dataclass(frozen=True)
class Delete:
    """An organisation deletes one of its objects."""

    who: str
    slot: str


@dataclass(frozen=True)
class Steal:
    """An organisation pushes its own indicator under an id that the center gave to another."""

    who: str
    number: int
    mark: str | None


@dataclass(frozen=True)
class Move:
    """An organisation joins or leaves a group."""

    who: str
    group: str


@dataclass(frozen=True)
class Wait:
    """Time passes; values expire."""

    days: int


Act = Push | Delete | Steal | Move | Wait

_who = st.sampled_from(EVERYBODY)
_mark = st.sampled_from(MARKS)
_kinds = st.sampled_from(
    ("indicator", "indicator", "indicator", "benign", "malware", "relationship", "observable")
)
acts = st.lists(
    st.one_of(
        st.builds(
            Push,
            _who,
            st.sampled_from(SLOTS),
            st.integers(0, 1),
            _mark,
            st.sampled_from((None, 20, 80)),
            _kinds,
            st.booleans(),
            st.booleans(),
        ),
        st.builds(Push, _who, st.sampled_from(SLOTS), st.just(1), _mark),
        st.builds(Delete, _who, st.sampled_from(SLOTS)),
        st.builds(Steal, _who, st.integers(0, 5), _mark),
        st.builds(Move, st.sampled_from(COMMUNITY), st.sampled_from(GROUPS)),
        st.builds(Wait, st.integers(1, 25)),
    ),
    min_size=3,
    max_size=14,
)


class Book:
    """Who is in which group, and which locks that opens; written down by hand."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {"g": {"a", "b"}, "h": {"b", "c"}}

    def move(self, act: Move) -> None:
        self.groups[act.group] ^= {act.who}

    def lock(self, who: str, mark: str | None) -> str | None:
        """Return the lock of a push; None where it is refused."""
        level, _, group = (mark or "").partition(" ")
        if level == "red" or (group and who not in self.groups[group]):
            return None
        kind = {"amber": "group", "amber+strict": "strict"}.get(level)
        if kind:
            return f"{kind}:{group or 'members'}"
        return {"": f"own:{who}", "clear": "public", "green": "community"}[level]

    def opens(self, reader: str) -> set[str]:
        """Return the locks that a reader opens now."""
        locks = {"public"}
        if reader in COMMUNITY:
            locks.add("community")
        for group, inside in (*self.groups.items(), ("members", set(MEMBERS))):
            if reader in inside:
                locks |= {f"group:{group}", f"strict:{group}"}
            if reader == "d" and "a" in inside:
                locks.add(f"group:{group}")
        return locks


def unseen(history: list[Act], echoes: set[int], stolen: dict[int, str], reader: str) -> set[int]:
    """Return the numbers of acts that leave out all that ``reader`` may never see.

    ``echoes`` are the numbers of acts that gave back what the center had released, ``stolen``
    the ids that acts took from it.

    An object of another organisation goes with its whole history when every version of it was
    under locks that the reader never opens; so do echoes, which are nobody's but their owner's.
    """
    book, opened = Book(), set[str]()
    locks: dict[tuple[str, str], set[str]] = {}
    opened |= book.opens(reader)
    for number, act in enumerate(history):
        if isinstance(act, Move):
            book.move(act)
            opened |= book.opens(reader)
        elif isinstance(act, Push | Steal):
            lock = book.lock(act.who, act.mark)
            if lock is not None and number not in echoes:
                locks.setdefault(_thing(number, act, stolen), set()).add(lock)
    gone = set()
    for number, act in enumerate(history):
        foreign = isinstance(act, Push | Steal | Delete) and act.who != reader
        if foreign and not locks.get(_thing(number, act, stolen), set()) & opened:
            gone.add(number)
    return gone


def _thing(number: int, act: Push | Steal | Delete, stolen: dict[int, str]) -> tuple[str, str]:
    return act.who, stolen.get(number, "") if isinstance(act, Steal) else act.slot


TELLING: tuple[tuple[list[Act], str], ...] = (
    ([Push("a", "s0", 1, "amber+strict")], "d"),
    ([Push("a", "s0", 1, "amber")], "p"),
    ([Push("a", "s0", 1, "amber+strict")], "p"),
    ([Push("a", "s0", 1, "amber+strict g"), Steal("c", 0, "green")], "p"),
    ([Push("a", "s0", 1, "amber+strict g"), Steal("p", 0, None)], "p"),
    ([Push("a", "s0", 1, "green", 20), Push("b", "s0", 1, "amber", 80)], "p"),
    ([Push("a", "s0", 0, "amber"), Push("b", "s0", 1, "green")], "p"),
    (
        [
            Push("a", "s0", 1, "amber"),
            Push("a", "s1", 1, "green", kind="malware"),
            Push("a", "s2", 1, "green", kind="relationship"),
        ],
        "p",
    ),
    (
        [
            Push("a", "s0", 1, "clear", 20),
            Push("b", "s0", 1, "amber", 20),
            Push("a", "s0", 1, "clear", 80),
        ],
        "nobody",
    ),
)
"""Histories, and readers, in which a mistake shows at once; chance needs longer to find them."""
