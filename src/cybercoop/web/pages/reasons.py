"""Reasons in the language of a page: the center gives them in English, a county reads German."""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from importlib import resources

_HOLE = re.compile(r"\\\{([0-9])\\\}")
_KNOWN = 4096
"""Reasons that are remembered; a list that is refused has the same one in every line."""

_Match = Callable[[str], re.Match[str] | None]


@cache
def _tables() -> tuple[dict[str, str], Sequence[tuple[_Match, str]]]:
    """Return words by themselves, and sentences: those that say most of their own go first."""
    raw = resources.files(__package__).joinpath("reasons.toml").read_text("utf-8")
    rooms: dict[str, dict[str, str]] = tomllib.loads(raw)
    words = rooms.pop("words")
    some = [pair for room in rooms.values() for pair in room.items()]
    some.sort(key=lambda pair: len(re.sub(r"\{[0-9]\}", "", pair[0])), reverse=True)
    return words, [(_matching(english), german) for english, german in some]


def _matching(english: str) -> _Match:
    # What differs is at most one line: it was quoted, or is a number.
    return re.compile(_HOLE.sub("(.*)", re.escape(english))).fullmatch


@lru_cache(_KNOWN)
def german(reason: str) -> str | None:
    """Return a reason of the center in German, or None where there is no sentence for it."""
    words, sentences = _tables()
    for matches, said in sentences:
        found = matches(reason)
        if found is not None:
            return said.format(*(words.get(one, one) for one in found.groups()))
    return None
