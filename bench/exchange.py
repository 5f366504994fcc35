"""Measure the exchange against floors taken in the same run, and print a table.

    .venv/bin/python bench/exchange.py --quick
    .venv/bin/python bench/exchange.py --database both --out docs/table.md

Prepared stores of the size asked for stay in --cache and make the next run quick.
"""

import argparse
import fcntl
import os
import platform
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cybercoop.collect.projector import SHARE
from measures import Result, Size, pushing, reading
from prepared import prepare
from stores import Postgres, Sqlite, Store, postgres_server
from visible import becoming_visible

_KINDS = ("sqlite", "postgresql")
_MEASURES = ("push", "read", "visible")
_QUICK = 20_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--database", choices=(*_KINDS, "both"), default="both")
    parser.add_argument("--releases", type=int, default=1_000_000, help="a multiple of 10,000")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK:,} releases, few runs")
    parser.add_argument("--only", choices=_MEASURES, action="append", help="may stand repeatedly")
    parser.add_argument("--out", type=Path, help="write the table there as well")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "cybercoop-bench",
        help="folder of the prepared stores; as root PostgreSQL opens the folders above it",
    )
    chosen = parser.parse_args()
    if chosen.releases < 10_000 or chosen.releases % 10_000:
        parser.error("--releases takes a multiple of 10,000")
    return chosen


def _size(chosen: argparse.Namespace) -> Size:
    if chosen.quick:
        return Size(_QUICK, 10_000, 2_000, 1, 12, 20)
    releases = chosen.releases
    return Size(releases, 10_000, 20_000, 3, 62, releases // 1000)


async def _run(chosen: argparse.Namespace, console: Console) -> list[str]:
    size, lines = _size(chosen), [_machine(), ""]
    results: list[Result] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        for kind in _KINDS if chosen.database == "both" else (chosen.database,):
            with _store(kind, chosen.cache) as store:
                results += await _measured(store, size, chosen.only or _MEASURES, progress)
                lines.append(f"- {await store.about()}")
    return [*lines, "", _how(size), "", *_table(results)]


async def _measured(
    store: Store, size: Size, wanted: Sequence[str], progress: Progress
) -> list[Result]:
    def step(name: str, total: int) -> "_Step":
        return _Step(progress, f"{store.name}: {name}", total)

    results: list[Result] = []
    if "push" in wanted:
        with step("push", (size.runs + 1) * size.pushed) as done:
            results.append(await pushing(store, size, done.advance))
    if {"read", "visible"} & set(wanted):
        with step("fill", size.releases + size.small) as done:
            big = await prepare(store, size.releases, done.advance)
            small = await prepare(store, size.small, done.advance)
        if "visible" in wanted:
            with step("visible", size.runs * size.pushed) as done:
                results.append(await becoming_visible(store, size, big, done.advance))
        if "read" in wanted:
            with step("read", size.walked + 8 * size.pages) as done:
                results += await reading(store, size, big, small, done.advance)
    return results


class _Step:
    """One line of the progress bar, gone at the end."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self._progress, self._task = progress, progress.add_task(name, total=total)

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.remove_task(self._task)


@contextmanager
def _store(kind: str, cache: Path):  # noqa: ANN202 - an iterator of one store
    if kind == "sqlite":
        yield Sqlite(cache / "sqlite")
        return
    with postgres_server(cache / "postgresql") as url:
        yield Postgres(url)


def _machine() -> str:
    said = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", said)
    name = found[1].strip() if found else platform.processor() or "unknown processor"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} x {name}, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; load before: {load:.1f}"
    )


def _how(size: Size) -> str:
    return (
        f"Median of {size.runs} runs of {size.pushed:,} objects for what is written, of "
        f"{size.pages - 2} pages for what is read, after a warm-up. The floor of the push is "
        "executemany of the same rows in transactions of 500, each object parsed with msgspec; "
        f"of push until visible that and the same releases, in transactions of {SHARE:,}; "
        "the floor of a page is the driver reading the same rows by primary key, plus a still "
        "aiohttp handler sending the same bytes."
    )


def _table(results: Sequence[Result]) -> list[str]:
    head = ("database", "measure", "ours", "floor", "ratio", "target", "met")
    lines = [_line(head), _line("---" for _ in head)]
    for one in results:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        met = "yes" if one.met else "**no**"
        lines.append(
            _line((one.database, one.measure, one.ours, one.floor, ratio, one.target, met))
        )
    return lines


def _line(cells) -> str:  # noqa: ANN001 - texts
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure what was asked for, alone on this cache."""
    chosen, console = _arguments(), Console(stderr=True)
    chosen.cache.mkdir(parents=True, exist_ok=True)
    # Told to stop, it still stops the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (chosen.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = "\n".join(uvloop.run(_run(chosen, console))) + "\n"
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
