"""Responses, runs, steps and tasks in the database: written and looked up by whoever works on them.

What readers get of them comes through ``store.runs`` alone.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Table, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cybercoop.errors import NotFound
from cybercoop.playbooks.progress import GOING, OPEN, Response, Run, Step, Task
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import approvals, blocks, log, responses, runs, steps, tasks

Thing = TypeVar("Thing", bound=Struct)

_JSON = frozenset({"variables", "why", "listed", "questions", "answers", "results", "said"})
_MOST_IDS = 500
"""Parameters of one statement; SQLite's limit lies far above."""


def thing(kind: type[Thing], row: Any) -> Thing:
    """Return a row as what it is; columns that hold JSON are read."""
    found: dict[str, Any] = {}
    for name, of in _types(kind):
        value = getattr(row, name)
        if name in _JSON and value is not None:
            value = msgspec.json.decode(value, type=of)
        found[name] = bool(value) if of is bool else value
    return kind(**found)


@cache
def _types(kind: type[Struct]) -> list[tuple[str, Any]]:
    return [(one.name, one.type) for one in msgspec.structs.fields(kind)]


def row_of(one: Struct) -> dict[str, Any]:
    """Return a thing as a row."""
    found: dict[str, Any] = {}
    for name in one.__struct_fields__:
        value = getattr(one, name)
        is_json = name in _JSON and value is not None
        found[name] = msgspec.json.encode(value).decode() if is_json else value
    return found


async def add_responses(connection: Connection, some: Sequence[Response]) -> int:
    """Remember new responses; return how many were not there."""
    return await _add(connection, responses, some)


async def add_runs(connection: Connection, some: Sequence[Run]) -> int:
    """Remember new runs; return how many were not there."""
    return await _add(connection, runs, some)


async def add_steps(connection: Connection, some: Sequence[Step]) -> int:
    """Remember steps that have begun; return how many were not there."""
    return await _add(connection, steps, some)


async def add_task(connection: Connection, new: Task) -> bool:
    """Remember a task; say whether it was not there."""
    return bool(await _add(connection, tasks, [new]))


async def _add(connection: Connection, table: Table, some: Sequence[Struct]) -> int:
    """Insert rows; what is there under the same key stays as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    added = 0
    for one in some:
        statement = dialect.insert(table).values(**row_of(one)).on_conflict_do_nothing()
        added += (await connection.execute(statement)).rowcount
    return added


async def response(connection: Connection, response_id: str, *, changing: bool = False) -> Response:
    """Return a response; raise ``NotFound`` where there is none.

    With ``changing`` nobody else changes it until commit, so that what is decided by it holds.
    """
    query = select(responses).where(responses.c.id == response_id)
    if changing:  # its runs, tasks and log may grow meanwhile
        query = query.with_for_update(key_share=True)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"No response has the id {response_id}.")
    return thing(Response, row)


async def running(connection: Connection) -> list[Response]:
    """Return the responses that the engine has to carry on, oldest first."""
    c = responses.c
    query = select(responses).where(c.state == "running").order_by(c.created_at, c.id)
    return [thing(Response, row) for row in await connection.execute(query)]


_ROUNDS = select(responses.c.id, responses.c.turn).where(responses.c.state == "running")


async def rounds(connection: Connection) -> list[tuple[str, int]]:
    """Return which responses are running, and how often the engine has begun with each."""
    return [(row.id, row.turn) for row in await connection.execute(_ROUNDS)]


async def change(connection: Connection, response_id: str, now: int, **values: Any) -> None:
    """Change a response."""
    statement = update(responses).where(responses.c.id == response_id)
    await connection.execute(statement.values(changed_at=now, **values))


async def run(connection: Connection, run_id: str, *, changing: bool = False) -> Run:
    """Return a run; raise ``NotFound`` where there is none.

    With ``changing`` nobody else changes it until commit.
    """
    query = select(runs).where(runs.c.id == run_id)
    if changing:  # steps and tasks of the run may be added meanwhile
        query = query.with_for_update(key_share=True)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"No run has the id {run_id}.")
    return thing(Run, row)


async def runs_of(connection: Connection, response_id: str, *, latest: bool = False) -> list[Run]:
    """Return the runs of a response, or each county's latest, in the order of invitation."""
    query = select(runs).where(runs.c.response_id == response_id)
    if latest:
        query = query.where(runs.c.latest)
    found = await connection.execute(query.order_by(runs.c.invited_at, runs.c.id))
    return [thing(Run, row) for row in found]


async def change_run(connection: Connection, run_id: str, now: int, **values: Any) -> None:
    """Change a run, so that whoever waits for it looks again."""
    await connection.execute(
        update(runs).where(runs.c.id == run_id).values(changed_at=now, **values)
    )


