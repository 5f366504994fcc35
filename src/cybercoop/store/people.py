"""People in the database, as lists."""

import json

from sqlalchemy import select

from cybercoop.members.organisations import Person
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
        )
        for row in await connection.execute(query)
    ]
