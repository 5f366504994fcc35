"""What two do at the same moment comes one after the other: nothing is lost, nobody fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cybercoop.collect import device_feeds, founding, leaving, reviewing
from cybercoop.collect import incidents as deeds
from cybercoop.durable import Others
from cybercoop.errors import Misused, Refused, Unauthenticated
from cybercoop.members.device_feeds import Cut, DeviceFeed, digest
from cybercoop.members.organisations import Kind, Organisation, Person
from cybercoop.members.tokens import Scope
from cybercoop.responses import importing
from cybercoop.sharing import keys_of
from cybercoop.store import (
    contributions,
    feeds,
    firings,
    guarding,
    incidents,
    members,
    people,
    projection,
    workflows,
)
from cybercoop.store import device_feeds as stored_feeds
from cybercoop.store.database import Connection
from cybercoop.store.device_feeds import Fetch
from responses.books import book, end, key, step
from world import TLP, World, indicator, world

T = TypeVar("T")
END = key("end", "end")


@asynccontextmanager
async def meanwhile(
    center: World, *others: Awaitable[Any]
) -> AsyncIterator[tuple[Connection, list[Any]]]:
    """Lend a transaction; ``others`` begin before it commits, and what they give is there then."""
    found: list[Any] = []
    async with center.database.write() as connection:
        yield connection, found
        going = [asyncio.ensure_future(one) for one in others]
        await asyncio.sleep(0.3)
        assert not any(one.done() for one in going)
    found += await asyncio.gather(*going, return_exceptions=True)


async def write(center: World, deed: Callable[[Connection], Awaitable[T]]) -> T:
    async with center.database.write() as connection:
        return await deed(connection)


async def held(connection: Connection, org: Organisation) -> None:
    """Let nothing refer to an organisation anew until commit."""
    await members.change_tags(connection, org.id, frozenset(), frozenset())


def client(center: World, of: Organisation, name: str) -> Organisation:
    draw = center.chance.uuid
    return Organisation(draw(), name, Kind.CLIENT, True, draw(), of.id)


async def test_of_two_people_with_one_address_one_is_told_so(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A", scope=Scope.ADMIN)
        said = {"name": "Erika Muster", "mail": "erika@a.example"}
        asked = [center.request("POST", "/api/v1/people", seat, json=said) for _ in range(2)]
        async with meanwhile(center, *asked) as (connection, found):
            await held(connection, seat.org)
        assert sorted(one.status for one in found) == [201, 400]


async def test_of_two_organisations_with_one_name_one_is_told_so(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = (await center.org("Landkreis A")).org
        first, second = (client(center, county, "Stadt A") for _ in range(2))
        adding = partial(members.add, new=second, now=center.clock.now)
        async with meanwhile(center, write(center, adding)) as (connection, found):
            await members.add(connection, first, center.clock.now)
        assert isinstance(found[0], Misused)


async def test_what_two_change_about_a_person_is_all_changed(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A", scope=Scope.ADMIN)
        one = Person(center.chance.uuid(), seat.org.id, "Erika Muster", "erika@a.example")
        await write(center, partial(members.add_person, new=one, now=center.clock.now))
        path = f"/api/v1/people/{one.id}"
        asked = [
            center.request("PATCH", path, seat, json=said)
            for said in ({"phones": ["+49 2671 61"]}, {"roles": ["it"]})
        ]
        async with meanwhile(center, *asked) as (connection, found):
            await people.change(connection, one)
        assert [answer.status for answer in found] == [200, 200]
        async with center.database.read() as connection:
            (kept,) = await people.all_of(connection, seat.org.id)
        assert (kept.phones, kept.roles) == (("+49 2671 61",), ("it",))


async def test_of_two_groups_made_at_once_each_gets_its_lane(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        titles = ("Wasser", "Strom")
        asked = [founding.add_group(center.database, one, center.surroundings) for one in titles]
        async with meanwhile(center, *asked) as (connection, found):
            await contributions.stamps(connection, center.center.org_id, 0, 0)
        assert {one.title for one in found} == set(titles)
        assert len({one.lane for one in found}) == len(titles)


async def test_who_joins_two_groups_at_once_reads_both(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        names = [
            (await founding.add_group(center.database, title, center.surroundings)).id
            for title in ("Wasser", "Strom")
        ]
        asked = [
            founding.change_membership(center.database, name, seat.org.id, joins=True)
            for name in names
        ]
        async with meanwhile(center, *asked) as (connection, found):
            await held(connection, seat.org)
        assert all(isinstance(one, Organisation) for one in found), found
        async with center.database.read() as connection:
            org = await members.find(connection, seat.org.id)
            *_, last = await feeds.all_of(connection, seat.org.id)
        assert org.groups == set(names)
        assert last.locks == keys_of(org)


async def leaves(center: World, folder: Path, name: str) -> Any:
    return await leaving.leave(
        center.database, name, folder / "all.json", center.clock.now, withdraw=True
    )


async def test_nobody_becomes_the_client_of_who_is_leaving(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        town = client(center, seat.org, "Stadt A")
        going = asyncio.ensure_future(leaves(center, tmp_path, seat.org.name))
        async with center.database.write() as connection:
            # Who leaves has looked for clients, and waits for what is being pushed.
            await contributions.stamps(connection, seat.org.id, 0, 0)
            await asyncio.sleep(0.3)
            adding = founding.add_organisation(center.database, town, center.surroundings)
            coming = asyncio.ensure_future(adding)
            await asyncio.sleep(0.3)
        left, came = await asyncio.gather(going, coming, return_exceptions=True)
        # SQLite lets whoever comes first do all of it.
        assert isinstance(left, Misused) != isinstance(came, Misused)


async def test_no_incident_comes_after_the_export(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        by = deeds.Acting(seat.org, "it", center.surroundings)
        reporting = partial(deeds.report, by=by, told=deeds.Told("Zu spät"))
        going = asyncio.ensure_future(leaves(center, tmp_path, seat.org.name))
        async with center.database.write() as connection:
            await deeds.report(connection, by, deeds.Told("Gerade noch"))
            await asyncio.sleep(0.3)
        left = await going
        with pytest.raises(Unauthenticated):
            await write(center, reporting)
        async with center.database.read() as connection:
            assert await incidents.all_of(connection, seat.org.id) == []
        assert left.incidents == ("Gerade noch" in (tmp_path / "all.json").read_text())


async def test_what_two_say_of_a_duty_is_kept(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as center:
        seat = await center.org("Landkreis A")
        by = deeds.Acting(seat.org, "it", center.surroundings)
        choose = partial(deeds.choose, by=by, name="dsgvo-33")
        second = write(center, partial(choose, applies=False))
        async with meanwhile(center, second) as (connection, found):
            await choose(connection, applies=True)
        assert found == [None]
        async with center.database.read() as connection:
            assert await incidents.chosen(connection, seat.org.id) == {"dsgvo-33": False}


async def made_feeds(center: World, count: int) -> list[DeviceFeed]:
    """Return so many feeds of one county."""
    seat = await center.org("Landkreis A")
    wanted = DeviceFeed("", "", "Brandmauer", "plain", Cut(("ipv4",)))
    making = partial(device_feeds.create, around=center.surroundings, org=seat.org, wanted=wanted)
    return [(await write(center, making))[0] for _ in range(count)]


async def test_of_two_new_tokens_of_a_feed_the_older_one_ends(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        (feed,) = await made_feeds(center, 1)
        around = center.surroundings
        turn = partial(device_feeds.rotate, around=around, feed_id=feed.id, overlap_hours=1)
        async with meanwhile(center, write(center, turn)) as (connection, found):
            _, older = await turn(connection)
        _, newer = found[0]
        center.clock.forward(2 * 3_600_000_000)
        found = [
            await stored_feeds.by_path(center.database, digest(token), center.clock.now)
            for token in (older, newer)
        ]
        assert [one is not None for one in found] == [False, True]


async def test_what_two_processes_note_of_a_feed_is_the_last_fetch(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        feed, other = await made_feeds(center, 2)
        noted = [
            [Fetch(feed.id, 2, "web 1", "b", 9), Fetch(other.id, 2, "web 1", "b", 9)],
            [Fetch(other.id, 1, "web 2", "a", 5), Fetch(feed.id, 3, "web 2", "c", 5)],
        ]
        for some in noted:
            await write(center, partial(stored_feeds.note_fetches, fetches=some))
        async with center.database.read() as connection:
            kept = [await stored_feeds.find(connection, one.id) for one in (feed, other)]
        assert [(one.fetched_at, one.fetched_version) for one in kept] == [(3, "c"), (2, "b")]
        assert [one.fetched_as_of for one in kept] == [9, 9]


async def test_who_confirms_a_canary_during_a_cycle_has_the_last_word(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        stopped = {"since": 1, "stood": 200, "vanished": 150, "stopped_at": 2, "reason": "150"}
        stopped |= {"confirmed_at": None, "confirmed_by": None}
        lock = "community"
        await write(center, partial(guarding.remember_canary, lock=lock, said=stopped))
        said = (lock, reviewing.RELEASE, "lead", center.clock.now)
        deciding = reviewing.decide(center.database, *said)
        async with meanwhile(center, deciding) as (connection, found):
            assert await projection.open_slot(connection, 1 << 50)
            await guarding.remember_canary(connection, lock, stopped | {"vanished": 170})
        assert found == [None]
        async with center.database.read() as connection:
            assert await guarding.stopped(connection) == frozenset()


async def test_a_push_that_shuts_what_ended_holds_nothing_the_projector_waits_for(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county = await center.org("county")
        ended, stays = (indicator(f"{name}-host.net", "green") for name in ("evil", "other"))
        await center.push(county, [stays])
        await center.push(county, [ended])
        path = f"/taxii2/coop/collections/contributions/objects/{ended['id']}/"
        await center.request("DELETE", path, county)
        async with center.database.read() as connection:
            [old] = await contributions.known(connection, county.org.id, [stays["id"]])
        later = {"modified": "2026-10-02T08:00:00.000Z"}
        stricter = {"object_marking_refs": [TLP["amber"]]}
        async with center.database.write() as connection:
            assert await projection.open_slot(connection, 1 << 50)
            pushing = asyncio.ensure_future(
                center.push(county, [ended | stricter | later, stays | later])
            )
            await asyncio.sleep(0.3)
            assert not pushing.done()
            seen = {"b_seq": old.seq, "tightened": False, "pending": 0}
            await contributions.supersede(connection, [seen])
        assert [verdict["outcome"] for verdict in await pushing] == ["accepted", "accepted"]


async def test_a_deletion_that_shuts_what_moved_holds_nothing_the_projector_waits_for(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        county, said = await center.org("county"), indicator("evil-host.net", "green")
        stricter = {"object_marking_refs": [TLP["amber"]], "modified": "2026-10-02T08:00:00.000Z"}
        for one in said, said | stricter:
            await center.push(county, [one])
        async with center.database.read() as connection:
            both = await contributions.known(connection, county.org.id, [said["id"]])
        path = f"/taxii2/coop/collections/contributions/objects/{said['id']}/"
        last = {"match[version]": "last"}
        async with center.database.write() as connection:
            assert await projection.open_slot(connection, 1 << 50)
            deleting = asyncio.ensure_future(center.request("DELETE", path, county, params=last))
            await asyncio.sleep(0.3)
            assert not deleting.done()
            await projection.done(connection, [one.seq for one in both])
        assert (await deleting).status == 200


async def test_rules_that_change_for_the_first_time_at_two_places_have_changed(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:
        async with meanwhile(center, write(center, guarding.changed)) as (connection, found):
            await guarding.changed(connection)
        assert found == [None]


def calling(name: str, other: str) -> bytes:
    call = step("playbook-action", "call", playbook_id=key("playbook", other), on_completion=END)
    return book(name, key("playbook-action", "call"), call, end())


@pytest.mark.parametrize("again", [True, False])
async def test_one_import_comes_after_the_other(
    database_url: str, tmp_path: Path, *, again: bool
) -> None:
    async with world(database_url, tmp_path) as center:

        async def take(connection: Connection, raw: bytes) -> importing.Imported:
            words = (raw, center.center.org_id, [], center.clock.now)
            return await importing.take(connection, *words)

        first = calling("first", "second")
        second = first if again else calling("second", "first")
        other = write(center, partial(take, raw=second))
        async with meanwhile(center, other) as (connection, found):
            assert (await take(connection, first)).is_new
        if again:
            assert (found[0].kept is not None, found[0].is_new) == (True, False)
        else:
            assert isinstance(found[0], Refused)  # they would call each other


async def test_a_worker_that_speaks_while_others_take_over_from_it_stays_known(
    database_url: str, tmp_path: Path
) -> None:
    async with world(database_url, tmp_path) as center:

        async def beat(worker: str, now: int) -> dict[str, int]:
            return await write(center, partial(workflows.beat, worker=worker, now=now))

        assert await beat("slow", 100) == {}
        assert await beat("quick", 200) == {"slow": 100}
        assert await beat("slow", 210) == {"quick": 200}
        await write(center, partial(workflows.bury, silent={"slow": 100}))
        assert await beat("quick", 300) == {"slow": 210}
        await write(center, partial(workflows.bury, silent={"slow": 210}))
        assert await beat("quick", 400) == {}


def test_a_worker_whose_clock_is_wrong_lives_as_long_as_it_speaks() -> None:
    others, hour = Others(), 3_600_000_000
    for beat in range(20):
        assert others.silent({"behind": beat - hour, "ahead": beat + hour, "back": -beat}) == {}


def test_a_worker_that_says_nothing_new_is_silent_after_a_few_beats() -> None:
    others = Others()
    found = [others.silent({"dead": 100, "slow": beat // 3}) for beat in range(6)]
    assert found == [{}, {}, {}, {}, {"dead": 100}, {"dead": 100}]
    assert others.silent({}) == {}
    assert others.silent({"dead": 100}) == {}


@pytest.mark.parametrize("moments", [(3, 5), (5, 3)])
async def test_what_waits_for_the_end_of_quiet_hours_is_done_at_the_first(
    database_url: str, tmp_path: Path, moments: tuple[int, int]
) -> None:
    async with world(database_url, tmp_path) as center:
        first, second = moments
        other = write(center, partial(firings.put_earlier, name="waiting", moment=second))
        async with meanwhile(center, other) as (connection, found):
            await firings.put_earlier(connection, "waiting", first)
        assert found == [None]
        async with center.database.read() as connection:
            _, seen = await firings.heads(connection)
        assert seen == {"waiting": "3"}
