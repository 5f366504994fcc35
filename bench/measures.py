"""What is measured: pushing, becoming visible, pages, depth, memory."""

import random
import statistics
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import filling
import prepared
import wire
from cybercoop.stix import times
from floors import Floor, floor
from prepared import Prepared
from processes import Server, sending_still, serving
from stores import Store
from values import envelope, indicator

BATCH = 500
PAGE = 1000
READERS = 8
_MOST_MEMORY = 250
_NEW = 0x4000000
"""Numbers from here on are values that no store of the bench knows."""

_CHANCE = random.Random(20)  # noqa: S311 - the same places in every run


@dataclass(frozen=True, slots=True)
class Size:
    """Hold how much is done; ``runs`` of the writing measures, ``pages`` of the reading ones."""

    releases: int
    small: int
    pushed: int
    runs: int
    pages: int
    walked: int


@dataclass(frozen=True, slots=True)
class Result:
    """Hold one line of the table."""

    database: str
    measure: str
    ours: str
    floor: str
    ratio: float | None
    target: str
    met: bool


Advance = Callable[[int], None]


async def pushing(store: Store, size: Size, advance: Advance) -> Result:
    """Measure what a POST of 500 costs until it is durable, against the same rows inserted.

    Run by run in turn, so that whatever else the machine does falls on both.
    """
    url = await prepared.found_only(store, "bench_push")
    empty = await prepared.found_only(store, "bench_floor")
    token = await prepared.token(url, filling.OTHER)
    ours, plain = [], []
    with serving(url, projects=False) as server, wire.line(server.port, token) as line:
        async with floor(url) as read, floor(empty) as write:
            for run in range(size.runs + 1):
                start = _NEW + run * size.pushed
                ours.append(size.pushed / _posted(line, range(start, start + size.pushed)))
                rows = await read.contributions(size.pushed)
                seconds = [await write.write(part) for part in parts(rows, BATCH)]
                plain.append(size.pushed / sum(seconds))
                advance(size.pushed)
    for name in ("bench_push", "bench_floor"):
        await store.remove(name)
    # The first run warms up.
    ratio = statistics.median(a / b for a, b in zip(ours[1:], plain[1:], strict=True))
    return Result(
        store.name,
        f"durable push, batches of {BATCH}",
        f"{statistics.median(ours[1:]):,.0f}/s",
        f"{statistics.median(plain[1:]):,.0f}/s",
        ratio,
        "ratio ≥ 0.25",
        ratio >= 0.25,
    )


def _posted(line: wire.Line, numbers: range) -> float:
    objects = [indicator(filling.OTHER, number) for number in numbers]
    seconds = 0.0
    for part in parts(objects, BATCH):
        answer = line.ask("POST", f"{wire.COLLECTIONS}/contributions/objects/", envelope(part))
        seconds += answer.seconds
        if answer.json["success_count"] != BATCH:
            raise RuntimeError(f"Not all was taken: {answer.body[:500]!r}")
    return seconds


def parts(values: Sequence, count: int) -> list:
    """Cut values into lists of ``count``."""
    return [values[start : start + count] for start in range(0, len(values), count)]


async def reading(
    store: Store, size: Size, big: Prepared, small: Prepared, advance: Advance
) -> list[Result]:
    """Measure pages against reading and sending plainly, their depth, and the memory in the end."""
    url = await store.copy(big.name, "bench_read")
    less = await store.copy(small.name, "bench_small")
    token, other = [await prepared.token(one, filling.READER) for one in (url, less)]
    with (
        serving(url, projects=False) as server,
        serving(less, projects=False) as second,
        sending_still() as still,
        wire.line(server.port, token) as line,
        wire.line(second.port, other) as short,
        wire.line(still.port) as plain,
    ):
        async with floor(url) as driver, floor(less) as beside:
            stamps, fewer = await driver.stamps(), await beside.stamps()
            seen = _walked(line, size.walked, advance)
            pages = await _pages(store, size, Readings(line, plain, driver, stamps, big), advance)
            depth = _depth(store, size, (line, stamps), (short, fewer), advance)
        memory = [_memory(store, "one reader", server, seen)]
        _crowd(server, token, stamps, size)
        memory.append(_memory(store, f"{READERS} readers at once", server, seen))
    await store.remove("bench_read")
    await store.remove("bench_small")
    return [*pages, depth, *memory]


def _walked(line: wire.Line, most: int, advance: Advance) -> int:
    """Follow the feed from its start as a reader does, which also warms everything up."""
    count = 0
    for answer in islice(line.walk("feed"), most):
        count += answer.body.count(b'"id":"indicator--')
        advance(1)
    return count


