"""What wakes rules, one file for each kind of trigger; found by their folder.

A file offers:

``NAME``      what rules call it
``SOURCE``    what has to move before there is anything to look at: ``projector``, ``incidents``,
              ``clock``, or nothing where people alone fire it
``When``      the conditions that a rule may name, a frozen struct; all of them optional
``GIVES``     what the values of a rule may be taken from
``TOUCHES``   whether it tells which organisations it is about
``check``     raises Refused for conditions that make no sense
``happened``  returns what has happened between two stamps, and how far it has looked
``met``       returns which of it meets the conditions of a rule, with what was found
``said``      says in German and English what happened

What it gives, everybody may read who can open the lock; ``inner`` and what was found are read by
the center alone.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec import Struct

from cybercoop.members.organisations import Organisation
from cybercoop.store.database import Connection

Given = str | int | None


class Happened(Struct, frozen=True, kw_only=True):
    """Hold something that happened: when, about what, and under which lock.

    ``touched`` are the organisations that it is about, ``rule`` the only rule that it concerns.
    What is ``shy`` is released to nobody: a person decides before others learn of it.
    """

    subject: str
    lock: str
    at: int
    gives: dict[str, Given]
    inner: dict[str, Any] = {}
    touched: tuple[str, ...] = ()
    rule: str = ""
    shy: bool = False


class Condition(Struct, frozen=True):
    """Hold a condition that was met: what the rule wants, and what was found."""

    name: str
    wanted: Any
    found: Any


class Met(Struct, frozen=True, kw_only=True):
    """Hold what meets a rule; ``own`` says why nothing comes of it, where the center did it."""

    event: Happened
    held: tuple[Condition, ...] = ()
    own: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold what triggers look with: a connection that reads, who takes part, and the time."""

    connection: Connection
    center_id: str
    organisations: Mapping[str, Organisation]
    now: int


Look = Callable[
    [Scene, Mapping[str, Any], int, int, int], Awaitable[tuple[list[tuple[Happened, Any]], int]]
]
"""Takes conditions by rule, the stamps between which to look, and how much to take at most."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Hold one kind of trigger."""

    name: str
    source: str
    when: type[Struct]
    gives: frozenset[str]
    touches: bool
    check: Callable[[Any], None]
    happened: Look
    met: Callable[[Scene, Any, Sequence[tuple[Happened, Any]]], Awaitable[list[Met]]]
    said: Callable[[Mapping[str, Given]], tuple[str, str]]


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds of trigger that the files of this folder describe."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        file = importlib.import_module(f"{__name__}.{module.name}")
        found[file.NAME] = Kind(
            name=file.NAME,
            source=file.SOURCE,
            when=file.When,
            gives=file.GIVES,
            touches=file.TOUCHES,
            check=file.check,
            happened=file.happened,
            met=file.met,
            said=file.said,
        )
    return found
