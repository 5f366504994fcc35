"""What is known of a value that somebody looked up, and what lists are asked about it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from cybercoop.collect.guarding import Guard
from cybercoop.members.device_feeds import DeviceFeed
from cybercoop.members.organisations import Organisation
from cybercoop.store.database import Connection
from cybercoop.store.members import Center

Pair = tuple[str, str]
"""A kind and a value of it in normal form."""


class Listing(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Say where a value is listed, since and until when, how sure it is, and by whom."""

    id: str
    tlp: str
    since: str
    until: str | None
    confidence: int | None
    group: str = ""
    contributors: tuple[str, ...] = ()


class Cover(msgspec.Struct, frozen=True, gc=False):
    """Say what is listed that covers a value: a network, a name above it, a host."""

    kind: str
    value: str
    listings: tuple[Listing, ...]


class Objection(msgspec.Struct, frozen=True):
    """Say what the guard holds against a value, and by which rule."""

    level: str
    rule: str
    reason: str
    reason_de: str


class Exempted(msgspec.Struct, frozen=True):
    """Say which exception keeps a value off blocklists; ``scope`` is ``all`` or ``own``."""

    id: str
    value: str
    scope: str
    reason: str
    until: str | None


class Carried(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Say whether one of the asker's feeds lists a value, and where it does not, why."""

    id: str
    title: str
    listed: bool
    reason: str = ""


class Found(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Say of one value what the center knows of it; ``reason`` says why it cannot be read.

    ``feeds`` are those of the asker's devices, for a value that is listed, or blocked at the asker
    by a response.
    """

    asked: str
    listed: bool
    kind: str = ""
    value: str = ""
    reason: str = ""
    listings: tuple[Listing, ...] = ()
    covered_by: tuple[Cover, ...] = ()
    guard: Objection | None = None
    exceptions: tuple[Exempted, ...] = ()
    feeds: tuple[Carried, ...] = ()


class Stood(NamedTuple):
    """Hold one value where it stands: under which lock, and all that makes lists carry it."""

    kind: str
    value: str
    lock: str
    confidence: int
    created: int
    date_added: int
    until: int | None
    stix_id: str
    warned: bool
    raw: bytes


@dataclass(frozen=True, slots=True)
class Asker:
    """Hold who asks, of which center, and when."""

    org: Organisation
    center: Center
    now: int

    @property
    def is_center(self) -> bool:
        """Say whether the center itself asks; it may read every reason."""
        return self.org.id == self.center.org_id


Carrying = Callable[[Sequence[Pair], Sequence[Stood]], tuple[Carried, ...]]
"""Says of what a value may be, wherever it stands, which feeds list it and why others do not."""

Lists = Callable[
    [Connection, Asker, Guard, Sequence[DeviceFeed], Sequence[Pair]], Awaitable[Carrying]
]
"""What the room of exports knows of lists; it gets the exceptions that count for them."""
