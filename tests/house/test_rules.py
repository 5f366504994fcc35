"""The house rules hold for every file, and each of them does catch what it forbids."""

from collections.abc import Callable, Iterator

import pytest

from house import rules
from house.tree import files, name, python_files

Rule = Callable[[str], Iterator[str]]

# The one place of each worker loop that may outlive any error, and that of all requests. A new loop
# adds its line here.
WORKER_LOOPS = {
    "src/cybercoop/collect/projector.py",
    "src/cybercoop/web/middleware.py",
    "src/cybercoop/worker.py",
}

ALL = ("src", "tests", "bench", "bootstrap.py")
WHERE: dict[Rule, tuple[str, ...]] = {
    rules.too_long: ALL,
    rules.long_functions: ("src", "bootstrap.py"),
    rules.dangerous: ALL,
    rules.broad_excepts: ("tests", "bench", "bootstrap.py"),
    rules.silenced: ALL,
    rules.skips_without_reason: ("tests", "bench"),
}

CAUGHT: list[tuple[Rule, str]] = [
    (rules.too_long, "x = 1\n" * 401),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 50),
    (rules.long_functions, "async def f():\n" + "    x = 1\n" * 50),
    (rules.sql, "import sqlalchemy"),
    (rules.sql, "def f():\n    from sqlite3 import connect"),
    (rules.sql, "import asyncpg.pool as p"),
    (rules.sql, "from aiosqlite import connect"),
    (rules.dangerous, "import pickle"),
    (rules.dangerous, "from marshal import loads"),
    (rules.dangerous, "yaml.load(text)"),
    (rules.dangerous, "eval(text)"),
    (rules.dangerous, "builtins.exec(text)"),
    (rules.dangerous, "os.system('ls')"),
    (rules.dangerous, "from os import system as run"),
    (rules.dangerous, "run('ls', shell=True)"),
    (rules.dangerous, "run('ls', shell=is_shell)"),
    (rules.dangerous, "await asyncio.create_subprocess_shell('ls')"),
    (rules.broad_excepts, "try:\n    f()\nexcept:\n    g()"),
    (rules.broad_excepts, "try:\n    f()\nexcept Exception as e:\n    g()"),
    (rules.broad_excepts, "try:\n    f()\nexcept (OSError, BaseException):\n    g()"),
    (rules.broad_excepts, "with contextlib.suppress(OSError, Exception):\n    f()"),
    (rules.silenced, "def f():  # noqa"),
    (rules.silenced, "def f():  # noqa: ANN201, D103 - no need"),
    (rules.silenced, "# ruff: noqa: E501"),
    (rules.silenced, "x = y  # type: ignore"),
    (rules.skips_without_reason, "@pytest.mark.skip\ndef f(): ..."),
    (rules.skips_without_reason, "@pytest.mark.skip()\ndef f(): ..."),
    (rules.skips_without_reason, "@pytest.mark.skipif(old)\ndef f(): ..."),
    (rules.skips_without_reason, "@pytest.mark.xfail(strict=True)\ndef f(): ..."),
    (rules.skips_without_reason, "pytest.skip()"),
    (rules.skips_without_reason, "pytest.skip('')"),
]

FINE: list[tuple[Rule, str]] = [
    (rules.too_long, "x = 1\n" * 400),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 49),
    (rules.sql, "from cybercoop.store import releases"),
    (rules.dangerous, "yaml.safe_load(text)\nrun(['ls'], shell=False)\nmodel.eval_all()"),
    (rules.broad_excepts, "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    (rules.broad_excepts, "try:\n    f()\nexcept (OSError, ValueError):\n    g()"),
    (rules.silenced, "import x  # noqa: PLC0415 - late, see above\ny = x  # type: ignore[misc]"),
    (rules.skips_without_reason, "@pytest.mark.skip('no such system')\ndef f(): ..."),
    (rules.skips_without_reason, "@pytest.mark.skipif(old, reason='too old')\ndef f(): ..."),
    (rules.skips_without_reason, "pytest.skip(f'no {thing}')"),
]


def complaints(rule: Rule, *folders: str) -> list[str]:
    return [
        f"{name(path)}:{complaint}"
        for path in python_files(*folders)
        for complaint in rule(path.read_text())
    ]


@pytest.mark.parametrize("rule", WHERE, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    assert complaints(rule, *WHERE[rule]) == []


def test_sql_is_spoken_in_the_store_only() -> None:
    found = complaints(rules.sql, "src")
    assert [line for line in found if not line.startswith("src/cybercoop/store/")] == []


def test_a_worker_loop_catches_everything_in_one_place() -> None:
    found = [line.split(":")[0] for line in complaints(rules.broad_excepts, "src")]
    assert sorted(found) == sorted(WORKER_LOOPS)


@pytest.mark.parametrize(("rule", "source"), CAUGHT)
def test_a_rule_catches(rule: Rule, source: str) -> None:
    assert list(rule(source))


@pytest.mark.parametrize(("rule", "source"), FINE)
def test_a_rule_leaves_alone(rule: Rule, source: str) -> None:
    assert list(rule(source)) == []


def test_the_rules_look_at_this_very_file() -> None:
    assert "tests/house/test_rules.py" in {name(path) for path in python_files("tests")}
    assert "pyproject.toml" in {name(path) for path in files()}
