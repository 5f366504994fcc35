"""The house rules that no linter knows: each takes one source text and returns complaints."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
SQL = {"aiosqlite", "alembic", "asyncpg", "sqlalchemy", "sqlite3"}
# What runs bytes that somebody else wrote.
CODE_FROM_DATA = {"dill", "marshal", "pickle", "shelve"}
CODE_FROM_TEXT = {
    "asyncio.create_subprocess_shell",
    "eval",
    "exec",
    "os.popen",
    "os.system",
    "yaml.full_load",
    "yaml.load",
    "yaml.unsafe_load",
}
SILENCERS = re.compile(r"(?:ruff|flake8|mypy):|noqa:.*\bD\d{3}|noqa(?!:)|type: ignore(?!\[)")
SHELLS = {"", "bash", "console", "sh", "shell"}
BROAD = {"BaseException", "Exception"}
SKIPS = {
    f"{place}.{skip}" for place in ("pytest", "pytest.mark") for skip in ("skip", "skipif", "xfail")
}


def too_long(source: str) -> Iterator[str]:
    """Complain about a file that tells two stories."""
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        yield f"{lines} lines"


def long_functions(source: str) -> Iterator[str]:
    """Complain about functions that do more than one thing."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {lines} lines"


def sql(source: str) -> Iterator[str]:
    """Complain about imports that speak SQL."""
    yield from _imports_of(source, SQL)


def dangerous(source: str) -> Iterator[str]:
    """Complain about all that turns data into code or hands a line to a shell."""
    yield from _imports_of(source, CODE_FROM_DATA | CODE_FROM_TEXT)
    for node in ast.walk(_tree(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).removeprefix("builtins.")
        if called in CODE_FROM_TEXT:
            yield f"{node.lineno}: {called}()"
        if any(_is_shell(keyword) for keyword in node.keywords):
            yield f"{node.lineno}: {called}(shell=...)"


def broad_excepts(source: str) -> Iterator[str]:
    """Complain about handlers that swallow whatever goes wrong; raising it again is fine."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.ExceptHandler) and not _raises_again(node):
            caught = {"everything"} if node.type is None else _names(node.type) & BROAD
            yield from (f"{node.lineno}: except {what}" for what in caught)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = set().union(*map(_names, node.args)) & BROAD
            yield from (f"{node.lineno}: suppress {what}" for what in caught)


def silenced(source: str) -> Iterator[str]:
    """Complain about comments that free a whole file from a checker, or a name from a docstring."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and SILENCERS.search(token.string):
            yield f"{token.start[0]}: {token.string}"


def skips_without_reason(source: str) -> Iterator[str]:
    """Complain about tests that are left out and do not say why."""
    tree = _tree(source)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in SKIPS:
            call = calls.get(id(node))
            if call is None or not _has_reason(call):
                yield f"{node.lineno}: {ast.unparse(call or node)}"


def foreign_places(text: str, places: dict[str, str]) -> Iterator[str]:
    """Complain about ``places`` (pattern and name of each) that only one machine knows."""
    for pattern, what in places.items():
        for found in re.finditer(pattern, text, re.MULTILINE):
            yield f"{text.count(chr(10), 0, found.start()) + 1}: {what}"


def commands(markdown: str) -> list[str]:
    """Return the command lines that the fenced blocks of ``markdown`` show, without comments.

    A block without a language counts; every other language than a shell's does not.
    """
    blocks = re.findall(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", markdown, re.DOTALL | re.MULTILINE)
    shown = "".join(text for language, text in blocks if language.strip() in SHELLS)
    lines = [line.removeprefix("$ ").split(" #")[0].strip() for line in shown.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _tree(source: str) -> ast.Module:
    """Return what ``source`` says; many rules read the same file."""
    return ast.parse(source)


def _imports_of(source: str, forbidden: set[str]) -> Iterator[str]:
    for node in ast.walk(_tree(source)):
        imported = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and not node.level:
            imported = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in imported:
            if name in forbidden or name.split(".")[0] in forbidden:
                yield f"{node.lineno}: import of {name}"


def _is_shell(keyword: ast.keyword) -> bool:
    off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    return keyword.arg == "shell" and not off


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _names(expression: ast.expr) -> set[str]:
    parts = expression.elts if isinstance(expression, ast.Tuple) else [expression]
    return {ast.unparse(part).removeprefix("builtins.") for part in parts}


def _has_reason(call: ast.Call) -> bool:
    """Find the reason: skip takes it first or by name, skipif and xfail by name only."""
    first = call.args[:1] if ast.unparse(call.func).endswith(("skip", "pytest.xfail")) else []
    named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    return any(ast.unparse(reason) not in {"''", "None"} for reason in first + named)
