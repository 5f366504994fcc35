"""Read a STIX pattern with the official grammar into its normal form.

Operand lists are collected in loops, since the grammar makes one level of its tree from each
operand; functions call themselves only for parentheses, which are counted beforehand.
"""

import re
from collections.abc import Callable
from typing import Any

from stix2patterns.exceptions import ParseException
from stix2patterns.v20.pattern import Pattern as Pattern20
from stix2patterns.v21.pattern import Pattern as Pattern21

from cybercoop.indicators import bounds, expressions, literals, values
from cybercoop.indicators.expressions import Comparison, Observation
from cybercoop.indicators.paths import ObjectPath, Step, object_path
from cybercoop.indicators.values import refused

REPEATS_LIMIT = 1_000_000
SECONDS_LIMIT = 10 * 366 * 24 * 3600  # ten years

_NUMBER_LENGTH = 20
_PLACE = re.compile(r"1:(\d+): (.*)", re.DOTALL).fullmatch


def read(pattern: str, version: str | None) -> Observation:
    """Return what ``pattern`` says in normal form, or refuse it with the place of the error."""
    is_old = version == "2.0"
    text = bounds.prepare(pattern, bare_times=is_old)
    try:
        parsed = (Pattern20 if is_old else Pattern21)(text)
    except ParseException as error:
        raise refused(_reason(str(error))) from None
    observation: Observation = parsed.visit(_Reader())
    return observation


def _reason(message: str) -> str:
    found = _PLACE(message)
    if not found:
        return "The pattern does not follow the STIX grammar."
    said = ascii(found[2])[1:-1][:200]
    return f"The pattern cannot be read at character {int(found[1]) + 1}: {said}."


class _Reader:
    """Take the tree that the parsed pattern hands to a visitor."""

    def visit(self, tree: Any) -> Observation:
        return _in_order(tree.getChild(0))


