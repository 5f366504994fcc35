"""Confidence: how sure independent contributors are together.

A capped noisy-or: the chance that at least one of them is right, if each is right by its own
confidence and they err independently. Votes that a value is harmless halve what is left, each.
Monotone: one more contributor never lowers it, one more vote never raises it.
"""

from collections.abc import Iterable
from math import prod

UNSTATED = 50
"""What a contributor who states no confidence counts for, in percent."""

CAP = 95
"""What agreement alone reaches at most; one contributor may state more."""

STEP = 10
"""Steps of what is shown: finer ones would tell how many contributors there are."""


SEEN = 30
"""What somebody who saw it counts for, in percent, besides those who contributed it."""


def combined(stated: Iterable[int | None], votes: int, seen: int = 0) -> int:
    """Return the confidence of a release, 0 to 100 in steps of ten.

    ``stated`` holds one value per contributor, ``votes`` counts those who say it is harmless,
    ``seen`` further ones who saw it.
    """
    each = [UNSTATED if one is None else one for one in stated]
    if not each:
        return 0
    each += [SEEN] * seen
    agreed = 100 * (1 - prod(1 - one / 100 for one in each))
    left = min(agreed, max(CAP, *each)) * 0.5**votes
    return int(left + 1e-9) // STEP * STEP
