"""Leaving: what becomes of an organisation's credentials, data and contributions."""

from pathlib import Path

from cybercoop.collect import founding
from cybercoop.errors import Misused
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.store import contributions, members, tokens
from cybercoop.store.database import Connection, Database
from cybercoop.store.paging import ALL, Filters, Position

_PAGE = 1000


async def leave(
    database: Database, name: str, export: Path, now: int, *, withdraw: bool
) -> tuple[Organisation, int]:
    """Let an organisation go and return it with the number of exported object versions.

    Tokens end and keys are lost at once. All versions it ever gave are written to ``export`` as
    one TAXII envelope of the exact bytes. ``withdraw`` takes its contributions back; without it
    they keep counting.
    """
    async with database.write() as connection:
        center = await members.the_center(connection)
        org = await members.find(connection, name)
        if org.kind is Kind.CENTER:
            raise Misused("The center cannot leave itself.")
        if await members.clients_of(connection, org.id):
            raise Misused(f"{org.name} has clients; let them leave first.")
        count = await _export(connection, org.id, export)
        await tokens.revoke_all_of(connection, org.id, now)
        await members.mark_left(connection, org.id, now)
        await founding.lose_keys(connection, center, org.id)
        if withdraw:
            await contributions.withdraw_all(connection, org.id)
    return org, count


async def _export(connection: Connection, org_id: str, export: Path) -> int:
    count, after = 0, Position()
    with export.open("xb") as file:
        file.write(b'{"objects":[')
        while True:
            asked = Filters(after=after, limit=_PAGE, versions=(ALL,))
            page = await contributions.read(connection, org_id, asked, ("bytes",))
            for row in page.rows:
                file.write(b"," * (count > 0) + row[2])
                count += 1
            if not page.more:
                break
            after = Position(*page.rows[-1][:2])
        file.write(b"]}\n")
    return count
