"""Read anything that a county or a source hands over, and say what became of every line.

A format is one file in ``readers/``, found by its folder. This file holds what all of them
share: what can be found, how bytes become text, and which reader is the right one. Content that
cannot be read as a whole raises ``Malformed``, so that an error page never looks like an empty
list and the last good state stays.
"""

import io
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import msgspec

from cybercoop.collect.readers._bytes import HEAD, encoding_of, refuse_foreign, refuse_packed
from cybercoop.errors import Malformed, Misused
from cybercoop.indicators.values import shown

LINE_LIMIT = 16_384
WHOLE_LIMIT = 256 * 1024 * 1024
ROLES = (
    *("value", "type", "comment", "confidence", "valid_from"),
    *("valid_until", "labels", "tlp", "ignore"),
)
KINDS = ("ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512")
_SHOWN_REFUSALS = 20
_TEXT_SHOWN = 200
_COMMENT_LIMIT = 2000


class Value(msgspec.Struct, frozen=True, gc=False):
    """Hold one value in the normal form of ``indicators.values``.

    ``where`` is a line or a path in the document; ``kind`` is one of ``KINDS``; moments are
    microseconds since 1970; ``tlp`` is the level that the value itself carries.
    """

    where: str
    kind: str
    value: str
    comment: str = ""
    confidence: int | None = None
    valid_from: int | None = None
    valid_until: int | None = None
    labels: tuple[str, ...] = ()
    tlp: str | None = None


class Pattern(msgspec.Struct, frozen=True):
    """Hold what is no single value: a rule, or several values that belong together."""

    where: str
    pattern: str
    pattern_type: str
    name: str = ""
    comment: str = ""
    valid_from: int | None = None
    valid_until: int | None = None
    tlp: str | None = None


class Whole(msgspec.Struct, frozen=True):
    """Hold a STIX object as its exact bytes, and what its bundle said about it.

    ``bundled`` and ``spec_version`` go back around it: objects of STIX 2.0 do not name their
    version themselves.
    """

    where: str
    raw: bytes
    bundled: bool = False
    spec_version: str | None = None


class Passed(msgspec.Struct, frozen=True):
    """Say why a line asks for nothing: it is blank, a comment, a heading."""

    where: str
    reason: str


class Bad(msgspec.Struct, frozen=True):
    """Say what is refused, where it stands, and why."""

    where: str
    text: str
    reason: str


