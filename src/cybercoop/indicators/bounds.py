"""Count what a pattern holds before the grammar sees it, and mend harmless spellings.

The grammar takes tenths of a millisecond for each token and recurses for each parenthesis;
this pass takes microseconds, so an attack is refused before it costs anything. What it
refuses as a mistake the grammar would refuse too, only later and with a poorer reason.
"""

import re
from collections import Counter

from cybercoop.indicators.paths import STEPS_LIMIT
from cybercoop.indicators.values import refused

COMPARISONS_LIMIT = 200
NESTING_LIMIT = 32
QUALIFIERS_LIMIT = 200
TOKENS_LIMIT = 3000

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|/\*.*?\*/|//[^\r\n]*)
    |(?P<text>[htb]?'[^'\\]*(?:\\['\\][^'\\]*)*')
    |(?P<key>"[^"'\\]*")
    |(?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<operator>==?|!=|<>|<=|>=|<|>)
    |(?P<number>[+-]?(?:[0-9]*\.[0-9]+|[0-9]+))
    |(?P<mark>[()\[\].,:*])
    """,
    re.VERBOSE | re.DOTALL,
).match
_TESTS = frozenset(("IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS"))
_QUALIFIERS = frozenset(("WITHIN", "REPEATS", "START"))


def prepare(pattern: str, *, bare_times: bool = False) -> str:
    """Return ``pattern`` ready for the grammar, or refuse it as too large or misspelt.

    Comments become blanks, double quotes round a key become single ones, a key with a
    hyphen gets its quotes, and with ``bare_times`` (STIX 2.0) so do START and STOP their t.
    """
    pieces: list[str] = []
    counts: Counter[str] = Counter()
    position = 0
    before = ""
    while position < len(pattern):
        found = _TOKEN(pattern, position)
        if found is None:
            raise refused(_stray(pattern, position))
        position = found.end()
        token, group = found[0], found.lastgroup or ""
        if group == "blank":
            pieces.append(" " * len(token))
            continue
        pieces.append(_mended(token, group, before, bare_times=bare_times))
        _count(token, group, counts)
        before = token
    return "".join(pieces)


def _mended(token: str, group: str, before: str, *, bare_times: bool) -> str:
    if group == "key":
        return f"'{token[1:-1]}'"
    if group == "word" and before == "." and "-" in token:
        return f"'{token}'"
    if bare_times and before in ("START", "STOP") and token[0] == "'":
        return f"t{token}"
    return token


def _count(token: str, group: str, counts: Counter[str]) -> None:
    counts["tokens"] += 1
    if group == "operator" or token == "," or token in _TESTS:  # noqa: S105 - a comma
        counts["comparisons"] += 1
    elif token in _QUALIFIERS:
        counts["qualifiers"] += 1
    elif group == "mark":
        _count_mark(token, counts)
    _refuse_excess(counts)


def _count_mark(mark: str, counts: Counter[str]) -> None:
    if mark == "(":
        counts["nesting"] += 1
    elif mark == ")":
        counts["nesting"] -= 1
    elif mark == ":":
        counts["steps"] = 1
    elif mark in ".[":
        counts["steps"] += 1


_LIMITS = (
    ("comparisons", COMPARISONS_LIMIT, "The pattern has more than 200 comparisons."),
    ("nesting", NESTING_LIMIT, "The pattern nests parentheses deeper than 32."),
    ("steps", STEPS_LIMIT, "The pattern has an object path of more than 32 steps."),
    ("qualifiers", QUALIFIERS_LIMIT, "The pattern has more than 200 qualifiers."),
    ("tokens", TOKENS_LIMIT, "The pattern has more than 3000 words and signs."),
)


def _refuse_excess(counts: Counter[str]) -> None:
    for name, limit, reason in _LIMITS:
        if counts[name] > limit:
            raise refused(reason)


def _stray(pattern: str, position: int) -> str:
    if pattern.startswith("/*", position):
        return f"The comment at character {position + 1} of the pattern is not closed."
    if pattern[position] == "'":
        return (
            f"The text that begins at character {position + 1} of the pattern is not closed, "
            "or has a backslash that stands before neither a quote nor a backslash."
        )
    sign = ascii(pattern[position])
    return f"The pattern has {sign} at character {position + 1}, which means nothing there."
