"""The commands ``backup`` and ``restore``: a SQLite center as one file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cybercoop.cli.opened import configured
from cybercoop.cli.shown import Json, err, one
from cybercoop.collect import backup as backups
from cybercoop.collect.backup import Backup, Tell


def backup(
    file: Annotated[Path, typer.Argument(help="File or folder to write to.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Check a backup that is there; write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Keep all of a SQLite center in one file, also while it runs, and check that file.

    The file holds the center's secret: guard it like the database. The id that is printed is its
    SHA-256.

    For example:

    cybercoop backup /var/backups/cybercoop
    cybercoop backup before-upgrade.sqlite
    cybercoop backup --verify before-upgrade.sqlite
    """
    settings = configured()
    with _progress(quiet=as_json) as tell:
        if verify:
            made = backups.check(file, tell)
        else:
            made = backups.back_up(settings.database_url, file, datetime.now(UTC), tell)
    one(_shown(made), _sentence(made), as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of a center; that is kept.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup where the configured SQLite database stands, while no server runs on it.

    For example:

    cybercoop restore before-upgrade.sqlite
    cybercoop restore before-upgrade.sqlite --replace
    """
    url = configured().database_url
    with _progress(quiet=as_json) as tell:
        done, kept = backups.restore(url, file, datetime.now(UTC), tell, replace=replace)
    said = f"{_sentence(done)}\nIt is the database now."
    said += f" The one before is {kept}." if kept else ""
    shown = _shown(done) | {"kept": str(kept) if kept else None}
    one(shown, said, as_json=as_json)


def _shown(made: Backup) -> dict[str, Any]:
    return {
        "id": made.id,
        "file": str(made.file),
        "bytes": made.size,
        "center": made.contents.center,
        "schema": made.contents.schema,
        "upgrade_needed": made.contents.is_older,
        "counts": dict(made.contents.counts),
    }


def _sentence(made: Backup) -> str:
    older = " (older: it needs `cybercoop db upgrade` once restored)"
    schema = made.contents.schema + (older if made.contents.is_older else "")
    counts = ", ".join(f"{count} {name}" for name, count in made.contents.counts.items())
    return (
        f"{made.file} is whole: {made.contents.center}, schema {schema}, {counts}; "
        f"{made.size} bytes.\nSHA-256 {made.id}"
    )


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Tell]:
    """Lend what moves a bar for each thing that goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    hidden = quiet or not err.is_terminal
    bars = Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=hidden)
    tasks = {}
    with bars:

        def tell(what: str, done: int, whole: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=None)
            bars.update(tasks[what], completed=done, total=whole)

        yield tell
