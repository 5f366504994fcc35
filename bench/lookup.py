"""Measure looking 10,000 values up against the same keys asked plainly by the driver.

    .venv/bin/python bench/lookup.py --releases 20000
    .venv/bin/python bench/lookup.py --database both

Half of the values are listed, and each is looked up with all that may cover it, and with whether
the feeds of the asker's devices carry it: one of each plain kind, and one that ends early and that
no device has fetched yet. The store is the one of bench/exchange.py, prepared in --cache. The best
run counts: what else the machine does only ever adds to it.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence

import asyncpg
import msgspec

import filling
import prepared
import wire
from choosing import alone, kinds, parser, store_of
from cybercoop.collect import device_feeds, looking_up
from cybercoop.collect.recognising import recognised
from cybercoop.members.device_feeds import Cut, DeviceFeed
from cybercoop.store import members
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings
from processes import serving
from stores import Store, opened
from values import pattern

COUNT = 10_000
MOST_SECONDS = 1.0
_RUNS = 7
_UNKNOWN = 0x4000000
_LATER = 4_000_000_000_000_000


def values(releases: int) -> list[str]:
    """Return values as people write them: every second one is listed, all kinds in turn."""
    # Odd and no multiple of the five kinds, so that all of them are among the listed ones.
    step = max(releases * 2 // COUNT - 1, 1)
    numbers = [
        number // 2 * step % releases if number % 2 else _UNKNOWN + number
        for number in range(COUNT)
    ]
    return [pattern(number).partition("= '")[2].removesuffix("']") for number in numbers]


def keys(asked: Sequence[str]) -> list[bytes]:
    """Return the keys that the center looks for, covers included."""
    found: set[bytes] = set()
    for text in asked:
        found.update(looking_up.keys_for(*recognised(text)))
    return list(found)


async def last_longer(url: str, wanted: Sequence[bytes]) -> None:
    """Let what is looked up be listed still, whatever day the bench is run on."""
    if url.startswith("sqlite"):
        connection = opened(url)
        rows = [(_LATER, key) for key in wanted]
        connection.execute("BEGIN")
        statement = "UPDATE releases SET effective_until = ? WHERE head = 1 AND key = ?"
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
        connection.close()
        return
    postgres = await asyncpg.connect(url)
    await postgres.execute(
        "UPDATE releases SET effective_until = $1 WHERE key = ANY($2)", _LATER, wanted
    )
    await postgres.execute("VACUUM ANALYZE releases")
    await postgres.close()


async def with_feeds(url: str, county: str) -> None:
    """Give a county the feeds that it would have for a firewall, a name server and a SIEM."""
    around, database = Surroundings(), Database(url)
    some = [("text", Cut((kind,), 50)) for kind in ("ipv4", "domain", "url", "sha256")]
    some += [("rpz", Cut(("domain", "ipv4"))), ("csv", Cut(("domain", "ipv4", "url")))]
    some.append(("text", Cut(("ipv4",), most=128_000)))
    try:
        async with database.write() as connection:
            org = await members.find(connection, county)
            for name, cut in some:
                wanted = DeviceFeed("", "", name, name, cut)
                await device_feeds.create(connection, around, org, wanted)
    finally:
        await database.close()


async def plainly(url: str, wanted: Sequence[bytes]) -> list[float]:
    """Return the seconds that the driver takes for the bytes at these keys, run by run."""
    seconds = []
    if url.startswith("sqlite"):
        connection = opened(url)
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT bytes FROM releases WHERE head = 1 AND key IN ({marks})"  # noqa: S608 - only marks
        for _ in range(_RUNS):
            start = time.perf_counter()
            connection.execute(query, wanted).fetchall()
            seconds.append(time.perf_counter() - start)
        connection.close()
        return seconds
    postgres = await asyncpg.connect(url)
    for _ in range(_RUNS):
        start = time.perf_counter()
        await postgres.fetch("SELECT bytes FROM releases WHERE head AND key = ANY($1)", wanted)
        seconds.append(time.perf_counter() - start)
    await postgres.close()
    return seconds


def over_http(url: str, token: str, asked: Sequence[str]) -> list[float]:
    """Return the seconds of each request, after one that warms up."""
    body = msgspec.json.encode({"values": asked})
    with serving(url, projects=False) as server, wire.line(server.port, token) as line:
        answers = [line.ask("POST", "/api/v1/lookup", body) for _ in range(_RUNS + 1)]
    listed = sum(one["listed"] for one in answers[-1].json["values"])
    if listed != COUNT // 2:
        raise RuntimeError(f"{listed} values are listed, not {COUNT // 2}.")
    return [one.seconds for one in answers[1:]]


async def measure(store: Store, releases: int) -> bool:
    """Print one line, and say whether the limit is kept."""
    ready = await prepared.prepare(store, releases, lambda _: None)
    url = await store.copy(ready.name, "bench_lookup")
    token = await prepared.token(url, filling.FIRST)
    await with_feeds(url, filling.FIRST)
    asked = values(releases)
    wanted = keys(asked)
    await last_longer(url, wanted)
    floor = await plainly(url, wanted)
    ours = await asyncio.to_thread(over_http, url, token, asked)
    await store.remove("bench_lookup")
    best = min(ours)
    print(
        f"{store.name}: {COUNT} values ({len(wanted)} keys) of {releases} releases in {best:.2f} s"
        f" (median {statistics.median(ours):.2f}), driver alone {min(floor):.2f} s"
        f" (median {statistics.median(floor):.2f}), load {os.getloadavg()[0]:.1f};"
        f" limit {MOST_SECONDS} s, kept: {best < MOST_SECONDS}"
    )
    return best < MOST_SECONDS


def main() -> None:
    """Measure what was asked for, alone on this cache."""
    about = parser(__doc__)
    about.add_argument("--releases", type=int, default=1_000_000, help="a multiple of 10,000")
    chosen = about.parse_args()
    kept = []
    with alone(chosen.cache):
        for kind in kinds(chosen.database):
            with store_of(kind, chosen.cache) as store:
                kept.append(asyncio.run(measure(store, chosen.releases)))
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
