"""Giving feeds to devices: made with a token, rotated with an overlap, ended.

And what of a response may be on one: what the guard keeps out, or somebody excepted, is not.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cybercoop import guard
from cybercoop.collect.guarding import Guard
from cybercoop.errors import Misused
from cybercoop.guard import ALLOWED, Index, Level, Verdict
from cybercoop.members import device_feeds as nouns
from cybercoop.members.device_feeds import DeviceFeed, DeviceToken
from cybercoop.members.organisations import Organisation
from cybercoop.sharing import keys_of
from cybercoop.store import assets, blocks, device_feeds, releases
from cybercoop.store.blocks import State
from cybercoop.store.database import Connection
from cybercoop.surroundings import Surroundings

_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Blocking:
    """Hold what is known of a block, and what keeps it off the list (allowed where nothing)."""

    state: State
    verdict: Verdict

    @property
    def is_listed(self) -> bool:
        """Say whether the county's devices find it on their list now."""
        return self.state.listed and self.verdict is ALLOWED

    @property
    def is_in_force(self) -> bool:
        """Say whether a device's fetch or a person's word proves that it is blocked now."""
        return self.is_listed and (self.state.fetched or self.state.confirmed)


def kept_out(rules: Guard, own: Index, kind: str, value: str) -> Verdict:
    """Return what keeps a value off the lists of responses, as everybody may read it.

    That is whatever the guard holds or never lets out, exceptions of the center, and what the
    county excepted for itself (``own``). No decision of the review queue counts here: it was made
    about one release.
    """
    said = guard.strictest((own.verdict(kind, value), rules.of_values([(kind, value)])))
    return guard.as_others_see(said) if said.level > Level.WARN else ALLOWED


async def blocking(
    connection: Connection, rules: Guard, response_id: str, now: int
) -> list[Blocking]:
    """Return how far each block of a response is, oldest first."""
    found = await blocks.states(connection, response_id, now)
    orgs = sorted({one.block.org_id for one in found})
    excepted: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in await assets.exemptions(connection, orgs, now):
        excepted[one.org_id].append((one.kind, one.value))
    own = {org_id: own_index(excepted[org_id]) for org_id in orgs}
    return [_judged(one, rules, own[one.block.org_id]) for one in found]


def _judged(one: State, rules: Guard, own: Index) -> Blocking:
    return Blocking(one, kept_out(rules, own, one.block.kind, one.block.value))


def own_index(pairs: Sequence[tuple[str, str]]) -> Index:
    """Return what finds values that overlap what a county excepted, as (kind, value) pairs."""
    return guard.index_of(guard.excepted(pairs))


async def count(connection: Connection, feed: DeviceFeed, org: Organisation, now: int) -> int:
    """Return how many entries a feed lists, before exceptions and what its format leaves out."""
    if not feed.responses:
        return await releases.count(connection, keys_of(org), feed.cut, now)
    rows = await blocks.in_force(connection, org.id, now)
    return len({row.value for row in rows if row.kind in feed.cut.kinds})


async def create(
    connection: Connection, around: Surroundings, org: Organisation, wanted: DeviceFeed
) -> tuple[DeviceFeed, str]:
    """Make a feed of ``org`` as ``wanted`` and return it with the text of its first token.

    Raises ``Misused`` for a lock that the organisation cannot open, and for a feed of responses
    that is cut by more than kinds.
    """
    if wanted.responses and (wanted.cut.lock or wanted.cut.age_days):
        raise Misused("What responses block has no lock and no age: a feed of it is cut by kinds.")
    if wanted.cut.lock is not None and wanted.cut.lock not in keys_of(org):
        known = ", ".join(sorted(keys_of(org)))
        raise Misused(f"{org.name} cannot open {wanted.cut.lock!r}; it can open {known}.")
    new = replace(wanted, id=around.uuid(), org_id=org.id, created_at=around.now())
    await device_feeds.add(connection, new)
    return new, await _token(connection, around, new.id)


async def rotate(
    connection: Connection, around: Surroundings, feed_id: str, overlap_hours: int
) -> tuple[DeviceFeed, str]:
    """Give a feed another token; the ones before end after ``overlap_hours``.

    Some firewalls stop blocking when their credentials fail, so both work until then.
    """
    feed = await device_feeds.find(connection, feed_id, changing=True)
    await device_feeds.expire_tokens(connection, feed.id, around.now() + overlap_hours * _HOUR)
    return feed, await _token(connection, around, feed.id)


async def end(connection: Connection, around: Surroundings, feed_id: str) -> DeviceFeed:
    """End a feed and all of its tokens at once."""
    feed, now = await device_feeds.find(connection, feed_id, changing=True), around.now()
    await device_feeds.end(connection, feed.id, now)
    return replace(feed, ended_at=now)


async def _token(connection: Connection, around: Surroundings, feed_id: str) -> str:
    text = nouns.spell(around.secret())
    new = DeviceToken(around.uuid(), feed_id, nouns.prefix(text), around.now())
    await device_feeds.add_token(connection, new, nouns.digest(text))
    return text
