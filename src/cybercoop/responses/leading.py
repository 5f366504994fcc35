"""Leading a response while it runs: pause, cancel, roll back, re-run, and ask for more."""

from collections.abc import Sequence
from dataclasses import replace

from cybercoop.errors import Misused, Refused
from cybercoop.members.organisations import Organisation
from cybercoop.playbooks.duties import ROLES
from cybercoop.playbooks.progress import GOING, Response, Run, Task
from cybercoop.responses import asking, starting
from cybercoop.responses.asking import Put
from cybercoop.responses.carrying import Carrying
from cybercoop.sharing.keys import keys_of
from cybercoop.store import blocks, members, responses
from cybercoop.store.database import Connection

_EXTRA = "extra/"


async def pause(
    house: Carrying, connection: Connection, response_id: str, who: str, *, paused: bool
) -> Response:
    """Let no further step begin, or let them begin again."""
    response = await _running(connection, response_id)
    now = house.around.now()
    if response.paused != paused:
        await responses.change(connection, response_id, now, paused=paused)
        await responses.touch_runs(connection, response_id, now)
        what = "paused" if paused else "resumed"
        await responses.note(connection, response_id, now, who, what)
    return await responses.response(connection, response_id)


async def cancel(
    house: Carrying, connection: Connection, response_id: str, who: str, reason: str
) -> Response:
    """End a response where it stands; what was done stays done."""
    response = await responses.response(connection, response_id, changing=True)
    now = house.around.now()
    if response.state == "proposed":
        await responses.change(connection, response_id, now, state="cancelled", ended_at=now)
        for run in await responses.runs_of(connection, response_id):
            await responses.end_run(connection, run.id, now, "cancelled", reason)
    else:
        await _running(connection, response_id)
        await responses.change(connection, response_id, now, wanted="cancel", paused=False)
        await responses.touch_runs(connection, response_id, now)
        await responses.close_extra_tasks(connection, response_id, now, reason)
    await responses.note(connection, response_id, now, who, "cancelled", reason=reason)
    return await responses.response(connection, response_id)


async def roll_back(
    house: Carrying, connection: Connection, response_id: str, who: str, reason: str
) -> Response:
    """Take back what was done: blocks at once, then every step that names a way back.

    Steps are taken back in each county in the reverse order of their ends.
    """
    response = await responses.response(connection, response_id, changing=True)
    ended = {"running", "done", "failed", "cancelled"}
    if response.state not in ended or response.began_at is None:
        raise Misused(f"A response that is {response.state} has nothing to take back.")
    if response.wanted == "revert":
        raise Misused("This response is being taken back already.")
    now = house.around.now()
    turn = response.turn + (response.state != "running")
    await responses.change(
        connection,
        response_id,
        now,
        state="running",
        wanted="revert",
        paused=False,
        ended_at=None,
        turn=turn,
    )
    await responses.want_back(connection, response_id, now)
    await responses.close_extra_tasks(connection, response_id, now, reason)
    # After its runs: whoever does a task there holds the run first, and then its blocks.
    await blocks.end_of_response(connection, response_id, now, "rolled back")
    await responses.note(connection, response_id, now, who, "rolled-back", reason=reason)
    return await responses.response(connection, response_id)


async def rerun(house: Carrying, connection: Connection, response_id: str, who: str) -> list[Run]:
    """Begin once more in the counties that failed or are overdue, and in no other."""
    response = await responses.response(connection, response_id, changing=True)
    if response.state not in {"running", "done", "failed"} or response.wanted:
        raise Misused(f"A response that is {response.state} cannot be run again.")
    now = house.around.now()
    tasks = await responses.tasks_of(connection, response_id)
    late = {one.run_id for one in tasks if one.is_overdue(now)}
    again = [
        run
        for run in await responses.runs_of(connection, response_id, latest=True)
        if (run.state == "failed" or run.id in late) and await _is_free(connection, run, now)
    ]
    if not again:
        raise Misused("No county has failed or is overdue.")
    fresh = [
        starting.invited(house, response_id, run.org_id, now, run.attempt + 1) for run in again
    ]
    for run in again:
        await responses.change_run(connection, run.id, now, latest=False)
    await responses.add_runs(connection, fresh)
    turn = response.turn + (response.state != "running")
    await responses.change(connection, response_id, now, state="running", ended_at=None, turn=turn)
    counties = [run.org_id for run in again]
    await responses.note(
        connection, response_id, now, who, "rerun", house.center.org_id, counties=counties
    )
    return fresh


