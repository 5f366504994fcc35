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
ACCEPTED: tuple[str, Any] = ("accept", {})
DECLINED: tuple[str, Any] = ("decline", {"reason": "Kein Personal"})


async def both(one: Stage, seat: Seat, run: str, *deeds: tuple[str, Any]) -> dict[str, Answer]:
    """Do deeds about a run at once; return what was answered to each.

    Somebody else changes the run when they come, so that both wait at the same door.
    """
    async with one.world.database.write() as connection:
        await responses.run(connection, run, changing=True)
        asked = [
            asyncio.ensure_future(
                one.world.request("POST", f"{ROOT}/runs/{run}/{deed}", seat, json=said)
            )
            for deed, said in deeds
        ]
        await asyncio.sleep(0.3)
        assert not any(answer.done() for answer in asked)
    return dict(zip((deed for deed, _ in deeds), await asyncio.gather(*asked), strict=True))


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
