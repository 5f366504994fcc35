"""A store with a million releases, made in bulk with what the product itself would write.

A handful is pushed and projected by the product on a clock and chance of the bench; every further
row follows that template. In the end the projector looks at some of the rows again: it must find
nothing to change.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table, func, select, update

from cybercoop.collect import founding, intake, projector, writing
from cybercoop.collect.checking import content_hash
from cybercoop.indicators.patterns import Canonical, canonical
from cybercoop.members.organisations import Group, Kind, Organisation
from cybercoop.sharing import locks, marking, stamps
from cybercoop.stix import times
from cybercoop.store import members, projection, tables, upgrade
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings
from stores import Bulk, Row
from values import GREEN, ROUND, encode, envelope, given_id, indicator, pattern

START = times.micros("2026-01-01T00:00:00Z")
"""When the bench's center was founded: in the past of every server that serves it."""

FIRST, OTHER, READER = "Landkreis A", "Landkreis B", "Landkreis C"
GROUP = "Krisenstab"
PER_SLOT = 1000
"""Releases of one slot of time."""

_MODELS = 0x6000000
"""Numbers from here on belong to the models."""

_APART = frozenset({"type", "spec_version", "id", "created_by_ref", "created", "modified"})
_APART |= {"valid_from", "object_marking_refs"}
TLP_AMBER = marking.TLP2["amber"]
_CHECKED = 200
_AFTER = 20
"""Slots between what the product released and what is filled in."""

CONTRIBUTION = tuple(tables.contributions.columns.keys())
RELEASE = tuple(tables.releases.columns.keys())


@dataclass
class Around:
    """A clock that is turned by hand, and chance that is the same in every run."""

    now: int = START
    drawn: int = 0

    def secret(self) -> bytes:
        """Return 32 bytes."""
        self.drawn += 1
        return hashlib.sha256(f"bench|{self.drawn}".encode()).digest()

    def uuid(self) -> str:
        """Return an UUID, as text."""
        return given_id("chance", int.from_bytes(self.secret()[:7])).partition("--")[2]

    def surroundings(self) -> Surroundings:
        """Return what the product asks for time and chance."""
        return Surroundings(lambda: self.now, self.uuid, self.secret)


@dataclass(frozen=True, slots=True)
class Model:
    """Hold one contribution and its release as the product wrote them, for one kind of value."""

    marks: tuple[str, ...]
    given: dict[str, Any]
    released: dict[str, Any]
    said: bytes
    text: bytes

    def contribution(self, number: int, same: Canonical, at: int) -> Row:
        """Return the row of the contribution ``number``, the ``at``-th of its contributor."""
        raw = indicator(FIRST, number, self.marks)
        own = {
            "seq": at,
            "date_added": START + at,
            "stix_id": given_id(FIRST, number),
            "hash": content_hash(json.loads(raw)),
            "bytes": raw,
            "key": same.key,
        }
        return tuple((self.given | own).values())

    def release(self, stix_id: str, same: Canonical, stamp: int) -> Row:
        """Return the row of the release of a value."""
        now, text = times.text(stamp), same.text.encode()
        raw = self.released["bytes"].replace(self.text, text)
        raw = raw.replace(self.released["stix_id"].encode(), stix_id.encode())
        own = {
            "date_added": stamp,
            "key": same.key,
            "stix_id": stix_id,
            "created": stamp,
            "modified": times.normal(now),
            "version": now,
            "digest": hashlib.sha256(self.said.replace(self.text, text)).digest(),
            "bytes": raw.replace(self.released["version"].encode(), now.encode()),
        }
        return tuple((self.released | own).values())


@dataclass(frozen=True, slots=True)
class Template:
    """Hold the bench's center and a model for each lock and kind of value."""

    center: Center
    group: Group
    models: dict[str, list[Model]]
    next_seq: int
    first_slot: int

    @property
    def lock(self) -> str:
        """Return the lock of the group."""
        return locks.group(self.group.id)

    def fingerprint(self) -> str:
        """Return what differs when the product would write other rows."""
        told = [(one.given, one.released) for some in self.models.values() for one in some]
        return hashlib.sha256(repr((told, self.center, self.first_slot)).encode()).hexdigest()[:12]


