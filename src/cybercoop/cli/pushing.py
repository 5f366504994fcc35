"""The command ``push``: files to a center over HTTP, with a verdict on every object."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cybercoop import client
from cybercoop.cli.shown import Json, err, out, table
from cybercoop.errors import Misused
from cybercoop.sharing.locks import COMMUNITY, PUBLIC, is_own
from cybercoop.sharing.marking import LEVELS

_MOST_SHOWN = 20

Files = Annotated[list[Path], typer.Argument(help="STIX 2.1 or 2.0 bundles, TAXII envelopes.")]
Url = Annotated[str, typer.Option(envvar="CYBERCOOP_URL", help="Address of the center.")]
TokenText = Annotated[str, typer.Option(envvar="CYBERCOOP_TOKEN", help="A token that may write.")]


def push(
    files: Files,
    token: TokenText,
    url: Url = "http://127.0.0.1:8080",
    tlp: Annotated[str | None, typer.Option(help="Level of objects that carry none.")] = None,
    group: Annotated[str | None, typer.Option(help="Group that all of it is meant for.")] = None,
    named: Annotated[bool, typer.Option("--named", help="Be named as contributor.")] = False,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Release reports and notes; look at them first.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; show verdicts and who would see it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Push files and show what became of every object.

    For example:

    cybercoop push iocs.json --tlp green
    cybercoop push lage.json --group krisenstab --dry-run
    """
    if tlp is not None and tlp.lower() not in LEVELS:
        msg = f"--tlp is one of {', '.join(LEVELS)}."
        raise Misused(msg)
    said = {
        "tlp": tlp,
        "group": group,
        "named": "1" if named else None,
        "with_text": "1" if with_text else None,
        "dry_run": "1" if dry_run else None,
    }
    query = {name: value for name, value in said.items() if value is not None}
    batches = [batch for file in files for batch in client.batches(file.name, _read(file))]
    with _progress(quiet=as_json) as progress:
        task = progress.add_task("push", total=sum(batch.count for batch in batches))
        answers = asyncio.run(
            client.push(url, token, query, batches, lambda count: progress.advance(task, count))
        )
    _print(answers, dry_run=dry_run, as_json=as_json)
    if any(one["outcome"] == "refused" for answer in answers for one in answer["verdicts"]):
        raise typer.Exit(1)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=quiet)


def _print(answers: Sequence[dict[str, Any]], *, dry_run: bool, as_json: bool) -> None:
    verdicts = [one for answer in answers for one in answer["verdicts"]]
    seen = {lock: names for answer in answers for lock, names in answer.get("audience", {}).items()}
    counts = Counter(one["outcome"] for one in verdicts)
    if as_json:
        said: dict[str, Any] = {"counts": dict(counts), "verdicts": verdicts}
        said |= {"audience": seen} if dry_run else {}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        return
    if not verdicts:
        out.print("There are no objects in the files.")
        return
    out.print(table(("outcome", "lock", "objects", "reason"), _summary(verdicts)))
    refused = [one for one in verdicts if one["outcome"] == "refused"]
    if refused:
        out.print(f"\nRefused ({min(len(refused), _MOST_SHOWN)} of {len(refused)} shown):")
        out.print(table(("id", "field", "reason"), refused[:_MOST_SHOWN]))
    if dry_run:
        out.print("\nNothing was pushed. Who would see it:")
        rows = [
            {"lock": _lock(lock), "readers": _readers(lock, seen[lock])}
            for lock in sorted(seen, key=lambda one: (one not in {PUBLIC, COMMUNITY}, one))
        ]
        out.print(table(("lock", "readers"), rows))


def _lock(lock: str) -> str:
    """Return what a person calls a lock; whose an own lock is goes without saying."""
    return "own" if is_own(lock) else lock or "-"


def _readers(lock: str, names: Sequence[str]) -> str:
    who = ", ".join(names) or "only you"
    return f"{who}, and everybody without credentials" if lock == PUBLIC else who


def _summary(verdicts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = Counter((one["outcome"], one["lock"], one["reason"]) for one in verdicts)
    return [
        {"outcome": outcome, "lock": _lock(lock), "objects": count, "reason": reason or "-"}
        for (outcome, lock, reason), count in sorted(lines.items())
    ]
