"""What a way out of the house may carry: one rule, asked for every notice that leaves.

Mail is read on the way by whoever runs a server between, and a webhook ends in a house that we do
not know. Both carry AMBER at most; of all that is stricter, and of what the receiver holds no key
to, they say only that something is waiting.
"""

from enum import StrEnum

from cybercoop.sharing import locks


class Most(StrEnum):
    """Name the most confidential that a way may carry, least first."""

    NOTHING = "nothing"
    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"


MAIL = Most.AMBER
"""What mail may carry that nobody has encrypted."""


def carries(most: Most, lock: str, keys: frozenset[str]) -> bool:
    """Say whether a way that carries ``most`` may show a holder of ``keys`` what is locked so."""
    needed = _needed(lock)
    order = list(Most)
    return needed is not None and lock in keys and order.index(needed) <= order.index(most)


def _needed(lock: str) -> Most | None:
    """Return how much a way must be allowed to carry for a lock; None where none may be."""
    if lock == locks.PUBLIC:
        return Most.CLEAR
    if lock == locks.COMMUNITY:
        return Most.GREEN
    kind, colon, name = lock.partition(":")
    return Most.AMBER if kind == "group" and colon and name else None
