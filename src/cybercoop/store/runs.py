"""What readers get of responses: the second and last way out beside ``store.releases.read``.

A response reaches who takes part in it and can open its lock, and the center. A county's run,
tasks and answers are seen by that county and the center; where it agreed, others who take part see
its state, and their runs decide by sums in which its answers count. Nobody sees what has not begun
but the center.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select, update

from cybercoop.errors import NotFound
from cybercoop.playbooks.progress import Response, Run, Task
from cybercoop.playbooks.variables import Value
from cybercoop.store import blocks
from cybercoop.store.database import Connection
from cybercoop.store.response_tables import approvals, log, responses, runs, steps, tasks
from cybercoop.store.responses import thing

_BACK, _BACK_LINES = 10_000_000, 1_000


class Reader(Struct, frozen=True):
    """Hold who reads: an organisation, its keys, and whether it is the center."""

    org_id: str
    keys: frozenset[str]
    is_center: bool = False


class Place(Struct, frozen=True):
    """Hold how far an action is that a run has begun; of thousands nobody needs more."""

    run_id: str
    step_id: str
    state: str
    ended_at: int | None


class Seen(Struct, frozen=True, kw_only=True):
    """Hold all of one response that a reader may have."""

    response: Response
    runs: list[Run]
    tasks: list[Task]
    steps: list[Place]
    log: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    others: list[tuple[str, str]]
    """Organisations that agreed to it, each with its state."""


class Pulse(Struct, frozen=True):
    """Hold what is new about a response, and whom it concerns; times are microseconds."""

    whole: tuple[Any, ...]
    runs: dict[str, tuple[str, int, str]]
    """By id: whose, when it changed, and the state that others see (nothing: they see none)."""
    log: dict[int, str | None]
    """By number of late lines: whose they are."""

    def concerns(self, before: "Pulse") -> frozenset[str | None]:
        """Return whose parts have changed since another pulse; None is everybody."""
        found: set[str | None] = {None} if self.whole != before.whole else set()
        for run_id, (org_id, at, shown) in self.runs.items():
            _, seen_at, seen = before.runs.get(run_id, ("", 0, ""))
            found |= {org_id} if seen_at != at else set()
            found |= {None} if seen != shown else set()
        return frozenset(found | {one for seq, one in self.log.items() if seq not in before.log})


async def pulse(connection: Connection, response_id: str, before: Pulse | None) -> Pulse:
    """Return what is new about a response, for whoever tells its readers that something is.

    Looks a little back: a transaction that stamped or counted earlier may commit later.
    """
    c = responses.c
    asked = select(c.state, c.paused, c.wanted, c.glass_until, c.ratified_at)
    whole = (await connection.execute(asked.where(c.id == response_id))).one()
    known = {} if before is None else before.runs
    since = max((at for _, at, _ in known.values()), default=0) - _BACK
    r = runs.c
    shown = case((and_(r.latest, r.shares_state), r.state), else_="")
    changed = select(r.id, r.org_id, r.changed_at, shown.label("shown"))
    changed = changed.where(r.response_id == response_id, r.changed_at >= since)
    last = 0 if before is None else max(before.log, default=0)
    lines = select(log.c.seq, log.c.org_id).where(log.c.response_id == response_id)
    lines = lines.where(log.c.seq > last - _BACK_LINES)
    return Pulse(
        tuple(whole),
        known
        | {
            row.id: (row.org_id, row.changed_at, row.shown)
            for row in await connection.execute(changed)
        },
        {row.seq: row.org_id for row in await connection.execute(lines)},
    )


async def read(
    connection: Connection,
    reader: Reader,
    response_id: str,
    *,
    steps_too: bool = False,
    log_too: bool = True,
) -> Seen:
    """Return a response as this reader may see it; raise ``NotFound`` alike for all others."""
    found = await response(connection, reader, response_id)
    mine = _of(reader, runs.c.org_id)
    seen = [thing(Run, one) for one in await connection.execute(_runs(response_id).where(mine))]
    put = select(tasks).where(tasks.c.response_id == response_id, _of(reader, tasks.c.org_id))
    put = put.order_by(tasks.c.created_at, tasks.c.id)
    return Seen(
        response=found,
        runs=seen,
        tasks=[thing(Task, one) for one in await connection.execute(put)],
        steps=await _steps(connection, reader, response_id) if steps_too else [],
        log=await _log(connection, reader, response_id) if log_too else [],
        approvals=await _approvals(connection, response_id) if reader.is_center else [],
        others=await _others(connection, reader, response_id),
    )


async def response(connection: Connection, reader: Reader, response_id: str) -> Response:
    """Return what a response is, without anybody's part; raise ``NotFound`` as ``read`` does."""
    query = select(responses).where(responses.c.id == response_id, _may(reader))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"No response has the id {response_id}.")
    return thing(Response, row)


