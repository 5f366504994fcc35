"""The product's own TAXII room over a store filled from a JSON file, for black-box suites.

    python -m tests.taxii.fixture_server FIXTURE --port N [--max-page N]

Each collection of the file is an organisation whose own contributions stand on its shelf, and
each user is an organisation that finds all of these shelves. Nothing is projected: what is
posted shows in the next GET.
"""

import argparse
import asyncio
import hmac
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import text, update
from yarl import URL

from cybercoop import app as house
from cybercoop.collect import founding
from cybercoop.collect.checking import content_hash
from cybercoop.config import Settings
from cybercoop.door import TAXII_PATHS, Authenticate, Reader
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.members.tokens import Scope
from cybercoop.sharing import locks
from cybercoop.stix import times
from cybercoop.store import contributions, members, statuses, upgrade
from cybercoop.store.database import Database
from cybercoop.store.tables import clocks
from cybercoop.surroundings import Surroundings
from cybercoop.taxii import routes as taxii
from cybercoop.taxii.collections import STIX_20, STIX_21, Collection, Collections, Own
from cybercoop.web.signin import secret_of

Json = Mapping[str, Any]
Build = Callable[[Database], Awaitable[None]]


@asynccontextmanager
async def serving(
    fixture: Json,
    folder: Path,
    *,
    port: int = 0,
    database_url: str = "",
    build: Build = upgrade.upgrade,
    **settings: Any,
) -> AsyncIterator[str]:
    """Serve ``fixture`` on loopback and lend the address.

    The store is the empty database of that URL, else a new SQLite file in ``folder``; ``build``
    makes its tables.
    """
    url = database_url or f"sqlite:///{folder / 'fixture.sqlite'}"
    chosen = Settings(data=folder, database=url, listen=f"127.0.0.1:{port}", **settings)
    if most := fixture["api_root"].get("max_content_length"):
        # A copy: no county would want as little as a suite may.
        chosen = chosen.model_copy(update={"max_content_length": most})
    around, database = Surroundings(), Database(url)
    try:
        await build(database)
        app = await _app(fixture, database, chosen, around)
        async with house.listening(app, chosen) as (host, taken):
            yield f"http://{host}:{taken}"
    finally:
        await database.close()


async def _app(
    fixture: Json, database: Database, settings: Settings, around: Surroundings
) -> web.Application:
    await founding.found_center(database, "Fixture", around)
    await _let_versions_repeat(database)
    users = {
        name: await _organisation(database, f"user {name}", around) for name in _users(fixture)
    }
    shelves = [await _shelf(database, one, around) for one in fixture.get("collections") or ()]
    poster = next(iter(users.values()), None)
    async with database.write() as connection:
        center = await members.the_center(connection)
        for status in (fixture.get("status") or ()) if poster else ():
            await statuses.add(connection, status["id"], poster.id, _compact(status), around.now())
    authenticate = _by_password(_users(fixture), users)
    app = house.make_app(database, center, settings, around, lambda: None, authenticate)
    app[TAXII_PATHS] = ("/",)
    taxii.add_routes(app, _discovery(fixture, _same_for_all(shelves)))
    return app


def _users(fixture: Json) -> Mapping[str, str]:
    users: Mapping[str, str] = fixture.get("users") or {}
    return users


def _by_password(passwords: Mapping[str, str], users: Mapping[str, Organisation]) -> Authenticate:
    async def by_password(header: str, _request: web.Request) -> Reader | None:
        name, password = secret_of(header) or ("", "")
        known = passwords.get(name)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            return None
        return Reader(users[name], Scope.WRITE)

    return by_password


def _same_for_all(shelves: Sequence[Collection]) -> Collections:
    in_order = sorted(shelves, key=lambda one: one.id)

    return lambda _reader: list(in_order)


