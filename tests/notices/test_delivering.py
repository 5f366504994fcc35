"""Every notice arrives, once for its key, however often the receivers fail."""

import asyncio
import hashlib
import hmac
import json
from contextlib import suppress
from pathlib import Path

from structlog.testing import capture_logs

from cybercoop.collect import leaving
from cybercoop.notices import delivering, tell
from notices.office import DAY, hooked, listed, notice, person, post, round_, rounds, told
from notices.receivers import every_second, mail_server, none_of_them, receiver
from world import SECOND, world

COUNT = 12


async def test_receivers_that_fail_half_of_the_time_get_every_notice(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        world(database_url, tmp_path) as center,
        mail_server(every_second) as box,
        receiver(every_second) as hook,
    ):
        county = await center.org("county")
        for name in ("anna", "bert"):
            await person(center, county, name)
        await hooked(center, county, hook)
        await told(center, *(notice(center, county, f"n{number}") for number in range(COUNT)))
        assert 2 < await rounds(center, post(center, box)) < 60
        states = {one.state for one in await listed(center)}
    assert states == {"sent"}
    assert sorted(box.to) == ["anna@example.org"] * COUNT + ["bert@example.org"] * COUNT
    assert len(box.keys()) == len(set(box.keys())) == len(set(box.ids())) == 2 * COUNT
    assert len(box.came) > len(box.taken)
    assert len(hook.keys()) == len(set(hook.keys())) == COUNT
    assert len(hook.came) > COUNT


