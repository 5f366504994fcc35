"""What a rule may do: propose to people, wait for their approvals, or start at once."""

from pathlib import Path

import pytest
from sqlalchemy import select

from cybercoop.errors import Forbidden
from cybercoop.playbooks.progress import Response
from cybercoop.responses import starting
from cybercoop.store.database import Connection
from cybercoop.store.notice_tables import notices
from cybercoop.store.responses import log_of
from responses.books import action, book, end, key, manual
from responses.test_triggers import VALUE, Desk, desk

ASKED, PROPOSED = "Freigabe erbeten: ", "Einsatz vorgeschlagen: "


async def fired(on: Desk) -> Response:
    """Let something happen that the rule is about; return the response that came of it."""
    await on.say(on.counties[0], f"[domain-name:value = '{VALUE}']")
    await on.look()
    (one,) = await on.responses()
    return one


async def agreed(on: Desk, one: Response, person: str) -> Response:
    async with on.world.database.write() as connection:
        return await starting.say(on.house, connection, one.id, person, agreed=True)


async def told(on: Desk) -> list[str]:
    """Return what people were told of responses that wait, the oldest first."""

    async def read(connection: Connection) -> list[str]:
        query = select(notices.c.subject_de).order_by(notices.c.at, notices.c.key)
        return list((await connection.scalars(query)).all())

    return [one for one in await on.read(read) if one.startswith((ASKED, PROPOSED))]


async def test_what_a_rule_proposes_waits_for_a_person_who_takes_it_up(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, one={"action": "propose"}) as on:
        proposed = await fired(on)
        assert (proposed.state, proposed.started_by) == ("proposed", None)
        on.world.clock.forward(1)
        taken = await agreed(on, proposed, "lena")
        assert (taken.state, taken.started_by, taken.approvals_needed) == ("proposed", "lena", 1)
        with pytest.raises(Forbidden):
            await agreed(on, proposed, "lena")
        assert (await agreed(on, proposed, "anna")).state == "running"
        assert await told(on) == [f"{PROPOSED}{taken.title}", f"{ASKED}{taken.title}"]
        lines = [line.what for line in await on.read(log_of, taken.id)]
        assert lines == ["proposed", "taken-up", "approved", "began"]


async def test_what_a_rule_is_to_approve_starts_with_the_last_approval(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, one={"action": "approve"}) as on:
        waiting = await fired(on)
        assert waiting.state == "proposed"
        assert await told(on) == [f"{ASKED}{waiting.title}"]
        begun = await agreed(on, waiting, "lena")
        assert (begun.state, begun.started_by) == ("running", None)


async def test_what_starts_at_once_asks_nobody(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, one={"action": "start"}) as on:
        assert (await fired(on)).state == "running"
        assert await told(on) == []


async def test_what_would_need_two_approvals_does_not_start_by_itself(
    database_url: str, tmp_path: Path
) -> None:
    duty = {"arguments": {"value": "__wert__:value", "hours": 24}, "revert": key("action", "back")}
    blocking = book(
        "look at it",
        key("action", "block"),
        action("block", {"type": "block"}, to=key("end", "end"), duty=duty),
        manual("back", to=key("end", "back")),
        end("back"),
        end(),
        variables={"__wert__": {"type": "string", "external": True}},
        level="CLEAR",
    )
    async with desk(database_url, tmp_path, blocking, one={"action": "start"}) as on:
        waiting = await fired(on)
        assert (waiting.state, waiting.approvals_needed) == ("proposed", 2)
        assert await told(on) == [f"{ASKED}{waiting.title}"]
        assert (await agreed(on, waiting, "lena")).state == "proposed"
        assert (await agreed(on, waiting, "anna")).state == "running"