def _discovery(fixture: Json, collections: Collections) -> taxii.Discovery:
    said, root = fixture.get("discovery") or {}, fixture["api_root"]
    title = root.get("title") or "Fixture"
    path = f"/{URL(root['path']).path.strip('/')}/".replace("//", "/")
    return taxii.Discovery(
        said.get("title") or title,
        [taxii.Root(path, title, collections, root.get("description"))],
        said.get("description"),
        said.get("contact"),
        open=False,
        addresses=said.get("api_roots") or (),
        default=said.get("default"),
    )


async def _organisation(database: Database, name: str, around: Surroundings) -> Organisation:
    ids = around.uuid(), around.uuid()
    new = Organisation(ids[0], name, Kind.PARTNER, community=False, contributions_id=ids[1])
    return await founding.add_organisation(database, new, around)


async def _let_versions_repeat(database: Database) -> None:
    """Let a fixture hold one version in two STIX versions, which no contributor may give."""
    async with database.write() as connection:
        await connection.execute(text("DROP INDEX contributions_once"))


async def _shelf(database: Database, said: Json, around: Surroundings) -> Collection:
    org = await _organisation(database, f"collection {said['id']}", around)
    rows = _rows(org, said)
    async with database.write() as connection:
        await contributions.add(connection, rows)
        last = max((row["date_added"] for row in rows), default=0)
        clock = update(clocks).where(clocks.c.name == f"org:{org.id}")
        await connection.execute(clock.values(last=last))
    return Collection(
        said["id"],
        said.get("title") or said["id"],
        Own(org),
        said.get("alias"),
        said.get("description"),
        said.get("can_read", False),
        said.get("can_write", False),
        said.get("media_types") or (STIX_21, STIX_20),
    )


def _rows(org: Organisation, said: Json) -> list[dict[str, Any]]:
    """Return the rows of a shelf, each exact repetition of a version once, in the file's order."""
    once: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one, entry in zip(said.get("objects") or (), said.get("manifest") or (), strict=True):
        row = _row(org, one, entry)
        once.setdefault((row["stix_id"], row["modified"], row["spec_version"]), row)
    newest: dict[str, dict[str, Any]] = {}
    for row in sorted(once.values(), key=lambda row: (row["spec_version"], row["modified"])):
        newest[row["stix_id"]] = row
    for row in newest.values():
        row["latest"] = True
    return list(once.values())


def _row(org: Organisation, one: Json, entry: Json) -> dict[str, Any]:
    """Return the row that intake would write, with the times and versions of the manifest."""
    raw = _compact(one)
    return {
        "org_id": org.id,
        "date_added": times.micros(entry["date_added"]),
        "stix_id": entry["id"],
        "type": one.get("type", entry["id"].partition("--")[0]),
        "spec_version": entry.get("media_type", STIX_21).rpartition("version=")[2],
        "modified": times.normal(entry["version"]),
        "version": entry["version"],
        "latest": False,
        "deleted": False,
        "revoked": bool(one.get("revoked", False)),
        "hash": content_hash(json.loads(raw)),
        "bytes": raw,
        "lock": locks.own(org.id),
        "at_lock": None,
        "key": None,
        "counts": True,
        "tightened": False,
        "named": False,
        "with_text": False,
        "effective_until": None,
        "pending": 0,
        "note": None,
    }


def _compact(one: Json) -> bytes:
    return json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()


async def serve(fixture: Json, announce: Callable[[str], None], port: int, max_page: int) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the address when requests are answered."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(fixture, Path(folder), port=port, page_limit=max_page) as address:
            announce(address)
            await ended.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("fixture", type=Path, help="JSON file with the world to serve")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--max-page", type=int, default=1000, help="most objects on one page")
    said = parser.parse_args()

    def announce(address: str) -> None:
        print(address, flush=True)  # noqa: T201 - this line is what the caller waits for

    fixture = json.loads(said.fixture.read_bytes())
    asyncio.run(serve(fixture, announce, said.port, said.max_page))


if __name__ == "__main__":
    main()
