"""Rules fire once for what calls for it, and for nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cybercoop.collect import assets, sighting
from cybercoop.collect.assets import Told
from cybercoop.collect.sighting import Opinion
from cybercoop.config import Settings
from cybercoop.errors import Misused
from cybercoop.incidents.cases import Incident, Severity, State
from cybercoop.members.assets import AssetKind
from cybercoop.playbooks.progress import Response
from cybercoop.responses import firing, importing, rules
from cybercoop.responses.carrying import Carrying, carrying
from cybercoop.responses.rules import Book
from cybercoop.store import firings, incidents, runs
from cybercoop.store import responses as stored
from cybercoop.store.firings import Firing
from cybercoop.store.incidents import Shared
from cybercoop.store.runs import Reader
from responses.books import book, end, key, manual
from world import SECOND, TLP, Seat, World, indicator, world

T = TypeVar("T")
VALUE = "board.cybercoop-test.net"
PLAYBOOK = book(
    "look at it",
    key("action", "look"),
    manual("look", to=key("end", "end")),
    end(),
    variables={"__wert__": {"type": "string", "external": True, "value": "nothing"}},
    level="CLEAR",
)
ANY: Mapping[str, Any] = {
    "title": "Testregel",
    "kind": "release",
    "playbook": key("playbook", "look at it"),
    "enabled": True,
    "limit": "3 in 24h",
    "values": {"__wert__": {"from": "value"}},
}


def toml(**rules: Mapping[str, Any]) -> bytes:
    """Return a file of rules; each is ``ANY`` with what is said of it."""
    lines = []
    for name, said in rules.items():
        lines.append(f"[rules.{name}]")
        lines += [f"{key} = {_written(value)}" for key, value in (ANY | dict(said)).items()]
    return "\n".join(lines).encode()


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_written(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def malware(name: str) -> dict[str, Any]:
    """Return a malware of a name."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": "malware--31b940d4-6f7f-459a-80ea-9c1f17b58abc",
        "created": "2026-10-01T08:00:00.000Z",
        "modified": "2026-10-01T08:00:00.000Z",
        "name": name,
        "is_family": False,
        "object_marking_refs": [TLP["amber"]],
    }


@dataclass
class Desk:
    """A center whose rules look when they are told to, at a clock that moves when it is told to."""

    world: World
    house: Carrying
    counties: list[Seat]
    book: Book

    async def look(self) -> None:
        """Look at all that has happened."""
        while await firing.poll(self.house, self.book):
            pass

    async def say(self, seat: Seat, value: str = VALUE, level: str = "amber", **more: Any) -> None:
        """Push a value, release it, and look."""
        await self.world.push(seat, [indicator(value, level, **more)])
        await self.world.project()
        await self.look()

    async def sight(self, seat: Seat) -> None:
        """Say that somebody saw the value, release that, and look."""
        told = sighting.Told(VALUE, Opinion.SEEN)
        center = self.world
        await sighting.sight(center.database, center.center, seat.org, told, center.clock.now)
        await center.project()
        await self.look()

    async def share(self, number: int, category: str, severity: str) -> None:
        """Share an incident of the first county, and look."""
        org_id, now = self.counties[0].org.id, self.world.clock.now
        new = Incident(
            *(f"incident {number}", org_id, "", "", category, "c2-server", Severity(severity)),
            *(State.REPORTED, now, None, now, now),
        )
        shared = Shared(
            *(new.id, org_id, f"incident--{number}", "group:members", category, "c2-server"),
            *(Severity(severity), State.REPORTED, True, False, now, now),
        )
        async with self.world.database.write() as connection:
            await incidents.add(connection, new)
            await incidents.share(connection, shared)
        await self.look()

    async def turn(self, **some: Mapping[str, Any]) -> None:
        """Have these rules on from now, and no others."""
        self.book = rules.parse(toml(**some))
        await self.look()

    async def read(self, deed: Callable[..., Awaitable[T]], *words: Any, **more: Any) -> T:
        """Return what a deed of the store finds."""
        async with self.world.database.read() as connection:
            return await deed(connection, *words, **more)

    async def fired(self) -> list[Firing]:
        """Return what rules made of what happened, the oldest first."""
        return (await self.read(firings.latest, None, None, 1000))[::-1]

    async def verdicts(self) -> dict[str, int]:
        """Return how often each verdict was given."""
        found: dict[str, int] = {}
        for one in await self.fired():
            found[one.verdict] = found.get(one.verdict, 0) + one.why["count"]
        return found

    async def responses(self) -> list[Response]:
        """Return the responses that there are, the oldest first, as the center sees them."""
        center = Reader(self.world.center.org_id, frozenset(), is_center=True)
        return (await self.read(runs.all_of, center))[::-1]

    async def asked(self, response: Response) -> set[str]:
        """Return the names of those whom a response was put to."""
        names = {one.org.id: one.org.name for one in self.world.seats.values()}
        return {names[one.org_id] for one in await self.read(stored.runs_of, response.id)}

    async def begin(self, response: Response) -> None:
        """Let a proposed response begin."""
        now = self.world.clock.now
        async with self.world.database.write() as connection:
            await stored.change(connection, response.id, now, state="running", began_at=now)


