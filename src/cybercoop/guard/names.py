"""Look names up: the name itself, everything below it, and every parent of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cybercoop.guard.verdicts import ALLOWED, Level, Reach, Verdict, by_rule

BARE = by_rule("public-suffix", Level.NEVER)


class _Said(NamedTuple):
    """Hold what is said about a name, about all below it and about those directly below it."""

    here: Verdict = ALLOWED
    below: Verdict = ALLOWED
    children: Verdict = ALLOWED
    free: bool = False


_NOTHING = _Said()


@dataclass(frozen=True, slots=True)
class Names:
    """Hold what is said about each name. Equal sayings are one object: a name costs its text."""

    said: dict[str, _Said]

    def verdict(self, name: str) -> Verdict:
        """Return the strictest verdict on a name in lower-case ASCII without trailing dot."""
        said = self.said
        own = said.get(name, _NOTHING)
        best = own.here
        at = name.find(".")
        if at < 0:
            return best if best.level >= BARE.level else BARE
        parent = said.get(name[at + 1 :])
        if parent is not None and not own.free and parent.children.level > best.level:
            best = parent.children
        while at >= 0:
            parent = said.get(name[at + 1 :])
            if parent is not None and parent.below.level > best.level:
                best = parent.below
            at = name.find(".", at + 1)
        return best


def names(rules: Iterable[tuple[str, Verdict, Reach]]) -> Names:
    """Index rules (name in normal form, verdict, reach)."""
    said: dict[str, _Said] = {}
    known: dict[tuple[int, int, int, bool], _Said] = {}

    def add(name: str, more: _Said) -> None:
        before = said.get(name)
        after = more if before is None else _both(before, more)
        key = (id(after.here), id(after.below), id(after.children), after.free)
        said[name] = known.setdefault(key, after)

    for name, verdict, reach in rules:
        if reach is Reach.FREE:
            add(name, _Said(free=True))
            continue
        below = verdict if reach is Reach.BELOW else ALLOWED
        add(name, _Said(verdict, below, verdict if reach is Reach.CHILDREN else ALLOWED))
        above = name.partition(".")[2]
        # A bare label is refused by its own rule. Where a parent is already as strict, so are its
        # own parents.
        while "." in above and said.get(above, _NOTHING).here.level < verdict.level:
            add(above, _Said(verdict))
            above = above.partition(".")[2]
    return Names(said)


def _both(one: _Said, other: _Said) -> _Said:
    return _Said(
        _stricter(one.here, other.here),
        _stricter(one.below, other.below),
        _stricter(one.children, other.children),
        one.free or other.free,
    )


def _stricter(one: Verdict, other: Verdict) -> Verdict:
    return one if one.level >= other.level else other
