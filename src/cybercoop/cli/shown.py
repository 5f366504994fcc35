"""How commands print: one JSON object for scripts, tables and sentences for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WHOLE = frozenset({"id", "marking", "prefix"})
"""Columns that are there to be copied."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

# What is no terminal is a file or a script: there a folded id would be a wrong one.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
err = Console(stderr=True, highlight=False)


def one(thing: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what was made: the whole object, or a sentence about it."""
    if as_json:
        sys.stdout.write(json.dumps(thing, ensure_ascii=False) + "\n")
    else:
        out.print(sentence, markup=False, soft_wrap=True)


def date(micros: int | None) -> str | None:
    """Return a time as people and scripts read it, to the second, UTC."""
    if micros is None:
        return None
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def many(name: str, things: Sequence[Mapping[str, Any]], *, as_json: bool, **more: object) -> None:
    """Print a list: as one object with the list under ``name`` and ``more``, or as a table."""
    if as_json:
        sys.stdout.write(json.dumps({name: things} | more, ensure_ascii=False) + "\n")
    elif things:
        _print_rows(things)
    else:
        out.print(f"There are no {name} yet.", markup=False)


def _print_rows(things: Sequence[Mapping[str, Any]]) -> None:
    """Print rows side by side, or one below the other where words or columns would not fit."""
    made = table(things[0].keys(), things)
    wide = Measurement.get(out, out.options.update(max_width=10_000), made).minimum
    if wide <= out.width:
        out.print(made)
        return
    for thing in things:
        said = (f"{name.replace('_', ' ')}: {_cell(value)}" for name, value in thing.items())
        out.print("\n".join(said), "", sep="\n", markup=False, soft_wrap=True)


def table(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table whose columns are those keys of the rows."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    names = list(columns)
    for name in names:
        title = Text(name.replace("_", " "))
        made.add_column(title, overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        made.add_row(*(_cell(row[name]) for name in names))
    return made


def _cell(value: object) -> Text:
    """Return a value as it is: what somebody else wrote is no markup of ours."""
    if value is None or value is False:
        return Text("-")
    if value is True:
        return Text("yes")
    if isinstance(value, list | tuple | frozenset | set):
        return Text(", ".join(sorted(str(one) for one in value)) or "-")
    return Text(str(value))
