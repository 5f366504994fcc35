"""A person fires the rule; nothing else does."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from cybercoop.responses.triggers import Given, Happened, Met, Scene
from cybercoop.responses.triggers._locks import check_lock
from cybercoop.sharing import locks

NAME = "manual"
SOURCE = ""
GIVES = frozenset({"value", "kind"})
TOUCHES = False


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name the lock of the responses."""

    lock: str = locks.group("members")


def check(when: When) -> None:
    """Raise Refused for a lock that there cannot be."""
    check_lock(when.lock)


async def happened(
    _scene: Scene, _asked: Mapping[str, When], after: int, _until: int, _most: int
) -> tuple[list[tuple[Happened, None]], int]:
    """Return nothing: nobody but a person fires it."""
    return [], after


async def met(_scene: Scene, _when: When, events: Sequence[tuple[Happened, None]]) -> list[Met]:
    """Return all of it: who fires it by hand has reasons."""
    return [Met(event=event) for event, _ in events]


def said(gives: Mapping[str, Given]) -> tuple[str, str]:
    """Say that a person did it."""
    about = f" ({gives['value']})" if gives.get("value") else ""
    return f"Von Hand ausgelöst{about}.", f"Fired by hand{about}."
