"""Opening what is configured: the settings, and the database without a running server."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import ValidationError

from cybercoop.config import Settings
from cybercoop.errors import Misused
from cybercoop.store.database import Database, explained
from cybercoop.store.upgrade import require_current, upgrade

T = TypeVar("T")


def configured() -> Settings:
    """Return the settings; raise ``Misused`` that names the one at fault."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        msg = f"The setting CYBERCOOP_{name} is {first['input']!r}. {first['msg']}."
        raise Misused(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"The file cybercoop.toml cannot be read: {error}."
        raise Misused(msg) from error


def on_database(work: Callable[[Database], Awaitable[T]], *, upgrades: bool = False) -> T:
    """Run ``work`` on the configured database, which must be of this version's schema."""

    async def run() -> T:
        database = Database(configured().database_url)
        try:
            with explained():
                await (upgrade if upgrades else require_current)(database)
                return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
