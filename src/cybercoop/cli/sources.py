"""Commands about sources: ``source add``, ``list``, ``check``, ``stop``, and ``collect``."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cybercoop.cli.opened import configured, on_database
from cybercoop.cli.shown import Json, date, err, many, one, out, table
from cybercoop.collect import collecting, definitions, previewing
from cybercoop.collect.collecting import ALARMING, House, Run, State
from cybercoop.collect.definitions import Source
from cybercoop.collect.portions import Tell
from cybercoop.collect.previewing import Preview
from cybercoop.errors import CoopError, Misused
from cybercoop.members.organisations import Organisation
from cybercoop.store import sources
from cybercoop.store.database import Database
from cybercoop.store.sources import Row
from cybercoop.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, help="Sources that the center collects from.")

Name = Annotated[str, typer.Argument(help="Name of the definition, without .toml.")]
_LONGEST_NAME = 40


def _known() -> dict[str, Source]:
    folder = configured().feeds
    if not folder.is_dir():
        msg = f"The folder {folder} is not there; set CYBERCOOP_FEEDS."
        raise Misused(msg)
    return {source.name: source for source in definitions.read(folder)}


def _one(name: str) -> Source:
    known = _known()
    if name not in known:
        msg = f"There is no definition {name!r}; `cybercoop source list` shows them."
        raise Misused(msg)
    return known[name]


@app.command("add")
def add(
    name: Name,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="You have read its terms and keep them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Collect from a source from now on, when its schedule says so.

    For example:

    cybercoop source add demo
    cybercoop source add feodo --accept-terms
    """
    source = _one(name)

    async def work(database: Database) -> Organisation:
        return await collecting.add(database, source, Surroundings(), accept_terms=accept_terms)

    org = on_database(work)
    said: dict[str, Any] = {"id": org.id, "name": source.name, "title": source.title}
    said |= {"tlp": source.tlp, "group": source.group or None, "terms": source.terms}
    said["schedule"] = source.schedule
    sentence = f"{source.title} is collected {source.schedule}. Now: cybercoop collect {name}"
    one(said, sentence, as_json=as_json)


