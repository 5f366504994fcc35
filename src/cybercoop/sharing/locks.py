"""Locks: what a contribution needs to be read, and which lock is wider than which.

A lock is a string: ``public``, ``community``, ``group:<g>``, ``strict:<g>`` or ``own:<org>``.
Wider is fixed: ``strict:<g>`` < ``group:<g>`` < ``community`` < ``public``. Another group is
never wider, whatever its members.
"""

from collections.abc import Iterable

PUBLIC = "public"
COMMUNITY = "community"


def group(name: str) -> str:
    """Return the lock that a group and the clients of its organisations can open."""
    return f"group:{name}"


def strict(name: str) -> str:
    """Return the lock that only the organisations of a group can open."""
    return f"strict:{name}"


def own(org_id: str) -> str:
    """Return the lock that only the contributor can open; nothing under it is released."""
    return f"own:{org_id}"


def is_own(lock: str) -> bool:
    """Say whether a lock keeps its contribution with its owner."""
    return lock.startswith("own:")


def wider(lock: str) -> tuple[str, ...]:
    """Return the lock itself and every wider one, narrowest first."""
    if lock == PUBLIC:
        return (PUBLIC,)
    if lock == COMMUNITY:
        return (COMMUNITY, PUBLIC)
    if lock.startswith("group:"):
        return (lock, COMMUNITY, PUBLIC)
    if lock.startswith("strict:"):
        return (lock, group(lock.removeprefix("strict:")), COMMUNITY, PUBLIC)
    return (lock,)


def narrowest(locks: Iterable[str]) -> str | None:
    """Return the one lock from which all the others are reached by widening.

    None says that two of them are incomparable: nobody may be assumed to hold both.
    """
    some = set(locks)
    for lock in some:
        if some <= set(wider(lock)):
            return lock
    return None


def is_tighter(lock: str, than: str) -> bool:
    """Say whether holders of ``than`` lose sight of something that moves to ``lock``."""
    return lock not in wider(than)
