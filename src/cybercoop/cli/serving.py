"""Commands that keep running: ``serve``, ``work``, ``demo``; and ``db upgrade``."""

import asyncio
import gc
import time
from collections.abc import Coroutine
from typing import Annotated

import aiohttp
import typer

from cybercoop import app as house
from cybercoop import worker
from cybercoop.app import Announce
from cybercoop.beside import forked
from cybercoop.cli.opened import configured, on_database
from cybercoop.cli.shown import err, out
from cybercoop.config import Settings
from cybercoop.demo import prepare
from cybercoop.errors import CoopError, Misused
from cybercoop.store.database import Database, sole_worker
from cybercoop.story import Cast, play

db = typer.Typer(no_args_is_help=True, help="The database itself.")


def _run(coroutine: Coroutine[None, None, None]) -> None:
    import uvloop  # noqa: PLC0415 - only processes that go on need it

    # What was imported stays, so garbage is not looked for there; nor often among what requests
    # and cycles make, which goes as soon as it was used.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    uvloop.run(coroutine)


async def _announce(address: str) -> None:
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
    if not web_only:
        _serve_all(settings, _announce)
        return
    if settings.database_url.startswith("sqlite"):
        err.print("note: without a process that projects, nothing pushed is released.")
    _run(house.serve(settings, _announce))


def _serve_all(settings: Settings, announce: Announce) -> None:
    """Serve, with a worker beside."""
    with (
        sole_worker(settings.database_url),
        forked(lambda listen: _run(worker.work(settings, listen))) as beside,
    ):
        _run(house.serve(settings, announce, beside))


def work() -> None:
    """Add a worker process: it projects contributions into releases.

    For example:

    CYBERCOOP_DATABASE=postgresql://coop@db/coop cybercoop work
    """
    settings = configured()
    if settings.database_url.startswith("sqlite"):
        raise Misused(
            "SQLite belongs to one `cybercoop serve`; use that, or PostgreSQL for more workers."
        )
    _run(worker.work(settings))


def demo(
    no_story: Annotated[
        bool, typer.Option("--no-story", help="Do not play the story of a response.")
    ] = False,
) -> None:
    """Start a demo center with sample contributions, and say how to push and read.

    The first start plays a story, step by step: two counties push the same, a rule proposes a
    response, two people approve, a block is in force in four counties and taken back.
    State stays in .cybercoop/ or CYBERCOOP_DATA; a second start goes on with it.

    For example:

    cybercoop demo
    cybercoop demo --no-story
    CYBERCOOP_LISTEN=127.0.0.1:8090 CYBERCOOP_DATA=/tmp/demo cybercoop demo
    """
    settings = configured()
    guide = asyncio.run(prepare(settings))

    async def announce(address: str) -> None:
        out.print(guide.text(address), soft_wrap=True)
        if guide.cast is not None and not no_story:
            await _tell(address, guide.cast)

    _serve_all(settings, announce)


async def _tell(address: str, cast: Cast) -> None:
    """Play the story and print each step when it has happened."""
    begun = time.monotonic()

    async def say(german: str, english: str) -> None:
        out.print(
            f"[{time.monotonic() - begun:5.1f} s] {german}\n          {english}",
            markup=False,
            soft_wrap=True,
        )

    try:
        await play(address, cast, say)
    except (CoopError, aiohttp.ClientError) as error:
        err.print(f"The story did not go on: {error}", markup=False, soft_wrap=True)


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
