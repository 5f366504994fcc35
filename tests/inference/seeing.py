"""What is left of a history once all that a reader may never see is taken out of it.

Acts that he may never see are left out; of those that reach him and others, his part is left.
"""

from collections.abc import Sequence
from dataclasses import replace

from inference.acts import (
    CENTER,
    Act,
    Book,
    Confirm,
    Decide,
    Except,
    Facts,
    Fetch,
    Move,
    Own,
    Push,
    Sight,
    Steal,
)
from inference.rooms import (
    Advance,
    Answer,
    Ask,
    Block,
    Choose,
    Give,
    Import,
    Incident,
    Join,
    Lead,
    Link,
    Note,
    Part,
    Report,
    Response,
    Start,
    Tie,
    Weigh,
)

_BEGUN = ("begin", "glass")
_WORDS = "anders"


def as_seen(history: Sequence[Act], reader: str, facts: Facts) -> list[Act | None]:
    """Return a history without what ``reader`` may never see; None takes its time.

    An object of another organisation goes with its whole history when every version of it was
    under locks that the reader never opens; so do echoes, which are nobody's but their owner's.
    What the center decides about a lock goes when the reader never opens it, even if he gave
    something under it. Exceptions and fetches are for whoever makes them; only those of the
    center are for all.
    """
    told = _Told(history, reader, facts)
    return [told.left(number, act) for number, act in enumerate(history)]


class _Told:
    """What there is to know of a history before one says what a reader sees of it."""

    def __init__(self, history: Sequence[Act], reader: str, facts: Facts) -> None:
        self.history, self.reader, self.facts = history, reader, facts
        self.locks: dict[tuple[str, str], set[str]] = {}
        self.keys: list[set[str]] = []
        """By act: what the reader opens then or later."""
        self.started: dict[int, Start] = {}
        self.current: dict[str, int] = {}
        self.meant: dict[int, int] = {}
        """By act about a response: which act proposed it."""
        self.began, self.ended = set[int](), set[int]()
        self.agreed: dict[int, set[str]] = {}
        book = Book()
        before = book.opens(reader)
        for number, act in enumerate(history):
            if isinstance(act, Move):
                book.move(act)
            self.keys.append(book.opens(reader))
            if isinstance(act, Push | Steal | Sight | Give):
                self._note_lock(number, act, book)
            elif isinstance(act, Response):
                self._note_response(number, act, book)
        for number in reversed(range(len(history) - 1)):
            self.keys[number] |= self.keys[number + 1]
        self.opened = before.union(*self.keys)

    def _note_lock(self, number: int, act: Push | Steal | Sight | Give, book: Book) -> None:
        lock = book.lock(act.who, act.mark)
        if lock is not None and number not in self.facts.echoes:
            self.locks.setdefault(self._thing(number, act), set()).add(lock)

    def _note_response(self, number: int, act: Response, book: Book) -> None:
        if isinstance(act, Start):
            lock = str(book.lock(CENTER, act.mark))
            some = tuple(one for one in act.counties if lock in book.opens(one))
            self.started[number] = replace(act, counties=some)
            self.current[act.slot], self.agreed[number] = number, set()
            if act.outcome in _BEGUN:
                self.began.add(number)
            elif act.outcome != "propose":
                self.ended.add(number)
        if act.slot not in self.current:
            return
        one = self.meant[number] = self.current[act.slot]
        if isinstance(act, Lead) and one not in self.began | self.ended:
            if act.deed == "approve":
                self.began.add(one)
            elif act.deed in {"reject", "cancel"}:
                self.ended.add(one)
        elif isinstance(act, Join) and act.shares:
            self.agreed[one].add(act.who)

    def left(self, number: int, act: Act) -> Act | None:
        """Return what is left of an act."""
        if isinstance(act, Response):
            return self._response(number, act)
        if isinstance(act, Incident):
            return self._incident(number, act)
        return None if self._is_gone(number, act) else act

    def _is_gone(self, number: int, act: Act) -> bool:
        if isinstance(act, Tie):
            return act.who != self.reader
        if isinstance(act, Import):
            return self.reader != CENTER and Book().lock(CENTER, act.level) not in self.opened
        if isinstance(act, Own):
            seen = self.locks.get(self._thing(number, act), set()) & self.opened
            return act.who != self.reader and not seen
        if isinstance(act, Except | Fetch):
            return act.who not in {self.reader, CENTER}
        return isinstance(act, Decide | Confirm) and act.lock not in self.opened

    def _incident(self, number: int, act: Incident) -> Act | None:
        """Leave of others' incidents what is shared of them, as it is then."""
        if act.who == self.reader:
            return act
        given = [
            (at, one)
            for at, one in enumerate(self.history)
            if isinstance(one, Give) and (one.who, one.slot) == (act.who, act.slot)
        ]
        if not self.locks.get(self._thing(number, act), set()) & self.opened:
            return None
        if isinstance(act, Note) or (
            isinstance(act, Advance | Link) and all(at < number for at, _ in given)
        ):
            return None
        if isinstance(act, Report) and all(one.reduced for _, one in given):
            return replace(act, words=_WORDS)
        return act

    def _response(self, number: int, act: Response) -> Act | None:
        """Leave of a response the reader's part, and of others what they agreed to show."""
        if self.reader == CENTER or number not in self.meant:
            return act
        one = self.meant[number]
        is_mine = isinstance(act, Part) and act.who == self.reader
        if one not in self.began or self.reader not in self.started[one].counties:
            return act if is_mine else None
        known = {self.reader, *self.agreed[one]}
        if isinstance(act, Start | Weigh):
            return replace(act, counties=tuple(who for who in act.counties if who in known))
        if isinstance(act, Ask | Block | Choose):
            return replace(act, counties=(self.reader,)) if self.reader in act.counties else None
        if isinstance(act, Lead):
            is_quiet = act.deed in {"pause", "resume"}
            lock = Book().lock(CENTER, self.started[one].mark)
            return None if is_quiet and lock not in self.keys[number] else act
        return act if is_mine or (act.who in known and not isinstance(act, Answer)) else None

    def _thing(self, number: int, act: Own | Incident) -> tuple[str, str]:
        """Return whose object an act is about, and what tells it from others of that owner."""
        if isinstance(act, Steal):
            return act.who, self.facts.ids.get(number, "")
        if isinstance(act, Sight):
            return act.who, f"sighting {number}"
        if isinstance(act, Incident):
            return act.who, f"incident {act.slot}"
        return act.who, f"{act.type} {act.slot}"