Found = Value | Pattern | Whole | Passed | Bad


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold what a person says about a format; a source definition uses the same words.

    ``kind`` is what every value must be; ``mapping`` leads from a column (its heading, or its
    number from 1) to one of ``ROLES`` or ``KINDS``; ``path`` leads to the records of a JSON
    document, such as ``data[].ioc``.
    """

    kind: str = ""
    mapping: Mapping[str, str] = {}
    path: str = ""
    delimiter: str = ""

    def __post_init__(self) -> None:
        """Refuse words that no reader would obey."""
        if self.kind and self.kind not in KINDS:
            msg = f"The kind is one of {', '.join(KINDS)}."
            raise Misused(msg)
        unknown = set(self.mapping.values()) - {*ROLES, *KINDS}
        if unknown:
            msg = f"A column is one of {', '.join((*ROLES, *KINDS))}, not {min(unknown)!a}."
            raise Misused(msg)
        if len(self.delimiter) > 1:
            raise Misused("The delimiter of columns is one character.")


Beside = Callable[[str], bytes | None]


class Given(msgspec.Struct, frozen=True):
    """Hold content that is about to be read: a seekable file and how its bytes become text.

    ``fallback`` decodes a line that is not in ``encoding``. ``beside`` returns a file of the
    same folder, or nothing.
    """

    name: str
    file: BinaryIO
    head: str
    encoding: str
    fallback: str
    start: int
    beside: Beside


class Reader(Protocol):
    """Promise what every file in ``readers/`` has."""

    NAME: str
    TITLE: Mapping[str, str]
    """One line for people, by language: de, en."""
    PREVIEW: bool
    """Whether a person must look at what was found before it is pushed."""

    def sureness(self, name: str, head: str) -> int:
        """Return from 0 to 100 how surely ``head`` is of this format."""

    def read(self, given: Given, options: Options) -> Iterator[Found]:
        """Yield what every line or attribute became; raise ``Malformed`` for broken content."""


class Tally(msgspec.Struct):
    """Count what became of content, for people to look at before they push it."""

    values: Counter[str] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    passed: Counter[str] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[Bad] = msgspec.field(default_factory=list)
    seen: dict[str, set[str]] = msgspec.field(default_factory=dict)


@cache
def readers() -> Mapping[str, Reader]:
    """Return every reader by its name, as found in the folder."""
    folder = import_module("cybercoop.collect.readers")
    names = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    found = [
        cast("Reader", import_module(f"{folder.__name__}.{name}"))
        for name in sorted(names)
        if not name.startswith("_")
    ]
    return {reader.NAME: reader for reader in found}


def choose(name: str, head: str) -> Reader:
    """Return the reader that is surest; raise ``Malformed`` where none knows the content."""
    ranked = {key: reader.sureness(name.lower(), head) for key, reader in readers().items()}
    best = max(ranked, key=lambda key: ranked[key])
    if ranked[best] <= 0:
        if name.lower().endswith((".yaml", ".yml")):
            msg = f"{name} is YAML, which is not read here; hand over CSV, JSON or a plain list."
        else:
            msg = f"{name} is in no format that is read here ({', '.join(ranked)})."
        raise Malformed(msg)
    return readers()[best]


def read(
    name: str,
    data: bytes | BinaryIO,
    options: Options | None = None,
    reader: Reader | None = None,
    beside: Beside = lambda _: None,
) -> Iterator[Found]:
    """Yield what every line, cell or attribute of ``data`` became, in order.

    Raises ``Malformed`` before the first or between two of them when the content cannot be read
    as a whole; what came before it then does not count. A file must be seekable.
    """
    name = name if name.isprintable() else shown(name)
    given = opened(name, data, beside)
    chosen = reader or choose(name, given.head)
    return chosen.read(given, options or Options())


def read_path(
    path: Path, options: Options | None = None, reader: Reader | None = None
) -> Iterator[Found]:
    """Yield what a file became, or a folder that holds a MISP feed.

    Raises ``Malformed`` as ``read`` does, and OSError for what cannot be opened.
    """
    if path.is_dir():
        path /= "manifest.json"
        if not path.exists():
            msg = f"{path.parent.name} is a folder without the manifest.json of a MISP feed."
            raise Malformed(msg)

    def beside(name: str) -> bytes | None:
        other = path.with_name(name)
        return other.read_bytes() if other.is_file() else None

    with path.open("rb") as file:
        yield from read(path.name, file, options, reader, beside)


def opened(name: str, data: bytes | BinaryIO, beside: Beside = lambda _: None) -> Given:
    """Return content with its encoding found out; raise ``Malformed`` for what is no text."""
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    raw = file.read(HEAD)
    refuse_packed(name, raw)
    encoding, fallback, start = encoding_of(raw)
    head = raw[start:].decode(encoding, "replace").removesuffix("\N{REPLACEMENT CHARACTER}")
    refuse_foreign(name, head)
    if len(raw) == HEAD:
        head = head[: head.rfind("\n") + 1] or head  # half a line would look like another format
    return Given(name, file, head, encoding, fallback, start, beside)


def lines(given: Given) -> Iterator[str]:
    """Yield the lines without their ends; an over-long one is cut after ``LINE_LIMIT``.

    A reader refuses what is longer than the limit; the rest of such a line never stays in
    memory. A byte that is no text becomes U+FFFD, which no value may have.
    """
    given.file.seek(given.start)
    if given.encoding.startswith("utf-") and given.encoding != "utf-8":
        return _lines_of_text(given)
    if "\r" in given.head and "\n" not in given.head:
        return _lines_of_text(given)
    return _lines_of_bytes(given)


def _lines_of_bytes(given: Given) -> Iterator[str]:
    readline, encoding, most = given.file.readline, given.encoding, 4 * LINE_LIMIT
    strict = "strict" if encoding == "utf-8" else "replace"
    while raw := readline(most):
        if len(raw) == most and not raw.endswith(b"\n"):
            while (rest := readline(HEAD)) and not rest.endswith(b"\n"):
                pass
        try:
            line = raw.decode(encoding, strict)
        except UnicodeDecodeError:
            line = raw.decode(given.fallback, "replace")
        yield line.rstrip("\r\n")[: LINE_LIMIT + 1]


def _lines_of_text(given: Given) -> Iterator[str]:
    text = io.TextIOWrapper(given.file, given.encoding, "replace")
    try:
        while line := text.readline(LINE_LIMIT + 1):
            if len(line) > LINE_LIMIT and not line.endswith("\n"):
                while (rest := text.readline(HEAD)) and not rest.endswith("\n"):
                    pass
            yield line.rstrip("\n")
    finally:
        text.detach()  # the file belongs to whoever opened it


def whole(given: Given) -> bytes:
    """Return all of the content in UTF-8 without a mark; raise ``Malformed`` beyond 256 MiB."""
    given.file.seek(given.start)
    raw = given.file.read(WHOLE_LIMIT + 1)
    if len(raw) > WHOLE_LIMIT:
        msg = f"{given.name} is larger than {WHOLE_LIMIT >> 20} MiB."
        raise Malformed(msg)
    if given.encoding == "utf-8":
        return raw
    return raw.decode(given.encoding, "replace").encode()


def count(tally: Tally, one: Found) -> bool:
    """Count ``one`` and say whether it is new; a value that came before is a duplicate."""
    if isinstance(one, Value):
        known = tally.seen.get(one.kind)
        if known is None:
            known = tally.seen[one.kind] = set()
        before = len(known)
        known.add(one.value)
        if len(known) == before:
            tally.duplicates += 1
            return False
        tally.values[one.kind] += 1
    elif isinstance(one, Passed):
        tally.passed[one.reason] += 1
    elif isinstance(one, Bad):
        tally.refused[_without_quotes(one.reason)] += 1
        if len(tally.examples) < _SHOWN_REFUSALS:
            tally.examples.append(one)
    else:
        tally.values["object" if isinstance(one, Whole) else one.pattern_type] += 1
    return True


def tallied(found: Iterable[Found]) -> Tally:
    """Return the count of all that was found."""
    tally = Tally()
    for one in found:
        count(tally, one)
    return tally


_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def _without_quotes(reason: str) -> str:
    """Return a reason without the value that it quotes, so that equal reasons count as one."""
    return _QUOTED.sub("…", reason)


def bad(where: str, text: str, reason: str) -> Bad:
    """Return a refusal that keeps a little of what is refused, controls escaped."""
    return Bad(where, text[:_TEXT_SHOWN] if text.isprintable() else shown(text)[1:-1], reason)


def said(text: str) -> str:
    """Return a comment or a name as one printable line of at most 2000 characters.

    Others read it on terminals and pages, and a single NUL would have the value refused.
    """
    text = text[:_COMMENT_LIMIT]
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