async def end_run(
    connection: Connection, run_id: str, now: int, state: str, reason: str | None
) -> bool:
    """End a run that goes on; say whether it did."""
    still = and_(runs.c.id == run_id, runs.c.state.in_(GOING))
    values = {"state": state, "reason": reason, "ended_at": now, "changed_at": now}
    return bool((await connection.execute(update(runs).where(still).values(**values))).rowcount)


async def touch_runs(connection: Connection, response_id: str, now: int, **values: Any) -> int:
    """Change all latest runs of a response that go on; return how many."""
    c = runs.c
    still = and_(c.response_id == response_id, c.latest, c.state.in_(GOING))
    done = await connection.execute(update(runs).where(still).values(changed_at=now, **values))
    return done.rowcount


async def want_back(connection: Connection, response_id: str, now: int) -> None:
    """Have the latest runs of a response that have begun taken back."""
    c = runs.c
    begun = and_(c.response_id == response_id, c.latest, c.state != "declined")
    where = and_(begun, c.began_at.is_not(None))
    await connection.execute(update(runs).where(where).values(wanted="revert", changed_at=now))
    never = and_(begun, c.began_at.is_(None), c.state.in_(GOING))
    values = {"state": "cancelled", "ended_at": now, "changed_at": now}
    await connection.execute(update(runs).where(never).values(**values))


async def changed_runs(connection: Connection, since: int) -> list[tuple[str, int]]:
    """Return which runs were changed from a moment on, and when."""
    query = select(runs.c.id, runs.c.changed_at).where(runs.c.changed_at >= since)
    return [(row.id, row.changed_at) for row in await connection.execute(query)]


async def task(connection: Connection, task_id: str) -> Task:
    """Return a task; raise ``NotFound`` where there is none."""
    row = (await connection.execute(select(tasks).where(tasks.c.id == task_id))).one_or_none()
    if row is None:
        raise NotFound(f"No task has the id {task_id}.")
    return thing(Task, row)


async def tasks_of(connection: Connection, response_id: str) -> list[Task]:
    """Return the tasks of a response, oldest first."""
    query = select(tasks).where(tasks.c.response_id == response_id)
    found = await connection.execute(query.order_by(tasks.c.created_at, tasks.c.id))
    return [thing(Task, row) for row in found]


async def tasks_due(connection: Connection, now: int) -> list[Task]:
    """Return the open tasks whose deadline has to be told again, and keep others from them.

    What somebody else is changing is left for the next look.
    """
    query = select(tasks).where(tasks.c.next_at <= now, tasks.c.state.in_(OPEN))
    held = query.order_by(tasks.c.next_at).with_for_update(key_share=True, skip_locked=True)
    return [thing(Task, row) for row in await connection.execute(held)]


async def anything_due(connection: Connection, now: int) -> bool:
    """Say whether time has done something that has to be looked at."""
    late = exists().where(tasks.c.next_at <= now)
    c = blocks.c
    over = exists().where(c.ended_at.is_(None), c.until <= now)
    glass = exists().where(_unratified(now))
    return bool(await connection.scalar(select(or_(late, over, glass))))


async def unratified(connection: Connection, now: int) -> list[str]:
    """Return the responses begun on one person's word that nobody ratified in time.

    Others are kept from them; what somebody else is changing is left for the next look.
    """
    query = select(responses.c.id).where(_unratified(now))
    found = await connection.scalars(query.with_for_update(key_share=True, skip_locked=True))
    return list(found.all())


def _unratified(now: int) -> ColumnElement[bool]:
    c = responses.c
    return and_(
        c.glass_until <= now, c.ratified_at.is_(None), c.wanted == "", c.state != "rejected"
    )


async def change_task(
    connection: Connection, task_id: str, states: Collection[str], **values: Any
) -> bool:
    """Change a task that is in one of these states; say whether it was."""
    still = and_(tasks.c.id == task_id, tasks.c.state.in_(states))
    written = _written(values)
    return bool((await connection.execute(update(tasks).where(still).values(**written))).rowcount)


async def close_tasks_of(connection: Connection, run_id: str, now: int, reason: str) -> int:
    """Cancel the open tasks of a run; return how many."""
    return await _close(connection, tasks.c.run_id == run_id, now, reason)


async def close_tasks_at(
    connection: Connection, run_id: str, place: str, now: int, reason: str
) -> int:
    """Cancel the open tasks of a run that a step put; return how many."""
    where = and_(tasks.c.run_id == run_id, tasks.c.place.startswith(place, autoescape=True))
    return await _close(connection, where, now, reason)


