"""Measure feeds for devices against floors taken in the same run, and print a table.

    .venv/bin/python bench/feeds.py --entries 20000
    .venv/bin/python bench/feeds.py --out /tmp/table.md

One text feed of that many domains, on a fresh SQLite database that goes in the end. The bench
builds the list itself, then a server of its own builds and serves it.
"""

import argparse
import asyncio
import hashlib
import http.client
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import filling
from cybercoop.collect import device_feeds
from cybercoop.exports.building import Build, Plan, Site, State, build
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.sharing import locks
from cybercoop.store import members
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from processes import sending_still, serving
from stores import Sqlite

_CUT = Cut(("domain",))
_DAY = 86_400_000_000
_RUNS = 9
_ASKED = 2000
_AT_ONCE = 10_000
_CHANCE = random.Random(20)  # noqa: S311 - the same confidences in every run


def _rows(model: dict[str, Any], entries: int, until: int) -> Iterator[tuple[Any, ...]]:
    """Yield releases of as many domains, all like the one that the product wrote."""
    value, old_id = model["value"].encode(), model["stix_id"].encode()
    for number in range(entries):
        name = f"x{number:07x}.cybercoop-bench.net"
        stix_id = filling.given_id("feed", number)
        said = model["bytes"].replace(value, name.encode()).replace(old_id, stix_id.encode())
        own = {
            "date_added": filling.START + filling.PER_SLOT * _DAY + number * 100,
            "key": hashlib.sha256(name.encode()).digest(),
            "stix_id": stix_id,
            "value": name,
            "confidence": _CHANCE.choice((30, 50, 60, 70, 85)),
            "effective_until": until + number,
            "bytes": said,
        }
        yield tuple((model | own).values())


async def _fill(store: Sqlite, entries: int) -> tuple[str, str, str]:
    """Return database, name of the center's reader and path of the feed, with all releases in."""
    url = await store.fresh("bench_feeds")
    database, around = Database(url), Surroundings()
    try:
        template = await filling.found(database)
        async with database.write() as connection:
            org = await members.find(connection, filling.READER)
            wanted = DeviceFeed("", "", "bench", "text", _CUT)
            _, token = await device_feeds.create(connection, around, org, wanted)
    finally:
        await database.close()
    models = template.models[locks.COMMUNITY]
    model = next(one.released for one in models if one.released["kind"] == "domain")
    async with store.filling(url) as bulk:
        rows = _rows(model, entries, around.now() + 30 * _DAY)
        for part in _parts(rows):
            await bulk.load("releases", filling.RELEASE, part)
    return url, filling.READER, f"/feeds/{token}"


def _parts(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _built(url: str, folder: Path) -> tuple[float, float, Build]:
    """Build the list from nothing, as a server does; return its seconds, and those of work."""
    site = Site(url, folder, "Messstand", threading.Event())
    plan = Plan("text", _CUT, (locks.COMMUNITY, locks.PUBLIC))
    start, worked = time.perf_counter(), time.process_time()
    made = build(site, plan, State({}, (), 0), Surroundings().now(), None)
    return time.perf_counter() - start, time.process_time() - worked, made


def _fetch(
    port: int, path: str, runs: int, body: bytes | None = None, **headers: str
) -> tuple[list[float], http.client.HTTPResponse, bytes]:
    """Ask again and again on one connection; return the seconds, and the last answer."""
    seconds = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        if body is not None:
            connection.request("PUT", path, body)
            connection.getresponse().read()
        for _ in range(runs):
            start = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            seconds.append(time.perf_counter() - start)
    return seconds, answer, content


def _worked(pid: int) -> float:
    """Return the seconds that a process has kept a core busy, all threads together."""
    said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def _first(port: int, path: str) -> tuple[float, http.client.HTTPResponse, bytes]:
    """Ask until the server has built the list; return all of the seconds."""
    start = time.perf_counter()
    while True:
        _, answer, content = _fetch(port, path, 1)
        if answer.status == http.client.OK:
            return time.perf_counter() - start, answer, content
        if answer.status != http.client.SERVICE_UNAVAILABLE:
            raise RuntimeError(f"The server answers {answer.status}, {content[:200]!r}.")
        time.sleep(0.2)


def _measured(url: str, path: str, entries: int) -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="cybercoop-bench-feeds-") as folder:
        rebuilt, work, made = _built(url, Path(folder))
    if made.record.count < entries:
        raise RuntimeError(f"Only {made.record.count} of {entries} entries are listed.")
    (file,) = made.files.values()
    plain = bytes(file.plain)
    with serving(url, projects=False) as server, sending_still() as still:
        first, answer, content = _first(server.port, path)
        if content != plain:
            raise RuntimeError(f"The server lists something else: {content[:200]!r}.")
        ours, floor = [], []
        for _ in range(_RUNS):
            ours += _fetch(server.port, path, 1)[0]
            floor += _fetch(still.port, "/list", 1, plain)[0]
        tag = answer.headers["ETag"]
        worked = _worked(server.pid)
        known, unchanged, _ = _fetch(server.port, path, _ASKED, None, **{"If-None-Match": tag})
        spent = (_worked(server.pid) - worked) / _ASKED
        if unchanged.status != http.client.NOT_MODIFIED:
            raise RuntimeError(f"The server answers {unchanged.status} to what it gave before.")
        held = server.resident()
    return _table(entries, (rebuilt, work, first), (ours, floor, known, [spent]), len(plain), held)


def _table(
    entries: int,
    built: tuple[float, float, float],
    timed: Sequence[Sequence[float]],
    size: int,
    held: float,
) -> list[tuple[str, ...]]:
    rebuilt, work, first = built
    ours, floor, known, spent = map(statistics.median, timed)
    ratio = floor / ours

    def met(is_met: Callable[[], bool]) -> str:
        return "yes" if is_met() else "**no**"

    return [
        ("measure", "ours", "floor", "target", "met"),
        ("---",) * 5,
        (
            *(f"text feed of {entries:,} rebuilt", f"{rebuilt:.2f} s ({work:.2f} s of work)", ""),
            *("< 10 s", met(lambda: rebuilt < 10)),
        ),
        ("first fetch of it, built by the server", f"{first:.2f} s", "", "", ""),
        (
            *(f"served from cache, {size / 1e6:.1f} MB", f"{ours * 1000:.2f} ms"),
            *(f"{floor * 1000:.2f} ms", f"ratio ≥ 0.5: {ratio:.2f}", met(lambda: ratio >= 0.5)),
        ),
        (
            *("304, work of the server", f"{spent * 1000:.2f} ms", ""),
            *("< 1 ms", met(lambda: spent < 0.001)),
        ),
        ("304, as the client sees it", f"{known * 1000:.2f} ms", "", "", ""),
        ("memory of the server afterwards", f"{held:.0f} MiB", "", "", ""),
    ]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, help="write the table there as well")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cybercoop-bench-feeds-") as folder:
        url, _, path = asyncio.run(_fill(Sqlite(Path(folder)), chosen.entries))
        print(f"load before: {os.getloadavg()[0]:.1f}\n")
        table = _measured(url, path, chosen.entries)
    text = "\n".join("| " + " | ".join(line) + " |" for line in table) + "\n"
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
