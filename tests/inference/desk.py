"""The rooms of a center on a stage: incidents, playbooks, responses, and letters that leave it."""

import asyncio
import contextlib
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Iterable
from email.message import EmailMessage
from typing import Any

from aiohttp import web

from cybercoop.door import RESPONSES
from cybercoop.errors import CoopError
from cybercoop.notices import delivering, webhooks
from cybercoop.notices.carrying import Most
from cybercoop.notices.webhooks import Wanted
from cybercoop.playbooks.duties import Question
from cybercoop.playbooks.progress import GOING
from cybercoop.responses import carrying, importing, leading, starting, tending
from cybercoop.responses.asking import Put
from cybercoop.responses.watching import Watch
from cybercoop.store import runs
from cybercoop.web import events
from cybercoop.web.taking_part import _NOTING, reader_for
from inference import papers, weighing
from inference.acts import CENTER, EVERYBODY, VALUES, Book
from inference.looking import Eyes
from inference.rooms import (
    EXTRA,
    Advance,
    Answer,
    Ask,
    Block,
    Choose,
    Give,
    Import,
    Incident,
    Join,
    Lead,
    Leave,
    Link,
    Note,
    Report,
    Response,
    Room,
    Start,
    TakeBack,
    Tell,
    Tie,
    Weigh,
)
from notices import office
from notices.receivers import Called, Hook, Letterbox, mail_server, receiver
from world import SECOND, Chance, Seat, World

_HOUR = 3600 * SECOND
_QUESTIONS = {
    EXTRA: Question("Was fiel auf?", "text", required=False),
    "__many__": Question("Wie viele?", "number", required=False),
}
_TABLES = {"response": "responses", "task": "tasks", "incident": "incidents"}
_BOXES = {"Content-Type", "MIME-Version"}
"""Headers of a mail that hold a boundary, drawn by chance, or nothing."""