@asynccontextmanager
async def desk(
    database_url: str, folder: Path, playbook: bytes = PLAYBOOK, **some: Mapping[str, Any]
) -> AsyncIterator[Desk]:
    """Found a center of four counties where these rules are on from now."""
    async with world(database_url, folder) as center:
        around = center.surroundings
        house = carrying(center.database, center.center, Settings(data=folder), around)
        counties = [await center.org(f"Kreis {number + 1}") for number in range(4)]
        async with center.database.write() as connection:
            await importing.take(connection, playbook, center.center.org_id, [], center.clock.now)
        found = Desk(center, house, counties, rules.NONE)
        await found.turn(**some)
        yield found


TWO = {"when": {"contributors": 2, "within": "24h"}}
HOUR = 3_600 * SECOND


async def test_two_counties_that_say_the_same_propose_one_response(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, two=TWO) as on:
        await on.say(on.counties[0])
        assert await on.verdicts() == {}
        await on.say(on.counties[1], confidence=60)
        await on.look()
        (response,) = await on.responses()
        assert (response.state, response.rule) == ("proposed", "two")
        assert (response.lock, response.variables) == ("group:members", {"__wert__": VALUE})
        assert await on.asked(response) == {one.org.name for one in on.counties}
        (fired,) = await on.fired()
        assert fired.response_id == response.id
        assert fired.why["held"][-1] == {"name": "contributors", "wanted": 2, "found": 2}
        assert fired.why["done"]["left_out"] == 0
        assert fired.why["happened"]["value"] == VALUE
        german, english = firing.explained(fired)
        assert "Testregel" in german
        assert "vorgeschlagen" in german
        assert "proposed" in english
        # What takes part in it reads of no numbers and of nobody else.
        assert "held" not in response.why
        assert "contributors" not in json.dumps(response.why)


async def test_contributors_count_within_one_lock_its_wider_ones_and_the_window(
    database_url: str, tmp_path: Path
) -> None:
    async with desk(database_url, tmp_path, two=TWO) as on:
        first, second, third, fourth = on.counties
        for name, seats in {"Nord": (first, second), "Süd": (third, fourth)}.items():
            await on.world.group(name, *seats)
        for seat, group in ((first, "nord"), (third, "sued")):
            await on.world.push(seat, [indicator(VALUE)], group=group)
        await on.world.project()
        await on.look()
        assert await on.verdicts() == {}
        await on.say(second, "late.cybercoop-test.net", "amber")
        on.world.clock.forward(25 * HOUR)
        await on.say(third, "late.cybercoop-test.net", "amber", confidence=60)
        assert await on.verdicts() == {}
        # Green is wider than each of the groups, and the community itself has one voice only.
        await on.say(fourth, level="green", confidence=60)
        on.world.clock.forward(SECOND)
        await on.turn(two={"when": {"contributors": 2, "within": "48h"}})
        await on.say(second, level="green", confidence=80)
        assert {one.lock for one in await on.responses()} >= {"community"}
        assert "group:members" not in {one.lock for one in await on.responses()}


