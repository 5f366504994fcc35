"""Measure lookups in the guard beside a plain dictionary in the same run.

    .venv/bin/python bench/guard.py
    .venv/bin/python bench/guard.py --lists ../shared/data/MISP__misp-warninglists/lists

Times are those of the processor, so that what else the machine does counts little. The rules are
the built-in ones, the warning lists of --lists and numbered ones up to --rules; every fourth value
looked up is on a list.
"""

import argparse
import gc
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, islice
from pathlib import Path

from cybercoop import guard
from cybercoop.guard import Entry, Level, Verdict
from cybercoop.guard.verdicts import Reach
from cybercoop.indicators.watched import watched

_LISTED = Verdict(Level.HOLD, "warninglist:bench", "", "")
_ROUNDS = 3
_STRIDE = 0x9E3779B1
"""Coprime to 2**32: numbers times this visit the whole address space in no order."""

Value = tuple[str, str]


def _numbered() -> Iterator[Entry]:
    number = 0
    while True:
        number += 1
        name = f"site{number}.cybercoop-bench-{number % 1009}.net"
        yield Entry("domain", name, _LISTED, Reach.EXACT)
        yield Entry("host", f"zone{number}.org", _LISTED)
        yield Entry("network", f"{_address(number)}/24", _LISTED)
        yield Entry("network", f"{IPv6Address(0x2A << 120 | number << 80)}/48", _LISTED)
        yield Entry("hash", f"{number:064x}", _LISTED)


def _address(number: int) -> IPv4Address:
    return IPv4Address(number * _STRIDE % 2**32 & 0xFFFFFF00)


def _values(kind: str, count: int) -> list[Value]:
    write: dict[str, Callable[[int], str]] = {
        "ipv4": lambda number: str(_address(number)),
        "ipv6": lambda number: str(IPv6Address(0x2A << 120 | number << 80 | 1)),
        "domain": lambda number: f"www.zone{number}.org",
        "url": lambda number: f"https://www.zone{number}.org/login?user={number}",
        "email": lambda number: f"x{number}@site{number}.cybercoop-bench-{number % 1009}.net",
        "sha256": lambda number: f"{number:064x}",
    }
    # Numbers beyond those that rules were made of are on no list.
    numbers = (number if number % 4 == 0 else number + 10**7 for number in range(1, count + 1))
    return [(kind, write[kind](number)) for number in numbers]


def _best(work: Callable[[], object]) -> float:
    """Return the seconds that the fastest of some rounds kept the processor busy."""
    taken = []
    for _ in range(_ROUNDS):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _built(rules: int, folder: Path | None) -> guard.Index:
    known = list(guard.built_in())
    if folder is not None:
        known += guard.warninglists(folder).entries
    gc.collect()
    memory, before = _memory(), time.process_time()
    index = guard.index_of(islice(chain(known, _numbered()), rules))
    seconds, grown = time.process_time() - before, _memory() - memory
    print(
        f"{rules:,} rules ({len(known):,} of them real) in {seconds:.1f} s, "
        f"{grown / 2**20:,.0f} MiB at the peak\n"
    )
    return index


def _line(kind: str, index: guard.Index, values: Sequence[Value]) -> str:
    plain = {value: index.verdict(*value) for value in values}
    seconds = _best(lambda: [index.verdict(kind, value) for kind, value in values])
    floor = _best(lambda: [plain[value] for value in values])
    caught = sum(verdict.level > Level.ALLOW for verdict in plain.values())
    rate, floor_rate = len(values) / seconds, len(values) / floor
    return f"{kind:<10}{rate:>12,.0f}{floor_rate:>14,.0f}{floor_rate / rate:>8.1f}{caught:>10,}"


def _main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=1_000_000)
    parser.add_argument("--values", type=int, default=100_000, help="of each kind")
    parser.add_argument("--lists", type=Path, help="folder of MISP warning lists")
    chosen = parser.parse_args()
    index = _built(chosen.rules, chosen.lists)
    print(f"{'kind':<10}{'lookups/s':>12}{'dictionary/s':>14}{'times':>8}{'caught':>10}")
    mixed: list[Value] = []
    for kind in ("ipv4", "ipv6", "domain", "url", "email", "sha256"):
        values = _values(kind, chosen.values)
        mixed += values[:: len(values) // 10_000 or 1]
        print(_line(kind, index, values))
    print(_line("all kinds", index, mixed))
    wide = [("ipv4", f"{number}.0.0.0/8") for number in range(1, 224)] * 20
    print(_line("IPv4 /8", index, wide))
    patterns = [f"[domain-name:value = '{value}']" for _, value in _values("domain", 20_000)]
    seconds = _best(lambda: [guard.verdict_of(index, watched(one)) for one in patterns])
    print(f"{'patterns':<10}{len(patterns) / seconds:>12,.0f}")


if __name__ == "__main__":
    _main()