async def close_extra_tasks(connection: Connection, response_id: str, now: int, reason: str) -> int:
    """Cancel the open tasks of a response that no step put; return how many."""
    where = and_(tasks.c.response_id == response_id, tasks.c.place.startswith("extra/"))
    return await _close(connection, where, now, reason)


async def _close(connection: Connection, where: ColumnElement[bool], now: int, reason: str) -> int:
    still = and_(tasks.c.state.in_(OPEN), where)
    values = {"state": "cancelled", "ended_at": now, "next_at": None, "reason": reason}
    return (await connection.execute(update(tasks).where(still).values(**values))).rowcount


async def step(connection: Connection, run_id: str, place: str) -> Step | None:
    """Return what happened at a place of a run."""
    query = select(steps).where(steps.c.run_id == run_id, steps.c.place == place)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else thing(Step, row)


async def steps_of(connection: Connection, run_ids: Sequence[str]) -> list[Step]:
    """Return all steps of runs, in the order of their beginning."""
    found: list[Step] = []
    for at in range(0, len(run_ids), _MOST_IDS):
        query = select(steps).where(steps.c.run_id.in_(run_ids[at : at + _MOST_IDS]))
        rows = await connection.execute(query.order_by(steps.c.run_id, steps.c.seq))
        found += [thing(Step, row) for row in rows]
    return found


async def end_step(
    connection: Connection, run_id: str, place: str, now: int, state: str, **values: Any
) -> None:
    """Note that a step has ended; one that had ended stays as it was."""
    c = steps.c
    where = and_(c.run_id == run_id, c.place == place, c.state == "began")
    written = _written({"state": state, "ended_at": now, **values})
    await connection.execute(update(steps).where(where).values(**written))


async def close_steps_of(connection: Connection, run_id: str, now: int) -> None:
    """Note that nothing of a run goes on any more."""
    still = and_(steps.c.run_id == run_id, steps.c.state == "began")
    await connection.execute(update(steps).where(still).values(state="stopped", ended_at=now))


async def approved(connection: Connection, subject: str, since: int) -> list[Any]:
    """Return who said what about a subject since a moment: person_id, agreed, reason, at."""
    c = approvals.c
    query = select(approvals).where(c.subject == subject, c.at >= since).order_by(c.at)
    return list((await connection.execute(query)).all())


async def agree(connection: Connection, row: Mapping[str, Any]) -> None:
    """Remember what a person says about a subject; the last word counts."""
    c = approvals.c
    key = and_(c.subject == row["subject"], c.person_id == row["person_id"])
    if not (await connection.execute(update(approvals).where(key).values(**row))).rowcount:
        await connection.execute(insert(approvals), dict(row))


async def note(
    connection: Connection,
    response_id: str,
    at: int,
    who: str,
    what: str,
    org_id: str | None = None,
    **said: Any,
) -> None:
    """Add a line to the log of a response; without ``org_id`` all who take part may read it."""
    row = {"response_id": response_id, "org_id": org_id, "at": at, "who": who, "what": what}
    row["said"] = msgspec.json.encode(said).decode()
    await connection.execute(insert(log), row)


async def log_of(connection: Connection, response_id: str) -> list[Any]:
    """Return the whole log of a response, oldest first."""
    query = select(log).where(log.c.response_id == response_id).order_by(log.c.seq)
    return list((await connection.execute(query)).all())


async def fingerprint(connection: Connection, response_id: str) -> tuple[Any, ...]:
    """Return something that changes with a response, its runs, and how many tasks are open."""
    c = responses.c
    latest = select(func.max(runs.c.changed_at), func.count()).where(
        runs.c.response_id == response_id
    )
    still = select(func.count()).where(tasks.c.response_id == response_id, tasks.c.state.in_(OPEN))
    row = latest.add_columns(
        select(c.changed_at).where(c.id == response_id).scalar_subquery(), still.scalar_subquery()
    )
    return tuple((await connection.execute(row)).one())


async def open_counts(connection: Connection, response_id: str) -> tuple[int, int]:
    """Return how many runs of a response have not ended, and how many of its tasks are open."""
    going = select(func.count()).where(runs.c.response_id == response_id, runs.c.state.in_(GOING))
    still = select(func.count()).where(tasks.c.response_id == response_id, tasks.c.state.in_(OPEN))
    found = (
        await connection.execute(select(going.scalar_subquery(), still.scalar_subquery()))
    ).one()
    return int(found[0]), int(found[1])


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.json.encode(value).decode() if name in _JSON and value is not None else value
        for name, value in values.items()
    }
