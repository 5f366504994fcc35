"""Links that open one task to one person: without signing in, once, for seven days.

Whoever has the link is taken for the person it was made for, so it is as long as a token, and it
opens nothing else. It ends with its task. Looking at it changes nothing: mail servers open links
before people do.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cybercoop.errors import Misused
from cybercoop.members.tokens import digest
from cybercoop.playbooks.duties import Question
from cybercoop.store import task_links
from cybercoop.store.database import Connection, Database
from cybercoop.store.task_links import TaskLink
from cybercoop.surroundings import Surroundings

DAYS = 7
PATH = "/t/"

_DAY = 86_400_000_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


@dataclass(frozen=True, slots=True)
class LinkedTask:
    """Hold what the page of a link shows; ``due_at`` in microseconds since 1970."""

    title: str
    text: str
    questions: Mapping[str, Question]
    due_at: int | None = None
    exercise: bool = False


TaskOf = Callable[[Connection, str], Awaitable[LinkedTask | None]]
"""Returns the task of that id as its page shows it, or None where it is gone."""

Answer = Callable[[Connection, str, str, Mapping[str, str], str], Awaitable[None]]
"""Answers task for person, with answers by variable and a comment; raises ``Refused`` with field.

It works within the transaction that uses the link up: both happen, or neither.
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Hold how tasks are read and answered; whoever puts the house together hands it in."""

    task_of: TaskOf
    answer: Answer


async def make(connection: Connection, task_id: str, person_id: str, around: Surroundings) -> str:
    """Make a link for a person and return its path, which is nowhere else.

    Raises ``Misused`` where the task has ended or is none of this person's organisation; people
    of the center may have links to all.
    """
    link, now = TaskLink(task_id, person_id), around.now()
    if not await task_links.may_have(connection, link):
        raise Misused("There is no open task of that id for this person.")
    token = base64.urlsafe_b64encode(around.secret()).decode().rstrip("=")
    await task_links.add(connection, link, digest(token), now, now + DAYS * _DAY)
    return PATH + token


async def look(database: Database, desk: Desk, token: str, now: int) -> LinkedTask | None:
    """Return the task that a good link opens; None for every other link, whatever is wrong."""
    if not _TOKEN(token):
        return None
    async with database.read() as connection:
        link = await task_links.find(connection, digest(token), now)
        return None if link is None else await desk.task_of(connection, link.task_id)


async def answer(
    database: Database,
    desk: Desk,
    token: str,
    answers: Mapping[str, str],
    comment: str,
    now: int,
) -> bool:
    """Answer the task of a good link and use the link up; False for every other link.

    Raises ``Refused`` as the desk does; then the link stays good.
    """
    if not _TOKEN(token):
        return False
    async with database.write() as connection:
        link = await task_links.use(connection, digest(token), now)
        if link is None:
            return False
        await desk.answer(connection, link.task_id, link.person_id, answers, comment)
    return True
