"""The schema: migrations build what the code expects, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from cybercoop.store import (
    incident_tables,  # noqa: F401 - its tables are compared, too
    notice_tables,  # noqa: F401 - the same
    response_tables,  # noqa: F401 - the same
    service_tables,  # noqa: F401 - the same
)
from cybercoop.store.database import Database
from cybercoop.store.tables import metadata
from cybercoop.store.upgrade import require_current, upgrade


async def test_migrations_build_the_tables_of_the_code(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    database = Database(database_url)
    try:
        await upgrade(database)
        await require_current(database)
        async with database.read() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()