async def answers(
    connection: Connection, run: Run, step_ids: Collection[str], name: str
) -> list[Value]:
    """Return what counties last answered to a question of these steps, as a run may sum it up.

    That is the run's own answer, and those of counties that agreed to be seen.
    """
    c, r = tasks.c, runs.c
    query = select(c.run_id, c.answers).join(runs, r.id == c.run_id)
    query = query.where(c.response_id == run.response_id, c.step_id.in_(step_ids))
    query = query.where(c.state == "done", c.answers.is_not(None))
    query = query.where(or_(c.run_id == run.id, and_(r.latest, r.shares_state)))
    last: dict[str, Value] = {}
    for row in await connection.execute(query.order_by(c.ended_at, c.created_at, c.id)):
        said = msgspec.json.decode(row.answers)
        if name in said:
            last[row.run_id] = said[name]
    return list(last.values())


async def blocks_of(
    connection: Connection, reader: Reader, response_id: str, now: int
) -> list[blocks.State]:
    """Return what is known of the reader's own blocks for a response; the center has all."""
    await response(connection, reader, response_id)
    found = await blocks.states(connection, response_id, now)
    return [one for one in found if reader.is_center or one.block.org_id == reader.org_id]


async def reach(connection: Connection, run_id: str, now: int) -> None:
    """Note that somebody of the county has seen its run, unless that is known.

    One statement: who declines at the same moment must not become one who was only reached.
    """
    c = runs.c
    state = case((c.state == "invited", "reached"), else_=c.state)
    seen = update(runs).where(c.id == run_id, c.reached_at.is_(None))
    await connection.execute(seen.values(reached_at=now, changed_at=now, state=state))


async def all_of(connection: Connection, reader: Reader) -> list[Response]:
    """Return the responses that a reader may see, newest first."""
    c = responses.c
    query = select(responses).where(_may(reader)).order_by(c.created_at.desc(), c.id)
    return [thing(Response, row) for row in await connection.execute(query)]


async def tasks_for(
    connection: Connection, reader: Reader, states: Collection[str] = ()
) -> list[tuple[Task, Response]]:
    """Return the reader's own tasks of responses that he may see, the most urgent first."""
    c = tasks.c
    query = select(tasks).join(responses, responses.c.id == c.response_id)
    query = query.where(c.org_id == reader.org_id, _may(reader))
    if states:
        query = query.where(c.state.in_(states))
    found = [thing(Task, row) for row in await connection.execute(query.order_by(c.id))]
    known = {one.id: one for one in await all_of(connection, reader)}
    late = 1 << 62
    found.sort(key=lambda one: (one.due_at or late, one.created_at, one.id))
    return [(one, known[one.response_id]) for one in found]


async def task(connection: Connection, reader: Reader, task_id: str) -> Task:
    """Return one task that a reader may see; raise ``NotFound`` for all others."""
    query = select(tasks).join(responses, responses.c.id == tasks.c.response_id)
    query = query.where(tasks.c.id == task_id, _of(reader, tasks.c.org_id), _may(reader))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"No task has the id {task_id}.")
    return thing(Task, row)


def _may(reader: Reader) -> ColumnElement[bool]:
    """Return the condition that a response reaches this reader."""
    c = responses.c
    if reader.is_center:
        return c.id.is_not(None)
    takes_part = exists().where(runs.c.response_id == c.id, runs.c.org_id == reader.org_id)
    return and_(c.lock.in_(sorted(reader.keys)), c.began_at.is_not(None), takes_part)


def _of(reader: Reader, org_id: ColumnElement[str]) -> ColumnElement[bool]:
    return org_id.is_not(None) if reader.is_center else org_id == reader.org_id


def _runs(response_id: str) -> Select[Any]:
    query = select(runs).where(runs.c.response_id == response_id)
    return query.order_by(runs.c.invited_at, runs.c.id)


async def _steps(connection: Connection, reader: Reader, response_id: str) -> list[Place]:
    """Return the actions that have begun, in the order of their beginning in each run."""
    c = steps.c
    query = select(c.run_id, c.step_id, c.state, c.ended_at).join(runs, runs.c.id == c.run_id)
    query = query.where(runs.c.response_id == response_id, _of(reader, runs.c.org_id))
    query = query.where(c.kind == "action").order_by(c.run_id, c.seq, c.place)
    return [Place(*row) for row in await connection.execute(query)]


async def _log(connection: Connection, reader: Reader, response_id: str) -> list[dict[str, Any]]:
    c = log.c
    query = select(log).where(c.response_id == response_id).order_by(c.seq)
    if not reader.is_center:
        query = query.where(or_(c.org_id.is_(None), c.org_id == reader.org_id))
    # Its number would tell how much others have written.
    return [
        {
            "at": row.at,
            "who": row.who,
            "what": row.what,
            "org_id": row.org_id,
            "said": msgspec.json.decode(row.said),
        }
        for row in await connection.execute(query)
    ]


async def _approvals(connection: Connection, response_id: str) -> list[dict[str, Any]]:
    c = approvals.c
    query = select(approvals).where(c.response_id == response_id).order_by(c.at, c.person_id)
    rows = (await connection.execute(query)).mappings()
    return [{**row, "agreed": bool(row["agreed"])} for row in rows]


async def _others(
    connection: Connection, reader: Reader, response_id: str
) -> list[tuple[str, str]]:
    c = runs.c
    query = select(c.org_id, c.state).where(c.response_id == response_id, c.latest, c.shares_state)
    query = query.where(c.org_id != reader.org_id).order_by(c.org_id)
    return [(row.org_id, row.state) for row in await connection.execute(query)]
