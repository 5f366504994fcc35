"""Commands about what must not be blocked: ``guard``, ``exception``, ``asset``."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cybercoop.cli.opened import on_database
from cybercoop.cli.shown import Json, date, many, one
from cybercoop.collect import assets, reviewing
from cybercoop.collect.assets import Told
from cybercoop.errors import Misused
from cybercoop.members.assets import Asset, AssetKind, Exemption
from cybercoop.members.organisations import Organisation
from cybercoop.stix import times
from cybercoop.store import assets as remembered
from cybercoop.store import guarding, members
from cybercoop.store.database import Database
from cybercoop.store.members import Center
from cybercoop.surroundings import Surroundings

guard = typer.Typer(no_args_is_help=True, help="What the guard keeps out of blocklists.")
exception = typer.Typer(no_args_is_help=True, help="Values that must not be blocked.")
asset = typer.Typer(
    no_args_is_help=True, help="What organisations have: networks, names, software."
)

_MOST_LISTED = 1000
T = TypeVar("T")

OrgName = Annotated[
    str | None, typer.Option("--org", help="Organisation, by name or id; without it the center.")
]


class Decision(StrEnum):
    """Name what can be decided."""

    RELEASE = reviewing.RELEASE
    KEEP = reviewing.KEEP
    UNDO = reviewing.UNDO


def _of(org: str | None, work: Callable[[Database, Center, Organisation], Awaitable[T]]) -> T:
    """Run ``work`` for the organisation that was named, else for the center."""

    async def run(database: Database) -> T:
        async with database.read() as connection:
            center = await members.the_center(connection)
            whose = await members.find(connection, org or center.org_id)
        return await work(database, center, whose)

    return on_database(run)


@guard.command("add")
def guard_add(
    value: Annotated[list[str], typer.Argument(help="Networks or names that nothing may block.")],
    as_json: Json = False,
) -> None:
    """Protect networks or names for everybody: they enter no release and no blocklist.

    For example:

    cybercoop guard add buergerportal.de 194.8.0.0/16
    """

    async def work(database: Database, _: Center, center: Organisation) -> list[Asset]:
        told = [Told(_kind(text), text) for text in value]
        return await assets.add(database, center.id, told, Surroundings())

    made = _of(None, work)
    said = {"id": made[0].id, "added": [_asset(each) for each in made]}
    one(said, f"{len(made)} protected. What they catch is taken back now.", as_json=as_json)


def _kind(text: str) -> AssetKind:
    address = text.replace("[.]", ".").partition("/")[0]
    is_network = ":" in address or address.replace(".", "").isdigit()
    return AssetKind.NETWORK if is_network else AssetKind.DOMAIN


@guard.command("list")
def guard_list(as_json: Json = False) -> None:
    """List what the guard holds, what was decided, and which locks stand still.

    For example:

    cybercoop guard list --json
    """

    async def work(database: Database) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with database.read() as connection:
            held = [_held(row) for row in await guarding.queue(connection, _MOST_LISTED)]
            stopped = [
                {"id": row["lock"], "lock": row["lock"], "reason": row["reason"]}
                | {"stopped": date(row["stopped_at"])}
                for row in await guarding.all_canaries(connection)
                if row["stopped_at"] is not None
            ]
        return held, stopped

    held, stopped = on_database(work)
    if as_json:
        many("held", held, as_json=True, stopped=stopped)
        return
    many("held values", held, as_json=False)
    if stopped:
        many("locks that stand still", stopped, as_json=False)


def _held(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "value": row["value"],
        "kind": row["kind"],
        "lock": row["lock"],
        "level": row["level"],
        "rule": row["rule"],
        "held": date(row["held_at"]),
        "decision": row["decision"],
        "by": row["decided_by"],
    }


@guard.command("decide")
def guard_decide(
    hold_id: Annotated[
        str, typer.Argument(help="Id of a held value, or a lock that stands still.")
    ],
    decision: Annotated[Decision, typer.Argument(help="What becomes of it.")],
    as_json: Json = False,
) -> None:
    """Release a held value, keep it back, or undo what was decided.

    A lock that its canary stopped moves on with ``release``. For example:

    cybercoop guard decide 5c0ffee0-0000-4000-8000-000000000000 release
    cybercoop guard decide community release
    """

    async def work(database: Database) -> None:
        now = Surroundings().now()
        await reviewing.decide(database, hold_id, decision.value, "command line", now)

    on_database(work)
    said = {"id": hold_id, "decision": decision.value}
    one(said, f"{hold_id}: {decision.value}.", as_json=as_json)


@exception.command("add")
def exception_add(
    value: Annotated[str, typer.Argument(help="Address, network, name, URL, mail or hash.")],
    reason: Annotated[str, typer.Option(help="Why it must not be blocked.")],
    until: Annotated[str | None, typer.Option(help="Day on which it ends: 2027-01-31.")] = None,
    org: OrgName = None,
    as_json: Json = False,
) -> None:
    """Take a value off blocklists: the center's for everybody, a county's for its own devices.

    For example:

    cybercoop exception add portal.example.de --reason Portal --until 2027-01-31
    cybercoop exception add 198.51.100.7 --reason Fernwartung --org "Landkreis A"
    """
    ends = None if until is None else _day(until)

    async def work(database: Database, center: Center, whose: Organisation) -> Exemption:
        return await assets.except_for(
            database, center, whose.id, value, reason, ends, Surroundings()
        )

    made = _of(org, work)
    one(_exemption(made), f"{made.value} is not blocked any more.", as_json=as_json)


def _day(text: str) -> int:
    try:
        return times.micros(f"{text}T00:00:00Z" if len(text) == len("2027-01-31") else text)
    except ValueError as error:
        msg = f"--until is a day such as 2027-01-31, not {text!r}."
        raise Misused(msg) from error


def _exemption(made: Exemption) -> dict[str, Any]:
    return {
        "id": made.id,
        "value": made.value,
        "kind": made.kind,
        "reason": made.reason,
        "until": date(made.until),
        "organisation": made.org_id,
    }


@exception.command("list")
def exception_list(org: OrgName = None, as_json: Json = False) -> None:
    """List the exceptions in force.

    For example:

    cybercoop exception list --org "Landkreis Vulkaneifel"
    """

    async def work(database: Database, _: Center, whose: Organisation) -> list[Exemption]:
        async with database.read() as connection:
            return await remembered.exemptions(connection, [whose.id], Surroundings().now())

    many("exceptions", [_exemption(each) for each in _of(org, work)], as_json=as_json)


@exception.command("end")
def exception_end(
    exemption_id: Annotated[str, typer.Argument(help="Id of the exception.")],
    org: OrgName = None,
    as_json: Json = False,
) -> None:
    """End an exception before its time.

    For example:

    cybercoop exception end 5c0ffee0-0000-4000-8000-000000000000
    """

    async def work(database: Database, _: Center, whose: Organisation) -> None:
        await assets.end(database, exemption_id, whose.id, Surroundings().now())

    _of(org, work)
    one({"id": exemption_id, "ended": True}, "It may be blocked again.", as_json=as_json)


@asset.command("add")
def asset_add(
    kind: Annotated[AssetKind, typer.Argument(help="What it is.")],
    value: Annotated[list[str], typer.Argument(help="Networks, names or products.")],
    org: OrgName = None,
    vendor: Annotated[str | None, typer.Option(help="Vendor of a software.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of a software.")] = None,
    as_json: Json = False,
) -> None:
    """Say what an organisation has; its networks and names are never blocked.

    For example:

    cybercoop asset add network 194.8.0.0/16 --org "Landkreis Vulkaneifel"
    cybercoop asset add software FortiOS --vendor Fortinet --version 7.4.4
    """

    async def work(database: Database, _: Center, whose: Organisation) -> list[Asset]:
        told = [Told(kind, text, vendor, version) for text in value]
        return await assets.add(database, whose.id, told, Surroundings())

    made = _of(org, work)
    said = {"id": made[0].id, "added": [_asset(each) for each in made]}
    one(said, f"{len(made)} noted.", as_json=as_json)


def _asset(made: Asset) -> dict[str, Any]:
    return {
        "id": made.id,
        "kind": made.kind.value,
        "value": made.value,
        "vendor": made.vendor,
        "version": made.version,
    }


@asset.command("list")
def asset_list(org: OrgName = None, as_json: Json = False) -> None:
    """List what an organisation has.

    For example:

    cybercoop asset list --org "Landkreis Vulkaneifel"
    """

    async def work(database: Database, _: Center, whose: Organisation) -> list[Asset]:
        async with database.read() as connection:
            return await remembered.all_of(connection, whose.id)

    many("assets", [_asset(each) for each in _of(org, work)], as_json=as_json)


@asset.command("import")
def asset_import(
    file: Annotated[Path, typer.Argument(help="CSV with the columns vendor, product, version.")],
    org: OrgName = None,
    as_json: Json = False,
) -> None:
    """Take in a software list, as inventory tools write it.

    For example:

    cybercoop asset import inventar.csv --org "Landkreis Vulkaneifel"
    """
    try:
        told = assets.software_of(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read: {error}."
        raise Misused(msg) from error

    async def work(database: Database, _: Center, whose: Organisation) -> list[Asset]:
        return await assets.add(database, whose.id, told, Surroundings())

    made = _of(org, work)
    said = {"id": made[0].id if made else None, "added": len(made)}
    one(said, f"{len(made)} products noted.", as_json=as_json)


@asset.command("drop")
def asset_drop(
    asset_id: Annotated[str, typer.Argument(help="Id of what is no longer there.")],
    org: OrgName = None,
    as_json: Json = False,
) -> None:
    """Forget what an organisation no longer has.

    For example:

    cybercoop asset drop 5c0ffee0-0000-4000-8000-000000000000
    """

    async def work(database: Database, _: Center, whose: Organisation) -> None:
        await assets.drop(database, asset_id, whose.id)

    _of(org, work)
    one({"id": asset_id, "dropped": True}, "It is forgotten.", as_json=as_json)
