"""A push is undone as one: what others read is again what they read before it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cybercoop.collect import intake
from cybercoop.collect.undoing import undo
from cybercoop.errors import NotFound
from cybercoop.sharing import UNSAID, Addressed
from cybercoop.store import projection
from world import Seat, World, envelope, indicator, world

EARLIER, LATER, LATEST = (f"2026-10-0{day}T08:00:00.000Z" for day in (1, 2, 3))


async def give(
    center: World, seat: Seat, push_id: str, *objects: Mapping[str, Any], **said: str
) -> list[str]:
    """Push under an id, project, and return the outcomes."""
    addressed = Addressed(**said) if said else UNSAID
    push = intake.Push(addressed, push_id=push_id)
    verdicts = await intake.accept(
        center.database, center.center, seat.org, envelope(objects), push, center.clock.now
    )
    await center.project()
    return [one.outcome for one in verdicts]


async def take_back(center: World, seat: Seat, push_id: str) -> int:
    """Undo a push and project."""
    found = await undo(center.database, seat.org, push_id, center.clock.now)
    await center.project()
    return found


async def seen(center: World, seat: Seat) -> set[str]:
    """Return what a reader acts on: of indicators and sightings all but ids and times."""
    names = ("type", "pattern", "confidence", "valid_until", "labels", "object_marking_refs")
    found = [one for one in await center.feed(seat) if one["type"] in {"indicator", "sighting"}]
    standing = [one for one in found if not one.get("revoked")]
    return {json.dumps({name: one.get(name) for name in names}) for one in standing}


async def test_values_of_a_push_go_and_others_stay(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await give(center, owner, "first", indicator("stays.example", "green", confidence=40))
        await give(center, other, "theirs", indicator("both.example", "green", confidence=30))
        before = await seen(center, other)
        both = indicator("both.example", "green", confidence=60)
        await give(center, owner, "second", indicator("evil.example", "green"), both)
        assert await seen(center, other) != before
        assert await take_back(center, owner, "second") == 2
        assert await seen(center, other) == before
        mine = await center.feed(owner, "contributions")
        assert [one["pattern"] for one in mine] == ["[domain-name:value = 'stays.example']"]


async def test_the_version_before_stands_again(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example", "green", confidence=40)
        await give(center, owner, "first", body, indicator("gone.example", "green"))
        before = await seen(center, other)
        changes = (
            {"confidence": 90},
            {"revoked": True},
            {"pattern": "[domain-name:value = 'else.example']"},
            {"object_marking_refs": indicator("x", "amber")["object_marking_refs"]},
        )
        for number, change in enumerate(changes):
            await give(center, owner, f"p{number}", body | {"modified": LATER} | change)
            assert await seen(center, other) != before
            await take_back(center, owner, f"p{number}")
            assert await seen(center, other) == before, change


async def test_the_same_value_under_another_id_comes_back(
    database_url: str, tmp_path: Path
) -> None:
    """Publishers regenerate ids, and of one contributor the newest counts."""
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await give(center, owner, "first", indicator("evil.example", "green", confidence=40))
        before = await seen(center, other)
        again = indicator("evil.example", "green", confidence=80) | {"modified": LATER}
        for number in range(2):
            await give(center, owner, f"again {number}", again)
            await take_back(center, owner, f"again {number}")
            assert await seen(center, other) == before
        ended = indicator("evil.example", "green", name="x") | {"modified": LATER}
        await give(center, owner, "withdrawn", ended, ended | {"modified": LATEST, "revoked": True})
        assert await seen(center, other) == set()
        await give(center, owner, "once more", again | {"modified": "2026-10-04T08:00:00.000Z"})
        await take_back(center, owner, "once more")
        assert await seen(center, other) == set()
        await take_back(center, owner, "withdrawn")
        assert await seen(center, other) == before


async def test_what_was_given_later_stays(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example", "green")
        for push_id, modified, sure in (("1", EARLIER, 20), ("2", LATER, 50), ("3", LATEST, 80)):
            await give(center, owner, push_id, body | {"modified": modified, "confidence": sure})
        after = await seen(center, other)
        await take_back(center, owner, "2")
        assert await seen(center, other) == after
        await take_back(center, owner, "3")
        await take_back(center, owner, "1")
        assert await seen(center, other) == set()


async def test_a_push_is_undone_before_it_was_ever_projected(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example", "green", confidence=40)
        await give(center, owner, "first", body)
        before = await seen(center, other)
        push = intake.Push(push_id="second")
        objects = [body | {"modified": LATER, "revoked": True}, indicator("new.example", "green")]
        now = center.clock.now
        raw = envelope(objects)
        await intake.accept(center.database, center.center, owner.org, raw, push, now)
        assert await take_back(center, owner, "second") == 2
        assert await seen(center, other) == before


async def test_a_sighting_that_is_undone_strengthens_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await give(center, other, "theirs", indicator("evil.example", "green", confidence=40))
        before = await seen(center, owner)
        released = next(one for one in await center.feed(owner) if one["type"] == "indicator")
        sighting = {
            "type": "sighting",
            "spec_version": "2.1",
            "id": "sighting--0b7c1f8e-9d1e-4b57-8a52-0e6a6a0d6f11",
            "created": EARLIER,
            "modified": EARLIER,
            "sighting_of_ref": released["id"],
            "object_marking_refs": released["object_marking_refs"],
        }
        await give(center, owner, "sighting", sighting)
        assert await seen(center, owner) != before
        await take_back(center, owner, "sighting")
        assert await seen(center, owner) == before


async def test_what_stayed_at_home_and_went_out_later_is_taken_back_too(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example")
        await give(center, owner, "kept", body)
        assert await give(center, owner, "sent", body, tlp="green") == ["accepted"]
        assert len(await seen(center, other)) == 1
        await take_back(center, owner, "sent")
        assert await seen(center, other) == set()


async def test_foreign_unknown_and_undone_pushes_are_answered_alike(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        await give(center, owner, "mine", indicator("evil.example", "green"))
        before = await seen(center, other)
        answers = []
        for seat, push_id in ((other, "mine"), (owner, "nothing")):
            with pytest.raises(NotFound) as refusal:
                await take_back(center, seat, push_id)
            answers.append(str(refusal.value))
        assert await seen(center, other) == before
        await take_back(center, owner, "mine")
        with pytest.raises(NotFound) as refusal:
            await take_back(center, owner, "mine")
        assert {*answers, str(refusal.value)} == {answers[0]}


async def test_what_was_undone_can_be_given_again(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        owner, other = await center.org("Landkreis A"), await center.org("Landkreis B")
        body = indicator("evil.example", "green")
        await give(center, owner, "first", body)
        wanted = await seen(center, other)
        await take_back(center, owner, "first")
        assert await give(center, owner, "second", body) == ["accepted"]
        assert await seen(center, other) == wanted


async def test_what_never_left_home_leaves_no_work_when_it_is_undone(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        owner = await center.org("Landkreis A")
        body = indicator("evil.example")
        await give(center, owner, "first", body)
        await give(center, owner, "second", body | {"modified": LATER})
        await take_back(center, owner, "second")
        async with center.database.read() as connection:
            assert not await projection.anything_to_do(connection, center.clock.now)