async def _is_free(connection: Connection, run: Run, now: int) -> bool:
    """Say whether a run may be run again, and end it; it may just have ended by itself."""
    return run.state not in GOING or await responses.end_run(
        connection, run.id, now, "cancelled", "It is run again."
    )


async def add_counties(
    house: Carrying, connection: Connection, response_id: str, counties: Sequence[str], who: str
) -> list[Run]:
    """Invite further organisations; one that takes part already is not asked again.

    A response that waits for approvals, or would have needed more, is approved anew.
    """
    response = await responses.response(connection, response_id, changing=True)
    if response.state not in {"proposed", "running"} or response.wanted:
        raise Misused(f"Nobody can be added to a response that is {response.state}.")
    taking = {run.org_id for run in await responses.runs_of(connection, response_id)}
    known = {one.id: one for one in await members.all_organisations(connection)}
    fresh = [one for one in dict.fromkeys(counties) if one not in taking]
    for org_id in fresh:
        _require_may(known.get(org_id), response)
    playbook = await house.book(response.playbook_id, response.playbook_modified)
    many = len(taking) + len(fresh)
    needed = await starting.approvals(house, playbook, response.lock, many)
    if response.state == "running" and needed > response.approvals_needed:
        raise Refused(
            "So many counties need another approval: propose a further response.", "counties"
        )
    now = house.around.now()
    new = [starting.invited(house, response_id, org_id, now) for org_id in fresh]
    await responses.add_runs(connection, new)
    if response.state == "proposed" and fresh:
        await responses.change(
            connection, response_id, now, approvals_needed=needed, approvals_since=now
        )
    await responses.note(
        connection, response_id, now, who, "added", house.center.org_id, counties=fresh
    )
    return new


def _require_may(org: Organisation | None, response: Response) -> None:
    if org is None:
        raise Refused("No organisation has this id.", "counties")
    if response.lock not in keys_of(org):
        raise Refused(f"{org.name} may not read what is marked so.", "counties")


async def ask(
    house: Carrying,
    connection: Connection,
    response_id: str,
    what: Put,
    who: str,
    counties: Sequence[str] = (),
) -> list[Task]:
    """Put a further task or question to counties that take part, or to all; return the tasks."""
    response = await _running(connection, response_id)
    if what.role and what.role not in ROLES:
        raise Refused(f"A role is one of {', '.join(ROLES)}.", "role")
    runs = await responses.runs_of(connection, response_id, latest=True)
    taking = [run for run in runs if run.state not in {"declined", "cancelled"}]
    if counties:
        strangers = set(counties) - {run.org_id for run in taking}
        if strangers:
            raise Refused(f"{min(strangers)} does not take part.", "counties")
        taking = [run for run in taking if run.org_id in set(counties)]
    found = []
    for run in taking:
        one = replace(what, name=house.around.uuid(), place=f"{_EXTRA}{what.name}")
        task = asking.put(response, run, one)
        await responses.add_task(connection, task)
        await asking.announce(connection, task)
        found.append(task)
    told = {"title": what.title, "counties": [run.org_id for run in taking]}
    await responses.note(
        connection, response_id, what.at, who, "asked", house.center.org_id, **told
    )
    return found


async def _running(connection: Connection, response_id: str) -> Response:
    response = await responses.response(connection, response_id, changing=True)
    if response.state != "running" or response.wanted:
        raise Misused("This response is not running.")
    return response
