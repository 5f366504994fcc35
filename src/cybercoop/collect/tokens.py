"""Giving out tokens: made, and replaced with an overlap in which both work."""

from cybercoop.errors import Misused
from cybercoop.members.organisations import Kind
from cybercoop.members.tokens import Scope, Token, digest, prefix, spell
from cybercoop.store import members, tokens
from cybercoop.store.database import Connection
from cybercoop.surroundings import Surroundings

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


async def create(
    connection: Connection,
    around: Surroundings,
    org_id: str,
    scope: Scope,
    *,
    person_id: str | None = None,
    days: int = 365,
) -> tuple[Token, str]:
    """Make a token and return it with its text, which is nowhere else."""
    if (await members.find(connection, org_id)).kind is Kind.SOURCE:
        raise Misused("A source is collected from; it gets no token.")
    text, now = spell(around.secret()), around.now()
    until = now + days * _DAY
    new = Token(around.uuid(), org_id, scope, prefix(text), now, person_id, until)
    await tokens.add(connection, new, digest(text))
    return new, text


async def rotate(
    connection: Connection,
    around: Surroundings,
    token_id: str,
    overlap_hours: int,
    *,
    days: int | None = None,
) -> tuple[Token, str]:
    """Make a successor of a good token; the old one ends after ``overlap_hours``.

    The successor is good for ``days``, or for as many as there are from the old one's first to its
    last.
    """
    old, now = await tokens.find(connection, token_id), around.now()
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise Misused("This token has ended; make a new one with `cybercoop token create`.")
    lifetime = (old.expires_at - old.created_at) // _DAY if old.expires_at else 365
    made = await create(
        connection,
        around,
        old.org_id,
        old.scope,
        person_id=old.person_id,
        days=days or max(lifetime, 1),
    )
    await tokens.expire(connection, old.id, now + overlap_hours * _HOUR)
    return made
