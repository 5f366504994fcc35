"""From the first POST until a reader has everything: client, server, projector and reader.

The floor are the same contributions and releases, written plainly one after the other.
"""

import asyncio
import random
import statistics
import time

import aiohttp
import msgspec

import filling
import prepared
from cybercoop import client
from cybercoop.collect.projector import SHARE
from cybercoop.stix import times
from floors import Floor, floor
from measures import BATCH, Advance, Result, Size, parts
from prepared import Prepared
from processes import serving
from stores import Store
from values import envelope, indicator

_NEW = 0x5000000
_POLL = 0.05
_PATIENCE = 300
_LEAST = 5000
_WARM = 1000


async def becoming_visible(store: Store, size: Size, big: Prepared, advance: Advance) -> Result:
    """Measure indicators per second from the first POST until all stand in a reader's feed.

    Run by run in turn with the floor, so that whatever else the machine does falls on both.
    """
    url = await store.copy(big.name, "bench_visible")
    other = await store.copy(big.name, "bench_floor")
    writer = await prepared.token(url, filling.OTHER)
    reader = await prepared.token(url, filling.READER)
    known = random.Random(7).sample(big.known(), size.runs * size.pushed // 2 + _WARM)  # noqa: S311 - places
    rates, taken, plain = [], [], []
    with serving(url, projects=True) as server:
        async with floor(url) as read, floor(other) as write:
            at = 0
            for run in range(size.runs + 1):
                count = size.pushed if run else _WARM
                half = known[at : at + count // 2]
                at += len(half)
                fresh = range(_NEW + run * size.pushed, _NEW + run * size.pushed + count // 2)
                race = _Race(server.address, writer, reader, [*half, *fresh])
                visible, pushed = await race.run()
                seconds = await _plainly(read, write, count)
                advance(count)
                if run:
                    rates.append(count / visible)
                    taken.append(count / pushed)
                    plain.append(count / seconds)
    for name in ("bench_visible", "bench_floor"):
        await store.remove(name)
    rate = statistics.median(rates)
    return Result(
        store.name,
        f"push of {size.pushed:,} until visible, half of them known, into {size.releases:,}",
        f"{rate:,.0f}/s (taken at {statistics.median(taken):,.0f}/s)",
        f"{statistics.median(plain):,.0f}/s",
        statistics.median(a / b for a, b in zip(rates, plain, strict=True)),
        f"≥ {_LEAST:,}/s (goal 10,000)",
        rate >= _LEAST,
    )


async def _plainly(read: Floor, write: Floor, count: int) -> float:
    """Write into another copy what came of the last race; return the seconds."""
    given, released = await read.contributions(count), await read.releases(count)
    seconds = [await write.write(part) for part in parts(given, BATCH)]
    seconds += [await write.release(part) for part in parts(released, SHARE)]
    return sum(seconds)


class _Race:
    """Hold one push and the reader who waits for it."""

    def __init__(self, address: str, writer: str, reader: str, numbers: list[int]) -> None:
        random.Random(3).shuffle(numbers)  # noqa: S311 - an order, no secret
        self._address, self._writer, self._count = address, writer, len(numbers)
        self._headers = {"Authorization": f"Bearer {reader}"}
        whole = envelope(indicator(filling.OTHER, one) for one in numbers)
        self._batches = list(client.batches("bench", whole))

    async def run(self) -> tuple[float, float]:
        """Return the seconds until all is visible, and until all is taken."""
        async with aiohttp.ClientSession(self._address, headers=self._headers) as session:
            after = times.text(time.time_ns() // 1000)
            start = time.perf_counter()
            async with asyncio.timeout(_PATIENCE), asyncio.TaskGroup() as group:
                pushed = group.create_task(self._push(start))
                await self._read(session, after)
                visible = time.perf_counter() - start
            return visible, pushed.result()

    async def _push(self, start: float) -> float:
        answers = client.push(self._address, self._writer, {"tlp": "green"}, self._batches)
        outcomes = {one["outcome"] async for _, said in answers for one in said["verdicts"]}
        seconds = time.perf_counter() - start
        if outcomes != {"accepted"}:
            raise RuntimeError(f"Not all was accepted: {outcomes}")
        return seconds

    async def _read(self, session: aiohttp.ClientSession, after: str) -> None:
        """Poll every 50 ms, going on at once while there is more."""
        seen: set[bytes] = set()
        while len(seen) < self._count:
            body, last = await _page(session, after)
            objects = body.get("objects", ())
            seen |= {one["id"] for one in objects if one["type"] == "indicator"}
            after = last if objects else after
            if not body.get("more"):
                await asyncio.sleep(_POLL)


async def _page(session: aiohttp.ClientSession, after: str) -> tuple[dict[str, object], str]:
    path = "/taxii2/coop/collections/feed/objects/"
    async with session.get(path, params={"added_after": after}) as response:
        response.raise_for_status()
        content = await response.read()
        return msgspec.json.decode(content), response.headers["X-TAXII-Date-Added-Last"]
