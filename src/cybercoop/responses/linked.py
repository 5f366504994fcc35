"""Tasks as a link in a mail opens them: shown without signing in, and answered once."""

from collections.abc import Mapping

from cybercoop.errors import Misused, NotFound
from cybercoop.notices.links import Desk, LinkedTask
from cybercoop.playbooks.progress import OPEN
from cybercoop.responses import doing
from cybercoop.responses.carrying import Carrying
from cybercoop.responses.doing import Who
from cybercoop.store import members, responses
from cybercoop.store.database import Connection


def desk(house: Carrying) -> Desk:
    """Return how the page of a link reads and answers a task."""

    async def answer(
        connection: Connection,
        task_id: str,
        person_id: str,
        answers: Mapping[str, str],
        comment: str,
    ) -> None:
        person = await members.find_person(connection, person_id)
        task = await responses.task(connection, task_id)
        if person.org_id != task.org_id:
            raise Misused("This task is answered by its own organisation.")
        who = Who(person.org_id, person.id)
        await doing.finish(house, connection, task_id, who, answers, comment)

    return Desk(_task_of, answer)


async def _task_of(connection: Connection, task_id: str) -> LinkedTask | None:
    """Return a task that is open; one that asks people to agree is for who has signed in."""
    try:
        task = await responses.task(connection, task_id)
        response = await responses.response(connection, task.response_id)
    except NotFound:
        return None
    if task.state not in OPEN or task.approvals:
        return None
    text = "\n".join([task.text, *(f"{name} = {value}" for name, value in task.listed)])
    return LinkedTask(task.title, text, task.questions, task.due_at, response.exercise)
