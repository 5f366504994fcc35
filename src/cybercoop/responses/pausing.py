"""Waits of steps that only decide: each a row of its own, so that it outlives a process."""

from cybercoop.playbooks.progress import Step
from cybercoop.responses.carrying import Carrying, is_stopped
from cybercoop.store import responses
from cybercoop.store.database import Connection


async def pause(house: Carrying, run_id: str, place: str, delay: int) -> int | None:
    """Wait for the delay of a step that only decides; return when it began, nothing if stopped.

    A process that goes on with it waits for the rest.
    """
    begun = await begin(house, run_id, place, "delay")
    moment = begun.began_at + delay * 1_000
    return moment if await wait(house, run_id, place, moment) else None


async def begin(house: Carrying, run_id: str, place: str, kind: str) -> Step:
    """Return what is known of a wait at a place, whoever began with it."""
    at = f"{place} {kind}"
    new = Step(
        run_id=run_id,
        place=at,
        seq=0,
        step_id=place.rpartition("/")[2].partition("#")[0],
        kind=kind,
        state="began",
        began_at=house.around.now(),
        ended_at=None,
        results=None,
        reason=None,
    )

    async def begun(connection: Connection) -> Step:
        await responses.add_steps(connection, [new])
        return await responses.step(connection, run_id, at) or new

    return await house.record.do(begun)


async def wait(house: Carrying, run_id: str, place: str, moment: int) -> bool:
    """Wait until a moment; say whether the run goes on then."""
    while (left := moment - house.around.now()) > 0:
        with house.watch.listening(run_id) as changed:
            async with house.database.read() as connection:
                run = await responses.run(connection, run_id)
                response = await responses.response(connection, run.response_id)
            if is_stopped(run, response, place):
                return False
            await changed(left / 1e6)
    return True
