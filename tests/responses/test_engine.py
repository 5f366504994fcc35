"""The engine: every kind of step does what the standard says, seen by what it has done."""

from pathlib import Path

from responses.books import book, end, key, manual
from responses.stage import stage


async def test_a_task_for_every_county_ends_the_response(database_url: str, tmp_path: Path) -> None:
    raw = book("one task", key("action", "look"), manual("look", to=key("end", "end")), end())
    async with stage(database_url, tmp_path) as one:
        response = await one.start(await one.keep(raw))
        tasks = await one.tasks(response, 4)
        assert {task.org_id for task in tasks} == {seat.org.id for seat in one.counties}
        for task in tasks:
            await one.finish(task)
        assert (await one.ended(response)).state == "done"
        runs = await one.runs(response)
        assert {run.state for run in runs.values()} == {"done"}
