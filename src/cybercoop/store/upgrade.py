"""Bring a database to the schema of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import func, select

from cybercoop.errors import Misused
from cybercoop.store import members
from cybercoop.store.database import Database, explained
from cybercoop.store.members import Center

_TURN = 7_165_102_033_411
"""The number of an advisory lock in PostgreSQL."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def upgrade(database: Database) -> None:
    """Run every migration that this database has not seen; of two processes one waits.

    Raises ``Misused`` for the schema of a newer version.
    """

    def run(connection: SyncConnection) -> None:
        config = _config()
        _require_known(_revision(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(select(func.pg_advisory_xact_lock(_TURN)))
        await connection.run_sync(run)


async def require_current(database: Database) -> None:
    """Raise ``Misused`` when the schema is not that of this version."""
    async with database.read() as connection:
        found = await connection.run_sync(_revision)
    if found != ScriptDirectory.from_config(_config()).get_current_head():
        _require_known(found)
        state = "empty" if found is None else "of an older version"
        hint = "cybercoop init --name NAME" if found is None else "cybercoop db upgrade"
        raise Misused(f"The database is {state}; run `{hint}` first.")


def _revision(connection: SyncConnection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _require_known(revision: str | None) -> None:
    """Raise ``Misused`` for what a newer version wrote: an upgrade would not help."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    if revision not in {None, *(one.revision for one in scripts)}:
        msg = f"The database has the schema {revision}, which this version does not know;"
        raise Misused(f"{msg} bring in the version that wrote it, or a newer one.")


async def founded(database: Database) -> tuple[Center, str]:
    """Return the center and its name; raise ``Misused`` where there is none to work for."""
    with explained():
        await require_current(database)
        async with database.read() as connection:
            center = await members.the_center(connection)
            return center, (await members.find(connection, center.org_id)).name
