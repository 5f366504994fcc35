"""What it costs to write a list of each format, against joining the same values plainly.

    python bench/writing.py [--entries 200000] [FORMAT...]

The time is the processor's, since a list is written by one thread and waits for nothing. All
figures come from one run; the floor is measured beside each.
"""

import argparse
import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence

from cybercoop.exports import formats
from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats import Format

ABOUT = About("Bench", "bench.example", 1_764_547_200, 1_764_547_200_000_000, "Bench")
FIRST = 1_764_547_200_000_000
STEP = 977
"""Microseconds between releases: a million of them fill a quarter of an hour."""
MIX = ("domain", "ipv4", "url", "sha256", "email")
RAW = b'{"type":"indicator","spec_version":"2.1","pattern_type":"stix"}'


def value(kind: str, number: int) -> str:
    """Return value ``number`` of a kind; all differ."""
    match kind:
        case "domain":
            return f"x{number:07x}.cybercoop-bench.example"
        case "ipv4":
            return str(ipaddress.IPv4Address(0x0B000000 + 3 * number))
        case "url":
            return f"http://x{number:07x}.cybercoop-bench.example/login/{number}"
        case "email":
            return f"p{number}@cybercoop-bench.example"
        case _:
            return hashlib.sha256(str(number).encode()).hexdigest()


def entry(kind: str, number: int) -> Entry:
    """Return entry ``number`` as a feed's query gives it."""
    moment = FIRST + number * STEP
    stix_id = f"indicator--00000000-0000-5000-8000-{number:012x}"
    given = value(kind, number)
    return Entry(kind, given, 60, moment, moment, None, stix_id, "green", False, RAW)


def entries(format_: Format, many: int) -> list[Entry]:
    """Return entries of the kinds that the format carries, of one kind where it wants one."""
    kinds = [kind for kind in MIX if kind in format_.kinds]
    kinds = kinds[:1] if format_.one_kind else kinds
    return [entry(kinds[number % len(kinds)], number) for number in range(many)]


def seconds(work: Callable[[], Iterable[bytes]]) -> tuple[float, int]:
    """Return the processor's seconds that it takes to make all pieces, and their bytes."""
    begun = time.process_time()
    size = sum(map(len, work()))
    return time.process_time() - begun, size


def plainly(some: Sequence[Entry]) -> list[bytes]:
    """Return the values joined by line ends: what no format can be faster than."""
    return ["\n".join([one.value for one in some]).encode()]


def written(format_: Format, some: Sequence[Entry]) -> Iterable[bytes]:
    """Yield the pieces of all files of a list."""
    for pieces in format_.files(some, ABOUT).values():
        yield from pieces


def main() -> None:
    """Print one line per format."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--entries", type=int, default=200_000)
    reader.add_argument("formats", nargs="*", metavar="FORMAT")
    asked = reader.parse_args()
    found = formats.found()
    print(f"{'format':15} {'entries':>9} {'us each':>8} {'floor':>6} {'MiB':>7}")
    for name in asked.formats or found:
        some = entries(found[name], asked.entries)
        floor, _ = seconds(lambda some=some: plainly(some))
        ours, size = seconds(lambda some=some, name=name: written(found[name], some))
        each, least = (1e6 * spent / len(some) for spent in (ours, floor))
        print(
            f"{name:15} {len(some):9} {each:8.2f} {least:6.2f} {size / 2**20:7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
