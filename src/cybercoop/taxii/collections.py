"""Collections: which shelves a reader finds, and what he may do with them.

TAXII 2.1 section 5.2; DESIGN: ``contributions``, ``feed``, ``feed-public`` and so on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cybercoop.door import Reader
from cybercoop.errors import NotFound
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.sharing import keys_of, locks
from cybercoop.store import contributions, feeds, releases
from cybercoop.store.database import Connection
from cybercoop.store.members import Center
from cybercoop.store.paging import Filters, Page

STIX_21 = "application/stix+json;version=2.1"
STIX_20 = "application/stix+json;version=2.0"


@dataclass(frozen=True, slots=True)
class Own:
    """Hold an organisation whose own contributions stand on a shelf, verbatim."""

    org: Organisation


@dataclass(frozen=True, slots=True)
class Released:
    """Hold the locks whose releases stand on a shelf."""

    locks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Collection:
    """Hold one TAXII collection as one reader finds it."""

    id: str
    title: str
    shelf: Own | Released
    alias: str | None = None
    description: str | None = None
    can_read: bool = True
    can_write: bool = False
    media_types: Sequence[str] = (STIX_21,)
    listed: bool = True
    successor: str | None = None

    def resource(self) -> dict[str, Any]:
        """Return the collection resource (TAXII 2.1 section 5.2.1)."""
        said = {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "alias": self.alias,
            "can_read": self.can_read,
            "can_write": self.can_write,
            "media_types": list(self.media_types),
            "x_successor": self.successor,
        }
        return {name: value for name, value in said.items() if value is not None}

    async def read(self, connection: Connection, filters: Filters, columns: Sequence[str]) -> Page:
        """Return one page of what stands on the shelf."""
        if isinstance(self.shelf, Own):
            return await contributions.read(connection, self.shelf.org.id, filters, columns)
        return await releases.read(connection, self.shelf.locks, filters, columns)


Collections = Callable[[Reader | None], list[Collection]]
"""Return what a reader finds under one API root, unlisted ones included, sorted by id."""


def named(found: Sequence[Collection], wanted: str) -> Collection:
    """Return the collection of that id or alias; unknown and invisible ones are alike."""
    for one in found:
        if wanted in {one.id, one.alias}:
            return one
    raise NotFound("There is no such collection.")


def of_reader(reader: Reader | None, center: Center) -> list[Collection]:
    """Return the collections of the API root for organisations."""
    if reader is None:
        return []
    keys = keys_of(reader.org)
    own = Collection(
        reader.org.contributions_id,
        "Own contributions / Eigene Beiträge",
        Own(reader.org),
        alias="contributions",
        description="What you pushed, byte for byte; push here.",
        can_write=reader.scope.covers(Scope.WRITE),
        media_types=(STIX_21, STIX_20),
    )
    found = [own, *(_of_lock(center, lock) for lock in keys), *_feeds(reader.feeds, keys)]
    return sorted(found, key=lambda one: one.id)


def public(center: Center) -> list[Collection]:
    """Return the collections of the API root that asks for no credentials."""
    return [_of_lock(center, locks.PUBLIC)]


def _of_lock(center: Center, lock: str) -> Collection:
    kind, _, name = lock.partition(":")
    alias = {"group": f"feed-{name}", "strict": f"feed-{name}-strict"}.get(kind, f"feed-{lock}")
    return Collection(
        feeds.identifier(center.secret, f"lock|{lock}"),
        f"Releases under {lock} / Veröffentlichungen unter {lock}",
        Released(frozenset({lock})),
        alias=alias,
    )


def _feeds(known: Sequence[feeds.Feed], keys: frozenset[str]) -> list[Collection]:
    """Return the reader's feed under every id it has had; only the newest is listed."""
    if not known:
        return []
    newest = known[-1]
    found = []
    for feed in known:
        current = feed is newest
        found.append(
            Collection(
                feed.id,
                "Feed: all that you may read / alles, was Sie lesen dürfen",
                Released(feed.locks & keys),
                alias="feed" if current else None,
                description=None if current else f"You may read more now; go on with {newest.id}.",
                listed=current,
                successor=None if current else newest.id,
            )
        )
    return found
