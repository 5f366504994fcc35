"""The demo: a center with four counties, their clients, a partner, and sample contributions."""

import json
from dataclasses import dataclass
from pathlib import Path

from cybercoop.collect import founding, tokens
from cybercoop.collect.intake import Push, accept
from cybercoop.config import Settings
from cybercoop.errors import Misused
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.members.tokens import Scope
from cybercoop.store import members, upgrade
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

CENTER = "Virtuelles Zentrum EMH"
COUNTIES = {
    "Landkreis Bernkastel-Wittlich": ("bernkastel-wittlich", "stix20-bernkastel-wittlich"),
    "Landkreis Bitburg-Prüm": ("bitburg-pruem",),
    "Landkreis Cochem-Zell": ("cochem-zell",),
    "Landkreis Vulkaneifel": ("vulkaneifel",),
}
CLIENTS = {
    "Stadt Wittlich": "Landkreis Bernkastel-Wittlich",
    "Stadt Daun": "Landkreis Vulkaneifel",
}
PARTNER = "Landes-CERT"
READER = "Öffentlicher Leser"
_TOKENS = "demo-tokens.json"


@dataclass(frozen=True, slots=True)
class Guide:
    """Hold what a newcomer needs to go on: a token per organisation."""

    tokens: dict[str, str]

    def text(self, address: str) -> str:
        """Return what to look at and three commands to copy."""
        county, reader = self.tokens["Landkreis Cochem-Zell"], self.tokens["Landkreis Vulkaneifel"]
        rows = "\n".join(f"  {name:<32} {token}" for name, token in self.tokens.items())
        python = (
            "from taxii2client.v21 import Server; "
            f"s = Server('{address}/taxii2/', user='token', password='{reader}'); "
            "print([c.title for c in s.api_roots[0].collections])"
        )
        return f"""\
[bold]{CENTER}[/bold] serves on {address}   (stop with Ctrl+C / beenden mit Strg+C)

Tokens (name = anything, password = token / Name beliebig, Passwort = Token):
{rows}

Push a file / eine Datei melden:
  .venv/bin/cybercoop push feeds/samples/cochem-zell.json --tlp green \\
    --url {address} --token {county}

Read with curl / mit curl lesen:
  curl -u token:{reader} "{address}/taxii2/coop/collections/feed/objects/?limit=3"

Read with taxii2-client / mit taxii2-client lesen:
  .venv/bin/python -c "{python}"
"""


async def prepare(settings: Settings) -> Guide:
    """Make the demo center, or go on with the one that is there."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database, around = Database(settings.database_url), Surroundings()
    try:
        await upgrade.upgrade(database)
        async with database.read() as connection:
            known = {one.name for one in await members.all_organisations(connection)}
        if not known:
            await founding.found_center(database, CENTER, around)
        elif CENTER not in known:
            raise Misused("This database has another center; set CYBERCOOP_DATA for the demo.")
        await _enrol(database, known, around)
        guide = Guide(await _tokens(database, _read(settings.data / _TOKENS), around))
        _write(settings.data / _TOKENS, guide.tokens)
        await _load_samples(database, around)
    finally:
        await database.close()
    return guide


async def _enrol(database: Database, known: set[str], around: Surroundings) -> None:
    cast: list[tuple[str, Kind, str | None, bool]] = [
        *((name, Kind.MEMBER, None, True) for name in COUNTIES),
        *((name, Kind.CLIENT, county, True) for name, county in CLIENTS.items()),
        (PARTNER, Kind.PARTNER, None, True),
        (READER, Kind.PARTNER, None, False),
    ]
    for name, kind, county, community in cast:
        if name in known:
            continue
        parent = None
        if county is not None:
            async with database.read() as connection:
                parent = (await members.find(connection, county)).id
        new = Organisation(around.uuid(), name, kind, community, around.uuid(), parent)
        await founding.add_organisation(database, new, around)


async def _tokens(database: Database, kept: dict[str, str], around: Surroundings) -> dict[str, str]:
    """Return a token per organisation: those kept, and new ones for who has none."""
    async with database.write() as connection:
        for org in await members.all_organisations(connection):
            if org.name in kept:
                continue
            scope = {CENTER: Scope.ADMIN, READER: Scope.READ}.get(org.name, Scope.WRITE)
            _, kept[org.name] = await tokens.create(connection, around, org.id, scope)
    return kept


def _read(file: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return kept


def _write(file: Path, kept: dict[str, str]) -> None:
    """Keep the demo's tokens where only their owner can read; a real center keeps none."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1))


async def _load_samples(database: Database, around: Surroundings) -> None:
    folder = Path(__file__).parents[2] / "feeds" / "samples"
    files = {**COUNTIES, PARTNER: ("lba-rlp-cert",)}
    for name, stems in files.items():
        async with database.read() as connection:
            center, org = await members.the_center(connection), await members.find(connection, name)
        for stem in stems:
            body = (folder / f"{stem}.json").read_bytes()
            await accept(database, center, org, body, Push(), around.now())
