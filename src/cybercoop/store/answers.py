"""Answers under idempotency keys: what was answered once is answered again, and done once.

A key is taken by a row without an answer, which is committed before the deed begins. So of two
requests that come at once, on whatever process, one does the deed and the other waits for it.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.store.database import Connection
from cybercoop.store.service_tables import answers

_BEGUN = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """Name one request: whose it is, its idempotency key, and the hash of what it asks."""

    org_id: str
    key: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what stands under a key; without a status the deed is still being done."""

    request: bytes
    status: int
    content: bytes

    @property
    def begun(self) -> bool:
        """Say whether the answer is still to come."""
        return self.status == _BEGUN


async def begin(connection: Connection, deed: Deed, now: int, since: int, alive: int) -> bool:
    """Take a key for a deed; False where somebody has it.

    Answers from before ``since`` count no more, nor do deeds begun before ``alive`` that never
    came to an answer: their process is gone.
    """
    c = answers.c
    lost = and_(c.status == _BEGUN, c.created_at < alive)
    await connection.execute(
        delete(answers).where(_under(deed.org_id, deed.key), or_(c.created_at < since, lost))
    )
    row: dict[str, object] = {"org_id": deed.org_id, "key": deed.key, "request": deed.request}
    row |= {"status": _BEGUN, "bytes": b"", "created_at": now}
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    done = await connection.execute(insert(answers).values(row).on_conflict_do_nothing())
    return done.rowcount == 1


async def finish(connection: Connection, deed: Deed, status: int, content: bytes) -> bool:
    """Remember the answer to a deed; False where the key is no longer taken for it."""
    c = answers.c
    mine = update(answers).where(
        _under(deed.org_id, deed.key), c.request == deed.request, c.status == _BEGUN
    )
    return (await connection.execute(mine.values(status=status, bytes=content))).rowcount == 1


async def give_up(connection: Connection, deed: Deed) -> None:
    """Free the key of a deed that was refused, so that a better request may take it."""
    await connection.execute(
        delete(answers).where(
            _under(deed.org_id, deed.key),
            answers.c.request == deed.request,
            answers.c.status == _BEGUN,
        )
    )


async def find(connection: Connection, org_id: str, key: str) -> Answer | None:
    """Return what stands under a key of an organisation."""
    query = select(answers.c.request, answers.c.status, answers.c.bytes)
    row = (await connection.execute(query.where(_under(org_id, key)))).first()
    return None if row is None else Answer(bytes(row.request), row.status, bytes(row.bytes))


async def prune(connection: Connection, before: int) -> None:
    """Forget answers that were given before ``before``."""
    await connection.execute(delete(answers).where(answers.c.created_at < before))


def _under(org_id: str, key: str) -> ColumnElement[bool]:
    return and_(answers.c.org_id == org_id, answers.c.key == key)
