"""A whole center for tests: real store, real projector, real HTTP on loopback, a clock to turn."""

import hashlib
import io
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

import compiled
import ready_schema
from cybercoop import app as house
from cybercoop.collect import founding, tokens
from cybercoop.collect.projector import cycle
from cybercoop.config import Settings
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.members.tokens import Scope
from cybercoop.sharing import marking, stamps
from cybercoop.stix import times
from cybercoop.store import members, projection, upgrade
from cybercoop.store.database import Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

TAXII = "application/taxii+json;version=2.1"
START = times.micros("2026-11-01T12:00:00Z")
SECOND = 1_000_000
TLP = marking.TLP2


class Clock:
    """A clock that only moves when told to."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, micros: int) -> None:
        self.now += micros


class Chance:
    """Values that look random and are the same in every run."""

    def __init__(self, seed: str = "test") -> None:
        self._seed, self._drawn = seed, 0

    def secret(self) -> bytes:
        self._drawn += 1
        return hashlib.sha256(f"{self._seed}|{self._drawn}".encode()).digest()

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.secret()[:16], version=4))


@dataclass(frozen=True)
class Seat:
    """One organisation of a test world, with a token."""

    org: Organisation
    token: str


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def objects(self) -> list[dict[str, Any]]:
        return self.json.get("objects", [])


@dataclass
class World:
    """A running center; times move only through ``clock``, releases come with ``project``."""

    database: Database
    center: Center
    clock: Clock
    chance: Chance
    address: str
    session: aiohttp.ClientSession
    seats: dict[str, Seat] = field(default_factory=dict)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.clock, self.chance.uuid, self.chance.secret)

    async def org(
        self,
        name: str,
        kind: Kind = Kind.MEMBER,
        *,
        of: Seat | None = None,
        scope: Scope = Scope.WRITE,
        community: bool = True,
        **more: Any,
    ) -> Seat:
        """Enrol an organisation and give it a token."""
        new = Organisation(
            self.chance.uuid(),
            name,
            kind,
            community,
            self.chance.uuid(),
            of.org.id if of else None,
            **more,
        )
        await founding.add_organisation(self.database, new, self.surroundings)
        return await self.seat(name, scope)

    async def seat(self, name: str, scope: Scope = Scope.WRITE) -> Seat:
        """Give an organisation that exists a token."""
        async with self.database.write() as connection:
            org = await members.find(connection, name)
            _, text = await tokens.create(connection, self.surroundings, org.id, scope)
        self.seats[name] = Seat(org, text)
        return self.seats[name]

    async def group(self, title: str, *seats: Seat) -> str:
        """Make a group of these organisations; return the id of its marking-definition."""
        made = await founding.add_group(self.database, title, self.surroundings)
        for seat in seats:
            await founding.change_membership(self.database, made.id, seat.org.id, joins=True)
        return made.marking_id

    async def request(
        self, method: str, path: str, seat: Seat | None = None, **options: Any
    ) -> Answer:
        """Send one request as ``seat``, or without credentials."""
        headers = dict(options.pop("headers", None) or {})
        if seat is not None:
            headers.setdefault("Authorization", f"Bearer {seat.token}")
        async with self.session.request(
            method, self.address + path, headers=headers, allow_redirects=False, **options
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def get(self, path: str, seat: Seat | None = None, **params: Any) -> Answer:
        """GET with query parameters."""
        return await self.request("GET", path, seat, params=params)

    async def push(
        self, seat: Seat, objects: bytes | Sequence[Mapping[str, Any]], **query: str
    ) -> list[dict[str, Any]]:
        """Push over the REST API and return the verdicts."""
        body = objects if isinstance(objects, bytes) else envelope(objects)
        data = io.BytesIO(body)
        answer = await self.request("POST", "/api/v1/push", seat, data=data, params=query)
        assert answer.status == 200, answer.body
        return answer.json["verdicts"]

    async def post(
        self, seat: Seat, objects: bytes | Sequence[Mapping[str, Any]], **headers: str
    ) -> Answer:
        """POST an envelope to the organisation's own TAXII collection."""
        body = objects if isinstance(objects, bytes) else envelope(objects)
        path = "/taxii2/coop/collections/contributions/objects/"
        return await self.request(
            "POST", path, seat, data=body, headers={"Content-Type": TAXII} | headers
        )

    async def project(self) -> None:
        """Run the projector until nothing is left to do; each cycle takes a slot of time."""
        while True:
            async with self.database.read() as connection:
                if not await projection.anything_to_do(connection, self.clock.now):
                    return
            self.clock.forward(stamps.SLOT)
            if await cycle(self.database, self.center, self.clock.now) == 0:
                return

    async def feed(self, seat: Seat | None, collection: str = "feed", **params: Any) -> list[Any]:
        """Return all objects of a collection, page by page."""
        root = "coop" if seat else "public"
        path = f"/taxii2/{root}/collections/{collection}/objects/"
        found: list[Any] = []
        while True:
            answer = await self.get(path, seat, **params)
            assert answer.status == 200, answer.body
            found += answer.objects
            if not answer.json.get("more"):
                return found
            params = {"next": answer.json["next"]}

    async def patterns(self, seat: Seat | None, collection: str = "feed") -> set[str]:
        """Return the patterns that a reader finds and that are not revoked."""
        found = await self.feed(seat, collection)
        return {one["pattern"] for one in found if "pattern" in one and not one.get("revoked")}


