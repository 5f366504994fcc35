"""A center in which acts are carried out, and all that one reader can observe of it."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import aiohttp

from cybercoop import app as house
from cybercoop.collect import founding
from cybercoop.collect.projector import cycle
from cybercoop.config import Settings
from cybercoop.members.organisations import Kind
from cybercoop.stix import times
from cybercoop.store import members, projection
from cybercoop.store.database import Database
from inference.acts import GROUPS, MEMBERS, Act, Book, Delete, Move, Push, Steal, unseen
from world import SECOND, TLP, Answer, Chance, Clock, Seat, World, indicator, world

STEP = 2 * SECOND
DAY = 86400 * SECOND
_DATABASES: dict[Path, Database] = {}
_PLACES = ("198.51.100.7", "evil.example", "worse.example")


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
        await center.project()
        return {"seats": center.seats, "marks": marks, "now": center.clock.now}


class Stage:
    """One run of a history; ``seen`` collects what the reader got, as text."""

    def __init__(self, center: World, marks: dict[str, str], reader: str) -> None:
        self.center, self.marks, self.reader = center, marks, reader
        self.book, self.seen = Book(), list[str]()
        self.echoes: set[int] = set()
        self.statuses: list[str] = []
        self.stolen: dict[int, str] = {}

    async def play(self, history: Iterable[Act], left_out: set[int], looks: set[int]) -> None:
        """Carry out acts at fixed times; those left out take their time, and do nothing."""
        start = self.center.clock.now
        for number, act in enumerate(history):
            start += STEP + (act.days * DAY if hasattr(act, "days") else 0)
            self.center.clock.now = start
            if number not in left_out:
                await self._carry_out(number, act)
            self.center.clock.now = start + SECOND
            async with self.center.database.read() as connection:
                busy = await projection.anything_to_do(connection, self.center.clock.now)
            if busy:
                await cycle(self.center.database, self.center.center, self.center.clock.now)
            if number in looks:
                await self._look(number)
        await self._look(len(looks) + start)

    async def _carry_out(self, number: int, act: Act) -> None:
        seat = self.center.seats.get(getattr(act, "who", ""))
        if isinstance(act, Move):
            joins = act.who not in self.book.groups[act.group]
            await founding.change_membership(self.center.database, act.group, act.who, joins=joins)
            self.book.move(act)
        elif isinstance(act, Push) and seat:
            await self._push(number, act, self._body(act), seat)
        elif isinstance(act, Steal) and seat:
            await self._push(number, act, await self._stolen(number, act), seat)
        elif isinstance(act, Delete) and seat:
            path = f"/taxii2/coop/collections/contributions/objects/{_id(act.slot)}/"
            self._note(act.who, await self.center.request("DELETE", path, seat))

    async def _push(self, number: int, act: Push | Steal, body: dict[str, Any], seat: Seat) -> None:
        if act.who == self.reader:
            answer = await self.center.post(seat, [body])
            self.statuses.append(answer.json["id"])
            self._note(act.who, answer)
            return
        query = {"named": "1"} if isinstance(act, Push) and act.named else {}
        verdict = (await self.center.push(seat, [body], **query))[0]
        wanted = self.book.lock(act.who, act.mark)
        if verdict["outcome"] != "refused" and wanted and not wanted.startswith("own:"):
            assert verdict["lock"] == wanted
        assert (verdict["outcome"] == "refused") == (wanted is None)
        is_echo = "came from the center" in verdict["reason"]
        if verdict["outcome"] == "accepted":
            assert is_echo == self._reads(act.who, body["id"])
        if is_echo:
            self.echoes.add(number)

    def _reads(self, who: str, stix_id: str) -> bool:
        """Say whether an organisation reads a release of that id, by the book."""
        locks = _ask(
            self.center.database.url, "SELECT lock FROM releases WHERE stix_id = ?", stix_id
        )
        return bool(set(locks) & self.book.opens(who))

    def _body(self, act: Push) -> dict[str, Any]:
        now = times.text(self.center.clock.now)
        marks = self._marks(act.mark)
        said: dict[str, Any] = {"id": _id(act.slot), "created": "2026-01-01T00:00:00Z"}
        said |= {"modified": now} | marks | ({"revoked": True} if act.revoked else {})
        if act.kind == "malware":
            said = {"type": "malware", "spec_version": "2.1", "is_family": False} | said
            return said | {"id": _id(act.slot, "malware"), "name": f"Malware {act.value}"}
        if act.kind == "relationship":
            ends = {"source_ref": _id("s0"), "target_ref": _id(f"s{act.value}", "malware")}
            said = {"type": "relationship", "spec_version": "2.1"} | said | ends
            return said | {"id": _id(act.slot, "relationship"), "relationship_type": "indicates"}
        if act.kind == "observable":
            return _observable(act) | marks
        body = indicator(_PLACES[act.value], **said, valid_until=_later(self.center.clock.now))
        if act.confidence is not None:
            body["confidence"] = act.confidence
        if act.kind == "benign":
            body["indicator_types"] = ["benign"]
        return body

    def _marks(self, mark: str | None) -> dict[str, Any]:
        level, _, group = (mark or "").partition(" ")
        refs = [TLP[level]] if level else []
        refs += [self.marks[group]] if group else []
        return {"object_marking_refs": refs} if refs else {}

    async def _stolen(self, number: int, act: Steal) -> dict[str, Any]:
        """Return an indicator under a released id: the same one in every run of a history."""
        if number not in self.stolen:
            query = "SELECT stix_id FROM releases WHERE type = 'indicator' ORDER BY date_added"
            ids = list(dict.fromkeys(_ask(self.center.database.url, query)))
            self.stolen[number] = ids[act.number % len(ids)] if ids else _id("nothing")
        now = times.text(self.center.clock.now)
        marks = self._marks(act.mark)
        return indicator("stolen.example", id=self.stolen[number], modified=now, **marks)

    def _note(self, who: str, answer: Answer) -> None:
        if who != self.reader:
            return
        kept = {name: value for name, value in sorted(answer.headers.items()) if name != "Date"}
        text = answer.body.decode()
        for number, status in enumerate(self.statuses):
            text = text.replace(status, f"status {number}")
        length = kept.pop("Content-Length", "")
        self.seen.append(f"{answer.status} {json.dumps(kept)} {length} {text}")

    async def _look(self, until: int) -> None:
        """Let the reader see all that he can: documents, pages, headers, errors."""
        seat = self.center.seats.get(self.reader)
        root = "/taxii2/coop/" if seat else "/taxii2/public/"
        for path in ("/taxii2/", root, f"{root}collections/", "/api/v1/unreleased"):
            await self._get(path, seat)
        shelves = ["feed", "contributions", "feed-public", "feed-community"]
        shelves += [f"feed-{name}{end}" for name in (*GROUPS, "members") for end in ("", "-strict")]
        for shelf in shelves[:2]:
            await self._walk(f"{root}collections/{shelf}/", seat)
        for shelf in shelves[2:]:
            every = {"match[version]": "all"}
            await self._get(f"{root}collections/{shelf}/objects/", seat, **every)
        for status in self.statuses:
            await self._get(f"{root}status/{status}/", seat)
        one = f"{root}collections/feed/objects/"
        stolen = [stix_id for number, stix_id in self.stolen.items() if number <= until]
        for stix_id in (_id("s0"), *stolen):
            await self._get(f"{one}{stix_id}/", seat)
        dry = indicator(_PLACES[1], "green", id=_id("s1"))
        options = {"params": {"dry_run": "1"}, "data": json.dumps({"objects": [dry]})}
        self._note(self.reader, await self.center.request("POST", "/api/v1/push", seat, **options))

    async def _walk(self, path: str, seat: Seat | None) -> None:
        first = await self._get(f"{path}objects/", seat, limit="4")
        if first.status == 200 and first.body != b"{}":
            following = first.json.get("next")
            while following:
                page = await self._get(f"{path}objects/", seat, next=following)
                following = page.json.get("next")
            await self._get(f"{path}manifest/", seat, **{"match[version]": "all"})

    async def _get(self, path: str, seat: Seat | None, **params: str) -> Answer:
        answer = await self.center.get(path, seat, **params)
        self._note(self.reader, answer)
        return answer


def _id(slot: str, kind: str = "indicator") -> str:
    seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {slot}")
    return f"{kind}--{uuid.UUID(bytes=seed.bytes, version=4)}"


def _observable(act: Push) -> dict[str, Any]:
    kind = "ipv4-addr" if act.value == 0 else "domain-name"
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": _id(act.slot, kind),
        "value": _PLACES[act.value],
    }


def _later(now: int) -> str:
    return times.text(now + 100 * DAY)


def _ask(url: str, query: str, *values: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [row[0] for row in connection.execute(query, values)]


@contextlib.asynccontextmanager
async def stage(base: Path, known: dict[str, Any], reader: str) -> AsyncIterator[Stage]:
    """Set up a copy of the center that every example starts from."""
    database = _fresh_copy(base)
    clock, chance = Clock(known["now"]), Chance("stage")
    settings = Settings(data=base.parent, database=database.url, listen="127.0.0.1:0")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        async with database.read() as connection:
            center = await members.the_center(connection)
        made = World(database, center, clock, chance, "", None, dict(known["seats"]))  # type: ignore[arg-type]
        app = house.make_app(database, center, settings, made.surroundings, lambda: None)
        house.add_doors(app, center, "Testzentrum")
        host, port = await stack.enter_async_context(house.listening(app, settings))
        made.address = f"http://{host}:{port}"
        made.session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Stage(made, known["marks"], reader)


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
    _DATABASES[file]._turn = asyncio.Lock()  # every example has an event loop of its own
    return _DATABASES[file]


async def difference(
    base: Path, known: dict[str, Any], history: list[Act], reader: str, looks: set[int]
) -> tuple[list[str], list[str]]:
    """Return what a reader sees of a history, and of it without all that he may never see."""
    async with stage(base, known, reader) as whole:
        await whole.play(history, set(), looks)
    gone = unseen(history, whole.echoes, whole.stolen, reader)
    async with stage(base, known, reader) as rest:
        rest.stolen = whole.stolen
        await rest.play(history, gone, looks)
    return whole.seen, rest.seen
