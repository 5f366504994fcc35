"""Texts in which ``__name__:value`` stands for a variable.

For people the value is written out so that it can do no harm by being read. For machines a variable
is a whole text of a JSON document and becomes a typed value; it is never pasted into a shell, an
address or a header.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from cybercoop.playbooks import variables
from cybercoop.playbooks.variables import Value

_LONGEST = 500
_USED = re.compile(r"(?<![a-zA-Z0-9_-])(__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__):value(?![a-zA-Z0-9_-])")
# A dot before letters, digits or a slash of a host: what a mail program makes a link of.
_DOT = re.compile(r"(?<=[^\s.])\.(?=[^\s.])")
_ADDRESS = re.compile(
    r"[^\s@]+@[^\s@]+|[0-9.]+(?:/[0-9]+)?|(?:[\w-]+\.)+[^\W\d_]{2,}(?:[:/?#]\S*)?"
)
# Format characters, line ends and unassigned code points change what stands around them.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def names(template: str) -> list[str]:
    """Return the variables that a text uses, in order."""
    return list(dict.fromkeys(_USED.findall(template)))


def whole(template: str) -> str | None:
    """Return the variable that a text is nothing but, where it is."""
    match = _USED.fullmatch(template)
    return match[1] if match else None


def rendered(template: str, values: Mapping[str, Value]) -> str:
    """Return a text for people, with the values in guillemets; for no machine to read.

    A variable without a value stays as it was written. Values are put in once: what looks like a
    variable inside a value is text. Escaping for HTML is up to who writes HTML.
    """

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return f"«{shown(values[name])}»" if name in values else match[0]

    return _USED.sub(put, template)


def shown(given: Value) -> str:
    """Return a value as it may stand in front of people: one line, visible, no link, not long."""
    written = variables.text(given)
    cut = written[:_LONGEST]
    plain = "".join(_visible(char) for char in cut)
    left = len(written) - len(cut)
    return _unlinked(plain) + (f" … (+{left})" if left else "")


def _visible(char: str) -> str:
    if char in "«»" or unicodedata.category(char) in _UNSEEN:
        return f"\\u{{{ord(char):x}}}"
    return char


def _unlinked(written: str) -> str:
    """Take away what a program would make a link of, word by word."""
    return re.sub(r"\S+", lambda match: _harmless(match[0]), written)


def _harmless(word: str) -> str:
    scheme, colon, rest = word.partition("://")
    if colon:
        scheme = re.sub("(?i)http(s?)$", r"hxxp\1", scheme)
        return f"{scheme}[://]{_DOT.sub('[.]', rest)}"
    if _ADDRESS.fullmatch(word.strip("()[]<>,;\"'")):
        return _DOT.sub("[.]", word.replace("@", "[@]"))
    # Schemes without slashes, as in javascript: or mailto:
    return re.sub(r"(?i)\b(javascript|data|vbscript|mailto|tel|file):", r"\1[:]", word)


def uses(document: Any) -> Iterator[tuple[str, bool]]:
    """Yield every variable that texts of a JSON document use, and whether as a whole text.

    Keys count as texts too, and are never whole.
    """
    waiting = [document]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, dict):
            yield from ((name, False) for key in inside for name in names(key))
            waiting.extend(inside.values())
        elif isinstance(inside, list):
            waiting.extend(inside)
        elif isinstance(inside, str):
            only = whole(inside)
            yield from ((name, name == only) for name in names(inside))


def filled(document: Any, values: Mapping[str, Value]) -> Any:
    """Return a JSON document in which texts that are a variable are its typed value.

    Raises KeyError for a variable without a value: a request must not go out half filled.
    """
    if isinstance(document, dict):
        return {key: filled(inside, values) for key, inside in document.items()}
    if isinstance(document, list):
        return [filled(inside, values) for inside in document]
    name = whole(document) if isinstance(document, str) else None
    return document if name is None else values[name]
