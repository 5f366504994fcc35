"""What only an agent at the county could do: until there is one, people do it."""

from cybercoop.responses import asking
from cybercoop.responses.commands import Doing, Values

KINDS = ("bash", "ssh", "powershell")
IS_EFFECT = False


async def carry_out(doing: Doing) -> Values:
    """Put the line to the county's people as it was written, with the values beside it."""
    return await doing.answered(asking.task(doing, doing.key))
