"""Real processes deliver, are killed in the middle, and every notice arrives all the same."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli.terminal import PATIENCE, Terminal
from cybercoop.notices import Notice, tell, webhooks
from cybercoop.notices.webhooks import Wanted
from cybercoop.store import notices
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from notices.receivers import Hook, Letterbox, mail_server, receiver, the_second_time

NAMES = ("anna", "bert")
COUNT = 4
SECRET_LOCK = "strict:members"


def told(org_id: str, number: int) -> Notice:
    lock = SECRET_LOCK if number == 0 else "group:members"
    said = (f"Sperrung {number}", f"Block {number}", f"Wert {number}", f"Value {number}")
    return Notice(f"key {number}", org_id, "now", lock, *said, at=Surroundings().now())


async def prepared(database: Database, org_id: str, hook: Hook) -> None:
    around = Surroundings()
    async with database.write() as connection:
        await webhooks.create(connection, around, Wanted(org_id, hook.url, internal=True))
        for number in range(COUNT):
            await tell(connection, told(org_id, number))


async def until_all_are_sent(database: Database) -> set[str]:
    """Wait until nothing is on its way, and return the ids of all deliveries."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        async with database.read() as connection:
            found = await notices.all_of(connection, None, (), 1000)
        if {one.state for one in found} == {"sent"}:
            return {one.id for one in found}
        await asyncio.sleep(0.2)
    pytest.fail(f"Not everything was sent: {found}")


def county(terminal: Terminal) -> str:
    terminal.run("init", "--name", "Testzentrum")
    made = terminal.json("org", "add", "Landkreis A", "--kind", "member")
    for name in NAMES:
        mail = f"{name}@landkreis-a.example"
        terminal.run("user", "add", name, "--org", "Landkreis A", "--mail", mail)
    return str(made["id"])


def settings(box: Letterbox) -> dict[str, str]:
    return {
        "CYBERCOOP_SMTP_HOST": "127.0.0.1",
        "CYBERCOOP_SMTP_PORT": str(box.port),
        "CYBERCOOP_SMTP_TLS": "none",
        "CYBERCOOP_MAIL_FROM": "zentrum@zentrum.example",
    }


async def test_a_center_that_dies_while_it_sends_tells_everybody(
    database_url: str, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, database_url)
    org_id = await asyncio.to_thread(county, terminal)
    on_sqlite = database_url.startswith("sqlite")
    command, count = ("serve", 1) if on_sqlite else ("work", 2)
    database = Database(database_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        box = await stack.enter_async_context(mail_server(the_second_time()))
        hook = await stack.enter_async_context(receiver(the_second_time()))
        box.waits_at = 3
        await prepared(database, org_id, hook)
        first = stack.enter_context(terminal.started(command, **settings(box)))
        stack.callback(box.goes_on.set)
        await asyncio.wait_for(box.waiting.wait(), PATIENCE)
        # The mail is in the hands of the other server, and we will never know.
        first.kill()
        box.goes_on.set()
        last = [
            stack.enter_context(terminal.started(command, **settings(box))) for _ in range(count)
        ]
        sent = await until_all_are_sent(database)
        for one in last:
            one.terminate()
        said = [await asyncio.to_thread(one.communicate) for one in last]
    assert "Traceback" not in str(said)
    assert set(box.keys()) | set(hook.keys()) == sent
    assert len(set(box.keys())) == len(set(box.ids())) == COUNT * len(NAMES)
    assert len(set(hook.keys())) == COUNT
    # Once more for the mail that was under way when we died, and for nothing else.
    assert len(box.keys()) <= COUNT * len(NAMES) + 8
    assert len(box.taken) < len(box.came)
    assert not [one for one in box.came if b"Sperrung 0" in one or b"Value 0" in one]
    assert not [one for one in hook.came if b"Sperrung 0" in one.body or b"Value 0" in one.body]
    assert any(b"Sperrung 1" in one for one in box.came)
