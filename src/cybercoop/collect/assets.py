"""Saying what an organisation has, and what nobody may block: networks, names, exceptions."""

import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cybercoop import guard
from cybercoop.collect import guarding
from cybercoop.collect.recognising import recognised
from cybercoop.errors import Misused, NotFound, Refused
from cybercoop.guard import Entry, Level
from cybercoop.indicators import values
from cybercoop.members.assets import Asset, AssetKind, Exemption
from cybercoop.store import assets, contributions, projection
from cybercoop.store import guarding as remembered
from cybercoop.store.database import Connection, Database
from cybercoop.store.members import Center
from cybercoop.store.projection import Place
from cybercoop.surroundings import Surroundings

_LONGEST = 500
_MOST_SOFTWARE = 100_000
_COLUMNS = ("vendor", "product", "version")


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what somebody says of one thing that an organisation has."""

    kind: AssetKind
    value: str
    vendor: str | None = None
    version: str | None = None


def normal(told: Told) -> Told:
    """Return what was said in normal form; raise ``Refused`` for what nobody can own."""
    if told.kind is AssetKind.NETWORK:
        network = values.ipv6(told.value) if ":" in told.value else values.ipv4(told.value)
        guard.own([network], [])
        return Told(told.kind, network)
    if told.kind is AssetKind.DOMAIN:
        name = values.domain(told.value.strip().removeprefix("*."))
        guard.own([], [name])
        return Told(told.kind, name)
    texts = (told.value, told.vendor, told.version)
    product, vendor, version = (_text(one) for one in texts)
    if product is None:
        raise Refused("A software needs the name of its product.", "product")
    return Told(told.kind, product, vendor, version)


def _text(said: str | None) -> str | None:
    text = " ".join((said or "").split())
    if len(text) > _LONGEST or not text.isprintable():
        raise Refused(f"{values.shown(text)} is no name of a software.", "product")
    return text or None


async def add(
    database: Database, org_id: str, told: Iterable[Told], around: Surroundings
) -> list[Asset]:
    """Remember what an organisation has; own networks and names are protected from then on.

    All of it or nothing: raises ``Refused`` for the first that nobody can own.
    """
    now = around.now()
    new = [
        Asset(around.uuid(), org_id, one.kind, one.value, now, one.vendor, one.version)
        for one in map(normal, told)
    ]
    protected = guard.own(
        [one.value for one in new if one.kind is AssetKind.NETWORK],
        [one.value for one in new if one.kind is AssetKind.DOMAIN],
    )
    async with _changing(database, protected) as connection:
        for one in new:
            await assets.add(connection, one)
    return new


async def drop(database: Database, asset_id: str, org_id: str | None) -> None:
    """Forget one thing that an organisation has; raise ``NotFound`` where it has no such thing."""
    async with _changing(database, []) as connection:
        if not await assets.drop(connection, asset_id, org_id):
            raise NotFound(f"No network, domain or software has the id {asset_id}.")


async def except_for(
    database: Database,
    center: Center,
    org_id: str,
    value: str,
    reason: str,
    until: int | None,
    around: Surroundings,
) -> Exemption:
    """Let a value never be blocked: by the center for all, by a county for its own devices."""
    now = around.now()
    if until is not None and until <= now:
        raise Misused("The end of an exception lies in the future.")
    if not _text(reason):
        raise Misused("An exception needs a reason.")
    kind, normal_value = recognised(value)
    new = Exemption(around.uuid(), org_id, kind, normal_value, reason.strip(), now, until)
    rules = guard.excepted([(kind, normal_value)]) if org_id == center.org_id else []
    async with _changing(database, rules) as connection:
        await assets.except_for(connection, new)
    return new


async def end(database: Database, exemption_id: str, org_id: str, now: int) -> None:
    """End an exception of an organisation; raise ``NotFound`` where it has no such one."""
    async with _changing(database, []) as connection:
        if not await assets.end(connection, exemption_id, org_id, now):
            raise NotFound(f"No exception in force has the id {exemption_id}.")


def software_of(text: str) -> list[Told]:
    """Return the software of a CSV file with the columns vendor, product and version."""
    lines = text.splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    rows = csv.reader(lines, delimiter=delimiter)
    heading = [cell.strip().lower().removeprefix("\ufeff") for cell in next(rows, [])]
    if "product" not in heading:
        raise Refused(f"The first line names the columns: {', '.join(_COLUMNS)}.", "line 1")
    places = {name: heading.index(name) for name in _COLUMNS if name in heading}
    found: list[Told] = []
    for number, row in enumerate(rows, 2):
        cells = {name: row[at].strip() for name, at in places.items() if at < len(row)}
        if not any(cells.values()):
            continue
        if not cells.get("product") or len(found) >= _MOST_SOFTWARE:
            raise Refused("A software needs the name of its product.", f"line {number}")
        found.append(
            Told(AssetKind.SOFTWARE, cells["product"], cells.get("vendor"), cells.get("version"))
        )
    return found


@asynccontextmanager
async def _changing(database: Database, new_rules: Sequence[Entry]) -> AsyncIterator[Connection]:
    """Lend a transaction that changes rules, and have what they touch looked at again.

    New rules may catch what is released, rules that went may free what is held. The search
    comes after the commit, so that nothing new slips through between the two.
    """
    async with database.write() as connection:
        await contributions.hold_projector(connection)  # it lets places wait, too
        yield connection
        await remembered.changed(connection)
        await projection.queue(connection, await remembered.held_places(connection))
    if new_rules:
        caught = await caught_by(database, new_rules)
        async with database.write() as connection:
            await contributions.hold_projector(connection)
            await projection.queue(connection, caught)
            # What is excepted is looked for anew under locks that stand still.
            await remembered.changed(connection)


async def caught_by(database: Database, rules: Sequence[Entry]) -> set[Place]:
    """Return the places of live releases that these rules catch."""
    index = guard.index_of(rules)
    caught = set[Place]()
    after = 0
    async with database.read() as connection:
        while rows := await remembered.listed(connection, after):
            after = rows[-1].date_added
            caught |= {
                (row.lock, row.key)
                for row in rows
                if index.verdict(row.kind, row.value).level > Level.ALLOW
            }
        after = 0
        while rows := await remembered.unlisted(connection, guarding.TYPES, after):
            after = rows[-1].date_added
            caught |= {
                (row.lock, row.key)
                for row in rows
                if _catches(index, guarding.values_in(row.type, row.bytes))
            }
    return caught


def _catches(index: guard.Index, found: Iterable[tuple[str, str]]) -> bool:
    return guard.verdict_of(index, found).level > Level.ALLOW
