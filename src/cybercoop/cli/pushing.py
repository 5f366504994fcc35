"""The command ``push``: anything to a center over HTTP, with a verdict on every line and object."""

import asyncio
import json
import sys
import tempfile
import time
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cybercoop import client
from cybercoop.cli import preview
from cybercoop.cli.asking import HOME, Url, WritingToken
from cybercoop.cli.preview import Preview, Said, Source
from cybercoop.cli.shown import Json, err, one, out, table
from cybercoop.client import Batch, PushFailed
from cybercoop.collect import indicating
from cybercoop.collect.reading import Bad, Found, Options, Pattern, Value, Whole
from cybercoop.errors import Misused
from cybercoop.sharing.locks import COMMUNITY, PUBLIC, is_own
from cybercoop.sharing.marking import LEVELS

_MOST_SHOWN = 20
_YES = frozenset({"y", "yes", "j", "ja"})

Files = Annotated[
    list[Path] | None, typer.Argument(help="Files, folders of MISP feeds, or - for standard input.")
]
ReaderName = Annotated[str | None, typer.Option(help="Read it as this; else it is found out.")]
Columns = Annotated[
    list[str] | None, typer.Option("--map", help="COLUMN=ROLE of a table; may be repeated.")
]
Path_ = Annotated[str, typer.Option(help="Where the records of JSON are: data[].ioc.")]
Sure = Annotated[
    int | None, typer.Option(min=0, max=100, help="How sure you are of values read from lists.")
]
WithText = Annotated[
    bool, typer.Option("--with-text", help="Release reports and notes; look at them first.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Change nothing; show verdicts and who would see it.")
]
Undo = Annotated[
    str | None, typer.Option(metavar="ID", help="Take a whole push back, and name no files.")
]


def push(
    token: WritingToken,
    files: Files = None,
    url: Url = HOME,
    tlp: Annotated[str | None, typer.Option(help="Level of what carries none.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="The one group that all of it is meant for.")
    ] = None,
    named: Annotated[bool, typer.Option("--named", help="Be named as contributor.")] = False,
    with_text: WithText = False,
    reader: ReaderName = None,
    columns: Columns = None,
    kind: Annotated[str, typer.Option(help="What every value must be, such as domain.")] = "",
    path: Path_ = "",
    confidence: Sure = None,
    labels: Annotated[str, typer.Option(help="Labels of these values, with commas.")] = "",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Push without asking.")] = False,
    undo: Undo = None,
    as_json: Json = False,
) -> None:
    """Push lists, tables, mails, MISP or STIX, and show what became of every line and object.

    For example:

    cybercoop push iocs.json --tlp green
    cybercoop push warnung.txt --tlp amber --dry-run
    cybercoop push liste.csv --map Domain=value --map Stand=valid_from --yes
    cybercoop push --undo 5c0ffee0-0000-4000-8000-000000000000
    """
    if (undo is None) == (not files):
        raise Misused("Name files to push, or a push to take back with --undo.")
    if undo is not None:
        said = asyncio.run(client.undo(url, token, undo))
        one(said, f"Taken back: {said['withdrawn']} object versions.", as_json=as_json)
        return
    query = _query(tlp, group, named=named, with_text=with_text, dry_run=dry_run)
    options = Options(kind, _mapping(columns or []), path)
    all_said = Said(confidence, tuple(part.strip() for part in labels.split(",") if part.strip()))
    with tempfile.TemporaryDirectory() as folder:
        sources = [preview.source(file, reader, options, Path(folder)) for file in files or []]
        previews = _previewed(sources, quiet=as_json)
        if not (dry_run or yes):
            _ask(previews)
        told = _Told(kept=[] if as_json else None)
        _send(url, token, query, previews, all_said, told)
    _print(told, previews, dry_run=dry_run, as_json=as_json)
    if told.refused or told.late or any(each.refuses for each in previews):
        raise typer.Exit(1)


def _query(
    tlp: str | None, groups: Sequence[str] | None, *, named: bool, with_text: bool, dry_run: bool
) -> dict[str, str]:
    if tlp is not None and tlp.lower() not in LEVELS:
        msg = f"--tlp is one of {', '.join(LEVELS)}."
        raise Misused(msg)
    if groups is not None and (len(groups) > 1 or not groups[0].strip()):
        raise Misused("--group names one group; push once for each that it is meant for.")
    said = {
        "tlp": tlp,
        "group": groups[0] if groups else None,
        "named": "1" if named else None,
        "with_text": "1" if with_text else None,
        "dry_run": "1" if dry_run else None,
        "push_id": None if dry_run else str(uuid.uuid4()),
    }
    return {name: value for name, value in said.items() if value is not None}


def _mapping(columns: Sequence[str]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in columns]
    if not all(column and role for column, _, role in pairs):
        raise Misused("--map is COLUMN=ROLE, for example --map Domain=value.")
    return {column: role for column, _, role in pairs}


def _previewed(sources: Sequence[Source], *, quiet: bool) -> list[Preview]:
    with err.status("reading …"):
        found = [preview.previewed(source) for source in sources]
    for each in [] if quiet else found:
        preview.show(each)
    return found


def _ask(previews: Sequence[Preview]) -> None:
    """Return when a person agrees; raise ``Misused`` where one must, and nobody can be asked."""
    if not any(each.count for each in previews):
        return
    if not sys.stdin.isatty():
        if any(each.source.reader.PREVIEW for each in previews):
            raise Misused("Free text has to be looked at: use --dry-run, then push it with --yes.")
        return
    err.print("\nSenden? [j/N] " if preview.german() else "\npush? [y/N] ", markup=False, end="")
    if sys.stdin.readline().strip().lower() not in _YES:
        err.print("Nothing was pushed.")
        raise typer.Exit(1)


@dataclass
class _Told:
    """Collect what the center says; ``kept`` has every verdict where a script wants them all."""

    kept: list[dict[str, Any]] | None
    push_id: str | None = None
    summary: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refused: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    audience: dict[str, list[str]] = field(default_factory=dict)
    late: list[Bad] = field(default_factory=list)

    @property
    def undoable(self) -> str | None:
        """Return the id of the push, or None while nothing of it was taken."""
        taken = any(outcome == "accepted" for outcome, _, _ in self.summary)
        return self.push_id if taken else None

    def take(self, answer: Mapping[str, Any], places: Sequence[str]) -> None:
        """Take in the answer to one batch, whose last objects stood at ``places``."""
        self.push_id = answer.get("push_id")
        self.audience |= answer.get("audience", {})
        for verdict, where in zip(answer["verdicts"][-len(places) :], places, strict=True):
            self.summary[verdict["outcome"], verdict["lock"], verdict["reason"]] += 1
            placed = {"where": where} | verdict
            if verdict["outcome"] == "refused":
                self.refused += 1
                if len(self.examples) < _MOST_SHOWN:
                    self.examples.append(placed)
            if self.kept is not None:
                self.kept.append(placed)


def _send(
    url: str,
    token: str,
    query: Mapping[str, str],
    previews: Sequence[Preview],
    said: Said,
    told: _Told,
) -> None:
    """Read everything again, as it is sent: so a list of any length needs little memory."""
    places: deque[str] = deque()

    def noted(found: Iterator[Found], name: str) -> Iterator[Found]:
        for thing in found:
            if isinstance(thing, Value | Pattern | Whole):
                places.append(f"{name}{thing.where}")
                yield thing

    def refuse(bad: Bad) -> None:
        places.pop()
        told.late.append(bad)

    def batches() -> Iterator[Batch]:
        moment = time.time_ns() // 1000
        for each in previews:
            name = f"{each.source.path.name} " if len(previews) > 1 else ""
            found = noted(preview.found(each.source, said), name)
            yield from indicating.envelopes(found, moment, refuse)

    async def run(answers: AsyncIterator[tuple[Batch, dict[str, Any]]]) -> None:
        async for batch, answer in answers:
            told.take(answer, [places.popleft() for _ in range(batch.count)])
            progress.advance(task, batch.count)

    sent = _reminded(batches(), forgets="dry_run" in query)

    with _progress(quiet=told.kept is not None) as progress:
        task = progress.add_task("push", total=sum(each.count for each in previews))
        try:
            asyncio.run(run(client.push(url, token, query, sent)))
        except (PushFailed, KeyboardInterrupt) as end:
            # What is broken off may arrive yet, and nobody waits for the answer that tells its id.
            answered = isinstance(end, PushFailed)
            _undo_hint(told.undoable if answered else query.get("push_id"))
            raise


def _reminded(parts: Iterable[Batch], *, forgets: bool) -> Iterator[Batch]:
    """Put the markings that earlier batches defined before each where the center forgets them."""
    known: list[bytes] = []
    for part in parts:
        yield client.led_by(known, part)
        known += client.definitions(part) if forgets else []


def _undo_hint(push_id: str | None) -> None:
    if push_id is not None:
        err.print(f"undo with: cybercoop push --undo {push_id}", markup=False, soft_wrap=True)


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=quiet)


