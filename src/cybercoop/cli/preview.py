"""What a push would send: how each file is read, and what was found in it line by line."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import typer

from cybercoop.cli.shown import err, table
from cybercoop.collect import reading
from cybercoop.collect.reading import Found, Options, Pattern, Reader, Tally, Value
from cybercoop.errors import Misused

STDIN = "-"
_MOST_VALUES = 200
_MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class Source:
    """Hold one thing to push, who reads it, and how sure that reader is (None: it was named)."""

    path: Path
    reader: Reader
    sure: int | None
    options: Options


@dataclass(frozen=True, slots=True)
class Said:
    """Hold what is said of every value that says nothing of the kind itself."""

    confidence: int | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """Hold what was found in a source; ``values`` are listed where a person must look at them."""

    source: Source
    tally: Tally
    values: Sequence[Value | Pattern]

    @property
    def count(self) -> int:
        """Return how many objects it makes."""
        return sum(self.tally.values.values())

    @property
    def refuses(self) -> bool:
        """Say whether lines were refused that ought to be values; prose may hold anything."""
        return bool(self.tally.refused) and not self.source.reader.PREVIEW


def source(named: Path, reader: str | None, options: Options, folder: Path) -> Source:
    """Return what is to be read and by whom; what flows is written to ``folder`` first.

    Raises ``Malformed`` where no reader knows the content, ``Misused`` for an unknown reader and
    ``typer.BadParameter`` for what cannot be opened.
    """
    path = named
    if str(named) == STDIN:
        path = folder / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    elif named.is_fifo():  # what a shell lends for <(grep …): it can be read once only
        path = folder / named.name
        with named.open("rb") as flowing, path.open("wb") as file:
            shutil.copyfileobj(flowing, file)
    known = reading.readers()
    if reader not in {None, *known}:
        raise Misused(f"--reader is one of {', '.join(known)}.")
    first = path / "manifest.json" if path.is_dir() else path
    if not first.exists() and path.is_dir():
        raise Misused(f"{path} is a directory, but no MISP feed with a manifest.json; name files.")
    try:
        with first.open("rb") as file:
            head = reading.opened(first.name, file).head
    except OSError as error:
        raise typer.BadParameter(f"{named}: {error.strerror}") from error
    if reader is not None:
        return Source(path, known[reader], None, options)
    chosen = reading.choose(first.name, head)
    return Source(path, chosen, chosen.sureness(first.name.lower(), head), options)


def found(one: Source, said: Said) -> Iterator[Found]:
    """Yield what the source holds, each value once and with what is said of all."""
    seen: set[object] = set()
    for thing in reading.read_path(one.path, one.options, one.reader):
        if isinstance(thing, Value | Pattern):
            # The same value under another mark is another statement; the center decides.
            what = thing.value if isinstance(thing, Value) else thing.pattern
            key = what if thing.tlp is None else (what, thing.tlp)
            if key in seen:
                continue
            seen.add(key)
        yield _with(thing, said) if isinstance(thing, Value) else thing


def _with(value: Value, said: Said) -> Value:
    if said.confidence is None and not said.labels:
        return value
    sure = said.confidence if value.confidence is None else value.confidence
    labels = tuple(dict.fromkeys((*value.labels, *said.labels)))
    return msgspec.structs.replace(value, confidence=sure, labels=labels)


def previewed(one: Source) -> Preview:
    """Read a source to its end and return what is in it; raise ``Malformed`` as reading does."""
    tally, values = Tally(), list[Value | Pattern]()
    for thing in reading.read_path(one.path, one.options, one.reader):
        new = reading.count(tally, thing)
        listed = one.reader.PREVIEW and len(values) < _MOST_VALUES
        if new and listed and isinstance(thing, Value | Pattern):
            values.append(thing)
    tally.seen.clear()  # as large as the list itself, and not needed any more
    return Preview(one, tally, values)


def german() -> bool:
    """Say whether the terminal speaks German."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    said = next((text for name in names if (text := os.environ.get(name))), "")
    return said.lower().startswith("de")


def show(one: Preview) -> None:
    """Print what a push of this source would send, and what it would leave out and why."""
    name, reader, tally = one.source.path.name, one.source.reader, one.tally
    why = "as named" if one.source.sure is None else f"sureness {one.source.sure} of 100"
    title = reader.TITLE["de" if german() else "en"]
    err.print(f"\n{name}: {reader.NAME}, {why}", markup=False, style="bold", soft_wrap=True)
    err.print(title, markup=False, soft_wrap=True)
    rows: list[dict[str, Any]] = [
        {"what": "value", "kind or reason": kind, "count": count}
        for kind, count in sorted(tally.values.items())
    ]
    if tally.duplicates:
        rows.append({"what": "duplicate", "kind or reason": "-", "count": tally.duplicates})
    for what, counter in (("passed", tally.passed), ("refused", tally.refused)):
        rows += [
            {"what": what, "kind or reason": reason, "count": count}
            for reason, count in counter.most_common(_MOST_REASONS)
        ]
    err.print(table(("what", "kind or reason", "count"), rows) if rows else "It is empty.")
    if one.values:
        err.print()
        err.print(table(("where", "kind", "value"), map(_row, one.values)))
        _more(one.count - len(one.values))
    if tally.examples:
        err.print("\nRefused:")
        err.print(table(("where", "text", "reason"), map(msgspec.structs.asdict, tally.examples)))
        _more(tally.refused.total() - len(tally.examples))


def _more(count: int) -> None:
    if count > 0:
        err.print(f"… and {count} more")


def _row(one: Value | Pattern) -> dict[str, str]:
    if isinstance(one, Value):
        return {"where": one.where, "kind": one.kind, "value": one.value}
    return {"where": one.where, "kind": one.pattern_type, "value": one.name or one.pattern}


def as_json(one: Preview) -> dict[str, Any]:
    """Return for scripts what was found."""
    tally = one.tally
    return {
        "name": one.source.path.name,
        "reader": one.source.reader.NAME,
        "sureness": one.source.sure,
        "values": dict(tally.values),
        "duplicates": tally.duplicates,
        "passed": dict(tally.passed),
        "refused": dict(tally.refused),
        "examples": [msgspec.structs.asdict(bad) for bad in tally.examples],
    }
