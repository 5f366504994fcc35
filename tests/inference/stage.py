"""A center in which acts are carried out, so that one reader can observe it."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from cybercoop import app as house
from cybercoop.collect import assets, device_feeds, founding, reviewing
from cybercoop.collect.projector import cycle
from cybercoop.collect.sighting import Opinion
from cybercoop.errors import Misused, NotFound
from cybercoop.exports import formats
from cybercoop.exports.routes import SHELF
from cybercoop.exports.serving import Shelf
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.members.organisations import Kind
from cybercoop.responses import importing
from cybercoop.store import members, projection
from cybercoop.store.database import Database
from cybercoop.store.turns import Turn
from inference import bodies, papers
from inference.acts import (
    CENTER,
    EVERYBODY,
    GROUPS,
    LEVELS,
    MEMBERS,
    VALUES,
    Act,
    Book,
    Case,
    Confirm,
    Decide,
    Delete,
    Except,
    Facts,
    Fetch,
    Move,
    Push,
    Say,
    Sight,
    Steal,
    Undo,
    Wait,
)
from inference.desk import Desk, Drawn, are_open, desk
from inference.looking import Eyes
from inference.rooms import Room
from inference.seeing import as_seen
from notices import office
from world import SECOND, Clock, Seat, World, settings_of, world

STEP = 2 * SECOND
_NAME = "Testzentrum"
_DATABASES: dict[Path, Database] = {}


async def found(folder: Path) -> dict[str, Any]:
    """Make the center that every example starts from, once; return what is known of it."""
    async with world(f"sqlite:///{folder / 'coop.sqlite'}", folder) as center:
        for name in MEMBERS:
            await center.org(name)
        await center.org("d", Kind.CLIENT, of=center.seats["a"])
        await center.org("p", Kind.PARTNER)
        await center.org("n", Kind.PARTNER, community=False)
        inside = Book().groups
        marks = {
            group: await center.group(group, *(center.seats[who] for who in sorted(inside[group])))
            for group in GROUPS
        }
        feeds = {name: await _feeds(center, seat) for name, seat in center.seats.items()}
        center.seats[CENTER] = await center.seat(_NAME)
        del center.seats[_NAME]
        blocked = await _rooms(center)
        await center.project()
        known = {"seats": center.seats, "marks": marks, "feeds": feeds, "blocked": blocked}
        return known | {"now": center.clock.now}


async def _rooms(center: World) -> dict[str, str]:
    """Give each organisation a person and a list of what responses block, and make playbooks."""
    paths = {}
    for name, seat in center.seats.items():
        await office.person(center, seat, name)
        wanted = DeviceFeed("", "", "Einsätze", "jsonl", Cut(("domain", "ipv4")), responses=True)
        async with center.database.write() as connection:
            feed, _ = await device_feeds.create(connection, center.surroundings, seat.org, wanted)
        # Asked for with a token of the organisation it says the same, and proves nothing.
        paths[name] = f"/feeds/{feed.id}"
    async with center.database.write() as connection:
        for level in LEVELS:
            raw, org_id = papers.playbook("always", level), center.center.org_id
            made = await importing.take(connection, raw, org_id, [], center.clock.now)
            assert made.kept is not None, made.findings
    return paths


async def _feeds(center: World, seat: Seat) -> tuple[str, ...]:
    """Give an organisation lists of all that it may block, and return their paths."""
    cut, paths = Cut(tuple(sorted(formats.found()["jsonl"].kinds))), []
    async with center.database.write() as connection:
        for name in ("text", "jsonl"):
            wanted = DeviceFeed("", "", "Test", name, cut)
            made = await device_feeds.create(connection, center.surroundings, seat.org, wanted)
            paths.append(f"/feeds/{made[1]}")
    return tuple(paths)


class Stage:
    """One run of a history; the reader's eyes collect what he got."""

    def __init__(
        self,
        center: World,
        known: dict[str, Any],
        reader: str,
        shelf: Shelf,
        facts: Facts,
        rooms: Desk | None,
    ) -> None:
        self.center, self.marks, self.reader = center, known["marks"], reader
        self.book, self.facts, self.feeds = Book(), facts, known["feeds"]
        self.desk, self.blocked = rooms, known["blocked"]
        self.own = set[tuple[str, str]]()
        self.pushes: dict[tuple[str, str], str] = {}
        self.eyes = Eyes(center, reader, self.feeds.get(reader, ()), shelf)

    async def play(self, case: Case, left: Sequence[Act | None]) -> None:
        """Carry out what is left of a history, each act at its time."""
        clock, chance = self.center.clock, self.center.chance
        start = clock.now
        for number, act in enumerate(case.history):
            start += STEP + (act.days * bodies.DAY if isinstance(act, Wait) else 0)
            clock.now = start
            # What an act draws by chance depends on that act alone.
            chance._seed, chance._drawn = f"act {number}", 0
            if self.desk and isinstance(act, Room):
                self.desk.know(number, act)
            one = left[number]
            if self.desk and isinstance(one, Room):
                await self.desk.carry_out(number, one, self.book, self.eyes)
            elif one is not None:
                await self._carry_out(number, one)
            clock.now = start + SECOND
            if number not in case.hurried:
                await self._release()
            if self.desk:
                await self.desk.afterwards(self.eyes)
            if number in case.looks:
                await self._look(number)
        clock.now = start + STEP
        await self._release()
        await self._look(len(case.history))

    async def _look(self, number: int) -> None:
        await self.eyes.look(self._ids(number))
        if self.desk:
            rooms = self.facts.rooms.setdefault(number, self.desk.rooms())
            blocked = self.blocked.get(self.reader)
            await self.eyes.look_around(rooms, blocked, self.desk.settle)

    def _ids(self, until: int) -> list[str]:
        return [stix_id for number, stix_id in self.facts.ids.items() if number <= until]

    async def _release(self) -> None:
        async with self.center.database.read() as connection:
            busy = await projection.anything_to_do(connection, self.center.clock.now)
        if busy:
            await cycle(self.center.database, self.center.center, self.center.clock.now)

    async def _carry_out(self, number: int, act: Act) -> None:
        seat = self.center.seats.get(getattr(act, "who", self.reader))
        if isinstance(act, Move):
            joins = act.who not in self.book.groups[act.group]
            await founding.change_membership(self.center.database, act.group, act.who, joins=joins)
            self.book.move(act)
        elif isinstance(act, Decide | Confirm):
            await self._review(act)
        elif isinstance(act, Except):
            await self._except(act)
        elif seat and isinstance(act, Push | Steal | Sight):
            await self._push(number, act, seat)
        elif seat and isinstance(act, Delete):
            path = f"/taxii2/coop/collections/contributions/objects/{bodies.name(act)}/"
            self.eyes.note(act.who, await self.center.request("DELETE", path, seat))
        elif seat and isinstance(act, Undo):
            path = f"/api/v1/pushes/{self.pushes.get((act.who, bodies.name(act)), 'none')}"
            self.eyes.note(act.who, await self.center.request("DELETE", path, seat))
        elif seat and isinstance(act, Fetch):
            for path in self.feeds[act.who]:
                self.eyes.note(act.who, await self.center.get(path))
        elif seat and isinstance(act, Say):
            await self._say(act, seat)

    async def _push(self, number: int, act: Push | Steal | Sight, seat: Seat) -> None:
        marks = bodies.marks(act.mark, self.marks)
        taken = "" if isinstance(act, Push) else self._taken(number, act)
        body = bodies.body(act, marks, self.center.clock.now, taken)
        named = isinstance(act, Push) and act.named
        told = named or (isinstance(act, Sight) and act.kind != "sighting")
        if act.who == self.reader and not told:
            self.eyes.posted(await self.center.post(seat, [body]))
            return
        query = {"push_id": bodies.push_id(number)} | ({"named": "1"} if named else {})
        query |= {"with_text": "1"} if told else {}
        self.pushes[act.who, body["id"]] = query["push_id"]
        data = bodies.envelope(body)
        answer = await self.center.request("POST", "/api/v1/push", seat, data=data, params=query)
        self.eyes.note(act.who, answer)
        if act.who != self.reader:
            self._hold_to_the_book(number, act, answer.json["verdicts"][0])

    def _hold_to_the_book(
        self, number: int, act: Push | Steal | Sight, verdict: dict[str, Any]
    ) -> None:
        """Note an echo, and see that the center did what the book says of this push."""
        wanted = self.book.lock(act.who, act.mark)
        # What was given before stays where it is.
        if verdict["outcome"] == "accepted" and wanted and not wanted.startswith("own:"):
            assert verdict["lock"] == wanted
        assert (verdict["outcome"] == "refused") == (wanted is None)
        is_echo = "came from the center" in verdict["reason"]
        if verdict["outcome"] == "accepted":
            own = (act.who, verdict["id"])
            assert is_echo == (own not in self.own and self._reads(*own))
            if not is_echo and wanted and not wanted.startswith("own:"):
                self.own.add(own)
        if is_echo:
            self.facts.echoes.add(number)

    def _reads(self, who: str, stix_id: str) -> bool:
        """Say whether an organisation reads a release of that id, by the book."""
        locks = self._ask("SELECT lock FROM releases WHERE stix_id = ?", stix_id)
        return bool(set(locks) & self.book.opens(who))

    def _taken(self, number: int, act: Steal | Sight) -> str:
        """Return a released id, counted from the newest: the same one in every run."""
        if number not in self.facts.ids:
            query = "SELECT stix_id FROM releases WHERE type = 'indicator' ORDER BY date_added DESC"
            ids = list(dict.fromkeys(self._ask(query)))
            nothing = bodies.identifier("nothing")
            self.facts.ids[number] = ids[act.number % len(ids)] if ids else nothing
        return self.facts.ids[number]

    async def _review(self, act: Decide | Confirm) -> None:
        """Decide where there is something to decide about."""
        ids, decision = [act.lock], "release"
        if isinstance(act, Decide):
            query = "SELECT id FROM holds WHERE lock = ? AND value = ? ORDER BY id"
            ids, decision = self._ask(query, act.lock, VALUES[act.value]), act.decision
        for one in ids:
            with contextlib.suppress(NotFound, Misused):
                now = self.center.clock.now
                await reviewing.decide(self.center.database, one, decision, "test", now)

    async def _except(self, act: Except) -> None:
        center = self.center
        org_id = center.center.org_id if act.who == CENTER else center.seats[act.who].org.id
        until = None if act.days is None else center.clock.now + act.days * bodies.DAY
        around, value = center.surroundings, VALUES[act.value]
        await assets.except_for(
            center.database, center.center, org_id, value, "test", until, around
        )

    async def _say(self, act: Say, seat: Seat) -> None:
        opinion = Opinion.FALSE_POSITIVE if act.harmless else Opinion.SEEN
        said = {"about": VALUES[act.value], "opinion": opinion}
        self.eyes.note(
            self.reader, await self.center.request("POST", "/api/v1/sightings", seat, json=said)
        )

    def _ask(self, query: str, *values: str) -> list[str]:
        return [row[0] for row in papers.rows(self.center.database.url, query, *values)]


