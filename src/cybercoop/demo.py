"""The demo: a center with four counties, their clients, a partner, and sample contributions."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from cybercoop.collect import collecting, definitions, founding, tokens
from cybercoop.collect.intake import Push, accept
from cybercoop.collect.projector import cycle
from cybercoop.config import SHIPPED, Settings
from cybercoop.errors import Misused
from cybercoop.members.organisations import Kind, Organisation, Person
from cybercoop.members.tokens import Scope, digest
from cybercoop.responses import importing
from cybercoop.store import members, people, projection, sources, upgrade
from cybercoop.store import tokens as remembered
from cybercoop.store.database import Database, explained
from cybercoop.story import Cast
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
LEAD, FIRST, SECOND = "Einsatzleitung", "Freigabe 1", "Freigabe 2"
"""People of the center, by what they do there."""
PARTNER = "Landes-CERT"
READER = "Öffentlicher Leser"
_SCOPES = dict.fromkeys((CENTER, *COUNTIES), Scope.ADMIN) | {READER: Scope.READ}
_TOKENS = "demo-tokens.json"
_SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class Guide:
    """Hold what a newcomer needs to go on: a token per organisation."""

    tokens: dict[str, str]
    people: dict[str, str]

    @property
    def cast(self) -> Cast | None:
        """Return who plays the story; nobody where one of them has left."""
        counties = {name: self.tokens[name] for name in COUNTIES if name in self.tokens}
        if len(counties) < len(COUNTIES):
            return None
        people = self.people
        return Cast(self.tokens[CENTER], counties, people[LEAD], (people[FIRST], people[SECOND]))

    def text(self, address: str) -> str:
        """Return what to look at and three commands to copy."""
        pusher, reader = self._two_counties()
        rows = "\n".join(f"  {escape(name):<32} {token}" for name, token in self.tokens.items())
        # Playbooks are in the feed as well: three of them would fill the screen.
        feed = f"{address}/taxii2/coop/collections/feed/objects/?limit=3&match[type]=indicator"
        # The library takes no alias in an address: a collection is found by walking to it.
        python = (
            "from taxii2client.v21 import Server; "
            f"s = Server('{address}/taxii2/', user='token', password='{reader}'); "
            "feed = next(c for c in s.api_roots[0].collections if c.alias == 'feed'); "
            "print(feed.get_objects(limit=3, type='indicator'))"
        )
        return f"""\
[bold]{CENTER}[/bold] serves on {address}   (stop with Ctrl+C / beenden mit Strg+C)

Tokens (name = anything, password = token / Name beliebig, Passwort = Token):
{rows}

Push a file / eine Datei melden:
  .venv/bin/cybercoop push feeds/samples/cochem-zell.json --tlp green \\
    --url {address} --token {pusher}

Read with curl / mit curl lesen:
  curl -g -u token:{reader} "{escape(feed)}"

Read with taxii2-client / mit taxii2-client lesen:
  .venv/bin/python -c "{escape(python)}"
"""

    def _two_counties(self) -> tuple[str, str]:
        """Return the tokens of a county that has not seen the file yet, and of one that reads."""
        counties = [self.tokens[name] for name in reversed(COUNTIES) if name in self.tokens]
        if not counties:
            raise Misused("All counties of this demo have left; set CYBERCOOP_DATA for a new one.")
        return counties[0], counties[-1]


async def prepare(settings: Settings) -> Guide:
    """Make the demo center, or go on with the one that is there."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"The folder {settings.data} cannot be made: {error}. Set CYBERCOOP_DATA."
        raise Misused(msg) from error
    database = Database(settings.database_url)
    try:
        with explained():
            guide = await _prepared(database, settings.data / _TOKENS, Surroundings())
            await _import(database, settings.playbooks, Surroundings())
            await _collect(database, settings.feeds, Surroundings())
            await _release(database, Surroundings())
            return guide
    finally:
        await database.close()


async def _prepared(database: Database, kept: Path, around: Surroundings) -> Guide:
    await upgrade.upgrade(database)
    async with database.read() as connection:
        ever = await members.names_ever(connection)
        known = {name for name, _ in ever.values()}
    if not known:
        await founding.found_center(database, CENTER, around)
    elif CENTER not in known:
        raise Misused("This database has another center; set CYBERCOOP_DATA for the demo.")
    await _enrol(database, known, around)
    held = _read(kept)
    guide = Guide(await _tokens(database, held, around), await _people(database, held, around))
    _write(kept, guide.tokens | guide.people)
    await _load_samples(database, around)
    return guide


