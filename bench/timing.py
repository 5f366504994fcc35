"""Ask whether the time of an answer tells a reader what the answer itself does not.

    .venv/bin/python bench/timing.py
    .venv/bin/python bench/timing.py --database both --rounds 10

Each line asks for what stands under a lock that the asker cannot open, and for what nobody has, one
pair after the other in changing order. The bodies must be alike. Printed are both medians and the
median of the differences with its 99.9 % interval (by ranks, so no distribution is supposed). Where
zero lies outside of it and the difference is more than a hundredth, time tells something.
"""

import asyncio
import random
import statistics
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

import filling
import prepared
import wire
from choosing import alone, kinds, parser, store_of
from processes import serving
from stores import Store
from values import given_id

RELEASES = 10_000
PAIRS = 500
_Z = 3.29
"""Standard deviations of 99.9 %."""

_TELLS = 0.01
_FEED = f"{wire.COLLECTIONS}/feed"
_OWN = f"{wire.COLLECTIONS}/contributions"
_MISSING = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what is asked, with names of what is closed to the asker and of what nobody has."""

    title: str
    closed: Sequence[str]
    nobodys: Sequence[str]
    ask: Callable[[wire.Line, str], wire.Answer]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold medians and differences, in microseconds."""

    closed: float
    nobodys: float
    difference: float
    least: float
    most: float

    @property
    def tells(self) -> bool:
        """Say whether the difference is no chance, and large enough to be of use."""
        return self.least * self.most > 0 and abs(self.difference) > _TELLS * self.nobodys


def questions(line: wire.Line) -> Iterator[Question]:
    """Yield what is asked; ``line`` is that of somebody who can open everything."""
    listed = line.ask("GET", f"{wire.COLLECTIONS}/").json["collections"]
    (group,) = [
        one["id"]
        for one in listed
        if one.get("alias", "").startswith("feed-")
        and one["alias"] not in {"feed-public", "feed-community"}
        and not one["alias"].startswith("feed-members")
        and not one["alias"].endswith("-strict")
    ]
    objects = [one for one in line.page(group).json["objects"] if one["type"] == "indicator"]
    ids, chance = [one["id"] for one in objects[:PAIRS]], random.Random(5)  # noqa: S311 - made up
    made_up = [str(uuid.UUID(int=chance.getrandbits(128), version=5)) for _ in ids]
    no_ids = [f"indicator--{one}" for one in made_up]
    values = [one["pattern"].partition("= '")[2].removesuffix("']") for one in objects[:PAIRS]]
    no_values = [_other(value, chance) for value in values]
    # The same path again and again is read more quickly than ever new ones.
    yield Question("a collection", [group] * PAIRS, made_up[:1] * PAIRS, _collection)
    yield Question("a release by its id", ids, no_ids, _by_path)
    yield Question("a release by match[id]", ids, no_ids, _by_match)
    yield Question("a value", values, no_values, _value)
    given = [given_id(filling.FIRST, number) for number in range(PAIRS)]
    yield Question("what another has given", given, no_ids, _given)


def _other(value: str, chance: random.Random) -> str:
    """Return a value of the same form and length that nobody has."""
    digits = [at for at, one in enumerate(value) if one in "0123456789abcdef"][-8:]
    if value.replace(".", "").isdecimal():
        return f"203.0.{chance.randrange(256)}.{chance.randrange(256)}"
    changed = list(value)
    for at in digits:
        changed[at] = chance.choice("0123456789")
    return "".join(changed)


def _collection(line: wire.Line, name: str) -> wire.Answer:
    return line.ask("GET", f"{wire.COLLECTIONS}/{name}/objects/", expected=_MISSING)


def _by_path(line: wire.Line, name: str) -> wire.Answer:
    return line.ask("GET", f"{_FEED}/objects/{name}/", expected=_MISSING)


def _by_match(line: wire.Line, name: str) -> wire.Answer:
    return line.ask("GET", f"{_FEED}/objects/?match[id]={name}")


def _value(line: wire.Line, name: str) -> wire.Answer:
    return line.ask("POST", "/api/v1/lookup", msgspec.json.encode({"values": [name]}))


def _given(line: wire.Line, name: str) -> wire.Answer:
    return line.ask("GET", f"{_OWN}/objects/{name}/", expected=_MISSING)


def asked(line: wire.Line, question: Question, rounds: int) -> Found:
    """Ask all pairs several times; raise RuntimeError where two answers differ."""
    closed, nobodys = list[float](), list[float]()
    chance = random.Random(11)  # noqa: S311 - an order
    for number in range(rounds + 1):
        for pair in zip(question.closed, question.nobodys, strict=True):
            swapped = chance.random() < 0.5
            first, second = [question.ask(line, one) for one in (pair[::-1] if swapped else pair)]
            one, other = (second, first) if swapped else (first, second)
            if one.body.replace(pair[0].encode(), b"") != other.body.replace(pair[1].encode(), b""):
                raise RuntimeError(f"{question.title}: {one.body[:200]!r}, {other.body[:200]!r}")
            if number:  # the first round warms up
                closed.append(one.seconds * 1e6)
                nobodys.append(other.seconds * 1e6)
    differences = sorted(one - other for one, other in zip(closed, nobodys, strict=True))
    aside = round(_Z * len(differences) ** 0.5 / 2)
    middle = len(differences) // 2
    return Found(
        statistics.median(closed),
        statistics.median(nobodys),
        statistics.median(differences),
        differences[middle - aside],
        differences[middle + aside],
    )


async def measure(store: Store, rounds: int) -> bool:
    """Print one line for each question, and say whether time tells nothing."""
    ready = await prepared.prepare(store, RELEASES, lambda _: None)
    url = await store.copy(ready.name, "bench_timing")
    knows, asks = [await prepared.token(url, one) for one in (filling.READER, filling.OTHER)]
    tell = [False]
    with serving(url, projects=False) as server:
        with wire.line(server.port, knows) as open_line:
            wanted = list(questions(open_line))
        with wire.line(server.port, asks) as line:
            for one in wanted:
                found = asked(line, one, rounds)
                tell.append(found.tells)
                print(
                    f"| {store.name} | {one.title} | {found.closed:.0f} µs | {found.nobodys:.0f} µs"
                    f" | {found.difference:+.1f} ({found.least:+.1f} to {found.most:+.1f}) µs"
                    f" | {'**yes**' if found.tells else 'no'} |"
                )
    await store.remove("bench_timing")
    return not any(tell)


def main() -> None:
    """Measure what was asked for, alone on this cache."""
    about = parser(__doc__)
    about.add_argument("--rounds", type=int, default=4, help=f"each of {PAIRS} pairs")
    chosen = about.parse_args()
    kept = []
    print("| database | asked for | closed | nobody's | difference | tells |")
    print("|---|---|---|---|---|---|")
    with alone(chosen.cache):
        for kind in kinds(chosen.database):
            with store_of(kind, chosen.cache) as store:
                kept.append(asyncio.run(measure(store, chosen.rounds)))
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
