"""What breaks unexpectedly is told by its name, so that all others go on without it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import structlog

from cybercoop.store.database import is_away

T = TypeVar("T")

_TRIES = 2

_log = structlog.get_logger("triggers")


class Broke(Exception):
    """Say with what something unexpected went wrong: a rule, a kind of trigger, or what waits."""

    def __init__(self, where: str, error: BaseException) -> None:
        super().__init__(f"{where}: {error!r}")
        self.where = where


async def apart(where: str, work: Coroutine[None, None, T]) -> T:
    """Return what comes of ``work``; raise ``Broke`` where something unexpected goes wrong.

    A database that is away is nobody's fault, and there again in some other moment.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait([task])
    error = task.exception()
    if error is None:
        return task.result()
    if not isinstance(error, Exception) or isinstance(error, Broke) or is_away(error):
        raise error
    raise Broke(where, error) from error


async def without_broken(look: Callable[[frozenset[str]], Awaitable[T]]) -> T:
    """Look until it goes well: what breaks is tried once more, and left out then.

    Raises ``Broke`` for what breaks although it is left out.
    """
    broken: Counter[str] = Counter()
    while True:
        left_out = frozenset(where for where, times in broken.items() if times >= _TRIES)
        try:
            return await look(left_out)
        except Broke as error:
            if error.where in left_out:
                raise
            broken[error.where] += 1
            _log.error("a rule broke", error=str(error), times=broken[error.where])
