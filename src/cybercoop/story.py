"""The story of the demo: from two counties' pushes to a block in all of them, and back again.

Played over HTTP with the tokens of the demo, as counties, their devices and the center's people
would do it themselves.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from cybercoop.errors import CoopError

VALUE = "portal-anmeldung.example"
PLAYBOOK = "playbook--5b201c0c-a5dd-5245-8e78-ed23b183fb1e"
PATIENCE = 100
_OK = 300

Say = Callable[[str, str], Awaitable[None]]
"""Gets each step when it has happened: in German, and in English."""


class StoryBroken(CoopError):
    """Say at which step the story did not go on."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Hold who plays: the center's token, counties by name, and people of the center by role."""

    center: str
    counties: Mapping[str, str]
    lead: str
    approvers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """Hold where it is played."""

    address: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, token: str, **options: Any) -> Any:
        """Return what the center answers; raise StoryBroken for what it refuses."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.address}/api/v1{path}"
        async with self.session.request(method, url, headers=headers, **options) as answer:
            said = await answer.json(content_type=None)
            if answer.status >= _OK:
                raise StoryBroken(f"{method} {path}: {said.get('detail', answer.status)}")
            return said

    async def until(self, look: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Return what ``look`` finds as soon as it finds something."""
        end = time.monotonic() + PATIENCE
        while not (found := await look()):
            if time.monotonic() > end:
                raise StoryBroken(f"The story waits in vain: {what}.")
            await asyncio.sleep(0.3)
        return found


