"""Saying that a value was seen here, or that it is harmless for us."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import sighting
from cybercoop.collect.sighting import Opinion, Told
from cybercoop.door import WAKE
from cybercoop.members.tokens import Scope
from cybercoop.web.api._common import Moment, micros
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing


class Sighting(Asked):
    """Say what you think of a value, or of the id of a release, that others listed."""

    about: Annotated[str, Field(min_length=1, max_length=16_384)]
    opinion: Opinion
    count: Annotated[int, Field(ge=1, le=999_999_999)] = 1
    first_seen: Moment | None = None
    last_seen: Moment | None = None


class Sighted(msgspec.Struct, frozen=True):
    """Say under which id the sighting or vote stands, and what became of it."""

    id: str
    outcome: str
    reason: str
    lock: str


async def sight(call: Call[Nothing, Sighting]) -> Sighted:
    """Take a sighting or vote in."""
    said = call.body
    first, last = micros(said.first_seen), micros(said.last_seen)
    told = Told(said.about, said.opinion, said.count, first, last)
    verdict = await sighting.sight(call.database, call.center, call.org, told, call.around.now())
    call.app[WAKE]()
    return Sighted(verdict.id, verdict.outcome, verdict.reason, verdict.lock)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/sightings",
        Scope.WRITE,
        sight,
        "Say that a listed value was seen here, or that it is harmless for you.",
        "Sagen, dass ein gelisteter Wert hier gesehen wurde oder für Sie harmlos ist.",
        also=frozenset({404}),
    ),
)
