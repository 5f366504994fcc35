"""Giving feeds to devices: made with a token, rotated with an overlap, ended."""

from dataclasses import replace

from cybercoop.errors import Misused
from cybercoop.members import device_feeds as nouns
from cybercoop.members.device_feeds import DeviceFeed, DeviceToken
from cybercoop.members.organisations import Organisation
from cybercoop.sharing import keys_of
from cybercoop.store import device_feeds
from cybercoop.store.database import Connection
from cybercoop.surroundings import Surroundings

_HOUR = 3_600_000_000


async def create(
    connection: Connection, around: Surroundings, org: Organisation, wanted: DeviceFeed
) -> tuple[DeviceFeed, str]:
    """Make a feed of ``org`` as ``wanted`` and return it with the text of its first token.

    Raises ``Misused`` for a lock that the organisation cannot open.
    """
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
    feed = await device_feeds.find(connection, feed_id)
    await device_feeds.expire_tokens(connection, feed.id, around.now() + overlap_hours * _HOUR)
    return feed, await _token(connection, around, feed.id)


async def end(connection: Connection, around: Surroundings, feed_id: str) -> DeviceFeed:
    """End a feed and all of its tokens at once."""
    feed, now = await device_feeds.find(connection, feed_id), around.now()
    await device_feeds.end(connection, feed.id, now)
    return replace(feed, ended_at=now)


async def _token(connection: Connection, around: Surroundings, feed_id: str) -> str:
    text = nouns.spell(around.secret())
    new = DeviceToken(around.uuid(), feed_id, nouns.prefix(text), around.now())
    await device_feeds.add_token(connection, new, nouns.digest(text))
    return text
