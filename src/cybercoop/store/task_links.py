"""Links to tasks in the database: looked up by hash, good once, until the task ends."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, update

from cybercoop.store.database import Connection
from cybercoop.store.notice_tables import task_links
from cybercoop.store.response_tables import tasks
from cybercoop.store.tables import center, organisations, people


@dataclass(frozen=True, slots=True)
class TaskLink:
    """Hold whom a link lets answer which task."""

    task_id: str
    person_id: str


async def may_have(connection: Connection, link: TaskLink) -> bool:
    """Say whether this person can be given a link to this task."""
    query = select(exists().where(_open(link.task_id), _fits(link.task_id, link.person_id)))
    return bool((await connection.execute(query)).scalar())


async def add(
    connection: Connection, link: TaskLink, digest: bytes, now: int, expires_at: int
) -> None:
    """Remember a link by the digest of its token."""
    row: dict[str, object] = {"hash": digest, "created_at": now, "expires_at": expires_at}
    row |= {"task_id": link.task_id, "person_id": link.person_id}
    await connection.execute(insert(task_links), row)


async def find(connection: Connection, digest: bytes, now: int) -> TaskLink | None:
    """Return what a good link opens; None where it is unknown, used, too old or for nothing."""
    c = task_links.c
    row = (
        await connection.execute(select(c.task_id, c.person_id).where(_good(digest, now)))
    ).first()
    return None if row is None else TaskLink(row.task_id, row.person_id)


async def use(connection: Connection, digest: bytes, now: int) -> TaskLink | None:
    """Use a good link up and return what it opens, or None; of several at once one gets it."""
    c = task_links.c
    used = update(task_links).where(_good(digest, now)).values(used_at=now)
    row = (await connection.execute(used.returning(c.task_id, c.person_id))).first()
    return None if row is None else TaskLink(row.task_id, row.person_id)


async def prune(connection: Connection, now: int) -> None:
    """Forget links that are too old."""
    await connection.execute(delete(task_links).where(task_links.c.expires_at <= now))


def _good(digest: bytes, now: int) -> ColumnElement[bool]:
    c = task_links.c
    opens = exists().where(_open(c.task_id), _fits(c.task_id, c.person_id))
    return and_(c.hash == digest, c.used_at.is_(None), c.expires_at > now, opens)


def _open(task_id: object) -> ColumnElement[bool]:
    return and_(tasks.c.id == task_id, tasks.c.ended_at.is_(None))


def _fits(task_id: object, person_id: object) -> ColumnElement[bool]:
    """Say that a person answers for the organisation of a task, or for the center."""
    answers = or_(people.c.org_id == tasks.c.org_id, people.c.org_id.in_(select(center.c.org_id)))
    return and_(
        tasks.c.id == task_id,
        people.c.id == person_id,
        answers,
        organisations.c.id == people.c.org_id,
        organisations.c.left_at.is_(None),
    )
