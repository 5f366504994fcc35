"""A center with people to tell, and a post that goes out when a test says so."""

from collections.abc import Sequence
from typing import Any

from cybercoop.members.organisations import Person
from cybercoop.notices import Notice, Post, delivering, tell, webhooks
from cybercoop.notices.carrying import Most
from cybercoop.notices.mail import Mailbox
from cybercoop.notices.webhooks import Wanted
from cybercoop.store import members, notices
from cybercoop.store.notices import Delivery
from notices.receivers import Hook, Letterbox
from world import SECOND, Seat, World

ADDRESS = "https://zentrum.example"
MEMBERS = "group:members"
DAY = 86_400 * SECOND


def post(center: World, box: Letterbox | None, **more: Any) -> Post:
    mailbox = box and Mailbox("127.0.0.1", box.port, "zentrum@zentrum.example", "none")
    return Post(center.database, center.surroundings, mailbox, ADDRESS, **more)


async def person(center: World, seat: Seat, name: str, *roles: str) -> Person:
    """Add a person with a mail address."""
    new = Person(center.chance.uuid(), seat.org.id, name, f"{name}@example.org", (), roles)
    async with center.database.write() as connection:
        await members.add_person(connection, new, center.clock.now)
    return new


async def hooked(center: World, seat: Seat, hook: Hook, most: Most = Most.AMBER) -> str:
    """Make a webhook that leads to ``hook``, and return its secret."""
    wanted = Wanted(seat.org.id, hook.url, most, internal=True)
    async with center.database.write() as connection:
        return (await webhooks.create(connection, center.surroundings, wanted))[1]


def notice(center: World, seat: Seat, key: str, lock: str = MEMBERS, **more: Any) -> Notice:
    said = {
        "urgency": "now",
        "subject_de": f"Aufgabe {key}",
        "subject_en": f"Task {key}",
        "text_de": f"Bitte prüfen Sie {key}.",
        "text_en": f"Please check {key}.",
        "at": center.clock.now,
    }
    return Notice(key=key, org_id=seat.org.id, lock=lock, **(said | more))


async def told(center: World, *some: Notice) -> None:
    async with center.database.write() as connection:
        for one in some:
            await tell(connection, one)


async def round_(of: Post) -> dict[str, int]:
    """Send what is due now, each letter once, and return the letters with their tries."""
    due = await delivering.due(of)
    for letter_id, number in due.items():
        await delivering.send(of, letter_id, number)
    return due


async def rounds(center: World, of: Post, most: int = 60) -> int:
    """Send until nothing waits any more, turning the clock; return how many rounds it took."""
    for number in range(most):
        waiting = [one for one in await listed(center) if one.state in {"waiting", "gathered"}]
        if not waiting:
            return number
        center.clock.now = max(center.clock.now, min(one.next_at or 0 for one in waiting))
        await round_(of)
    return most


async def listed(center: World, *states: str) -> Sequence[Delivery]:
    async with center.database.read() as connection:
        return await notices.all_of(connection, None, states, 10_000)