@pytest.mark.parametrize("spelling", ["benign", "\\u0062enign"])
async def test_who_calls_a_value_harmless_calls_it_no_danger(
    database_url: str, tmp_path: Path, spelling: str
) -> None:
    async with desk(database_url, tmp_path, two=TWO) as on:
        await on.say(on.counties[0])
        vote = json.dumps({"objects": [indicator(VALUE, "amber", indicator_types=["benign"])]})
        raw = vote.replace("benign", spelling).encode()
        taken = await on.world.request("POST", "/api/v1/push", on.counties[1], data=raw)
        assert taken.json["verdicts"][0]["outcome"] == "accepted"
        await on.world.project()
        await on.look()
        assert await on.verdicts() == {}
        await on.say(on.counties[2], confidence=60)
        (fired,) = await on.fired()
        assert fired.why["held"][-1] == {"name": "contributors", "wanted": 2, "found": 2}


async def test_who_cannot_open_the_lock_is_left_out(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, any={}, far={"counties": ["Kreis 3"]}) as on:
        await on.world.group("Nord", *on.counties[:2])
        await on.world.push(on.counties[0], [indicator(VALUE)], group="nord")
        await on.world.project()
        await on.look()
        (response,) = await on.responses()
        assert await on.asked(response) == {"Kreis 1", "Kreis 2"}
        told = {one.rule: one.why["done"] for one in await on.fired()}
        assert told["any"]["left_out"] == 2
        assert (told["far"]["verdict"], told["far"]["left_out"]) == ("no-county", 1)


async def test_conditions_keep_what_does_not_fit(database_url: str, tmp_path: Path) -> None:
    sure = {"when": {"kinds": ["domain"], "confidence": 70, "labels": ["phishing"]}}
    async with desk(database_url, tmp_path, sure=sure) as on:
        labels = {"indicator_types": ["phishing"]}
        await on.say(on.counties[0], confidence=60, **labels)
        await on.say(on.counties[0], "b.cybercoop-test.net", confidence=90)
        pattern = "[ipv4-addr:value = '45.155.205.9']"
        await on.say(on.counties[0], pattern, confidence=90, **labels)
        assert await on.verdicts() == {}
        await on.say(on.counties[0], "c.cybercoop-test.net", confidence=90, **labels)
        (fired,) = await on.fired()
        assert {one["name"] for one in fired.why["held"]} == {
            *("kinds", "confidence", "labels", "contributors")
        }


async def test_a_sighting_at_a_member_asks_who_saw_it(database_url: str, tmp_path: Path) -> None:
    rule = {"kind": "sighting", "counties": "touched", "when": {"kinds": ["domain"]}}
    async with desk(database_url, tmp_path, seen=rule) as on:
        await on.say(on.counties[0])
        assert await on.verdicts() == {}
        await on.sight(on.counties[1])
        (response,) = await on.responses()
        assert response.variables == {"__wert__": VALUE}
        assert await on.asked(response) == {"Kreis 2"}


async def test_what_the_center_does_itself_fires_nothing(database_url: str, tmp_path: Path) -> None:
    seen = {"kind": "sighting"}
    async with desk(database_url, tmp_path, any={}, seen=seen) as on:
        center = await on.world.seat("Testzentrum")
        await on.say(center, "center.cybercoop-test.net")
        assert await on.verdicts() == {"own": 1}
        await on.say(on.counties[0])
        # It makes the county's value surer, as any sighting does: that is the county's once more.
        await on.sight(center)
        assert await on.verdicts() == {"own": 2, "proposed": 1, "repeated": 1}
        assert len(await on.responses()) == 1


async def test_what_follows_a_response_fires_nothing(database_url: str, tmp_path: Path) -> None:
    rules_on = {"any": {"repeat_after": "1h"}, "seen": {"kind": "sighting"}}
    async with desk(database_url, tmp_path, **rules_on) as on:
        await on.say(on.counties[0])
        (response,) = await on.responses()
        await on.begin(response)
        on.world.clock.forward(2 * HOUR)
        await on.sight(on.counties[1])
        await on.say(on.counties[2], confidence=90)
        assert await on.verdicts() == {"proposed": 1, "own": 3}
        assert len(await on.responses()) == 1
        own = next(one for one in await on.fired() if one.verdict == "own")
        assert response.id in own.why["done"]["reason"]


