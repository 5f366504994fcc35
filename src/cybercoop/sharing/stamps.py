"""Stamps: which microseconds a lock may use, so that gaps tell nothing about other locks.

Time is cut into slots. In every slot each lock owns fixed residue classes of microseconds: its
lane. A release's ``date_added`` depends on the slot and on what else its own lock released in
it, never on other locks; it is unique over all locks, and later slots are later everywhere.
"""

from dataclasses import dataclass

from cybercoop.errors import Misused
from cybercoop.members.organisations import MEMBERS
from cybercoop.sharing import locks

MODULUS = 1024
SLOT = 100 * MODULUS
"""Length of a slot in microseconds: about a tenth of a second."""

_FIXED = {
    locks.PUBLIC: (0, 256),
    locks.COMMUNITY: (256, 256),
    locks.group(MEMBERS): (512, 128),
    locks.strict(MEMBERS): (640, 64),
}
_FIRST_FREE = 704
MOST_GROUPS = (MODULUS - _FIRST_FREE) // 2


@dataclass(frozen=True, slots=True)
class Lane:
    """Hold the residues ``offset`` to ``offset + width - 1`` modulo ``MODULUS``."""

    offset: int
    width: int

    @property
    def capacity(self) -> int:
        """Return how many stamps one slot has for this lane."""
        return SLOT // MODULUS * self.width

    def stamp(self, slot: int, number: int) -> int:
        """Return stamp ``number`` of a slot in microseconds since 1970; numbers count from 0."""
        round_, place = divmod(number, self.width)
        return slot * SLOT + round_ * MODULUS + self.offset + place


def slot_of(now: int) -> int:
    """Return the slot that ``now`` (microseconds) falls into."""
    return now // SLOT


def lanes(numbers: dict[str, int]) -> dict[str, Lane]:
    """Return the lane of every lock; ``numbers`` maps further groups to theirs, from 0."""
    found = {lock: Lane(*place) for lock, place in _FIXED.items()}
    for name, number in numbers.items():
        if number >= 0:
            found[locks.group(name)] = Lane(_FIRST_FREE + 2 * number, 1)
            found[locks.strict(name)] = Lane(_FIRST_FREE + 2 * number + 1, 1)
    return found


def next_lane(taken: list[int]) -> int:
    """Return the number for one more group; raise ``Misused`` when all are taken."""
    number = max(taken, default=-1) + 1
    if number >= MOST_GROUPS:
        msg = f"A center can have {MOST_GROUPS} groups besides `members`; use an existing one."
        raise Misused(msg)
    return number
