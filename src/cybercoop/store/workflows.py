"""Where durable work is remembered: a file beside SQLite's, or a schema of the same PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

SCHEMA = "workflows"


def place(database_url: str, data: Path) -> str:
    """Return the address for DBOS; a SQLite file is made ready for readers beside its writer."""
    url = make_url(database_url)
    if url.drivername != "sqlite":
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    file = data / "workflows.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        # Set once, for ever: several threads could not agree on it once they have begun.
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{file.absolute()}"
