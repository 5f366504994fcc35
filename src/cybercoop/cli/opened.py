"""Opening the configured database for a command that needs no running server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cybercoop.config import Settings
from cybercoop.store.database import Database
from cybercoop.store.upgrade import require_current, upgrade

T = TypeVar("T")


def on_database(work: Callable[[Database], Awaitable[T]], *, upgrades: bool = False) -> T:
    """Run ``work`` on the configured database, which must be of this version's schema."""

    async def run() -> T:
        database = Database(Settings().database_url)
        try:
            await (upgrade if upgrades else require_current)(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