def _operands(tree: Any) -> list[Any]:
    """Return the operands of one operator, however deep the grammar stacked them."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        if type(node) is type(tree):
            waiting.extend(reversed(node.children[::2]))
        else:
            found.append(node)
    return found


def _name(tree: Any) -> str:
    return type(tree).__name__


def _in_order(tree: Any) -> Observation:
    return expressions.in_order([_any_of(node) for node in _operands(tree)])


def _any_of(tree: Any) -> Observation:
    return expressions.any_of([_all_of(node) for node in _operands(tree)])


def _all_of(tree: Any) -> Observation:
    return expressions.all_of([_observation(node) for node in _operands(tree)])


def _observation(tree: Any) -> Observation:
    qualifiers = []
    while _name(tree.getChild(1)) in _QUALIFIERS:
        qualifiers.append(tree.getChild(1))
        tree = tree.getChild(0)
    if _name(tree) == "ObservationExpressionCompoundContext":
        observation = _in_order(tree.getChild(1))
    else:
        observation = expressions.observe(_any_comparison(tree.getChild(1)))
    for qualifier in reversed(qualifiers):
        text = _QUALIFIERS[_name(qualifier)](qualifier)
        observation = expressions.qualify(observation, text.partition(" ")[0], text)
    return observation


def _within(tree: Any) -> str:
    seconds = literals.number(tree.getChild(1).getText()).removesuffix(".0")
    if len(seconds) > _NUMBER_LENGTH or not 0 < float(seconds) <= SECONDS_LIMIT:
        raise refused("The pattern's WITHIN must be more than 0 seconds and at most ten years.")
    return f"WITHIN {seconds} SECONDS"


def _repeats(tree: Any) -> str:
    times = literals.number(tree.getChild(1).getText())
    if len(times) > _NUMBER_LENGTH or not 0 < float(times) <= REPEATS_LIMIT:
        raise refused("The pattern's REPEATS must be 1 to 1000000 times.")
    return f"REPEATS {times} TIMES"


def _start_stop(tree: Any) -> str:
    start, stop = (literals.timestamp(tree.getChild(place).getText()) for place in (1, 3))
    if start[:-2] > stop[:-2]:
        raise refused("The pattern's START lies after its STOP.")
    return f"START {start} STOP {stop}"


_QUALIFIERS: dict[str, Callable[[Any], str]] = {
    "WithinQualifierContext": _within,
    "RepeatedQualifierContext": _repeats,
    "StartStopQualifierContext": _start_stop,
}


def _any_comparison(tree: Any) -> Comparison:
    return expressions.compare_all("OR", [_every_comparison(node) for node in _operands(tree)])


def _every_comparison(tree: Any) -> Comparison:
    return expressions.compare_all("AND", [_comparison(node) for node in _operands(tree)])


def _comparison(tree: Any) -> Comparison:
    name = _name(tree)
    if name == "PropTestParenContext":
        return _any_comparison(tree.getChild(1))
    path = _path(next(node for node in tree.children if _name(node) == "ObjectPathContext"))
    words = [node.getText() for node in tree.children if node.getChildCount() == 0]
    negated = "NOT" in words
    given = tree.children[-1]
    if name == "PropTestEqualContext":
        return _equal(path, given.getText(), negated=negated != (words[-1] in ("!=", "<>")))
    if name == "PropTestSetContext":
        return _among(path, [node.getText() for node in given.children[1:-1:2]], negated=negated)
    if name == "PropTestExistsContext":
        return Comparison(f"{'NOT ' if negated else ''}EXISTS {path.text}")
    if name == "PropTestOrderContext":
        return _other(path, words[-1], _plain(given.getText()), negated=negated)
    text = literals.unquote(given.getText())
    if path.form in (values.ipv4, values.ipv6) and words[-2] in ("ISSUBSET", "ISSUPERSET"):
        text = path.form(text)
    return _other(path, words[-2], literals.quote(text), negated=negated)


def _other(path: ObjectPath, word: str, literal: str, *, negated: bool) -> Comparison:
    return Comparison(f"{path.text} {'NOT ' if negated else ''}{word} {literal}")


def _equal(path: ObjectPath, literal: str, *, negated: bool) -> Comparison:
    if negated:
        return Comparison(f"{path.text} != {_formed(path, literal)}")
    if literal[0] == "'":
        return expressions.equal(path, literals.unquote(literal))
    return Comparison(f"{path.text} = {literals.constant(literal)}")


def _among(path: ObjectPath, given: list[str], *, negated: bool) -> Comparison:
    """Return IN as an OR of ``=``, and NOT IN as an AND of ``!=``.

    Where the path looks at any element of a list NOT IN stays: two elements may each be
    unlike one value, and yet all of them be in the set.
    """
    if not given:
        raise refused("The pattern compares with an empty set.")
    if negated and path.has_any_element:
        listed = sorted({_formed(path, literal) for literal in given})
        if len(listed) > 1:
            return Comparison(f"{path.text} NOT IN ({', '.join(listed)})")
    parts = [_equal(path, literal, negated=negated) for literal in given]
    return expressions.compare_all("AND" if negated else "OR", parts)


def _formed(path: ObjectPath, literal: str) -> str:
    if literal[0] != "'" or path.form is None:
        return _plain(literal)
    return literals.quote(path.form(literals.unquote(literal)))


def _plain(literal: str) -> str:
    if literal[0] == "'":
        return literals.quote(literals.unquote(literal))
    return literals.constant(literal)


def _path(tree: Any) -> ObjectPath:
    steps = [Step(_key(tree.getChild(2).getText()))]
    waiting = tree.children[:2:-1]
    while waiting:
        node = waiting.pop()
        name = _name(node)
        if name == "PathStepContext":
            waiting.extend(reversed(node.children))
        elif name == "KeyPathStepContext":
            steps.append(Step(_key(node.getChild(1).getText())))
        else:
            steps.append(Step(node.getText(), is_index=True))
    return object_path(tree.getChild(0).getText(), steps)


def _key(text: str) -> str:
    return literals.unquote(text) if text[0] == "'" else text