def _print(told: _Told, previews: Sequence[Preview], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        _print_json(told, previews, dry_run=dry_run)
        return
    if not told.summary:
        out.print("There are no objects in the files.")
        return
    out.print(table(("outcome", "lock", "objects", "reason"), _rows(told.summary)))
    if told.refused:
        out.print(f"\nRefused ({len(told.examples)} of {told.refused} shown):")
        out.print(table(("where", "id", "field", "reason"), told.examples))
    if told.late:
        out.print(f"\nNot sent ({min(len(told.late), _MOST_SHOWN)} of {len(told.late)} shown):")
        rows = [{"where": bad.where, "reason": bad.reason} for bad in told.late[:_MOST_SHOWN]]
        out.print(table(("where", "reason"), rows))
    if dry_run:
        out.print("\nNothing was pushed. Who would see it:")
        locks = sorted(told.audience, key=lambda lock: (lock not in {PUBLIC, COMMUNITY}, lock))
        seen = [{"lock": _lock(lock), "readers": _readers(lock, told)} for lock in locks]
        out.print(table(("lock", "readers"), seen))
    _undo_hint(told.undoable)


def _print_json(told: _Told, previews: Sequence[Preview], *, dry_run: bool) -> None:
    counts: Counter[str] = Counter()
    for (outcome, _, _), count in told.summary.items():
        counts[outcome] += count
    said: dict[str, Any] = {"counts": dict(counts), "verdicts": told.kept}
    said |= {"read": [preview.as_json(each) for each in previews]}
    said |= {"audience": told.audience} if dry_run else {"push_id": told.push_id}
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")


def _lock(lock: str) -> str:
    """Return what a person calls a lock; whose an own lock is goes without saying."""
    return "own" if is_own(lock) else lock or "-"


def _readers(lock: str, told: _Told) -> str:
    who = ", ".join(told.audience[lock]) or "only you"
    return f"{who}, and everybody without credentials" if lock == PUBLIC else who


def _rows(summary: Mapping[tuple[str, str, str], int]) -> list[dict[str, Any]]:
    return [
        {"outcome": outcome, "lock": _lock(lock), "objects": count, "reason": reason or "-"}
        for (outcome, lock, reason), count in sorted(summary.items())
    ]
