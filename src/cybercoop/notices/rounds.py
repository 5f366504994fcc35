"""Rounds: durable work looks every few seconds what is due, and sends each letter.

A workflow is started for every try of every letter, under an id made of both, so that workers who
look at the same moment start it once. How far a letter has come stands in our own tables.
"""

from functools import partial

from cybercoop.durable import Durable, Part
from cybercoop.notices import delivering
from cybercoop.notices.delivering import Post

_EVERY_FIVE_SECONDS = "*/5 * * * * *"
_PAUSE = 2
_AT_ONCE = 8


def part(post: Post) -> Part:
    """Return what a worker has to do for notices; a center without any pays nothing for it."""
    return Part(partial(delivering.is_needed, post), partial(_register, post), pause=_PAUSE)


def _register(post: Post, durable: Durable) -> None:
    queue = durable.queue("notices", _AT_ONCE)

    async def send(letter_id: str, number: int) -> str:
        return await durable.step("send", partial(delivering.send, post), letter_id, number)

    send_workflow = durable.workflow("send notice", send)

    async def look(_at: object, _context: object) -> None:
        due = await durable.step("look", partial(delivering.due, post))
        for letter_id, number in due.items():
            await durable.start(
                queue, send_workflow, f"notice {letter_id} {number}", letter_id, number
            )

    look_workflow = durable.workflow("look for notices", look)
    durable.every("look for notices", _EVERY_FIVE_SECONDS, look_workflow)
    durable.at_once(queue, look_workflow, None, None)
