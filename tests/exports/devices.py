"""A center with devices: feeds over real HTTP, looked after when the test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aiohttp import web

from cybercoop import app as house
from cybercoop.collect import device_feeds
from cybercoop.config import Settings
from cybercoop.exports import formats
from cybercoop.exports.routes import SHELF
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.store import members
from world import Answer, Seat, World, indicator, world

VALUES = {
    "domain": "[domain-name:value = 'boese.example']",
    "ipv4": "[ipv4-addr:value = '11.22.33.44']",
    "ipv6": "[ipv6-addr:value = '2a0c:9a40::7']",
    "url": "[url:value = 'https://boese.example:8443/a?b=c']",
    "email": "[email-addr:value = 'post@boese.example']",
    "md5": f"[file:hashes.MD5 = '{'a1' * 16}']",
    "sha1": f"[file:hashes.'SHA-1' = '{'a1' * 20}']",
    "sha256": f"[file:hashes.'SHA-256' = '{'a1' * 32}']",
    "sha512": f"[file:hashes.'SHA-512' = '{'a1' * 64}']",
}


@dataclass
class Feed:
    """One feed, its newest token, and where it is fetched."""

    feed: DeviceFeed
    token: str

    @property
    def path(self) -> str:
        return f"/feeds/{self.token}"

    @property
    def by_id(self) -> str:
        return f"/feeds/{self.feed.id}"


@dataclass
class Devices:
    """The door for devices of a world."""

    center: World
    app: web.Application
    settings: Settings
    address: str

    async def feed(self, seat: Seat, *kinds: str, format_name: str = "text", **more: Any) -> Feed:
        """Make a feed; ``more`` are fields of its cut, ``addresses`` and the like."""
        allowed = [ip_network(one) for one in more.pop("addresses", ())]
        hours, responses = more.pop("alarm_hours", 24), more.pop("responses", False)
        cut = Cut(kinds or ("domain",), **more)
        said = (format_name, cut, None, tuple(allowed), hours)
        wanted = DeviceFeed("", "", "Test", *said, responses=responses)
        async with self.center.database.write() as connection:
            org = await members.find(connection, seat.org.id)
            made = await device_feeds.create(connection, self.center.surroundings, org, wanted)
        return Feed(*made)

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request as a device does, without any token that it is not given."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        named.setdefault("Accept-Encoding", "identity")
        async with self.center.session.request(
            method,
            self.address + path,
            headers=named,
            allow_redirects=False,
            auto_decompress=False,
        ) as got:
            return Answer(got.status, got.headers, await got.read())

    async def lines(self, feed: Feed) -> list[str]:
        """Return the lines of a feed."""
        answer = await self.ask(feed.path)
        assert answer.status == 200, answer.body
        return answer.body.decode().splitlines()

    async def push(self, seat: Seat, *values: str, tlp: str = "green", **more: Any) -> None:
        """Let an organisation push indicators, and everything be released and looked after."""
        objects = [indicator(value, tlp, **more) for value in values]
        verdicts = await self.center.push(seat, objects)
        assert {one["outcome"] for one in verdicts} == {"accepted"}, verdicts
        await self.settle()

    async def settle(self) -> None:
        """Release what is pending, and look after the feeds."""
        await self.center.project()
        await self.look()

    async def look(self) -> None:
        """Look after the feeds now, whatever pace large lists keep."""
        shelf = self.app[SHELF]
        for plan, kept in shelf._kept.items():
            shelf._kept[plan] = replace(kept, rests_until=0)
        await shelf.look()


@asynccontextmanager
async def devices(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Devices]:
    """Found a center and open its door for devices."""
    async with world(database_url, folder) as center:
        chosen = Settings(
            data=folder / "state", database=database_url, listen="127.0.0.1:0", **settings
        )
        async with door(center, chosen) as lent:
            yield lent


@asynccontextmanager
async def door(center: World, settings: Settings) -> AsyncIterator[Devices]:
    """Open another door for devices, as another process of the center would."""
    app = house.make_app(
        center.database, center.center, settings, center.surroundings, lambda: None
    )
    house.add_doors(app, center.center, "Testzentrum")
    async with house.listening(app, settings) as (host, port):
        yield Devices(center, app, settings, f"http://{host}:{port}")


def kinds_of(format_name: str) -> tuple[str, ...]:
    """Return the kinds of a feed in that format: one where the format wants one."""
    found = formats.found()[format_name]
    kinds = sorted(found.kinds)
    return tuple(kinds[:1] if found.one_kind else kinds)
