"""Look networks up among networks, in both directions, by one search in sorted numbers.

Two networks are nested or apart, never crossed. So the rules can be laid out side by side as
segments of the address space, each with the strictest verdict on it: a value inside a protected
network falls into its segment, and a network around a protected one runs over that segment.
Costs two numbers for each rule, and no object.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cybercoop.guard.spelling import Span
from cybercoop.guard.verdicts import ALLOWED, Level, Verdict, by_rule

_ALLOWED_WIDTH = {32: 24, 128: 48}
_HELD_WIDTH = {32: 16, 128: 32}
_STRICT_FIRST = (Level.NEVER, Level.HOLD, Level.WARN)
_HELD_AS_TOO_WIDE = by_rule("too-wide", Level.HOLD)
_NEVER_THAT_WIDE = by_rule("too-wide", Level.NEVER)


@dataclass(frozen=True, slots=True)
class Networks:
    """Hold the segments of one address space: where each starts and what is said on it."""

    starts: Sequence[int]
    levels: bytes
    numbers: "array[int]"
    verdicts: tuple[Verdict, ...]

    def at(self, number: int) -> Verdict:
        """Return the verdict on one address."""
        return self.verdicts[self.numbers[bisect_right(self.starts, number) - 1]]

    def verdict(self, span: Span) -> Verdict:
        """Return the strictest verdict on any address of ``span``."""
        bits, number, prefix = span
        if prefix == bits:
            return self.at(number)
        last = number | ((1 << (bits - prefix)) - 1)
        first = last + 1 - (1 << (bits - prefix))
        begin, end = bisect_right(self.starts, first) - 1, bisect_right(self.starts, last)
        for level in _STRICT_FIRST:
            # Searching bytes runs at the speed of memory: the whole Internet costs microseconds.
            place = self.levels.find(level, begin, end)
            if place >= 0:
                return self.verdicts[self.numbers[place]]
        return ALLOWED


def too_wide(span: Span) -> Verdict:
    """Return what the size of ``span`` alone says.

    IPv4 wider than /24 and IPv6 wider than /48 waits for a person; wider than /16 and /32, what
    one provider is given, is never right for a blocklist.
    """
    if span.prefix >= _ALLOWED_WIDTH[span.bits]:
        return ALLOWED
    return _HELD_AS_TOO_WIDE if span.prefix >= _HELD_WIDTH[span.bits] else _NEVER_THAT_WIDE


def networks(bits: int, rules: Iterable[tuple[int, int, Verdict]]) -> Networks:
    """Lay out rules (first address, prefix length, verdict) of one address space."""
    verdicts: dict[int, tuple[int, Verdict]] = {id(ALLOWED): (0, ALLOWED)}
    starts: Sequence[int] | array[int]
    starts, levels, numbers = array("I") if bits == 32 else [], bytearray(), array("I")  # noqa: PLR2004 - IPv4
    for start, verdict in _segments(bits, rules):
        number, _ = verdicts.setdefault(id(verdict), (len(verdicts), verdict))
        if numbers and number == numbers[-1]:
            continue
        starts.append(start)
        levels.append(verdict.level)
        numbers.append(number)
    return Networks(
        starts, bytes(levels), numbers, tuple(verdict for _, verdict in verdicts.values())
    )


def _segments(
    bits: int, rules: Iterable[tuple[int, int, Verdict]]
) -> Iterator[tuple[int, Verdict]]:
    """Yield where what is said changes, in rising order; the last of one start counts."""
    open_rules = [(1 << bits, ALLOWED)]
    changes: dict[int, Verdict] = {0: ALLOWED}
    for first, prefix, verdict in sorted(rules, key=lambda rule: rule[:2]):
        while open_rules[-1][0] <= first:
            end, _ = open_rules.pop()
            changes[end] = open_rules[-1][1]
        around = open_rules[-1][1]
        strict = verdict if verdict.level > around.level else around
        open_rules.append((first + (1 << (bits - prefix)), strict))
        changes[first] = strict
    while len(open_rules) > 1:
        end, _ = open_rules.pop()
        changes[end] = open_rules[-1][1]
    # A rule that ends with the address space leaves a change behind the last address.
    yield from ((start, changes[start]) for start in sorted(changes) if start < 1 << bits)
