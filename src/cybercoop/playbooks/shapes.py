"""A few words to say what JSON must look like, and the walk that holds a document against it.

A form takes a value and where it stands, and yields what is wrong. What JSON Schema would refuse is
graded ``schema``; what only we refuse (an unknown property) is graded ``refused``.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import structs

from cybercoop.playbooks.findings import Finding, Path, found

Form: TypeAlias = Callable[[Any, Path], Iterator[Finding]]


def text(pattern: re.Pattern[str] | None = None, form: str = "") -> Form:
    """Return the form of a text in which ``pattern`` is found, described by ``form``."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, str):
            yield found("wrong-kind", path, "schema", kind="string")
        elif pattern is not None and not pattern.search(value):
            yield found("wrong-form", path, "schema", form=form)

    return check


def short(limit: int, least: int = 1) -> Form:
    """Return the form of a text of ``least`` to ``limit`` characters: a rule of ours alone."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, str):
            yield found("wrong-kind", path, kind="string")
        elif not least <= len(value) <= limit:
            rule, bound = ("too-long", limit) if len(value) > limit else ("too-few", least)
            yield found(rule, path, limit=bound)

    return check


def word(*words: str) -> Form:
    """Return the form of a text that is one of ``words``."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, str) or value not in words:
            yield found("not-among", path, "schema", words=", ".join(words))

    return check


def integer(least: float = float("-inf"), most: float = float("inf")) -> Form:
    """Return the form of a number without fraction within bounds; 1.0 has none (JSON Schema)."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not _is_number(value) or (isinstance(value, float) and not value.is_integer()):
            yield found("wrong-kind", path, "schema", kind="integer")
        else:
            yield from _bounded(value, path, least, most)

    return check


def number(least: float, most: float) -> Form:
    """Return the form of a number within bounds."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not _is_number(value):
            yield found("wrong-kind", path, "schema", kind="number")
        else:
            yield from _bounded(value, path, least, most)

    return check


def boolean(value: Any, path: Path) -> Iterator[Finding]:
    """Take true and false."""
    if not isinstance(value, bool):
        yield found("wrong-kind", path, "schema", kind="boolean")


def null(value: Any, path: Path) -> Iterator[Finding]:
    """Take null."""
    if value is not None:
        yield found("wrong-kind", path, "schema", kind="null")


def anything(value: Any, path: Path) -> Iterator[Finding]:
    """Take an object, whatever is in it."""
    if not isinstance(value, dict):
        yield found("wrong-kind", path, "schema", kind="object")


def base64_text(value: Any, path: Path) -> Iterator[Finding]:
    """Take base64 with padding, without blanks."""
    if not isinstance(value, str) or unpacked(value) is None:
        yield found("not-base64", path, "schema")


def unpacked(value: str) -> bytes | None:
    """Return what ``value`` encodes in its one base64 spelling, or nothing where it is none."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == value else None


def either(first: Form, second: Form) -> Form:
    """Return the form of what fits one of two; says what the second misses."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if list(first(value, path)):
            yield from second(value, path)

    return check


def both(first: Form, second: Form) -> Form:
    """Return the form of what fits two."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        yield from first(value, path)
        yield from second(value, path)

    return check


def items(form: Form, least: int = 0) -> Form:
    """Return the form of a list of at least ``least`` things of a form."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield found("wrong-kind", path, "schema", kind="array")
            return
        if len(value) < least:
            yield found("too-few", path, "schema", limit=least)
        for at, one in enumerate(value):
            yield from form(one, (*path, at))

    return check


def keyed(forms: Mapping[re.Pattern[str], Form], least: int = 0) -> Form:
    """Return the form of an object whose keys say by their form what the values are."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield found("wrong-kind", path, "schema", kind="object")
            return
        if len(value) < least:
            yield found("too-few", path, "schema", limit=least)
        for key, one in value.items():
            fitting = [form for pattern, form in forms.items() if pattern.search(key)]
            if not fitting:
                yield found("unknown-key", (*path, key), name=key)
            for form in fitting:
                yield from form(one, (*path, key))

    return check


def record(properties: Mapping[str, Form], *required: str) -> Form:
    """Return the form of an object with these properties and no others."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield found("wrong-kind", path, "schema", kind="object")
            return
        for name in required:
            if name not in value:
                yield found("missing", path, "schema", name=name)
        for name, one in value.items():
            if name in properties:
                yield from properties[name](one, (*path, name))
            else:
                yield found("unknown-property", (*path, name), name=name)

    return check


def ours(form: Form) -> Form:
    """Return the same form as a rule of ours, which the standard's schema does not know."""

    def check(value: Any, path: Path) -> Iterator[Finding]:
        for finding in form(value, path):
            yield structs.replace(finding, grade="refused")

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounded(value: float, path: Path, least: float, most: float) -> Iterator[Finding]:
    if value < least:
        yield found("too-small", path, "schema", limit=least)
    if value > most:
        yield found("too-great", path, "schema", limit=most)
