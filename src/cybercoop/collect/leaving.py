"""Leaving: what becomes of an organisation's credentials, data and contributions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
    one TAXII envelope of the exact bytes, which are on the disk before anything ends. ``withdraw``
    takes its contributions back; without it they keep counting. Raises ``Misused`` where
    ``export`` is there already.
    """
    with _new_file(export) as file:
        return await _leave(database, name, file, now, withdraw=withdraw)


async def _leave(
    database: Database, name: str, file: BinaryIO, now: int, *, withdraw: bool
) -> tuple[Organisation, int]:
    async with database.write() as connection:
        center = await members.the_center(connection)
        org = await members.find(connection, name)
        if org.kind is Kind.CENTER:
            raise Misused("The center cannot leave itself.")
        if await members.clients_of(connection, org.id):
            raise Misused(f"{org.name} has clients; let them leave first.")
        count = await _export(connection, org.id, file)
        await tokens.revoke_all_of(connection, org.id, now)
        await members.mark_left(connection, org.id, now)
        await founding.lose_keys(connection, center, org.id)
        if withdraw:
            await contributions.withdraw_all(connection, org.id)
    return org, count


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


async def _export(connection: Connection, org_id: str, file: BinaryIO) -> int:
    # Whoever is pushing right now is waited for: what is answered before is in the export.
    await contributions.stamps(connection, org_id, 0, 0)
    count, after = 0, Position()
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
    file.flush()
    os.fsync(file.fileno())
    return count
