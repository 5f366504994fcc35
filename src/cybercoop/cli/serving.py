"""Commands that keep running: ``serve``, ``work``, ``demo``; and ``db upgrade``."""

import asyncio
import sys
from typing import Annotated

import typer

from cybercoop import app as house
from cybercoop.cli.opened import configured, on_database
from cybercoop.cli.shown import err, out
from cybercoop.demo import prepare
from cybercoop.errors import Misused
from cybercoop.store.database import Database

db = typer.Typer(no_args_is_help=True, help="The database itself.")


def _run(coroutine: "asyncio.Future[None] | object") -> None:
    if sys.platform == "win32":
        asyncio.run(coroutine)  # type: ignore[arg-type] # a coroutine
        return
    import uvloop  # noqa: PLC0415 - there is none on Windows

    uvloop.run(coroutine)  # type: ignore[arg-type] # a coroutine


def _announce(address: str) -> None:
    out.print(f"cybercoop serves on {address}", markup=False, soft_wrap=True)


def serve(
    web_only: Annotated[
        bool, typer.Option("--web-only", help="Only answer requests; `work` does the rest.")
    ] = False,
) -> None:
    """Serve the center on CYBERCOOP_LISTEN until stopped.

    For example:

    cybercoop serve
    CYBERCOOP_LISTEN=127.0.0.1:8090 cybercoop serve
    cybercoop serve --web-only
    """
    settings = configured()
    if web_only and settings.database_url.startswith("sqlite"):
        err.print("note: without a process that projects, nothing pushed is released.")
    _run(house.serve(settings, _announce, projects=not web_only))


def work() -> None:
    """Add a worker process: it projects contributions into releases.

    For example:

    CYBERCOOP_DATABASE=postgresql://coop@db/coop cybercoop work
    """
    settings = configured()
    if settings.database_url.startswith("sqlite"):
        raise Misused(
            "SQLite is one process's database; use `cybercoop serve`, or PostgreSQL for workers."
        )
    _run(house.work(settings))


def demo() -> None:
    """Start a demo center with sample contributions, and say how to push and read.

    State stays in .cybercoop/ or CYBERCOOP_DATA; a second start goes on with it.

    For example:

    cybercoop demo
    CYBERCOOP_LISTEN=127.0.0.1:8090 CYBERCOOP_DATA=/tmp/demo cybercoop demo
    """
    settings = configured()
    guide = asyncio.run(prepare(settings))

    def announce(address: str) -> None:
        out.print(guide.text(address), soft_wrap=True)

    _run(house.serve(settings, announce))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the configured database to the schema of this version.

    For example:

    cybercoop db upgrade
    """

    async def nothing(_database: Database) -> None:
        return

    on_database(nothing, upgrades=True)
    out.print("The database has the schema of this version.")
