"""Two people of one county at the same moment: one accepts, the other declines."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cybercoop.playbooks.progress import OPEN
from cybercoop.store import responses
from responses.stage import Stage, stage
from web.test_responses import ROOT, begun, person
from world import Answer, Seat

COUNTIES = 4
ACCEPTED: tuple[str, Any] = ("runs/{run}/accept", {})
DECLINED: tuple[str, Any] = ("runs/{run}/decline", {"reason": "Kein Personal"})
_SEEN = {"answers": {"__seen__": "ja", "__count__": 1}}
FINISHED: tuple[str, Any] = ("tasks/{task}/done", _SEEN)


async def both(
    one: Stage, seat: Seat, run: str, *deeds: tuple[str, Any], task: str = ""
) -> dict[str, Answer]:
    """Do deeds about a run, or its task, at once; return what was answered to each.

    Somebody else changes the run when they come, so that both wait at the same door.
    """
    async with one.world.database.write() as connection:
        await responses.run(connection, run, changing=True)
        asked = [
            asyncio.ensure_future(
                one.world.request(
                    "POST", f"{ROOT}/{path.format(run=run, task=task)}", seat, json=said
                )
            )
            for path, said in deeds
        ]
        await asyncio.sleep(0.3)
        assert not any(answer.done() for answer in asked)
    names = (path.rpartition("/")[2] for path, _ in deeds)
    return dict(zip(names, await asyncio.gather(*asked), strict=True))


@pytest.mark.parametrize("turned", [list, reversed], ids=["accept first", "decline first"])
async def test_one_wins_the_other_is_told_why_and_the_run_tells_one_story(
    database_url: str, tmp_path: Path, turned: Callable[[Any], Any]
) -> None:
    async with stage(database_url, tmp_path, counties=COUNTIES) as one:
        response_id = await begun(one, await person(one, "Lena"))
        response = await one.read(responses.response, response_id)
        await one.tasks(response, COUNTIES)
        runs = {run.org_id: run.id for run in (await one.runs(response)).values()}
        for seat in one.counties:
            run_id = runs[seat.org.id]
            said = await both(one, seat, run_id, *turned([ACCEPTED, DECLINED]))
            (won,) = [deed for deed, answer in said.items() if answer.status == 200]
            (lost,) = [answer for answer in said.values() if answer.status != 200]
            assert lost.status == 400
            why = "This part is declined." if won == "decline" else "accepted meanwhile"
            assert why in lost.body.decode()
            run = await one.read(responses.run, run_id)
            assert run.state == f"{won}{'ed' if won == 'accept' else 'd'}"
            assert (run.accepted_at is None, run.reason) == (
                (True, "Kein Personal") if won == "decline" else (False, None)
            )
            log = await one.read(responses.log_of, response_id)
            told = [line.what for line in log if line.org_id == seat.org.id]
            assert [what for what in told if what in {"accepted", "declined"}] == [run.state]
            (task,) = [
                t for t in await one.read(responses.tasks_of, response_id) if t.run_id == run_id
            ]
            assert (task.state in OPEN) == (won == "accept")


@pytest.mark.parametrize("turned", [list, reversed], ids=["finish first", "decline first"])
async def test_a_task_that_is_done_while_a_colleague_declines_ends_once(
    database_url: str, tmp_path: Path, turned: Callable[[Any], Any]
) -> None:
    async with stage(database_url, tmp_path, counties=COUNTIES) as one:
        response_id = await begun(one, await person(one, "Lena"))
        response = await one.read(responses.response, response_id)
        for task in await one.tasks(response, COUNTIES):
            (seat,) = [seat for seat in one.counties if seat.org.id == task.org_id]
            deeds = turned([FINISHED, DECLINED])
            said = await both(one, seat, task.run_id, *deeds, task=task.id)
            ended = await one.read(responses.task, task.id)
            statuses = {deed: answer.status for deed, answer in said.items()}
            if ended.state == "done":
                assert statuses == {"done": 200, "decline": 400}
            else:
                assert (ended.state, statuses) == ("cancelled", {"done": 400, "decline": 200})


async def test_who_has_seen_that_it_was_accepted_may_still_leave(
    database_url: str, tmp_path: Path
) -> None:
    async with stage(database_url, tmp_path, counties=1) as one:
        response_id = await begun(one, await person(one, "Lena"))
        response = await one.read(responses.response, response_id)
        await one.tasks(response, 1)
        (run,) = (await one.runs(response)).values()
        for deed in (ACCEPTED, DECLINED):
            answers = await both(one, one.counties[0], run.id, deed)
            assert [answer.status for answer in answers.values()] == [200]
        assert (await one.read(responses.run, run.id)).state == "declined"
