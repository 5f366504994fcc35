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
# What mail programs and chats make links of: schemes, names with dots, addresses.
_WORD = re.compile(r"\S+")
_HTTP = re.compile(r"(?i)\bhttp(?=s?:)")
_COLON = re.compile(r"(?<=\w):(?=//)|(?<=[^\W\d_]):(?=\S)")
_DOT = re.compile("[.\u3002\uff0e\uff61](?=[^\\W\\d_])")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(
    r"[0-9a-fA-F:]*::[0-9a-fA-F:]*(?:/[0-9]+)?|(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}"
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
    return _WORD.sub(_harmless, plain) + (f" … (+{left})" if left else "")


def _visible(char: str) -> str:
    if char in "«»" or unicodedata.category(char) in _UNSEEN:
        return f"\\u{{{ord(char):x}}}"
    return char


def _harmless(match: re.Match[str]) -> str:
    """Take from one word what a program would make a link of."""
    word = match[0]
    if _IPV6.fullmatch(word):
        return word
    word = _IPV4.sub(lambda quad: quad[0].replace(".", "[.]"), word)
    word = _DOT.sub("[.]", _COLON.sub("[:]", _HTTP.sub("hxxp", word)))
    return word.replace("@", "[@]")


def listed(template: str, values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Return the variables that a text uses, each as people may read it.

    Lines for a shell are shown as they were written, with this beside them: a value that was put in
    would be run by whoever copies the line.
    """
    return [(name, shown(values[name])) for name in names(template) if name in values]


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
