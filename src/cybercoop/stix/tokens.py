"""Find where JSON values begin and end, whatever nonsense stands inside them.

Only strings, brackets and commas are understood. There is no recursion, and every
quantifier is possessive, so the time taken is linear in the bytes that are read.
"""

import re

from cybercoop import errors

# A string that never closes matches up to the end of the bytes: a failed match would be
# tried again at each of its inner quotes, in quadratic time.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_ONE_STRING = re.compile(_STRING + rb'(")?', re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb'"?+)*+([\[\]{}]?)', re.DOTALL)
_SCALAR = re.compile(rb'[^,:\[\]{}" \t\r\n]++')
_SPACE = re.compile(rb"[ \t\r\n]*+")
_OPENING = (b"{", b"[")
_CLOSING = {b"{": b"}", b"[": b"]"}


def value_end(body: bytes, at: int) -> int:
    """Return where the value that begins at ``at`` ends.

    Raises Malformed when the bytes end first, or when no value begins there.
    """
    first = body[at : at + 1]
    if first in _OPENING:
        return _bracket_end(body, at)
    if first == b'"':
        return string_end(body, at)
    scalar = _SCALAR.match(body, at)
    if scalar is None:
        raise errors.Malformed(f"The JSON is broken at byte {at}: a value is missing there.")
    return scalar.end()


def string_end(body: bytes, at: int) -> int:
    """Return where the string that begins at ``at`` ends, its closing quote included."""
    string = _ONE_STRING.match(body, at)
    if string is None:
        raise errors.Malformed(f"The JSON is broken at byte {at}: a string is missing there.")
    if string[1] is None:
        raise errors.Malformed(f"The JSON ends inside the string that begins at byte {at}.")
    return string.end()


def enter(body: bytes, at: int) -> tuple[int, bool]:
    """Return where the first item in the bracket at ``at`` begins, and True.

    An empty bracket gives where it ends, and False.
    """
    closing = _CLOSING[body[at : at + 1]]
    at = after_space(body, at + 1)
    if body[at : at + 1] == closing:
        return at + 1, False
    return at, True


def onward(body: bytes, at: int, closing: bytes) -> tuple[int, bool]:
    """Return where the item after the one that ended at ``at`` begins, and True.

    After the last item it is where the bracket itself ends, and False.
    """
    at = after_space(body, at)
    found = body[at : at + 1]
    if found == closing:
        return at + 1, False
    if found != b",":
        raise errors.Malformed(f"The JSON is broken at byte {at}: a comma is missing there.")
    return after_space(body, at + 1), True


def after_space(body: bytes, at: int) -> int:
    """Return where the white space that begins at ``at`` ends."""
    space = _SPACE.match(body, at)
    return at if space is None else space.end()


def is_deeper(body: bytes, levels: int) -> bool:
    """Say whether more than ``levels`` brackets are open at some place of ``body``."""
    # The count includes brackets inside strings: a cheap upper bound.
    if body.count(b"{") + body.count(b"[") <= levels:
        return False
    depth = at = 0
    while at < len(body) and depth <= levels:
        at, step = _next_bracket(body, at)
        depth += step
    return depth > levels


def _bracket_end(body: bytes, at: int) -> int:
    depth, start = 0, at
    while True:
        at, step = _next_bracket(body, at)
        depth += step
        if depth == 0:
            return at
        if step == 0:
            raise errors.Malformed(f"The JSON ends inside the bracket that opens at byte {start}.")


def _next_bracket(body: bytes, at: int) -> tuple[int, int]:
    found = _TO_BRACKET.match(body, at)
    if found is None or not found[1]:
        return len(body), 0
    return found.end(), 1 if found[1] in _OPENING else -1
