"""The schema: migrations build what the code expects, on both databases, and keep what is there."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from cybercoop import store
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


_RELEASE = (
    "INSERT INTO releases (date_added, lock, key, generation, stix_id, type, spec_version, "
    "created, modified, version, digest, revoked, latest, shared_id, bytes) "
    "VALUES (:date_added, 'public', CAST('k' AS BLOB), :generation, :stix_id, 'indicator', '2.1', "
    "1, 'm', 'v', CAST('d' AS BLOB), :revoked, :latest, false, CAST('b' AS BLOB))"
)


async def test_what_had_ended_and_come_back_is_told_after_the_upgrade(database_url: str) -> None:
    versions = (  # of one place: it stood, changed, was revoked, and came back under another id
        ("one", 1, False, False),
        ("one", 1, False, False),
        ("one", 1, True, False),
        ("two", 2, False, True),
    )

    def older(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        blob = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
        names = ("stix_id", "generation", "revoked", "latest")
        for number, row in enumerate(versions):
            values = dict(zip(names, row, strict=True)) | {"date_added": number}
            connection.execute(text(_RELEASE.replace("BLOB", blob)), values)

    database = Database(database_url)
    try:
        async with database.write() as connection:
            await connection.run_sync(older)
        await upgrade(database)
        async with database.read() as connection:
            query = text("SELECT stix_id, latest, head FROM releases ORDER BY date_added")
            found = [tuple(row) for row in await connection.execute(query)]
        assert [(name, bool(latest), bool(head)) for name, latest, head in found] == [
            ("one", False, False),
            ("one", False, False),
            ("one", True, False),
            ("two", True, True),
        ]
    finally:
        await database.close()
