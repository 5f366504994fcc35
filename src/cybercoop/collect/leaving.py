"""Leaving: what becomes of an organisation's credentials, contributions and incidents."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cybercoop.collect import founding, incident_documents
from cybercoop.errors import Misused
from cybercoop.members.organisations import Kind, Organisation
from cybercoop.store import contributions, incident_erasing, incidents, members, tokens
from cybercoop.store.database import Connection, Database
from cybercoop.store.paging import ALL, GLUED, Filters, Position

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Left:
    """Hold who has left, and how many object versions and incidents were handed out."""

    org: Organisation
    versions: int
    incidents: int


async def leave(database: Database, name: str, export: Path, now: int, *, withdraw: bool) -> Left:
    """Let an organisation go and say how much of its data was handed out.

    Tokens end and keys are lost at once. All versions it ever gave are written to ``export`` as
    one TAXII envelope of the exact bytes, and its incidents beside them under ``incidents``; both
    are on the disk before anything ends. ``withdraw`` takes its contributions back and erases its
    incidents; without it they keep counting, and the incidents stay, but for the people in them.
    Raises ``Misused`` where ``export`` is there already.
    """
    with _new_file(export) as file:
        return await _leave(database, name, file, now, withdraw=withdraw)


async def _leave(
    database: Database, name: str, file: BinaryIO, now: int, *, withdraw: bool
) -> Left:
    async with database.write() as connection:
        center = await members.the_center(connection)
        org = await members.find(connection, name, changing=True)
        if org.kind is Kind.CENTER:
            raise Misused("The center cannot leave itself.")
        if await members.clients_of(connection, org.id):
            raise Misused(f"{org.name} has clients; let them leave first.")
        versions, cases = await _export(connection, org.id, file)
        await tokens.revoke_all_of(connection, org.id, now)
        await members.mark_left(connection, org.id, now)
        await founding.lose_keys(connection, center, org.id)
        if withdraw:
            await contributions.withdraw_all(connection, org.id)
            await incident_erasing.erase(connection, org.id)
        else:
            # Nobody could look at them or erase them any more.
            await incident_erasing.erase_people(connection, org.id)
    return Left(org, versions, cases)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Lend a file that only its owner reads, and leave none behind when something fails."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misused(
            f"The file {path} cannot be made ({error.strerror}); name another."
        ) from error
    try:
        with os.fdopen(number, "wb") as file:
            yield file
    except BaseException:
        path.unlink()
        raise


async def _export(connection: Connection, org_id: str, file: BinaryIO) -> tuple[int, int]:
    file.write(b'{"objects":[')
    versions = await _export_versions(connection, org_id, file)
    file.write(b"]")
    cases = await _export_incidents(connection, org_id, file)
    file.write(b"}\n")
    file.flush()
    os.fsync(file.fileno())
    return versions, cases


async def _export_incidents(connection: Connection, org_id: str, file: BinaryIO) -> int:
    """Write the incidents; what was never reported leaves the envelope as TAXII has it."""
    found = await incidents.all_of(connection, org_id)
    for number, incident in enumerate(found):
        file.write(b"," if number else b',"incidents":[')
        async for part in incident_documents.whole(connection, incident):
            file.write(part)
    file.write(b"]" * bool(found))
    return len(found)


async def _export_versions(connection: Connection, org_id: str, file: BinaryIO) -> int:
    # Whoever is pushing right now is waited for: what is answered before is in the export.
    await contributions.stamps(connection, org_id, 0, 0)
    after: Position | None = Position()
    count = 0
    while after is not None:
        asked = Filters(after=after, limit=_PAGE, versions=(ALL,))
        page = await contributions.read(connection, org_id, asked, GLUED)
        file.write(b"," * (count > 0) + page.glued)
        count, after = count + page.count, page.following
    return count
