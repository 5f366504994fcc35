"""What the world hands in: the time, and values that nobody can guess."""

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass


def _now() -> int:
    return time.time_ns() // 1000


def _uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold the clock (microseconds since 1970, UTC) and the two sources of chance."""

    now: Callable[[], int] = _now
    uuid: Callable[[], str] = _uuid
    secret: Callable[[], bytes] = lambda: secrets.token_bytes(32)
