"""Prepared stores: filled once, kept, and copied for every run."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import filling
from cybercoop.collect import tokens
from cybercoop.members.tokens import Scope
from cybercoop.store import members
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from stores import Store

_MADE = "bench_made"
_LEAST_IN_GROUP = 1000
_VERSION = "2"
"""Changes with how stores are filled beyond the product's template."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Hold the name of a store that is filled, and what it was filled after."""

    name: str
    releases: int
    in_group: int
    template: filling.Template

    def known(self) -> list[int]:
        """Return the numbers of the values that are released to the community."""
        inside = filling.PER_SLOT - self.in_group
        return [one for one in range(self.releases) if one % filling.PER_SLOT < inside]


async def prepare(store: Store, releases: int, advance: Callable[[int], None]) -> Prepared:
    """Return the store of that many releases, and fill it where there is none yet.

    Of 1,000,000 releases a thousandth is under the lock of a group, evenly spread; smaller
    stores have 1,000 of them too, so that a reader of the group has a full page everywhere.
    """
    in_group = max(1, _LEAST_IN_GROUP * filling.PER_SLOT // releases)
    url = await store.fresh(_MADE)
    database = Database(url)
    try:
        template = await filling.found(database)
    finally:
        await database.close()
    said = f"{_VERSION}|{template.fingerprint()}|{await store.schema(url)}"
    name = f"bench_{releases}_{hashlib.sha256(said.encode()).hexdigest()[:12]}"
    known = await store.names()
    if name in known:
        await store.remove(_MADE)
        advance(releases)
    else:
        await _fill(store, url, template, releases, in_group, advance)
        for older in known:
            if older.startswith(f"bench_{releases}_"):
                await store.remove(older)
        await store.keep(_MADE, name)
    return Prepared(name, releases, in_group, template)


async def _fill(
    store: Store,
    url: str,
    template: filling.Template,
    releases: int,
    in_group: int,
    advance: Callable[[int], None],
) -> None:
    async with store.filling(url) as bulk:
        await filling.fill(bulk, template, releases, in_group, advance)
    database = Database(url)
    try:
        await filling.settle(database, template, releases)
    finally:
        await database.close()


async def found_only(store: Store, name: str) -> str:
    """Return the URL of a new center of the bench without any further releases."""
    url = await store.fresh(name)
    database = Database(url)
    try:
        await filling.found(database)
    finally:
        await database.close()
    return url


async def token(url: str, county: str) -> str:
    """Return a new token with which a county may write and read."""
    database = Database(url)
    try:
        async with database.write() as connection:
            org = await members.find(connection, county)
            _, text = await tokens.create(connection, Surroundings(), org.id, Scope.WRITE)
    finally:
        await database.close()
    return text
