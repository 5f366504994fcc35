"""Delivering: what is due goes out, and comes again until it has arrived or nobody waits for it.

Every letter is sent at least once. Its id is that of its notice and receiver, so that whoever gets
it twice, because we died between sending and noting it, can tell.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from cybercoop.config import Settings
from cybercoop.errors import Misused, NotFound
from cybercoop.notices import carrying, links, mail, webhooks, writing
from cybercoop.notices.carrying import Most
from cybercoop.notices.mail import Mailbox, NotDelivered
from cybercoop.notices.writing import Line
from cybercoop.sharing import keys_of
from cybercoop.stix.times import WALL
from cybercoop.store import notice_pruning, notices, task_links
from cybercoop.store import webhooks as remembered
from cybercoop.store.database import Connection, Database
from cybercoop.store.notices import Item, Letter, State
from cybercoop.surroundings import Surroundings

_SECOND = 1_000_000
_LEASE = 600 * _SECOND
_DAY = 86_400 * _SECOND
_PATIENCE = 3 * _DAY
_FIRST_PAUSE, _LONGEST_PAUSE = 5, 1800
_AT_ONCE = 200

_log = structlog.get_logger("notices")


@dataclass(frozen=True, slots=True)
class Post:
    """Hold what delivering works with; without a mailbox, mail is kept here.

    ``address`` is where people sign in, ``digest_hour`` when they get what has time, in Berlin.
    What was told is kept for ``kept_days``.
    """

    database: Database
    around: Surroundings
    mailbox: Mailbox | None
    address: str
    digest_hour: int = 7
    kept_days: int = 90


def post_of(database: Database, settings: Settings, around: Surroundings) -> Post:
    """Return how a center delivers that is set up like this."""
    box = mail.mailbox_of(settings)
    kept = (settings.digest_hour, settings.notice_days)
    return Post(database, around, box, settings.public_address, *kept)


def digest_time(now: int, hour: int) -> int:
    """Return when mail of the day was last to go out, in microseconds since 1970.

    Once a day by the clock on the wall; an hour that is skipped in spring counts as the next one,
    one that comes twice in autumn as the first.
    """
    moment = datetime.fromtimestamp(now // _SECOND, UTC)
    today = moment.astimezone(WALL).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    for day in (today, today - timedelta(days=1)):
        at = int(day.astimezone(UTC).timestamp()) * _SECOND
        if at <= now:
            return at
    return at


async def is_needed(post: Post) -> bool:
    """Say whether something should go out, or was on its way when a worker died."""
    before = digest_time(post.around.now(), post.digest_hour)
    async with post.database.read() as connection:
        return await notices.is_any_waiting(connection, before)


async def due(post: Post) -> dict[str, int]:
    """Return the letters to send now and the number of each try; nobody else gets them."""
    if not await is_needed(post):
        return {}
    now = post.around.now()
    async with post.database.write() as connection:
        if post.mailbox is None:
            await notices.keep_mail(connection)
        before = digest_time(now, post.digest_hour)
        await notices.bind(connection, before, now, _AT_ONCE)
        await task_links.prune(connection, now)
        await notice_pruning.prune(connection, now - post.kept_days * _DAY)
        return await notices.claim(connection, now, _LEASE, _PATIENCE, _AT_ONCE)


async def send(post: Post, letter_id: str, number: int) -> str:
    """Send a letter in this try, note what became of it, and return why it did not arrive."""
    async with post.database.read() as connection:
        letter = await notices.letter(connection, letter_id, number)
    if letter is None:
        return "It has arrived, or another try has begun."
    try:
        await (_send_mail if letter.webhook_id is None else _call)(post, letter)
    except NotDelivered as error:
        return await _not_delivered(post, letter, error)
    async with post.database.write() as connection:
        await notices.end(connection, letter, State.SENT, post.around.now(), "")
    return ""


async def _send_mail(post: Post, letter: Letter) -> None:
    if post.mailbox is None:
        raise NotDelivered("No mail server is set.")
    async with post.database.write() as connection:
        lines = await _lines(connection, post, letter, carrying.MAIL)
    written = writing.mail(lines, f"{post.address}/")
    keys = [line.id for line in lines]
    message = mail.composed(
        post.mailbox, letter.mail or "", letter.id, keys, written, post.around.now()
    )
    await mail.send(post.mailbox, message)


async def _call(post: Post, letter: Letter) -> None:
    async with post.database.read() as connection:
        try:
            hook = await remembered.find(connection, letter.webhook_id or "")
            secret = await remembered.secret(connection, hook.id)
        except NotFound as error:
            raise NotDelivered("This webhook has ended.", final=True) from error
        (line,) = await _lines(connection, post, letter, Most(hook.most))
    body = writing.call(line, letter.items[0].notice, f"{post.address}/")
    await webhooks.call(hook, secret, line.id, body, post.around.now())


async def _lines(connection: Connection, post: Post, letter: Letter, most: Most) -> list[Line]:
    """Return what the receiver may be told this way, now: keys are lost, and organisations go."""
    org = await notices.receiver(connection, letter.org_id)
    if org is None:
        raise NotDelivered("This organisation takes part no longer.", final=True)
    keys = keys_of(org)
    return [
        Line(item.id, writing.words_of(item.notice), await _link(connection, post, letter, item))
        if carrying.carries(most, item.notice.lock, keys)
        else Line(item.id)
        for item in letter.items
    ]


async def _link(connection: Connection, post: Post, letter: Letter, item: Item) -> str | None:
    """Return a link to the task of a notice, for a person and as long as it is open."""
    if item.notice.task_id is None or letter.person_id is None:
        return None
    try:
        path = await links.make(connection, item.notice.task_id, letter.person_id, post.around)
    except Misused:
        return None
    return post.address + path


async def _not_delivered(post: Post, letter: Letter, error: NotDelivered) -> str:
    """Note when to try again, or that nobody does; the latter is an alarm."""
    now, reason = post.around.now(), str(error)
    async with post.database.write() as connection:
        if error.final or now >= letter.until:
            await notices.end(connection, letter, State.FAILED, now, reason)
            ids = [item.id for item in letter.items]
            _log.error("nobody could be told", notices=ids, tries=letter.number, reason=reason)
        else:
            seconds = max(pause(letter.number), error.retry_after or 0)
            next_at = min(now + seconds * _SECOND, letter.until)
            await notices.put_off(connection, letter, next_at, reason)
    return reason


def pause(number: int) -> int:
    """Return the seconds to wait after so many tries."""
    return int(min(_FIRST_PAUSE * 2 ** min(number - 1, 20), _LONGEST_PAUSE))