async def test_a_key_is_told_once(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center, mail_server() as box:
        county = await center.org("county")
        await person(center, county, "anna")
        for _ in range(2):
            await told(center, notice(center, county, "same"), notice(center, county, "same"))
            await rounds(center, post(center, box))
    assert len(box.came) == 1


async def test_words_that_no_database_takes_are_told_all_the_same(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, mail_server() as box:
        county = await center.org("county")
        await person(center, county, "anna")
        strange = "\0 \ud800 \x1b[2J"
        await told(center, notice(center, county, "one", subject_de=strange, text_de=strange))
        await rounds(center, post(center, box))
    assert len(box.taken) == 1


async def test_what_is_rolled_back_is_told_to_nobody(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        await person(center, county, "anna")
        with suppress(LookupError):
            async with center.database.write() as connection:
                await tell(connection, notice(center, county, "never"))
                raise LookupError
        assert await listed(center) == []


async def test_a_mail_that_came_twice_can_be_told_by_its_id(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("county")
        await person(center, county, "anna")
        await told(center, notice(center, county, "one"))
        async with mail_server() as box:
            out = post(center, box)
            ((letter, number),) = (await delivering.due(out)).items()
            # A worker that dies between sending and noting it leaves the row as it was.
            await asyncio.gather(*(delivering.send(out, letter, number) for _ in range(2)))
            assert await delivering.send(out, letter, number) != ""
    assert 1 <= len(box.taken) <= 2
    assert len(set(box.ids())) == 1


async def test_a_role_is_told_to_those_who_have_it(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server() as box,
    ):
        county, other = await center.org("county"), await center.org("other")
        lead = await person(center, county, "lead", "it-lead")
        await person(center, county, "desk", "service-desk")
        await person(center, other, "foreign", "it-lead")
        await person(center, await center.seat("Testzentrum"), "analyst")
        out = post(center, box)
        for more, expected in (
            ({"role": "it-lead"}, {"lead"}),
            ({"role": "press"}, {"lead", "desk"}),
            ({}, {"lead", "desk"}),
            ({"role": "center"}, {"analyst"}),
            ({"person_id": lead.id, "role": "press"}, {"lead"}),
        ):
            box.to.clear()
            await told(center, notice(center, county, str(more), **more))
            await rounds(center, out)
            assert {one.split("@")[0] for one in box.to} == expected


async def test_what_has_time_comes_in_one_mail_a_day_in_order(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, mail_server() as box:
        county = await center.org("county")
        for name in ("anna", "bert"):
            await person(center, county, name)
        out = post(center, box, digest_hour=7)
        for name in ("third", "first", "second"):
            at = center.clock.now - 10 * SECOND * ["third", "second", "first"].index(name)
            await told(center, notice(center, county, name, urgency="digest", at=at))
        center.clock.forward(3600 * SECOND)
        assert await round_(out) == {}
        await rounds(center, out, most=1)
        center.clock.forward(DAY)
        await rounds(center, out)
        assert len(box.taken) == 2
        text = box.taken[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
        places = [text.index(f"Aufgabe {name}") for name in ("first", "second", "third")]
        assert places == sorted(places)
        assert len(set(box.keys())) == 6
        assert "first" not in str(box.taken[0]["Subject"])
        center.clock.forward(2 * DAY)
        assert await round_(out) == {}
    assert len(box.taken) == 2


async def test_a_digest_that_fails_comes_again_as_it_was(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server(lambda number, _key: number > 0) as box,
    ):
        county = await center.org("county")
        await person(center, county, "anna")
        out = post(center, box)
        await told(center, notice(center, county, "early", urgency="digest"))
        center.clock.forward(DAY)
        assert len(await round_(out)) == 1
        await told(
            center, notice(center, county, "late", urgency="digest", at=center.clock.now - DAY)
        )
        await rounds(center, out)
    assert len(box.came) == 3
    assert len(set(box.ids())) == 2
    assert [len(one.get_all("Cybercoop-Notice", [])) for one in box.taken] == [1, 1]
    assert sum(str(one["Message-ID"]).encode() in box.came[0] for one in box.taken) == 1


async def test_an_address_that_is_refused_for_good_is_given_up_at_once(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server(refused=("gone@example.org",)) as box,
        receiver(none_of_them, 410) as hook,
    ):
        county = await center.org("county")
        for name in ("gone", "anna"):
            await person(center, county, name)
        await hooked(center, county, hook)
        await told(center, notice(center, county, "one"))
        with capture_logs() as lines:
            assert await rounds(center, post(center, box)) == 1
        found = {one.reason for one in await listed(center, "failed")}
    assert found == {
        "The mail server does not take this address (550).",
        "127.0.0.1 answers with status 410.",
    }
    assert [one["event"] for one in lines if one["log_level"] == "error"] == 2 * [
        "nobody could be told"
    ]
    assert box.to == ["anna@example.org"]
    assert "No such user" not in str(lines)


async def test_nobody_waits_for_longer_than_three_days(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server(none_of_them) as box,
    ):
        county = await center.org("county")
        await person(center, county, "anna")
        await told(center, notice(center, county, "one"))
        began = center.clock.now
        assert await rounds(center, post(center, box), most=300) < 300
        (found,) = await listed(center)
    assert (found.state, found.reason) == (
        "failed",
        "The mail server does not take this mail (451).",
    )
    assert 3 * DAY <= center.clock.now - began < 3 * DAY + 3600 * SECOND
    assert 100 < found.tries < 200


async def test_without_a_mail_server_mail_is_kept_and_hooks_are_called(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center, receiver() as hook:
        county = await center.org("county")
        await person(center, county, "anna")
        await hooked(center, county, hook)
        await told(
            center,
            notice(center, county, "one"),
            notice(center, county, "two", urgency="digest"),
        )
        await round_(post(center, None))
        found = [(one.state, one.webhook_id is not None) for one in await listed(center)]
        assert not await delivering.is_needed(post(center, None))
    assert sorted(found) == [("kept", False), ("kept", False), ("sent", True), ("sent", True)]
    assert len(hook.taken) == 2


async def test_a_call_is_signed_and_says_what_it_is_about(tmp_path: Path) -> None:
    async with world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center:
        county = await center.org("county")
        async with receiver() as hook:
            secret = await hooked(center, county, hook)
            await told(center, notice(center, county, "one"))
            await round_(post(center, None))
    (call,) = hook.taken
    said = dict(part.split("=", 1) for part in call.headers["Cybercoop-Signature"].split(","))
    assert int(said["t"]) == center.clock.now // SECOND
    signed = said["t"].encode() + b"." + call.body
    assert hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() == said["v1"]
    body = json.loads(call.body)
    assert body["key"] == call.headers["Idempotency-Key"]
    assert body["type"] == "notice"
    assert body["subject"] == {"de": "Aufgabe one", "en": "Task one"}


async def test_a_call_is_not_led_elsewhere(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        receiver() as other,
        receiver(none_of_them, 307) as hook,
    ):
        hook.location = other.url
        county = await center.org("county")
        await hooked(center, county, hook)
        await told(center, notice(center, county, "one"))
        await round_(post(center, None))
        (found,) = await listed(center)
    assert (found.state, other.came) == ("waiting", [])
    assert "redirects" in (found.reason or "")


async def test_who_has_left_is_told_nothing_any_more(tmp_path: Path) -> None:
    async with (
        world(f"sqlite:///{tmp_path / 'coop.sqlite'}", tmp_path) as center,
        mail_server() as box,
    ):
        county = await center.org("county")
        await person(center, county, "anna")
        await told(center, notice(center, county, "one"))
        file = tmp_path / "all.json"
        await leaving.leave(center.database, "county", file, center.clock.now, withdraw=True)
        await told(center, notice(center, county, "two"))
        await rounds(center, post(center, box))
        (found,) = await listed(center)
    assert (found.state, found.reason) == ("failed", "This organisation takes part no longer.")
    assert box.came == []