Timed = tuple[float, float, float]
"""Seconds of a page, and of both parts of its floor."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Hold what pages are read with: the server, the still server, the driver.

    Who reads second finds in memory what the first one fetched, so they take turns.
    """

    line: wire.Line
    plain: wire.Line
    driver: Floor
    stamps: Sequence[int]
    store: Prepared

    async def everything(self, at: int, *, floor_first: bool) -> Timed:
        """Time the page that begins at the ``at``-th release, and both parts of its floor."""
        first, last = self.stamps[at], self.stamps[at + PAGE - 1]
        page = partial(self.line.page, "feed", added_after=times.text(first - 1))
        return await self._timed(page, partial(self.driver.between, first, last), floor_first)

    async def of_group(self, stamps: Sequence[int], *, floor_first: bool) -> Timed:
        """Time the page of a reader who holds the lock of the group alone."""
        alias = f"feed-{self.store.template.group.id}"
        page = partial(self.line.page, alias, added_after=times.text(stamps[0] - 1))
        return await self._timed(page, partial(self.driver.chosen, stamps), floor_first)

    async def _timed(
        self,
        page: Callable[[], wire.Answer],
        driver: Callable[[], Awaitable[tuple[float, list[bytes]]]],
        floor_first: bool,
    ) -> Timed:
        before = await driver() if floor_first else None
        ours = page()
        read, rows = before or await driver()
        return ours.seconds, read, self._sent(ours.body, rows)

    def _sent(self, body: bytes, rows: Sequence[bytes]) -> float:
        if not body.endswith(b",".join(rows) + b"]}"):
            raise RuntimeError("The floor reads other rows than the server serves.")
        self.plain.ask("PUT", "/page", body)
        return self.plain.ask("GET", "/page").seconds


async def _pages(store: Store, size: Size, readings: Readings, advance: Advance) -> list[Result]:
    group = (await readings.driver.stamps(readings.store.template.lock))[-PAGE:]
    everything, of_group = [], []
    for number in range(size.pages):
        at, turn = _CHANCE.randrange(len(readings.stamps) - PAGE), number % 2 == 0
        everything.append(await readings.everything(at, floor_first=turn))
        of_group.append(await readings.of_group(group, floor_first=turn))
        advance(2)
    share = len(group) / len(readings.stamps)
    return [
        _of_pages(store, f"page of {PAGE}, reader of everything", everything[2:]),
        _of_pages(store, f"page of {PAGE}, reader of {share:.1%}", of_group[2:]),
    ]


def _of_pages(store: Store, name: str, timed: Sequence[Timed]) -> Result:
    ours, read, sent = (statistics.median(one) for one in zip(*timed, strict=True))
    ratio = (read + sent) / ours
    return Result(
        store.name,
        name,
        f"{ours * 1000:.2f} ms",
        f"{read * 1000:.2f} + {sent * 1000:.2f} ms",
        ratio,
        "ratio ≥ 0.4",
        ratio >= 0.4,
    )


Side = tuple[wire.Line, Sequence[int]]


def _depth(store: Store, size: Size, big: Side, small: Side, advance: Advance) -> Result:
    """Measure the first, middle and last page of a large store and of a small one."""
    timed: dict[str, list[float]] = {}
    for _ in range(size.pages):
        for name, (line, stamps) in (("", big), ("small ", small)):
            places = {"first": 0, "middle": len(stamps) // 2, "last": len(stamps) - PAGE}
            for place, at in places.items():
                answer = line.page("feed", added_after=times.text(stamps[at] - 1))
                timed.setdefault(name + place, []).append(answer.seconds)
        advance(6)
    found = {name: statistics.median(some[2:]) * 1000 for name, some in timed.items()}
    little = statistics.median(found[f"small {place}"] for place in ("first", "middle", "last"))
    deep = {place: found[place] for place in ("first", "middle", "last")}
    ratio = max(little, *deep.values()) / min(little, *deep.values())
    return Result(
        store.name,
        f"p50 of the first, middle, last page of {size.releases:,}",
        " / ".join(f"{one:.2f}" for one in deep.values()) + " ms",
        f"{little:.2f} ms ({size.small:,} releases)",
        ratio,
        "spread ≤ 1.3",
        ratio <= 1.3,
    )


def _memory(store: Store, who: str, server: Server, seen: int) -> Result:
    held = server.resident()
    return Result(
        store.name,
        f"memory of the web process after {seen:,} objects, {who}",
        f"{held:.0f} MiB",
        "",
        None,
        f"< {_MOST_MEMORY} MB",
        held * 2**20 < _MOST_MEMORY * 10**6,
    )


def _crowd(server: Server, token: str, stamps: Sequence[int], size: Size) -> None:
    def read(number: int) -> None:
        with wire.line(server.port, token) as line:
            for _ in range(size.pages):
                at = (number * 7919 + _ * PAGE) % (len(stamps) - PAGE)
                line.page("feed", added_after=times.text(stamps[at] - 1))

    with ThreadPoolExecutor(READERS) as threads:
        list(threads.map(read, range(READERS)))
