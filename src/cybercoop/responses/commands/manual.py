"""What a person does: the task waits until somebody says that it is done."""

from cybercoop.responses import asking
from cybercoop.responses.commands import Doing, Values

KINDS = ("manual",)
IS_EFFECT = False


async def carry_out(doing: Doing) -> Values:
    """Put the task to the county's people and return what they answered."""
    return await doing.answered(asking.task(doing, doing.key))
