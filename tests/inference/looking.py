"""All that one reader can observe: documents, pages, lists, headers, errors."""

import json
from collections.abc import Awaitable, Callable, Iterable

from cybercoop.exports.serving import Shelf
from inference import bodies
from inference.acts import GROUPS, HELD, PASSING, VALUES
from world import Answer, Seat, World, indicator

_SHELVES = (
    *("feed-public", "feed-community"),
    *(f"feed-{name}{end}" for name in (*GROUPS, "members") for end in ("", "-strict")),
)
_OWN = ("/api/v1/unreleased", "/api/v1/exceptions")
_LISTS = ("incidents", "reports-due", "responses", "tasks", "playbooks", "notices")
_PARTS = {
    "response": ("", "/log", "/board", "/report", "/report.stix"),
    "task": ("",),
    "incident": ("", "/stix"),
    "playbook": ("",),
}
_JSON = {"Content-Type": "application/json"}


class Eyes:
    """What one reader saw of one run, as text; he looks through every door."""

    def __init__(self, center: World, reader: str, feeds: tuple[str, ...], shelf: Shelf) -> None:
        self.center, self.reader, self.feeds, self.shelf = center, reader, feeds, shelf
        self.seen: list[str] = []
        self._statuses: list[str] = []
        self._held: dict[str, dict[str, str]] = {}

    def note(self, who: str, answer: Answer) -> None:
        """Remember an answer if it is the reader's."""
        if who == self.reader:
            kept = {name: text for name, text in sorted(answer.headers.items()) if name != "Date"}
            self.seen.append(f"{answer.status} {json.dumps(kept)} {answer.body.decode()}")

    def posted(self, answer: Answer) -> None:
        """Remember the answer to a push of the reader, and ask for its status later."""
        self._statuses.append(answer.json["id"])
        self.note(self.reader, answer)

    async def look(self, ids: list[str]) -> None:
        """Let the reader see all that he can; ``ids`` are some that the center gave."""
        chance = self.center.chance
        chance._seed, chance._drawn = f"look {self.center.clock.now}", 0
        seat = self.center.seats.get(self.reader)
        root = "/taxii2/coop/" if seat else "/taxii2/public/"
        for path in ("/taxii2/", root, f"{root}collections/", *_OWN):
            await self._get(path, seat)
        for shelf in ("feed", "contributions"):
            await self._walk(f"{root}collections/{shelf}/", seat)
        for shelf in _SHELVES:
            every = {"match[version]": "all"}
            await self._get(f"{root}collections/{shelf}/objects/", seat, **every)
        for status in self._statuses:
            await self._get(f"{root}status/{status}/", seat)
        for stix_id in (bodies.identifier("s0"), *ids):
            await self._get(f"{root}collections/feed/objects/{stix_id}/", seat)
        await self._ask(seat)
        await self._fetch()

    async def look_around(
        self,
        rooms: Iterable[tuple[str, str]],
        blocked: str | None,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        """Let the reader into the rooms; he guesses at the ids of all that is in them.

        ``settle`` waits until it is noted that a look has reached him: he sees that in the next.
        """
        seat = self.center.seats.get(self.reader)
        for path in _LISTS:
            await self._get(f"/api/v1/{path}", seat)
            await settle()
        for kind, one in rooms:
            for part in _PARTS[kind]:
                await self._get(f"/api/v1/{kind}s/{one}{part}", seat)
                await settle()
        if blocked:
            await self._get(blocked, seat)

    async def _ask(self, seat: Seat | None) -> None:
        dry = indicator(bodies.pattern(PASSING), "green", id=bodies.identifier("s1"))
        options = {"params": {"dry_run": "1"}, "data": bodies.envelope(dry)}
        self.note(self.reader, await self.center.request("POST", "/api/v1/push", seat, **options))
        values = [*VALUES, VALUES[HELD].replace("/20", "/32"), "www.evil.example"]
        asked = {"data": json.dumps({"values": values}), "headers": _JSON}
        self.note(self.reader, await self.center.request("POST", "/api/v1/lookup", seat, **asked))

    async def _fetch(self) -> None:
        """Let the reader's devices fetch their lists, whatever has changed behind them."""
        for plan, kept in self.shelf._kept.items():
            self.shelf._kept[plan] = type(kept)(kept.build, 0, 0)
        await self.shelf.look()
        for path in self.feeds:
            known = self._held.get(path, {})
            answer = await self.center.request("GET", path, headers=known)
            self.note(self.reader, answer)
            if "ETag" in answer.headers:
                self._held[path] = {
                    "If-None-Match": answer.headers["ETag"],
                    "If-Modified-Since": answer.headers["Last-Modified"],
                }

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
        self.note(self.reader, answer)
        return answer
