"""Who takes part in a history, drawn by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from inference.acts import Book, Push

_CONFIDENCES = (None, 20, 80)


@dataclass(frozen=True)
class Cast:
    """Who takes part in a history, with which values and marks, and who looks."""

    draw: st.DrawFn
    reader: str
    actors: tuple[str, ...]
    values: tuple[int, ...]
    marks: tuple[str, ...]

    def one(self, some: Sequence[str]) -> str:
        return self.draw(st.sampled_from(some))

    def draw_one(self, some: Sequence[int | None]) -> int | None:
        return self.draw(st.sampled_from(some))

    def number(self, last: int) -> int:
        return self.draw(st.integers(0, last))

    def chance(self, of: int) -> bool:
        return self.number(of - 1) == 0

    def who(self) -> str:
        return self.one(self.actors)

    def value(self) -> int:
        return self.draw(st.sampled_from(self.values))

    def mark(self, who: str) -> str:
        """Draw a mark of the cast that this organisation may use."""
        usable = [mark for mark in self.marks if Book().lock(who, mark) is not None]
        return self.one(usable or ["green"])

    def two(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Draw who says something under which mark, twice: one the reader sees, the other not."""
        book = Book()
        some = [(who, mark) for who in self.actors for mark in self.marks]
        locks = {one: lock for one in some if (lock := book.lock(*one)) is not None}
        seen = [one for one, lock in locks.items() if lock in book.opens(self.reader)]
        seen += [one for one in seen if one[0] == self.reader] * 2
        hidden = [one for one, lock in locks.items() if lock not in book.opens(self.reader)]
        if not (seen and hidden) or self.chance(6):
            seen = hidden = list(locks) or [(self.actors[0], "green")]
        found = self.draw(st.sampled_from(hidden)), self.draw(st.sampled_from(seen))
        return found if self.chance(2) else (found[1], found[0])

    def push(self, who: str | None = None, **more: object) -> Push:
        """Draw a push; ``more`` are fields that are known."""
        who = who or self.who()
        said = {
            "slot": self.one(("s0", "s1")),
            "value": self.value(),
            "mark": more["mark"] if "mark" in more else self.mark(who),
            "confidence": self.draw(st.sampled_from(_CONFIDENCES)),
            "named": self.chance(4),
        }
        return Push(who, **(said | more))  # type: ignore[arg-type]