@contextlib.asynccontextmanager
async def stage(
    base: Path, known: dict[str, Any], case: Case, facts: Facts
) -> AsyncIterator[Stage]:
    """Set up a copy of the center that every example starts from."""
    database = _fresh_copy(base)
    clock, chance = Clock(known["now"]), Drawn("stage")
    state = base.parent / "state"
    shutil.rmtree(state, ignore_errors=True)
    # Whether one person may approve is between people of the center: here one always may.
    alone = {"block_alone": len(EVERYBODY)}
    settings = settings_of(state, database.url).model_copy(update=alone)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        async with database.read() as connection:
            center = await members.the_center(connection)
        made = World(database, center, clock, chance, "", None, dict(known["seats"]))  # type: ignore[arg-type]
        app = house.make_app(database, center, settings, made.surroundings, lambda: None)
        house.add_doors(app, center, _NAME)
        host, port = await stack.enter_async_context(house.listening(app, settings))
        made.address = f"http://{host}:{port}"
        made.session = await stack.enter_async_context(aiohttp.ClientSession())
        rooms = None
        if are_open(case.history):
            rooms = await stack.enter_async_context(desk(made, app, case.reader))
        yield Stage(made, known, case.reader, app[SHELF], facts, rooms)


def _fresh_copy(base: Path) -> Database:
    """Return the database of all stages on this ground, with its file as it was founded.

    One engine for all of them: a new one would compile every statement anew.
    """
    file = base.parent / "stage.sqlite"
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    shutil.copyfile(base / "coop.sqlite", file)
    if file not in _DATABASES:
        _DATABASES[file] = Database(f"sqlite:///{file}", 2)
    _DATABASES[file]._turn = Turn(f"{file}-turn")  # every example has an event loop of its own
    return _DATABASES[file]


async def difference(base: Path, known: dict[str, Any], case: Case) -> tuple[list[str], list[str]]:
    """Return what a reader sees of a history, and of it without all that he may never see."""
    facts = Facts()
    async with stage(base, known, case, facts) as whole:
        await whole.play(case, case.history)
    left = as_seen(case.history, case.reader, facts)
    async with stage(base, known, case, facts) as rest:
        await rest.play(case, left)
    return whole.eyes.seen, rest.eyes.seen