async def test_what_touches_a_county_asks_that_county(database_url: str, tmp_path: Path) -> None:
    rule = {"kind": "touches", "counties": "touched", "action": "start"}
    async with desk(database_url, tmp_path, touched=rule) as on:
        had = [
            Told(AssetKind.NETWORK, "45.155.205.0/24"),
            Told(AssetKind.SOFTWARE, "Frobnicator Pro", "Acme"),
        ]
        await assets.add(on.world.database, on.counties[2].org.id, had, on.world.surroundings)
        await on.say(on.counties[0], "[ipv4-addr:value = '45.155.205.9']")
        await on.say(on.counties[0], "[ipv4-addr:value = '45.155.206.9']")
        await on.world.push(on.counties[0], [malware("Backdoor in FROBNICATOR pro 3")])
        await on.world.project()
        await on.look()
        held, software = await on.responses()
        assert {*await on.asked(held), *await on.asked(software)} == {"Kreis 3"}
        # What the guard keeps back goes out by a person's word only.
        assert (held.state, software.state) == ("proposed", "running")
        assert "Frobnicator" not in json.dumps(software.why)
        assert "software Frobnicator Pro" in str((await on.fired())[-1].why)


async def test_a_shared_incident_fires_by_category_and_severity(
    database_url: str, tmp_path: Path
) -> None:
    when = {"categories": ["malicious-code"], "severity": "high"}
    rule = {"kind": "incident", "when": when, "values": {"__wert__": {"from": "category"}}}
    async with desk(database_url, tmp_path, grave=rule) as on:
        for number, (category, severity) in enumerate(
            [("fraud", "critical"), ("malicious-code", "medium"), ("malicious-code", "high")]
        ):
            await on.share(number, category, severity)
        (response,) = await on.responses()
        assert response.variables == {"__wert__": "malicious-code"}
        assert on.counties[0].org.id not in json.dumps(response.why)
        assert await on.verdicts() == {"proposed": 1}


async def test_a_person_fires_a_manual_rule(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, hand={"kind": "manual"}, other={}) as on:
        said = firing.ByHand(person_id="somebody", value=VALUE, reason="Anruf der Polizei")
        async with on.world.database.write() as connection:
            fired = await firing.fire(on.house, connection, on.book.rules["hand"], said)
            with pytest.raises(Misused):
                await firing.fire(on.house, connection, on.book.rules["other"], said)
        (response,) = await on.responses()
        assert (response.id, response.started_by) == (fired.response_id, "somebody")
        assert response.variables == {"__wert__": VALUE}


async def test_ten_thousand_releases_make_few_rows(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, any={}) as on:
        for part in range(5):
            many = [f"v{number}.x{part}.cybercoop-test.net" for number in range(2_000)]
            await on.world.push(on.counties[0], [indicator(one, "amber") for one in many])
        await on.world.project()
        await on.look()
        assert await on.verdicts() == {"proposed": 3, "limited": 9_997}
        assert len(await on.fired()) == 4
        limited = (await on.fired())[-1]
        assert (limited.subject, len(limited.why["examples"])) == ("", 10)
        assert "9996" in firing.explained(limited)[0]


async def test_a_rule_starts_at_once_only_where_one_approval_is_enough(
    database_url: str, tmp_path: Path
) -> None:
    start = {"action": "start", "counties": ["Kreis 1"]}
    async with desk(database_url, tmp_path, one=start) as on:
        await on.say(on.counties[0])
        assert [one.state for one in await on.responses()] == ["running"]


async def test_two_workers_fire_once(database_url: str, tmp_path: Path) -> None:
    async with desk(database_url, tmp_path, any={"limit": "50 in 24h"}) as on:
        many = [f"v{number}.cybercoop-test.net" for number in range(20)]
        await on.world.push(on.counties[0], [indicator(one, "amber") for one in many])
        await on.world.project()
        await asyncio.gather(*(firing.poll(on.house, on.book) for _ in range(4)))
        await on.look()
        assert await on.verdicts() == {"proposed": 20}
        assert len(await on.responses()) == 20
