"""The schema of this version in an empty database: migrations make it once, then it is copied.

All migrations take 0.3 s of a processor, and hundreds of tests begin with an empty database.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.engine import make_url

import postgres_server
from cybercoop.store import upgrade
from cybercoop.store.database import Database

_FILE: list[bytes] = []
_MODELS: dict[str, tuple[str, ExitStack]] = {}


async def build(database: Database) -> None:
    """Give a database the tables of this version; migrations go on where it has some."""
    if database.is_sqlite:
        if not _FILE:
            with tempfile.TemporaryDirectory() as folder:
                await _upgraded(f"sqlite:///{folder}/model.sqlite")
                _keep(Path(folder, "model.sqlite"))
        if _fill(Path(make_url(database.url).database or "")):
            return
    elif server := postgres_server.lender_of_empty(database.url):
        postgres_server.refill(database.url, like=await _model(server))
        return
    await upgrade.upgrade(database)


def forget(server_url: str) -> None:
    """Drop what is copied on a server."""
    if server_url in _MODELS:
        _MODELS.pop(server_url)[1].close()


def _keep(file: Path) -> None:
    _FILE.append(file.read_bytes())


def _fill(file: Path) -> bool:
    """Fill a SQLite file that is empty; say whether it was."""
    if file.stat().st_size:
        return False
    file.write_bytes(_FILE[0])
    return True


async def _model(server_url: str) -> str:
    """Return the name of the database that is copied on a server."""
    if server_url not in _MODELS:
        lent = ExitStack()
        url = lent.enter_context(postgres_server.fresh_database(server_url))
        _MODELS[server_url] = postgres_server.name_in(url), lent
        await _upgraded(url)
    return _MODELS[server_url][0]


async def _upgraded(url: str) -> None:
    database = Database(url)
    try:
        await upgrade.upgrade(database)
    finally:
        await database.close()