async def play(address: str, cast: Cast, say: Say) -> str | None:
    """Play the story and return the response's id; nothing where it was played before."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        stage = Stage(address, session)
        if (await stage.ask("GET", "/responses", cast.center))["responses"]:
            return None
        return await _Story(stage, cast, say).whole()


@dataclass(slots=True)
class _Story:
    stage: Stage
    cast: Cast
    say: Say
    response: str = ""

    async def whole(self) -> str:
        feeds = await self._devices()
        await self._push()
        await self._approve()
        await self._block(feeds)
        await self._confirm()
        await self._answer()
        await self._roll_back()
        await self._report()
        return self.response

    async def _devices(self) -> list[str]:
        """Let two counties make a feed of responses for their DNS servers."""
        found = []
        for token in list(self.cast.counties.values())[:2]:
            wanted = {"format": "text", "kinds": ["domain"], "responses": True, "title": "DNS"}
            made = await self.stage.ask("POST", "/feeds", token, json=wanted)
            found.append(self.stage.address + URL(made["path_url"]).raw_path)
        await self.say(
            "Zwei Landkreise richten für ihren DNS-Server einen Einsatz-Feed ein.",
            "Two counties make a feed of responses for their DNS servers.",
        )
        return found

    async def _push(self) -> None:
        for token in list(self.cast.counties.values())[:2]:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            said = {
                "type": "indicator",
                "spec_version": "2.1",
                "id": f"indicator--{uuid.uuid4()}",
                "created": now,
                "modified": now,
                "pattern": f"[domain-name:value = '{VALUE}']",
                "pattern_type": "stix",
                "valid_from": now,
                "confidence": 80,
            }
            body = json.dumps({"objects": [said]})
            query = {"tlp": "amber"}
            await self.stage.ask("POST", "/push", token, data=body, params=query)
        await self.say(
            f"Zwei Landkreise melden unabhängig voneinander {VALUE}.",
            f"Two counties push {VALUE}, independently of each other.",
        )

        async def proposed() -> Any:
            found = await self.stage.ask("GET", "/responses", self.cast.center)
            return found["responses"]

        (one, *_) = await self.stage.until(proposed, "a rule proposes a response")
        self.response = one["id"]
        await self.say(
            f"Eine Regel schlägt einen Einsatz vor: {one['title']}.",
            f"A rule proposes a response: {one['title']}.",
        )

    async def _approve(self) -> None:
        path = f"/responses/{self.response}/approve"
        for token in self.cast.approvers:
            await self.stage.ask("POST", path, token, json={"reason": "Geprüft."})
        await self.say(
            "Zwei Personen des Zentrums geben ihn frei; er beginnt.",
            "Two people of the center approve it; it begins.",
        )

    async def _block(self, feeds: list[str]) -> None:
        await self._done("__gebraucht__", {"__gebraucht__": "nein"})

        async def put() -> bool:
            return bool(len((await self._board())["blocks"]) == len(self.cast.counties))

        await self.stage.until(put, "the value is blocked everywhere")
        await self.say(
            f"Alle {len(self.cast.counties)} Landkreise nehmen teil; {VALUE} steht auf ihren"
            " Einsatz-Feeds.",
            f"All {len(self.cast.counties)} counties take part; {VALUE} is on their feeds.",
        )

        async def fetched() -> bool:
            for url in feeds:
                async with self.stage.session.get(url) as answer:
                    await answer.read()
            board = await self._board()
            return sum(bool(one["fetched"]) for one in board["blocks"]) >= len(feeds)

        await self.stage.until(fetched, "two devices fetch their feeds")
        await self.say(
            "Zwei DNS-Server haben den Feed geholt: Dort ist die Sperre nachweislich in Kraft.",
            "Two DNS servers have fetched the feed: the block is known to be in force there.",
        )

    async def _confirm(self) -> None:
        others = dict(list(self.cast.counties.items())[2:])
        await self._done("__wirksam__", {"__wirksam__": "ja"}, others)
        board = await self._board()
        if not all(one["fetched"] or one["confirmed"] for one in board["blocks"]):
            raise StoryBroken("The block is not in force everywhere.")
        await self.say(
            "Bei den beiden anderen bestätigt es eine Person: in Kraft in allen vier Landkreisen.",
            "At the two others a person confirms it: in force in all four counties.",
        )
        first = dict(list(self.cast.counties.items())[:2])
        await self._done("__wirksam__", {"__wirksam__": "ja"}, first)

    async def _answer(self) -> None:
        hits = iter((0, 3, 1, 0))
        for name, token in self.cast.counties.items():
            await self._done("__treffer__", {"__treffer__": next(hits)}, {name: token})
        board = await self._board()
        (total,) = [one["total"] for one in board["sums"] if one["name"] == "__treffer__"]
        await self.say(
            f"Alle haben geantwortet, wie viele Systeme Verbindungen hatten: zusammen {total:.0f}.",
            f"All have answered how many systems had connections: {total:.0f} in all.",
        )

    async def _roll_back(self) -> None:
        path = f"/responses/{self.response}/rollback"
        reason = {"reason": "Die Seite ist vom Netz, die Sperre wird nicht mehr gebraucht."}
        await self.stage.ask("POST", path, self.cast.lead, json=reason)

        async def back() -> bool:
            for token in self.cast.counties.values():
                for task in await self._open(token):
                    # What is left of the way forth is called off just now.
                    with suppress(StoryBroken):
                        await self._end(token, task, {})
            found = await self.stage.ask("GET", f"/responses/{self.response}", self.cast.center)
            return str(found["shown"]["state"]) == "reverted"

        await self.stage.until(back, "the block is taken back")
        await self.say(
            "Das Zentrum nimmt den Einsatz zurück; die Sperre ist von allen Feeds.",
            "The center takes the response back; the block is off all feeds.",
        )

    async def _report(self) -> None:
        path = f"/responses/{self.response}/report"
        await self.stage.ask("GET", path, self.cast.center)
        await self.say(
            f"Der Bericht liegt bereit: {self.stage.address}/api/v1{path}.pdf",
            f"The report is there: {self.stage.address}/api/v1{path}.pdf",
        )

    async def _board(self) -> Any:
        return await self.stage.ask("GET", f"/responses/{self.response}/board", self.cast.center)

    async def _open(self, token: str) -> list[Any]:
        found = await self.stage.ask("GET", "/tasks?state=open", token)
        return [one for one in found["tasks"] if one["response"] == self.response]

    async def _done(
        self, question: str, answers: Mapping[str, Any], counties: Mapping[str, str] | None = None
    ) -> None:
        """Let counties do the task that asks a question."""
        for token in (counties or self.cast.counties).values():

            async def waiting(token: str = token) -> list[Any]:
                found = await self._open(token)
                return [one for one in found if question in one["questions"]]

            (task, *_) = await self.stage.until(waiting, f"a task asks {question}")
            await self._end(token, task, answers)

    async def _end(self, token: str, task: Any, answers: Mapping[str, Any]) -> None:
        path = f"/tasks/{task['id']}/done"
        await self.stage.ask("POST", path, token, json={"answers": dict(answers)})
