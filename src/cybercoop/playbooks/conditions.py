"""Conditions of if and while: comparisons of variables with literals, AND, OR, NOT, parentheses.

The grammar is a small part of STIX patterning, read by hand and never evaluated as code::

    condition  = all *( "OR" all )
    all        = term *( "AND" term )
    term       = "NOT" term / "(" condition ")" / comparison
    comparison = variable operator literal / variable [ "NOT" ] "IN" "(" literals ")"
    literals   = literal *( "," literal )
    variable   = "__name__" / "__name__:value"
    operator   = "=" / "==" / "!=" / "<>" / "<" / "<=" / ">" / ">="
    literal    = 'text' / number / true / false

Order is for numbers only; LIKE, MATCHES and ISSUBSET are refused. A variable without a value is
neither equal nor unequal to anything: the condition fails, and with it its step.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from cybercoop import errors
from cybercoop.playbooks import variables
from cybercoop.playbooks.variables import Value

LONGEST = 1_000
MOST_COMPARISONS = 50
DEEPEST = 10

Literal: TypeAlias = str | int | float | bool


class Compared(Struct, frozen=True, tag="compare"):
    """Compare a variable with a literal."""

    name: str
    sign: str
    literal: Literal


class Every(Struct, frozen=True, tag="all"):
    """Hold where all of them hold."""

    parts: tuple["Condition", ...]


class Some(Struct, frozen=True, tag="any"):
    """Hold where one of them holds."""

    parts: tuple["Condition", ...]


class Unless(Struct, frozen=True, tag="not"):
    """Hold where the other does not."""

    part: "Condition"


Condition: TypeAlias = Compared | Every | Some | Unless

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SAME_SIGN = {"==": "=", "<>": "!="}
_TOKEN = re.compile(
    r"\s*(?:(?P<variable>__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__(?::value)?(?![a-zA-Z0-9_-]))"
    r"|(?P<text>'(?:[^'\\]|\\['\\])*')"
    r"|(?P<number>[+-]?[0-9]{1,19}(?:\.[0-9]{1,19})?(?![a-zA-Z0-9_.]))"
    r"|(?P<word>[a-zA-Z]+)"
    r"|(?P<sign><=|>=|==|!=|<>|[=<>(),]))"
)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Condition:
    """Return the condition that ``text`` says; raise Refused with the place where it cannot be."""
    if len(text) > LONGEST:
        raise errors.Refused(f"it is longer than {LONGEST} characters.")
    reader = _Reader(list(_tokens(text)))
    condition = reader.some(0)
    reader.expect_end()
    return condition


def names(condition: Condition) -> list[str]:
    """Return the variables that a condition reads, in order."""
    return list(dict.fromkeys(one.name for one in comparisons(condition)))


def comparisons(condition: Condition) -> Iterator[Compared]:
    """Yield the comparisons of a condition, in order."""
    if isinstance(condition, Compared):
        yield condition
    elif isinstance(condition, Unless):
        yield from comparisons(condition.part)
    else:
        for part in condition.parts:
            yield from comparisons(part)


def fits(one: Compared, kind: str) -> bool:
    """Say whether a comparison makes sense for a variable of this type."""
    if kind == "dictionary":
        return False
    if kind in variables.NUMBERS:
        return isinstance(one.literal, int | float) and not isinstance(one.literal, bool)
    if one.sign not in {"=", "!="}:
        return False
    if kind in variables.BOOLEANS:
        return isinstance(one.literal, bool)
    if not isinstance(one.literal, str):
        return False
    try:
        variables.value(kind, one.literal)
    except errors.Refused:
        return False
    return True


def holds(
    condition: Condition, kinds: Mapping[str, str], values: Mapping[str, Value | None]
) -> bool:
    """Say whether a condition holds for these values of variables of these types.

    Raises Refused for a variable without a value, or for one that cannot be compared so.
    """
    if isinstance(condition, Compared):
        return _compare(condition, kinds.get(condition.name, ""), values.get(condition.name))
    if isinstance(condition, Unless):
        return not holds(condition.part, kinds, values)
    # Every part is looked at: whether a value is missing does not depend on the order.
    held = [holds(part, kinds, values) for part in condition.parts]
    return all(held) if isinstance(condition, Every) else any(held)


def _compare(one: Compared, kind: str, value: Value | None) -> bool:
    if value is None:
        raise errors.Refused(f"The variable {one.name} has no value.", one.name)
    if not fits(one, kind):
        raise errors.Refused(f"The variable {one.name} cannot be compared so.", one.name)
    if isinstance(one.literal, str):
        return _SIGNS[one.sign](value, variables.value(kind, one.literal))
    return _SIGNS[one.sign](value, one.literal)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise _at(at + len(text[at:]) - len(text[at:].lstrip()))
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind))
        at = match.end()


def _at(place: int) -> errors.Refused:
    return errors.Refused(f"not understood at character {place + 1}.")


class _Reader:
    """Go over the tokens once, from left to right."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._compared = 0

    def some(self, depth: int) -> Condition:
        parts = [self._every(depth)]
        while self._took("OR"):
            parts.append(self._every(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise _at(self._tokens[self._at].at)

    def _every(self, depth: int) -> Condition:
        parts = [self._term(depth)]
        while self._took("AND"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _term(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise errors.Refused(f"it is nested deeper than {DEEPEST}.")
        if self._took("NOT"):
            return Unless(self._term(depth + 1))
        if self._took("("):
            inside = self.some(depth + 1)
            self._need(")")
            return inside
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._next("variable").text.removesuffix(":value")
        if self._took("NOT"):
            self._need("IN")
            return Unless(self._among(name))
        if self._took("IN"):
            return self._among(name)
        token = self._next("sign")
        sign = _SAME_SIGN.get(token.text, token.text)
        if sign not in _SIGNS:
            raise _at(token.at)
        return self._compared_with(name, sign)

    def _among(self, name: str) -> Condition:
        self._need("(")
        parts = [self._compared_with(name, "=")]
        while self._took(","):
            parts.append(self._compared_with(name, "="))
        self._need(")")
        return Some(tuple(parts))

    def _compared_with(self, name: str, sign: str) -> Compared:
        self._compared += 1
        if self._compared > MOST_COMPARISONS:
            raise errors.Refused(f"it compares more than {MOST_COMPARISONS} times.")
        return Compared(name, sign, self._literal())

    def _literal(self) -> Literal:
        token = self._next("text", "number", "word")
        if token.kind == "text":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.text.lower() not in {"true", "false"}:
            raise _at(token.at)
        return token.text.lower() == "true"

    def _next(self, *kinds: str) -> _Token:
        if self._at == len(self._tokens):
            raise errors.Refused("it ends too early.")
        token = self._tokens[self._at]
        if token.kind not in kinds:
            raise _at(token.at)
        self._at += 1
        return token

    def _took(self, text: str) -> bool:
        """Go on where this word or sign stands here."""
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind in {"word", "sign"} and token.text.upper() == text:
                self._at += 1
                return True
        return False

    def _need(self, text: str) -> None:
        if not self._took(text):
            at = self._at
            raise _at(self._tokens[at].at) if at < len(self._tokens) else _TOO_EARLY


_TOO_EARLY = errors.Refused("it ends too early.")
