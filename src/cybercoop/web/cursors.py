"""Pages of lists: a cursor names the place after the last thing shown, signed by the center.

Signed, so that only what this center gave out itself comes back, and only to the same list and
organisation. A place and no number: what is added or removed meanwhile shifts nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

import msgspec
from pydantic import Field

from cybercoop.errors import Malformed
from cybercoop.web.endpoints import Asked, Call

MOST = 1000
_SIGNATURE = 16
_FOREIGN = "cursor is not one that this server gave out for this list."

Thing = TypeVar("Thing")
Place = tuple[str | int, ...]


class Paging(Asked):
    """Say how much of a list to show, and from where on."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="most things on one page")] = 100
    cursor: Annotated[
        str | None, Field(max_length=2000, description="``next`` of the page before")
    ] = None


def page(
    call: Call[Paging, None], things: Iterable[Thing], place: Callable[[Thing], Place]
) -> tuple[Sequence[Thing], str | None]:
    """Return one page of things in rising order of their place, and the cursor of the next one.

    Raises ``Malformed`` for a cursor that was not given out for this list.
    """
    ordered = sorted(things, key=place)
    if call.query.cursor is not None:
        after = _read(call, call.query.cursor)
        ordered = [one for one in ordered if place(one) > after]
    shown = ordered[: call.query.limit]
    more = len(ordered) > len(shown)
    return shown, _written(call, place(shown[-1])) if more else None


def _written(call: Call[Paging, None], place: Place) -> str:
    packed = msgspec.json.encode(place)
    return _text(_signature(call, packed) + packed)


def _read(call: Call[Paging, None], text: str) -> Place:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Malformed(_FOREIGN) from error
    signature, packed = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if _text(raw) != text or not hmac.compare_digest(signature, _signature(call, packed)):
        raise Malformed(_FOREIGN)
    return msgspec.json.decode(packed, type=tuple[str | int, ...])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(call: Call[Paging, None], packed: bytes) -> bytes:
    said = b"|".join((b"cursor", call.address.encode(), call.org.id.encode(), packed))
    return hmac.digest(call.center.secret, said, hashlib.sha256)[:_SIGNATURE]