async def _enrol(database: Database, known: set[str], around: Surroundings) -> None:
    cast: list[tuple[str, Kind, str | None, bool]] = [
        *((name, Kind.MEMBER, None, True) for name in COUNTIES),
        *((name, Kind.CLIENT, county, True) for name, county in CLIENTS.items()),
        (PARTNER, Kind.PARTNER, None, True),
        (READER, Kind.PARTNER, None, False),
    ]
    for name, kind, county, community in cast:
        if name in known or county in known - await _present(database):
            continue
        parent = None
        if county is not None:
            async with database.read() as connection:
                parent = (await members.find(connection, county)).id
        new = Organisation(around.uuid(), name, kind, community, around.uuid(), parent)
        await founding.add_organisation(database, new, around)


async def _present(database: Database) -> set[str]:
    async with database.read() as connection:
        return {one.name for one in await members.all_organisations(connection)}


async def _tokens(
    database: Database, kept: Mapping[str, str], around: Surroundings
) -> dict[str, str]:
    """Return a token per organisation: the one kept while it is good, else a new one."""
    found = {}
    async with database.write() as connection:
        for org in await members.all_organisations(connection):
            if org.kind is Kind.SOURCE:
                continue
            text = kept.get(org.name, "")
            if not await _is_good(database, text, org, around):
                scope = _SCOPES.get(org.name, Scope.WRITE)
                _, text = await tokens.create(connection, around, org.id, scope)
            found[org.name] = text
    return found


async def _people(
    database: Database, kept: Mapping[str, str], around: Surroundings
) -> dict[str, str]:
    """Return a token for each of the center's people, who are made the first time."""
    found = {}
    async with database.write() as connection:
        center = await members.find(connection, CENTER)
        known = {one.name: one.id for one in await people.all_of(connection, center.id)}
        for number, name in enumerate((LEAD, FIRST, SECOND), 1):
            if name not in known:
                mail = f"person{number}@zentrum.example"
                known[name] = around.uuid()
                new = Person(known[name], center.id, name, mail, (), ("center",))
                await members.add_person(connection, new, around.now())
            text = kept.get(name, "")
            if not await _is_good(database, text, center, around):
                _, text = await tokens.create(
                    connection, around, center.id, Scope.WRITE, person_id=known[name]
                )
            found[name] = text
    return found


async def _import(database: Database, folder: Path, around: Surroundings) -> None:
    """Import the playbooks that come along, those that others call first."""
    found = await asyncio.to_thread(_documents, folder)
    async with database.write() as connection:
        center = await members.the_center(connection)
        for raw in found:
            await importing.take(connection, raw, center.org_id, [], around.now())


def _documents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("*.json"), reverse=True)]


async def _is_good(database: Database, text: str, org: Organisation, around: Surroundings) -> bool:
    held = await remembered.holder(database, digest(text), around.now())
    return held is not None and held.org.id == org.id


def _read(file: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return kept


def _write(file: Path, kept: dict[str, str]) -> None:
    """Keep the demo's tokens where only their owner can read; a real center keeps none."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1))


async def _load_samples(database: Database, around: Surroundings) -> None:
    folder = SHIPPED / "samples"
    files = {**COUNTIES, PARTNER: ("lba-rlp-cert",)}
    async with database.read() as connection:
        center = await members.the_center(connection)
        present = await members.all_organisations(connection)
    for org in present:
        for stem in files.get(org.name, ()):
            body = (folder / f"{stem}.json").read_bytes()
            await accept(database, center, org, body, Push(), around.now())


async def _release(database: Database, around: Surroundings) -> None:
    """Release the samples before anybody looks: a rule is for what comes afterwards."""
    async with database.read() as connection:
        center = await members.the_center(connection)
    while True:
        async with database.read() as connection:
            if not await projection.anything_to_do(connection, around.now()):
                return
        await cycle(database, center, around.now())
        await asyncio.sleep(0.05)  # a slot of time is used once


async def _collect(database: Database, feeds: Path, around: Surroundings) -> None:
    """Collect from the demo's own source, so that its values are there from the beginning."""
    found = [one for one in definitions.read(feeds) if one.name == _SOURCE]
    async with database.read() as connection:
        known = {row.name: row.enabled for row in await sources.every(connection)}
    for source in found:
        if source.name not in known:
            await collecting.add(database, source, around, accept_terms=False)
        if known.get(source.name, True):
            house = collecting.House(database, around, {})
            await collecting.collect(house, source, lambda *_: None)