@app.command("stop")
def stop(name: Name, as_json: Json = False) -> None:
    """Collect from a source no longer; what it gave stays until its time is over.

    To take all of it back let it leave: `cybercoop org leave NAME --export FILE --withdraw`.

    For example:

    cybercoop source stop openphish
    """

    async def work(database: Database) -> Row:
        await collecting.stop(database, name, Surroundings().now())
        async with database.read() as connection:
            return await sources.find(connection, name)

    row = on_database(work)
    one({"id": row.org_id, "name": name}, f"{name} is off.", as_json=as_json)


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List all definitions, and how each source is that is collected.

    For example:

    cybercoop source list
    CYBERCOOP_FEEDS=/etc/cybercoop/feeds cybercoop source list --json
    """
    known = _known()

    async def work(database: Database) -> list[Row]:
        async with database.read() as connection:
            return await sources.every(connection)

    rows = {row.name: row for row in on_database(work)}
    now = Surroundings().now()
    listed = [_shown(source, rows.get(name), now) for name, source in known.items()]
    # What stands on no file any more is still a contributor.
    listed += [_orphaned(row) for name, row in rows.items() if name not in known]
    if not as_json:
        kept = ("name", "state", "succeeded", "next", "objects", "reason")
        listed = [{key: row[key] for key in kept} for row in listed]
    many("sources", listed, as_json=as_json)


def _shown(source: Source, row: Row | None, now: int) -> dict[str, Any]:
    state = collecting.state_of(row, source, now)
    return {
        "id": row.org_id if row else None,
        "name": source.name,
        "title": source.title,
        "kind": source.kind,
        "schedule": source.schedule,
        "tlp": source.tlp,
        "verified": source.verified,
        "state": state.value,
        "alarm": state in ALARMING,
    } | _facts(row)


def _orphaned(row: Row) -> dict[str, Any]:
    gone = dict.fromkeys(("title", "kind", "schedule", "tlp"), None) | {"verified": False}
    said = {"id": row.org_id, "name": row.name, **gone, "state": State.OFF.value, "alarm": False}
    return said | _facts(row) | {"reason": "There is no definition of this name any more."}


def _facts(row: Row | None) -> dict[str, Any]:
    return {
        "tried": date(row.tried_at) if row else None,
        "succeeded": date(row.succeeded_at) if row else None,
        "next": date(row.next_at) if row and row.enabled else None,
        "objects": row.objects if row else 0,
        "failures": row.failures if row else 0,
        "reason": row.failure if row else None,
    }


@app.command("check")
def check(
    name: Name,
    most: Annotated[int, typer.Option(min=1, help="Files or pages to look at.")] = 20,
    as_json: Json = False,
) -> None:
    """Fetch from a source and read it, and take nothing in.

    For example:

    cybercoop source check ipsum
    """
    source = _one(name)
    found = asyncio.run(previewing.preview(source, os.environ, Surroundings().now(), most))
    if as_json:
        one(found.as_dict(), "", as_json=True)
    else:
        _print_preview(source, found)
    if found.failure or found.broken:
        raise typer.Exit(1)


def _print_preview(source: Source, found: Preview) -> None:
    rows = [
        {"what": what, "kind or reason": key, "count": count}
        for what, counts in found.counts().items()
        for key, count in sorted(counts.items())
    ]
    out.print(f"{source.title}; files or pages: {found.portions}", markup=False)
    if rows:
        out.print(table(rows[0].keys(), rows))
    if found.examples:
        examples = [{"where": bad.where, "reason": bad.reason} for bad in found.examples]
        out.print(table(("where", "reason"), examples))
    for reason in (found.failure, *found.broken.values()):
        if reason:
            err.print(f"error: {reason}", markup=False, soft_wrap=True)


def collect(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of sources; without any all that are on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Collect from sources now, whether they are due or not.

    For example:

    cybercoop collect
    cybercoop collect feodo ipsum
    """
    known = _known()

    async def work(database: Database) -> list[Run]:
        async with database.read() as connection:
            on = [row.name for row in await sources.every(connection) if row.enabled]
        wanted = names or [name for name in on if name in known]
        chosen = [_chosen(name, known) for name in wanted]
        house = House(database, Surroundings(), os.environ)
        with _progress(quiet=as_json) as told:
            return [await _collected(house, source, told(source.name)) for source in chosen]

    runs = on_database(work)
    many("runs", [_run_shown(run) for run in runs], as_json=as_json)
    if any(run.failed for run in runs):
        raise typer.Exit(1)


def _chosen(name: str, known: Mapping[str, Source]) -> Source:
    if name not in known:
        msg = f"There is no definition {name!r}; `cybercoop source list` shows them."
        raise Misused(msg)
    return known[name]


async def _collected(house: House, source: Source, tell: Tell) -> Run:
    """Return the run; a source that cannot be collected keeps no other from it."""
    try:
        return await collecting.collect(house, source, tell)
    except CoopError as error:
        return Run(source.name, house.around.now(), failure=str(error))


def _run_shown(run: Run) -> dict[str, Any]:
    taken = list(run.taken.values())
    return {
        "name": run.name,
        "done": not run.failed,
        "accepted": sum(one.accepted for one in taken),
        "kept": sum(one.kept + one.repeated for one in taken),
        "refused": sum(one.refused.total() + one.unread.total() for one in taken),
        "withdrawn": sum(one.withdrawn for one in taken),
        "refreshed": run.refreshed,
        "reason": run.reason or None,
    }


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Lend what gives a bar to each source."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    hidden = quiet or not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=hidden) as bars:

        def told(source: str) -> Tell:
            task = bars.add_task(source, total=None)

            def tell(portion: str, done: int, whole: int) -> None:
                what = f"{source}: {portion}"[:_LONGEST_NAME]
                bars.update(task, description=what, completed=done, total=whole)

            return tell

        yield told
