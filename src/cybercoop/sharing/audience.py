"""Audience: who would see what stands under a lock, by name."""

from collections.abc import Iterable

from cybercoop.members.organisations import Kind, Organisation
from cybercoop.sharing.keys import keys_of


def audience(lock: str, organisations: Iterable[Organisation]) -> list[str]:
    """Return the names of those who hold the key to ``lock``, sorted; an own lock has none."""
    readers = (one for one in organisations if one.kind is not Kind.SOURCE)
    return sorted(one.name for one in readers if lock in keys_of(one))
