"""People in the database: as lists, and changed."""

import json

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from cybercoop.errors import Misused
from cybercoop.members.organisations import Person
from cybercoop.store import members
from cybercoop.store.database import Connection
from cybercoop.store.tables import organisations, people


async def all_of(connection: Connection, org_id: str | None) -> list[Person]:
    """Return the people of an organisation, or of all that take part, by name."""
    c = people.c
    query = (
        select(people)
        .join(organisations, organisations.c.id == c.org_id)
        .where(organisations.c.left_at.is_(None))
        .order_by(c.name, c.id)
    )
    if org_id is not None:
        query = query.where(c.org_id == org_id)
    return [
        Person(
            row.id,
            row.org_id,
            row.name,
            row.mail,
            tuple(json.loads(row.phones)),
            tuple(json.loads(row.roles)),
            row.deputy_id,
        )
        for row in await connection.execute(query)
    ]


async def deputies(
    connection: Connection, org_id: str, role: str, person_id: str | None
) -> list[str]:
    """Return who stands in for a person, or for everybody of an organisation who has a role."""
    c = people.c
    query = select(c.id, c.roles, c.deputy_id).where(c.org_id == org_id).order_by(c.id)
    rows = (await connection.execute(query)).all()
    asked = [row for row in rows if row.id == person_id or (not person_id and role in row.roles)]
    return sorted({row.deputy_id for row in asked if row.deputy_id is not None})


async def hold(connection: Connection, person_id: str) -> None:
    """Keep all others from changing a person until commit."""
    query = select(people.c.id).where(people.c.id == person_id)
    await connection.execute(query.with_for_update(key_share=True))


async def change(connection: Connection, changed: Person) -> None:
    """Remember a person as it is now; raise ``Misused`` when the address is a colleague's."""
    c = people.c
    said = {"name": changed.name, "mail": changed.mail, "deputy_id": changed.deputy_id}
    lists = {"phones": json.dumps(changed.phones), "roles": json.dumps(changed.roles)}
    before = await connection.scalar(select(c.mail).where(c.id == changed.id))
    if before != changed.mail:
        await members.require_own_mail(connection, changed)
    mine = update(people).where(c.id == changed.id).values(**said, **lists)
    try:
        await connection.execute(mine)
    except IntegrityError as error:
        msg = f"{changed.mail} is already known in this organisation."
        raise Misused(msg) from error
