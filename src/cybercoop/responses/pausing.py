"""Delays of steps that only decide: a row of their own, so that they outlive a process."""

from cybercoop.playbooks.progress import Step
from cybercoop.responses.carrying import Carrying, is_stopped
from cybercoop.store import responses
from cybercoop.store.database import Connection


async def pause(house: Carrying, run_id: str, place: str, delay: int) -> int | None:
    """Wait for the delay of a step that only decides; return when it began, nothing if stopped.

    The pause is a row of its own, so that a process that goes on with it waits for the rest.
    """
    at = f"{place} delay"
    now = house.around.now()
    new = Step(
        run_id=run_id,
        place=at,
        seq=0,
        step_id=place.rpartition("/")[2].partition("#")[0],
        kind="delay",
        state="began",
        began_at=now,
        ended_at=None,
        results=None,
        reason=None,
    )

    async def begin(connection: Connection) -> Step:
        await responses.add_steps(connection, [new])
        return await responses.step(connection, run_id, at) or new

    begun = await house.record.do(begin)
    while (left := begun.began_at + delay * 1_000 - house.around.now()) > 0:
        with house.watch.listening(run_id) as changed:
            async with house.database.read() as connection:
                run = await responses.run(connection, run_id)
                response = await responses.response(connection, run.response_id)
            if is_stopped(run, response, place):
                return None
            await changed(left / 1e6)
    return begun.began_at + delay * 1_000
