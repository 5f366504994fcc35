"""JSON by path: records or bare values somewhere in a document, or one record per line."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cybercoop.collect.readers import _columns, _documents
from cybercoop.collect.readers._words import each
from cybercoop.collect.reading import (
    LINE_LIMIT,
    Bad,
    Found,
    Given,
    Options,
    Passed,
    bad,
    lines,
    whole,
)
from cybercoop.errors import Malformed, Misused
from cybercoop.indicators.values import shown

NAME = "json"
TITLE = {
    "de": "JSON: Einträge an einem Pfad wie data[].ioc, oder ein Eintrag je Zeile",
    "en": "JSON: records at a path such as data[].ioc, or one record per line",
}
PREVIEW = False

_STEP = re.compile(r"(\*|[^.\[\]*]+)?((?:\[\])*)").fullmatch
_PER_LINE = (".jsonl", ".ndjson")
_SAMPLE = 200
_DEEPEST = 3
_ENOUGH = 0.5

Placed = tuple[str, Any]
"""Where a record stands, and the record."""


def sureness(name: str, head: str) -> int:
    """Return a middling sureness for whatever begins like JSON: other readers know it better."""
    begins = head.lstrip("\ufeff \t\r\n")[:2]
    if not re.match(r'\{|\[\s*[{\["\]]?', begins) or begins[:1] not in ("{", "["):
        return 0
    if begins[:1] == "[" and not re.match(r'\[\s*(?:[{"]|$)', head.lstrip("\ufeff \t\r\n")):
        return 0
    return 50 if name.endswith((".json", *_PER_LINE)) else 40


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every record became; raise ``Malformed`` where no values can be found."""
    if given.name.lower().endswith(_PER_LINE) or _has_records_per_line(given.head):
        return _per_line(given, options)
    document = _documents.decoded(whole(given), object, given.name)
    path = options.path or _path(document, given.name)
    return _records(list(_at(path, document)), options, given.name)


def _has_records_per_line(head: str) -> bool:
    first, _, second = head.lstrip().partition("\n")
    return first.rstrip().endswith("}") and second.lstrip().startswith("{")


def _per_line(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every line became; the first records tell what the fields of all hold."""
    waiting: list[Placed | Bad | Passed] = []
    shape: tuple[list[str], _columns.Columns | None] | None = None
    for number, line in enumerate(lines(given), 1):
        waiting.append(_line(f"line {number}", line))
        if shape is None and len(waiting) >= _SAMPLE:
            shape = _shape([one[1] for one in waiting if isinstance(one, tuple)], options)
        if shape is not None:
            yield from _emptied(waiting, shape, options, given.name)
    shape = shape or _shape([one[1] for one in waiting if isinstance(one, tuple)], options)
    yield from _emptied(waiting, shape, options, given.name)


def _line(where: str, line: str) -> Placed | Bad | Passed:
    if not line.strip():
        return Passed(where, "blank")
    if len(line) > LINE_LIMIT:
        return bad(where, line, f"The line is longer than {LINE_LIMIT} characters.")
    try:
        return where, _documents.decoded(line.encode("utf-8", "replace"), object, "The line")
    except Malformed as error:
        return bad(where, line, str(error))


def _emptied(
    waiting: list[Placed | Bad | Passed],
    shape: tuple[list[str], _columns.Columns | None],
    options: Options,
    name: str,
) -> Iterator[Found]:
    for one in waiting:
        if isinstance(one, tuple):
            yield from _record(one, shape, options, name)
        else:
            yield one
    waiting.clear()


def _records(found: Sequence[Placed], options: Options, name: str) -> Iterator[Found]:
    if not found:
        msg = f"{name} has no records at {shown(options.path)}; say where they are by a path."
        raise Malformed(msg)
    shape = _shape([record for _, record in found[:_SAMPLE]], options)
    if shape[1] is None and not options.path:
        texts = [record for _, record in found[:_SAMPLE] if isinstance(record, str)]
        if sum(map(_columns.looks, texts)) < _ENOUGH * len(found[:_SAMPLE]):
            msg = f"{name} is JSON without values that are known here; say the path to them."
            raise Malformed(msg)
    return (one for record in found for one in _record(record, shape, options, name))


def _shape(records: Sequence[Any], options: Options) -> tuple[list[str], _columns.Columns | None]:
    flat = [dict(_flat("", record)) for record in records if isinstance(record, dict)]
    names = list(dict.fromkeys(name for record in flat for name in record))
    sample = [[record.get(name, "") for name in names] for record in flat]
    return names, _columns.columns(names, sample, options) if flat else None


def _record(
    placed: Placed,
    shape: tuple[list[str], _columns.Columns | None],
    options: Options,
    name: str,
) -> Iterator[Found]:
    where, record = placed
    names, columns = shape
    if isinstance(record, str) and record.strip():
        yield from each(where, record.strip(), "", options.kind)
    elif isinstance(record, dict) and columns:
        flat = dict(_flat("", record))
        yield from _columns.row(where, [flat.get(one, "") for one in names], columns, options.kind)
    elif isinstance(record, dict):
        msg = f"No field of the records of {name} holds values; say which by a mapping."
        raise Malformed(msg)
    else:
        reason = "This is neither a text nor a record with fields."
        yield bad(where, _scalar(record) or type(record).__name__, reason)


def _flat(before: str, record: dict[str, Any], depth: int = 1) -> Iterator[tuple[str, str]]:
    """Yield every field with its path inside of the record, as text."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(f"{before}{name}.", value, depth + 1)
        elif isinstance(value, list):
            yield f"{before}{name}", ",".join(text for one in value if (text := _scalar(one)))
        elif text := _scalar(value):
            yield f"{before}{name}", text


def _scalar(value: object) -> str:
    """Return a text, number or truth value as text, and nothing for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else ""


def _at(path: str, document: Any) -> Iterator[Placed]:
    """Yield what stands at ``path``: names, ``*`` for any name, ``[]`` for every element."""
    found: list[Placed] = [("", document)]
    for step in path.split("."):
        parts = _STEP(step)
        if not step or parts is None:
            msg = f"{shown(path)} is no path; write one like data[].ioc."
            raise Misused(msg)
        if parts[1]:
            found = [one for placed in found for one in _named(placed, parts[1])]
        for _ in range(len(parts[2]) // 2):
            found = [one for placed in found for one in _elements(placed)]
    yield from ((where or "the document", record) for where, record in found)


def _named(placed: Placed, name: str) -> Iterator[Placed]:
    where, value = placed
    before = f"{where}." if where else ""
    if isinstance(value, dict):
        for key in value if name == "*" else (name,) if name in value else ():
            yield f"{before}{key if key.isprintable() else shown(key)}", value[key]


def _elements(placed: Placed) -> Iterator[Placed]:
    where, value = placed
    if isinstance(value, list):
        yield from ((f"{where}[{number}]", one) for number, one in enumerate(value))


def _path(document: Any, name: str) -> str:
    """Return the path to the only list of a document, or to lists below names that differ."""
    if isinstance(document, list):
        return "[]"
    lists = [key for key, value in document.items() if isinstance(value, list) and value]
    if len(lists) == 1 and not re.search(r"[.\[\]*]", lists[0]):
        return f"{lists[0]}[]"
    if lists and len(lists) == len(document):
        return "*[]"
    msg = f"{name} is JSON with {len(lists)} lists; say by a path which one holds the records."
    raise Malformed(msg)
