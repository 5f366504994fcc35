"""Read a list of a million lines, and say what the machine needs only to split its lines.

.venv/bin/python bench/reading.py
.venv/bin/python bench/reading.py --lines 100000 --format csv
"""

import argparse
import hashlib
import ipaddress
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cybercoop.collect import reading
from cybercoop.collect.indicating import indicator

MOST_SECONDS = 20
MOST_MIB = 300
NOW = 1_767_225_600_000_000


def value(number: int) -> str:
    """Return value ``number``: two names, an address, a URL and a hash in turn, all different."""
    match number % 5:
        case 0 | 1:
            return f"x{number:07x}.cybercoop-bench.net"
        case 2:
            return str(ipaddress.IPv4Address(0x0B000000 + number))
        case 3:
            return f"http://x{number:07x}.cybercoop-bench.net/login/{number}"
        case _:
            return hashlib.sha256(str(number).encode()).hexdigest()


def lines(count: int, layout: str) -> Iterator[str]:
    """Yield a list as feeds write it: every tenth line has a comment or a defanged dot."""
    if layout == "csv":
        yield "indicator,description,first_seen"
    for number in range(count):
        text = value(number)
        if number % 10 == 1:
            text = text.replace(".", "[.]")
        if layout == "csv":
            yield f'{text},"seen, twice",2026-01-01'
        else:
            yield f"{text} # seen" if number % 10 == 2 else text


def split(path: Path) -> int:
    """Do the least that a reader of lines must do: decode, strip and split each."""
    words = 0
    with path.open("rb") as file:
        for line in file:
            words += len(line.decode().strip().split(","))
    return words


def timed(deed: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that ``deed`` takes, on the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    deed()
    return time.perf_counter() - clock, time.process_time() - processor


def measure(count: int, layout: str) -> bool:
    """Print how long reading takes beside its floor, and say whether the limits are kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{'csv' if layout == 'csv' else 'txt'}"
        with path.open("w") as file:
            file.writelines(f"{line}\n" for line in lines(count, layout))
        floor, _ = timed(lambda: split(path))
        tally = reading.Tally()
        took, worked = timed(lambda: read(path, tally))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{layout}: {count} lines in {took:.1f} s ({worked:.1f} s of the processor),", end=" ")
    print(f"floor {floor:.2f} s, ratio {took / floor:.1f}, {memory:.0f} MiB resident")
    print(f"    values {dict(tally.values)}, refused {dict(tally.refused)}")
    if tally.values.total() != count or tally.refused:
        print("    A value was lost or refused.")
        return False
    return took <= MOST_SECONDS * count / 1_000_000 and memory <= MOST_MIB


def read(path: Path, tally: reading.Tally) -> None:
    """Read a file as a push does before its preview: every value normalised and counted."""
    for one in reading.read_path(path):
        reading.count(tally, one)


def making(count: int) -> None:
    """Print what an indicator costs that is made of a value."""
    found = [reading.Value("line 1", "domain", f"x{n}.cybercoop-bench.net") for n in range(count)]
    _, worked = timed(lambda: [indicator(one, NOW) for one in found])
    print(f"making {count} indicators: {worked / count * 1e6:.1f} us of the processor each")


def main() -> int:
    """Measure and return 1 where the limits of a plain list are not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("plain", "csv"), default="plain")
    said = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    kept = measure(said.lines, said.format)
    making(min(said.lines, 20_000))
    print(f"a million lines in {MOST_SECONDS} s and {MOST_MIB} MiB:", "kept" if kept else "missed")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
