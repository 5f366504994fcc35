"""Look into an object that cannot be read as a whole: what it is called, and what stands where.

Answers are as good as the bytes allow; nothing here decides what is taken.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from cybercoop import errors
from cybercoop.stix import tokens

# An object of a million members is refused anyway; looking further only costs time.
_MOST_MEMBERS = 1_000
_LONGEST_NAME = 250


@dataclass(frozen=True, slots=True)
class Member:
    """Hold one outermost member: its name in plain ASCII, and where its value stands."""

    name: str
    start: int
    end: int
    value: bytes


def members(raw: bytes) -> list[Member]:
    """Return the outermost members of ``raw``, up to the first that cannot be told apart."""
    found: list[Member] = []
    try:
        for member in _walk(raw):
            found.append(member)
            if len(found) == _MOST_MEMBERS:
                break
    except errors.Malformed:
        return found
    return found


def texts(raw: bytes, *names: str) -> dict[str, str]:
    """Return those of ``names`` that are sound texts in ``raw``."""
    said = {member.name: _text(member.value) for member in members(raw) if member.name in names}
    return {name: text for name, text in said.items() if text is not None}


def longest(raw: bytes) -> str:
    """Return the name of the longest member."""
    found = max(members(raw), key=lambda member: member.end - member.start, default=None)
    return found.name if found else ""


def deeper(raw: bytes, levels: int) -> str:
    """Return the name of the first member that is nested deeper than ``levels``."""
    found = (member.name for member in members(raw) if tokens.is_deeper(member.value, levels))
    return next(found, "")


def at(raw: bytes, position: int) -> str:
    """Return the name of the member whose value holds the byte at ``position``."""
    inside = (member.name for member in members(raw) if member.start <= position < member.end)
    return next(inside, "")


def _walk(raw: bytes) -> Iterator[Member]:
    place = tokens.after_space(raw, 0)
    if raw[place : place + 1] != b"{":
        return
    place, more = tokens.enter(raw, place)
    while more:
        end = tokens.string_end(raw, place)
        name = _shown(raw[place:end])
        start = tokens.after_space(raw, tokens.after_space(raw, end) + 1)
        end = tokens.value_end(raw, start)
        yield Member(name, start, end, raw[start:end])
        place, more = tokens.onward(raw, end, b"}")


def _text(value: bytes) -> str | None:
    try:
        text = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return text if isinstance(text, str) and text.isprintable() else None


def _shown(name: bytes) -> str:
    """Return a name in plain ASCII, so that it can stand in an answer."""
    text = _text(name)
    if text is None:
        text = name[1:-1].decode(errors="replace")
    return json.dumps(text[:_LONGEST_NAME])[1:-1]
