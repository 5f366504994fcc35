"""Tables: CSV with comma, semicolon, tab or bar, with or without headings."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from cybercoop.collect.readers import _columns
from cybercoop.collect.reading import (
    LINE_LIMIT,
    Found,
    Given,
    Options,
    Passed,
    bad,
    lines,
)
from cybercoop.errors import Malformed

NAME = "csv"
TITLE = {
    "de": "Tabelle (CSV) mit Komma, Semikolon, Tabulator oder Strich; Spalten werden erkannt",
    "en": "Table (CSV) with comma, semicolon, tab or bar; columns are found out",
}
PREVIEW = False

_DELIMITERS = ",;\t|"
_SAMPLE = 200
_MOST_COLUMNS = 200
_LINES_OF_A_ROW = 20
_CONSISTENT = 0.8

Row = tuple[str, str, list[str] | str]
"""Where it stands, its text, and its cells or the reason why it has none."""


class _Layout(msgspec.Struct, frozen=True):
    """Hold what the first lines say about all of them; ``heading`` is a line or 0."""

    delimiter: str
    heading: int
    columns: _columns.Columns


def sureness(name: str, head: str) -> int:
    """Return how surely ``head`` is a table with at least one column of values."""
    if head.lstrip("\ufeff \t\r\n")[:1] in ("{", "<") or head.lstrip()[:2] in ("[{", '["'):
        return 0
    found = _layout(head, Options(), name)
    if found is None:
        return 0
    if found.heading or name.endswith((".csv", ".tsv")):
        return 95
    return 92 if found.columns.type is not None else 60


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every row became; raise ``Malformed`` where no column holds values."""
    found = _layout(given.head, options, given.name.lower())
    if found is None:
        msg = f"No column of {given.name} holds values; say which one does by a mapping."
        raise Malformed(msg)
    for where, text, cells in _rows(given, found):
        if isinstance(cells, str):
            yield Passed(where, cells) if cells in _PASSED else bad(where, text, cells)
        else:
            yield from _columns.row(where, cells, found.columns, options.kind)


_PASSED = frozenset(("blank", "comment", "heading"))


def _layout(head: str, options: Options, name: str) -> _Layout | None:
    taken = [
        (number, line)
        for number, line in enumerate(islice(head.splitlines(), 5 * _SAMPLE), 1)
        if line.strip() and len(line) <= LINE_LIMIT
    ]
    remarks = [(number, line) for number, line in taken if line.startswith("#")]
    data = [(number, line) for number, line in taken if not line.startswith("#")][:_SAMPLE]
    delimiter = options.delimiter or _delimiter([line for _, line in data], name)
    if not data or not delimiter:
        return None
    sample = [cells for _, line in data if isinstance(cells := _cells(line, delimiter), list)]
    if not sample:
        return None
    heading, headings = _headings(data, remarks, delimiter, options)
    columns = _columns.columns(headings, sample[1:] if heading == data[0][0] else sample, options)
    return _Layout(delimiter, heading, columns) if columns else None


def _headings(
    data: Sequence[tuple[int, str]],
    remarks: Sequence[tuple[int, str]],
    delimiter: str,
    options: Options,
) -> tuple[int, list[str]]:
    """Return the line of the headings, 0 without one, and the headings."""
    below = _cells(data[1][1], delimiter) if len(data) > 1 else []
    values = below if isinstance(below, list) else []
    above = [
        (number, line.lstrip("# ").removeprefix("fields\t"))  # as Zeek begins its headings
        for number, line in remarks
        if number < data[0][0]
    ]
    for number, line in (data[0], *above[-1:]):
        cells = _cells(line, delimiter)
        if isinstance(cells, list) and (
            _columns.is_heading(cells, values) or set(options.mapping) & {*map(str.strip, cells)}
        ):
            return number, cells
    return 0, []


def _delimiter(sample: Sequence[str], name: str) -> str:
    """Return what splits most lines into the same number of columns."""
    best, most = "", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths = [
            len(cells) for line in sample if isinstance(cells := _cells(line, delimiter), list)
        ]
        usual = max(set(widths), key=widths.count, default=0)
        share = widths.count(usual) / len(sample) if sample else 0
        if 1 < usual <= _MOST_COLUMNS and share >= _CONSISTENT and (share, usual) > most:
            best, most = delimiter, (share, usual)
    return best or ("," if name.endswith(".csv") else "")


def _cells(line: str, delimiter: str) -> list[str] | str:
    """Return the cells of one line, or why it has none."""
    cells = line.split(delimiter) if '"' not in line else _quoted([line], delimiter)
    if isinstance(cells, list) and len(cells) > _MOST_COLUMNS:
        return f"The row has more than {_MOST_COLUMNS} columns."
    return cells


def _quoted(text: Sequence[str], delimiter: str) -> list[str] | str:
    even = sum(line.count('"') for line in text) % 2 == 0
    # People put quotes inside quotes. Where every quote is closed on its line, the cells that
    # Python makes of it without being strict are those that were meant.
    for strict in (True, False) if even else (True,):
        try:
            reader = csv.reader(text, delimiter=delimiter, strict=strict, skipinitialspace=True)
            return next(reader)
        except (csv.Error, StopIteration):
            continue
    return "The quotes of the row are broken."


def _rows(given: Given, layout: _Layout) -> Iterator[Row]:
    """Yield every row once; a cell may go on over 20 lines, and no quote swallows the rest."""
    numbered = enumerate(lines(given), 1)
    waiting: deque[tuple[int, str]] = deque()
    while first := waiting.popleft() if waiting else next(numbered, None):
        number, line = first
        where = f"line {number}"
        if len(line) > LINE_LIMIT:
            yield where, line, f"The line is longer than {LINE_LIMIT} characters."
        elif not line.strip():
            yield where, line, "blank"
        elif number == layout.heading:
            yield where, line, "heading"
        elif line.lstrip().startswith("#"):
            yield where, line, "comment"
        else:
            cells = _cells(line, layout.delimiter)
            if isinstance(cells, str) and line.count('"') % 2:
                waiting.extend(islice(numbered, max(0, _LINES_OF_A_ROW - len(waiting))))
                last, cells = _joined(line, waiting, layout.delimiter)
                for _ in range(last):
                    number, _ = waiting.popleft()
                where = f"lines {first[0]} to {number}" if last else where
            yield where, line, cells


def _joined(
    line: str, waiting: Sequence[tuple[int, str]], delimiter: str
) -> tuple[int, list[str] | str]:
    """Return how many more lines an open cell takes, and the cells; 0 where it never ends."""
    text = [f"{line}\n"]
    for count, (_, more) in enumerate(waiting, 1):
        text.append(f"{more}\n")
        if more.count('"') % 2:
            cells = _quoted(text, delimiter)
            return (count, cells) if isinstance(cells, list) else (0, cells)
    return 0, f"A quote is opened that does not end within {_LINES_OF_A_ROW} lines."
