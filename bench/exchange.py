"""Measure the exchange against floors taken in the same run, and print a table.

    .venv/bin/python bench/exchange.py --quick
    .venv/bin/python bench/exchange.py --database both --out docs/table.md

Prepared stores of the size asked for stay in --cache and make the next run quick.
"""

import argparse
import os
import platform
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from choosing import alone, kinds, parser, store_of
from cybercoop.collect.projector import SHARE
from measures import Result, Size, pushing, reading
from prepared import prepare
from stores import Store
from visible import becoming_visible

_MEASURES = ("push", "read", "visible")
_QUICK = 20_000


def _arguments() -> argparse.Namespace:
    about = parser(__doc__, "both")
    about.add_argument("--releases", type=int, default=1_000_000, help="a multiple of 10,000")
    about.add_argument("--quick", action="store_true", help=f"{_QUICK:,} releases, few runs")
    about.add_argument("--only", choices=_MEASURES, action="append", help="may stand repeatedly")
    about.add_argument("--out", type=Path, help="write the table there as well")
    chosen = about.parse_args()
    if chosen.releases < 10_000 or chosen.releases % 10_000:
        about.error("--releases takes a multiple of 10,000")
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
        for kind in kinds(chosen.database):
            with store_of(kind, chosen.cache) as store:
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
    # Told to stop, it still stops the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with alone(chosen.cache):
        text = "\n".join(uvloop.run(_run(chosen, console))) + "\n"
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