async def found(database: Database) -> Template:
    """Found the bench's center on an empty database and let the product write the models."""
    around = Around()
    surroundings = around.surroundings()
    await upgrade.upgrade(database)
    await founding.found_center(database, "Virtuelles Zentrum Messstand", surroundings)
    for name in (FIRST, OTHER, READER):
        new = Organisation(around.uuid(), name, Kind.MEMBER, True, around.uuid())
        await founding.add_organisation(database, new, surroundings)
    group = await founding.add_group(database, GROUP, surroundings)
    for name in (FIRST, READER):
        await founding.change_membership(database, group.id, name, joins=True)
    async with database.read() as connection:
        center = await members.the_center(connection)
        first = await members.find(connection, FIRST)
    marks = {locks.COMMUNITY: GREEN, locks.group(group.id): (TLP_AMBER, group.marking_id)}
    numbers = {lock: _MODELS + at * ROUND for at, lock in enumerate(marks)}
    for lock, start in numbers.items():
        objects = [indicator(FIRST, start + kind, marks[lock]) for kind in range(ROUND)]
        await intake.accept(database, center, first, envelope(objects), intake.Push(), around.now)
    await project(database, center, around)
    async with database.read() as connection:
        models = {
            lock: [await _model(connection, start + kind, marks[lock]) for kind in range(ROUND)]
            for lock, start in numbers.items()
        }
        last = (await connection.execute(select(func.max(tables.contributions.c.seq)))).scalar_one()
    return Template(center, group, models, last + 1, stamps.slot_of(around.now) + _AFTER)


async def project(database: Database, center: Center, around: Around) -> None:
    """Run the projector until nothing is left to do, each cycle in a slot of its own."""
    while True:
        async with database.read() as connection:
            if not await projection.anything_to_do(connection, around.now):
                return
        around.now += stamps.SLOT
        await projector.cycle(database, center, around.now)


async def _model(connection: Connection, number: int, marks: tuple[str, ...]) -> Model:
    given = await _row(connection, tables.contributions, given_id(FIRST, number), "stix_id")
    same = canonical(pattern(number), "stix", "2.1")
    released = await _row(connection, tables.releases, same.key, "key")
    body = msgspec.json.decode(released["bytes"])
    said = encode({name: value for name, value in body.items() if name not in _APART})
    if hashlib.sha256(said).digest() != released["digest"]:
        raise RuntimeError(
            "Releases are digested in another way now; bench/filling.py must follow."
        )
    return Model(marks, given, released, said, same.text.encode())


async def _row(connection: Connection, table: Table, value: object, column: str) -> dict[str, Any]:
    found = await connection.execute(select(table).where(table.c[column] == value))
    return dict(found.mappings().one())


def slot_rows(template: Template, index: int, in_group: int) -> tuple[list[Row], list[Row]]:
    """Return contributions and releases of the ``index``-th slot; ``in_group`` for the group."""
    lanes = stamps.lanes({template.group.id: template.group.lane})
    given: list[Row] = []
    released: list[Row] = []
    start = index * PER_SLOT
    parts = {
        locks.COMMUNITY: range(start, start + PER_SLOT - in_group),
        template.lock: range(start + PER_SLOT - in_group, start + PER_SLOT),
    }
    for lock, numbers in parts.items():
        models, ids = template.models[lock], []
        for number in numbers:
            same = canonical(pattern(number), "stix", "2.1")
            given.append(
                models[number % ROUND].contribution(number, same, template.next_seq + number)
            )
            place = (lock, same.key)
            stix_id = writing.released_id(template.center, "indicator", place, 1)
            ids.append((stix_id, number, same))
        for at, (stix_id, number, same) in enumerate(sorted(ids, key=lambda one: one[0])):
            stamp = lanes[lock].stamp(template.first_slot + index, at)
            released.append(models[number % ROUND].release(stix_id, same, stamp))
    return given, sorted(released, key=lambda row: row[0])


async def fill(
    bulk: Bulk, template: Template, releases: int, in_group: int, advance: Callable[[int], None]
) -> None:
    """Write ``releases`` releases and their contributions, slot by slot."""
    for index in range(releases // PER_SLOT):
        given, released = slot_rows(template, index, in_group)
        await bulk.load("contributions", CONTRIBUTION, given)
        await bulk.load("releases", RELEASE, released)
        advance(PER_SLOT)


async def settle(database: Database, template: Template, releases: int) -> None:
    """Set the clocks past what was filled in, and let the projector look at a part of it again.

    Raises RuntimeError where the projector would change what was filled in.
    """
    slots = releases // PER_SLOT
    around = Around((template.first_slot + slots) * stamps.SLOT)
    async with database.write() as connection:
        first = await members.find(connection, FIRST)
        for name, last in (
            ("projector", template.first_slot + slots),
            (f"org:{first.id}", around.now),
        ):
            await connection.execute(
                update(tables.clocks).where(tables.clocks.c.name == name).values(last=last)
            )
        step = releases // _CHECKED
        again = [template.next_seq + number for number in range(0, releases, step)]
        await projection.wake(connection, again)
        before = (await connection.execute(_NEWEST)).scalar_one()
    await project(database, template.center, around)
    async with database.read() as connection:
        if (await connection.execute(_NEWEST)).scalar_one() != before:
            raise RuntimeError("The projector writes other releases than bench/filling.py.")


_NEWEST = select(func.max(tables.releases.c.date_added))