def envelope(objects: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"objects": list(objects)}).encode()


def _uuid(seed: str) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4)


def indicator(value: str, marking_ref: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an indicator for a domain, or for a whole pattern, with an id of its own."""
    pattern = value if value.startswith("[") else f"[domain-name:value = '{value}']"
    seed = json.dumps([value, marking_ref, more], sort_keys=True, default=str)
    body = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{_uuid(seed)}",
        "created": "2026-10-01T08:00:00.000Z",
        "modified": "2026-10-01T08:00:00.000Z",
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-10-01T08:00:00Z",
    }
    if marking_ref is not None:
        body["object_marking_refs"] = [TLP.get(marking_ref, marking_ref)]
    return body | more


def settings_of(folder: Path, database_url: str, **settings: Any) -> Settings:
    """Return settings for a center of a test; what it sets by itself has to be valid."""
    own = {"data": folder, "database": database_url, "listen": "127.0.0.1:0"}
    return Settings(**own, **settings) if settings else _defaults().model_copy(update=own)


@cache
def _defaults() -> Settings:
    # To look into the environment and the file takes longer than all else of a small test.
    return Settings()


async def _founded(database: Database) -> None:
    """Make the schema, and the center that tests begin with."""
    await upgrade.upgrade(database)
    await _found(database, Clock())


async def _found(database: Database, clock: Clock) -> None:
    chance = Chance("founding")
    around = Surroundings(clock, chance.uuid, chance.secret)
    await founding.found_center(database, "Testzentrum", around)


@asynccontextmanager
async def world(
    database_url: str, folder: Path, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[World]:
    """Found a center on an empty database and serve it on loopback."""
    clock, chance = clock or Clock(), Chance()
    begun = clock.now == START
    database = compiled.share(Database(database_url))
    around = Surroundings(clock, chance.uuid, chance.secret)
    chosen = settings_of(folder, database_url, **settings)
    try:
        await ready_schema.build(database, _founded if begun else upgrade.upgrade)
        if not begun:
            await _found(database, clock)
        async with database.read() as connection:
            center = await members.the_center(connection)
        app = house.make_app(database, center, chosen, around, lambda: None)
        house.add_doors(app, center, "Testzentrum")
        async with house.listening(app, chosen) as (host, port), aiohttp.ClientSession() as session:
            yield World(database, center, clock, chance, f"http://{host}:{port}", session)
    finally:
        await database.close()
