"""What several nouns share: whose things somebody may see, and times as text."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime

from cybercoop.errors import Refused
from cybercoop.members.organisations import Organisation
from cybercoop.stix import times
from cybercoop.store import members
from cybercoop.store.database import Connection
from cybercoop.web.endpoints import Call

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2200, 1, 1, tzinfo=UTC)


def _in_our_time(said: datetime) -> datetime:
    if not _EPOCH <= said < _END:
        raise ValueError("The time should lie between 1970 and 2200")
    return said


Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time)]
"""A time with its zone, of which every calendar knows what it is."""


def micros(said: datetime | None) -> int | None:
    """Return microseconds since 1970."""
    return None if said is None else (said - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int | None) -> str | None:
    """Return a time as text (RFC 3339, UTC)."""
    return None if micros is None else times.text(micros)


async def whose(connection: Connection, call: Call[Any, Any], named: str | None) -> Organisation:
    """Return the organisation that a request is about: the asker's own unless another is named.

    Only the center names another; to all else a foreign one is as unknown as one that is not
    there. Raises ``Refused``.
    """
    if named is None:
        return call.org
    for one in await in_sight(connection, call):
        if named in {one.id, one.name}:
            return one
    raise Refused("There is no organisation of that name or id for you.", "organisation")


async def in_sight(connection: Connection, call: Call[Any, Any]) -> Sequence[Organisation]:
    """Return the organisations that the asker manages: all for the center, else its own."""
    if not call.is_center:
        return [call.org]
    return await members.all_organisations(connection)
