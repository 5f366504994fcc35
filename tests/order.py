"""In which order the workers of pytest-xdist get the tests: what takes long begins.

Each worker gets an equal run of tests and, once through, takes from the end of another's. A file
that takes a minute and comes last keeps one worker busy while the others have nothing left.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

_PROPERTY = "inference/test_no_inference.py::test_what_a_reader_may_never_see"
LONGEST = {
    "web/test_openapi.py": 275,
    "responses/test_survival.py": 245,
    **{f"{_PROPERTY}_changes_nothing_for_him[{part}]": 160 for part in range(4)},
    "sources/test_collecting_resumed.py": 140,
    "test_real_data.py": 130,
    "responses/test_board.py": 120,
    "responses/test_commands.py": 110,
    "attacks/test_fuzz.py": 100,
    "inference/test_room_mutants.py": 100,
    "test_durability.py": 100,
    "house/test_tools.py": 90,
    "responses/test_ours.py": 75,
    "inference/test_mutants.py": 60,
    "notices/test_killed.py": 30,
}
"""Seconds that files or single tests take beside others, roughly: only who begins depends on it."""


class Test(Protocol):
    """What has a name that begins with its file."""

    nodeid: str


One = TypeVar("One", bound=Test)


def dealt(tests: Iterable[One], workers: int) -> list[One]:
    """Return all tests in runs of equal length, one for each worker, what takes long in front.

    A file stays whole where it is long, so that what its tests share is made by one worker.
    """
    long: dict[str, list[One]] = {name: [] for name in LONGEST}
    others = []
    for test in tests:
        name = test.nodeid.removeprefix("tests/")
        found = name if name in long else name.partition("::")[0]
        long.get(found, others).append(test)
    taken = [0.0] * workers
    runs: list[list[One]] = [[] for _ in range(workers)]
    for name, some in long.items():
        least = taken.index(min(taken))
        taken[least] += LONGEST[name]
        runs[least] += some
    left = len(others) + sum(map(len, runs))
    for number, run in enumerate(runs):
        missing = max(left // (workers - number) - len(run), 0)
        run.extend(others[:missing])
        del others[:missing]
        left -= len(run)
    return [test for run in runs for test in run] + others