class Drawn(Chance):
    """Values that look random, and follow from what they are for where somebody says so."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.names: list[str] = []

    def secret(self) -> bytes:
        if self.names:
            return hashlib.sha256(self.names.pop(0).encode()).digest()
        return super().secret()


def named(name: str) -> str:
    """Return the id that is drawn for something of that name."""
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


class Desk:
    """Carry out acts of the rooms, send the letters, and show them to the reader."""

    def __init__(
        self, center: World, app: web.Application, reader: str, box: Letterbox, hook: Hook
    ) -> None:
        self.center, self.app, self.reader = center, app, reader
        self.house, self.box, self.hook = app[RESPONSES], box, hook
        self.post = office.post(center, box)
        self.incidents: dict[tuple[str, str], str] = {}
        self.responses: dict[str, str] = {}
        self.invited: dict[str, tuple[str, ...]] = {}
        self._read = {"mail": 0, "calls": 0}
        self._pulses: dict[str, runs.Pulse] = {}

    @property
    def seat(self) -> Seat | None:
        """Return where the reader sits."""
        return self.center.seats.get(self.reader)

    def know(self, number: int, act: Room) -> None:
        """Note which response an act proposes, also one that is left out of this run."""
        if isinstance(act, Start):
            self.responses[act.slot] = named(f"act {number} response")
            self.invited[act.slot] = act.counties

    async def carry_out(self, number: int, act: Room, book: Book, eyes: Eyes) -> None:
        """Carry out one act; who is refused is told so, and nothing happens."""
        if isinstance(act, Incident | Tie):
            await self._incident(act, eyes)
        elif isinstance(act, Join | Leave | Answer | Tell):
            await self._take_part(act, eyes)
        else:
            with contextlib.suppress(CoopError):
                await self._lead(number, act, book)

    async def _incident(self, act: Incident | Tie, eyes: Eyes) -> None:
        seat = self.center.seats[act.who]
        one = self.incidents.get((act.who, act.slot), "none")
        method, path, said = _of_incident(act, self.responses)
        path = f"/api/v1/incidents{path.format(one)}"
        options = {} if said is None else {"json": said}
        answer = await self.center.request(method, path, seat, **options)
        if isinstance(act, Report):
            self.incidents[act.who, act.slot] = answer.json["id"]
        eyes.note(act.who, answer)

    async def _take_part(self, act: Join | Leave | Answer | Tell, eyes: Eyes) -> None:
        response_id, seat = self.responses.get(act.slot, ""), self.center.seats[act.who]
        if isinstance(act, Tell):
            task = named(f"{response_id} weigh {act.who}")
            said = {"json": {"answers": {papers.MANY: act.number}}}
            path = f"/api/v1/tasks/{task}/done"
            eyes.note(act.who, await self.center.request("POST", path, seat, **said))
            return
        if isinstance(act, Answer):
            query = "SELECT id FROM tasks WHERE response_id = ? AND org_id = ? ORDER BY id"
            ids = [row[0] for row in self.center_rows(query, response_id, seat.org.id)]
            if ids:
                task = ids[act.number % len(ids)]
                eyes.note(act.who, await self._answer(act, f"/api/v1/tasks/{task}", seat))
            return
        # Who was not invited guesses at the part of another.
        whose = act.who if act.who in self.invited.get(act.slot, ()) else EVERYBODY[0]
        run = named(f"{response_id} run {whose}")
        deed, said = "accept", {"shares_state": getattr(act, "shares", False)}
        if isinstance(act, Leave):
            deed, said = "decline", {"reason": f"keine Zeit {act.who}"}
        path = f"/api/v1/runs/{run}/{deed}"
        eyes.note(act.who, await self.center.request("POST", path, seat, json=said))

    async def _answer(self, act: Answer, path: str, seat: Seat) -> Any:
        words = f"von {act.who} {act.number}"
        said: dict[str, Any] = {
            "done": {"answers": {EXTRA: words, "__many__": act.number}, "comment": words},
            "fail": {"reason": words},
            "remarks": {"text": words},
            "claim": {},
        }[act.deed]
        options = {"json": said} if said else {}
        return await self.center.request("POST", f"{path}/{act.deed}", seat, **options)

    async def _lead(self, number: int, act: Import | Response, book: Book) -> None:
        now = self.center.clock.now
        if isinstance(act, Block):
            await self._block(number, act)
            return
        if isinstance(act, Weigh | Choose):
            await self._weigh(number, act)
            return
        async with self.center.database.write() as connection:
            if isinstance(act, Import):
                raw = papers.playbook(act.slot, act.level, now)
                org_id = self.center.center.org_id
                await importing.take(connection, raw, org_id, [], now)
            elif isinstance(act, Start):
                await self._start(connection, number, act, book)
            elif isinstance(act, Lead):
                await self._led(connection, self.responses.get(act.slot, ""), act.deed)
            elif isinstance(act, Ask):
                await self._ask(connection, number, act, now)

    async def _start(self, connection: Any, number: int, act: Start, book: Book) -> None:
        lock = str(book.lock(CENTER, act.mark))
        some = [one for one in act.counties if lock in book.opens(one)]
        ids = [self.center.seats[one].org.id for one in some]
        title = f"Einsatz {act.slot} {lock.partition(':')[0]}"
        values = {papers.VALUE: "evil.cybercoop-test.net"}
        plan = starting.Plan(papers.key(act.book), ids, lock, "", values, title)
        checked = await starting.check(self.house, connection, plan, self.center.clock.now)
        response_id = self.responses[act.slot]
        self._draw(f"act {number} response", *(f"{response_id} run {one}" for one in some))
        new = await starting.propose(self.house, connection, checked, "starter")
        if act.outcome == "glass":
            await starting.break_glass(self.house, connection, new, "starter")
        elif act.outcome != "propose":
            await self._led(connection, new.id, {"begin": "approve"}.get(act.outcome, act.outcome))

    async def _led(self, connection: Any, response_id: str, deed: str) -> None:
        house, words = self.house, (connection, response_id, "leader")
        if deed in {"approve", "reject"}:
            await starting.say(house, *words, agreed=deed == "approve")
        elif deed in {"pause", "resume"}:
            await leading.pause(house, *words, paused=deed == "pause")
        else:
            way = {"cancel": leading.cancel, "rollback": leading.roll_back}[deed]
            await way(house, *words, "aus Gründen")

    async def _ask(self, connection: Any, number: int, act: Ask, now: int) -> None:
        response_id = self.responses.get(act.slot, "")
        meant = {self.center.seats[one].org.id: one for one in act.counties}
        query = (
            "SELECT org_id FROM runs WHERE response_id = ? AND latest "
            "AND state NOT IN ('declined', 'cancelled') ORDER BY invited_at, id"
        )
        some = [row[0] for row in self.center_rows(query, response_id) if row[0] in meant]
        if some:
            self._draw(*(f"act {number} task {meant[one]}" for one in some))
            due = None if act.hours is None else now + act.hours * _HOUR
            put = Put(f"act {number}", "", "Frage", now, "Bitte!", "", due, _QUESTIONS)
            await leading.ask(self.house, connection, response_id, put, "leader", some)

    async def _block(self, number: int, act: Block) -> None:
        response_id = self.responses.get(act.slot, "")
        query = (
            "SELECT runs.id, runs.org_id, runs.state FROM runs JOIN responses r "
            "ON r.id = response_id WHERE r.id = ? AND latest AND accepted_at IS NOT NULL "
            "AND r.state = 'running' AND NOT paused AND r.wanted = '' AND runs.wanted = ''"
        )
        found = {
            org_id: run
            for run, org_id, state in self.center_rows(query, response_id)
            if state in GOING
        }
        value = {papers.VALUE: VALUES[act.value]}
        for who in act.counties:
            run = found.get(self.center.seats[who].org.id)
            if run is not None:
                read = "SELECT playbook_id, playbook_modified FROM responses WHERE id = ?"
                book = await self.house.book(*self.center_rows(read, response_id)[0])
                place = f"act {number}/{papers.BLOCK}"
                await carrying.act(self.house, run, book, place, number, value, None, ())

    async def _weigh(self, number: int, act: Weigh | Choose) -> None:
        response_id = self.responses.get(act.slot, "")
        meant = {self.center.seats[one].org.id: one for one in act.counties}
        async with self.center.database.write() as connection:
            some = await weighing.going(connection, response_id)
            some = [run for run in some if run.org_id in meant]
            what = f"{response_id} weigh" if isinstance(act, Weigh) else f"act {number} task"
            names = [named(f"{what} {meant[run.org_id]}") for run in some]
            if isinstance(act, Weigh):
                await weighing.weigh(connection, some, names, self.center.clock.now)
        if isinstance(act, Choose):
            await weighing.choose(self.house, number, some, names)

    def _draw(self, *names: str) -> None:
        assert isinstance(self.center.chance, Drawn)
        self.center.chance.names = list(names)

    def center_rows(self, query: str, *values: str) -> list[Any]:
        """Return what the database holds."""
        return papers.rows(self.center.database.url, query, *values)

    def rooms(self) -> tuple[tuple[str, str], ...]:
        """Return kind and id of all that anybody could ask for."""
        found = [
            (kind, row[0])
            for kind, table in _TABLES.items()
            for row in self.center_rows(f"SELECT id FROM {table} ORDER BY id")  # noqa: S608
        ]
        some = self.center_rows("SELECT DISTINCT id FROM playbooks ORDER BY id")
        return (*found, *(("playbook", row[0]) for row in some))

    async def afterwards(self, eyes: Eyes) -> None:
        """Let time do its work, letters go out, and the reader hear and read of it."""
        await self.settle()
        await tending.look(self.house)
        for letter_id, number in (await delivering.due(self.post)).items():
            self._draw(*[f"letter {letter_id} {one}" for one in range(100)])
            await delivering.send(self.post, letter_id, number)
        self._draw()
        self._open(eyes)
        await self._hear(eyes)

    async def settle(self) -> None:
        """Wait until it is noted whom a look has reached."""
        while noting := set(self.app[_NOTING]):
            await asyncio.gather(*noting)

    def _open(self, eyes: Eyes) -> None:
        mails = list(zip(self.box.taken, self.box.to, strict=True))[self._read["mail"] :]
        calls = self.hook.taken[self._read["calls"] :]
        self._read = {"mail": len(self.box.taken), "calls": len(self.hook.taken)}
        shown = [_mail(mail) for mail, to in mails if to == f"{self.reader}@example.org"]
        shown += [_call(one) for one in calls]
        for letter in (*[_mail(mail) for mail, _ in mails], *shown):
            assert "strict" not in letter, "a way out carries more than it may"
        eyes.seen += sorted(shown)

    async def _hear(self, eyes: Eyes) -> None:
        """Tell the reader of boards that have changed, as the server does who listens."""
        if self.seat is None:
            return
        reader = reader_for(self.seat.org, self.center.center)
        async with self.center.database.read() as connection:
            for one in await runs.all_of(connection, reader):
                before = self._pulses.get(one.id)
                now = await runs.pulse(connection, one.id, before)
                self._pulses[one.id] = now
                if before is not None and events._hears(reader, now.concerns(before)):
                    eyes.seen.append(f"event {one.id} {one.state}")


def _of_incident(act: Incident | Tie, responses: dict[str, str]) -> tuple[str, str, Any]:
    """Return method, path and body of the request that an act is."""
    if isinstance(act, Report):
        return "POST", "", {"title": f"Vorfall {act.words}", "text": act.words}
    if isinstance(act, Note):
        return "POST", "/{}/notes", {"text": f"von {act.who}"}
    if isinstance(act, Advance):
        return "PATCH", "/{}", {"severity": act.severity, "state": "investigating"}
    if isinstance(act, Link):
        return "POST", "/{}/indicators", {"values": [VALUES[act.value]]}
    if isinstance(act, Tie):
        unknown = named("no response")
        return "POST", "/{}/responses", {"response": responses.get(act.response, unknown)}
    if isinstance(act, TakeBack):
        return "DELETE", "/{}/share", None
    assert isinstance(act, Give)
    level, _, group = act.mark.partition(" ")
    said: dict[str, Any] = {"tlp": level, "with_text": not act.reduced}
    return "POST", "/{}/share", said | ({"group": group} if group else {})


def _mail(mail: EmailMessage) -> str:
    heads = [f"{name}: {text}" for name, text in mail.items() if name not in _BOXES]
    bodies = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return "\n".join((*heads, *bodies))


def _call(one: Called) -> str:
    heads = {name: text for name, text in one.headers.items() if name != "Host"}
    return f"{json.dumps(heads)} {one.body.decode()}"


@contextlib.asynccontextmanager
async def desk(center: World, app: web.Application, reader: str) -> AsyncIterator[Desk]:
    """Open the rooms, with a mail server for all and a webhook for the reader."""
    async with mail_server() as box, receiver() as hook:
        if seat := center.seats.get(reader):
            wanted = Wanted(seat.org.id, hook.url, Most.AMBER, internal=True)
            async with center.database.write() as connection:
                await webhooks.create(connection, center.surroundings, wanted)
        try:
            yield Desk(center, app, reader, box, hook)
        finally:
            await _rest(app[RESPONSES].watch)


async def _rest(watch: Watch) -> None:
    """Let nobody look at the database any more: the next stage puts another one there."""
    if watch._looking is not None:
        watch._looking.cancel()
        await asyncio.gather(watch._looking, return_exceptions=True)


def are_open(history: Iterable[Any]) -> bool:
    """Say whether anything happens in the rooms."""
    return any(isinstance(act, Room) for act in history)
