"""What a pattern says, put together so that equal meanings get equal text.

Operands are flattened, sorted and, where repeating them says nothing new, kept once. Nothing
is ever multiplied out: a disjunctive normal form of a short pattern can take gigabytes.
Source: STIX 2.1 sections 9.3 to 9.6.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cybercoop.indicators import values
from cybercoop.indicators.literals import quote
from cybercoop.indicators.paths import ObjectPath
from cybercoop.indicators.values import refused


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold one comparison, or several joined by AND or OR, in normal form."""

    text: str
    joined_by: str = ""
    parts: tuple["Comparison", ...] = ()
    kind: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Hold one observation expression, or several joined or qualified, in normal form."""

    text: str
    joined_by: str = ""
    parts: tuple["Observation", ...] = ()
    comparison: Comparison | None = None
    qualifiers: tuple[str, ...] = ()


_BINDING = {"FOLLOWEDBY": 0, "OR": 1, "AND": 2, "": 3, "QUALIFIED": 3}


def equality(path: ObjectPath, value: str) -> tuple[str, str | None, str]:
    """Return the text, the kind and the normal form of comparing ``path`` with a text.

    A tuple, since every indicator that comes in passes here: 1 of 5 microseconds.
    """
    kind = path.kind
    if path.form is not None:
        value = path.form(value)
        if kind in ("domain", "url"):
            kind = values.kind_of(value, kind)
    return f"{path.text} = {quote(value)}", kind, value


def equal(path: ObjectPath, value: str) -> Comparison:
    """Return the comparison of ``path`` with a text, in the form that the path asks for."""
    text, kind, value = equality(path, value)
    return Comparison(text, kind=kind, value=value if kind else None)


def compare_all(word: str, operands: Iterable[Comparison]) -> Comparison:
    """Join comparisons by AND or OR: flat, sorted, each once."""
    found: dict[str, Comparison] = {}
    for operand in operands:
        for part in operand.parts if operand.joined_by == word else (operand,):
            found[part.text] = part
    parts = tuple(found[text] for text in sorted(found))
    if len(parts) == 1:
        return parts[0]
    # AND binds tighter than OR, so only an OR inside an AND needs parentheses; more of
    # them would deepen the text beyond the limit that it is read back with.
    text = f" {word} ".join(
        f"({part.text})" if part.joined_by == "OR" else part.text for part in parts
    )
    return Comparison(text, word, parts)


def observe(comparison: Comparison) -> Observation:
    """Return the observation in which ``comparison`` holds."""
    return Observation(f"[{comparison.text}]", comparison=comparison)


def any_of(operands: Iterable[Observation]) -> Observation:
    """Join observations by OR; plain ones become one: ``[a] OR [b]`` is ``[a OR b]``."""
    others: dict[str, Observation] = {}
    plain: list[Comparison] = []
    for part in _flat("OR", operands):
        if part.comparison is not None:
            plain.append(part.comparison)
        else:
            others[part.text] = part
    if plain:
        together = observe(compare_all("OR", plain))
        others[together.text] = together
    return _joined("OR", [others[text] for text in sorted(others)])


def all_of(operands: Iterable[Observation]) -> Observation:
    """Join observations by AND, sorted; each asks for an observation of its own.

    Repeated operands stay: ``[a] AND [a]`` wants two observations.
    """
    return _joined("AND", sorted(_flat("AND", operands), key=lambda part: part.text))


def in_order(operands: Iterable[Observation]) -> Observation:
    """Join observations by FOLLOWEDBY, in the order given."""
    return _joined("FOLLOWEDBY", list(_flat("FOLLOWEDBY", operands)))


def qualify(observation: Observation, word: str, text: str) -> Observation:
    """Attach one qualifier; refuse a second one of the same word."""
    if word in observation.qualifiers:
        raise refused(f"The pattern says {word} twice about the same observation.")
    alone = observation.joined_by in ("", "QUALIFIED")
    inner = observation.text if alone else f"({observation.text})"
    qualifiers = (*observation.qualifiers, word)
    return Observation(f"{inner} {text}", "QUALIFIED", qualifiers=qualifiers)


def _flat(word: str, operands: Iterable[Observation]) -> Iterable[Observation]:
    for operand in operands:
        yield from operand.parts if operand.joined_by == word else (operand,)


def _joined(word: str, parts: list[Observation]) -> Observation:
    if len(parts) == 1:
        return parts[0]
    binding = _BINDING[word]
    text = f" {word} ".join(
        f"({part.text})" if _BINDING[part.joined_by] < binding else part.text for part in parts
    )
    return Observation(text, word, tuple(parts))
