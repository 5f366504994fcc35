"""Know which names can be registered, and which endings are those of files as well."""

from functools import cache

from publicsuffixlist import PublicSuffixList

FILE_ENDINGS = frozenset(
    (
        *("app", "bar", "cab", "cat", "cpa", "doc", "dot", "gdn", "java", "log", "md", "mm", "mov"),
        *("mo", "mp", "ms", "pl", "pm", "ph", "prof", "ps", "pub", "py", "rs", "save", "sh", "so"),
        *("vi", "zip", "ini", "js", "kt", "mk", "td", "inc", "map", "dat", "bz", "cfd", "ml"),
    )
)
"""Top-level domains (and those that may become some) that end the names of files as well.

``com`` was a kind of program and ``in`` a kind of template; both are far more often of a name.
"""


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


def is_registrable(name: str) -> bool:
    """Say whether ``name`` (lower case, ASCII) stands below a known public suffix."""
    return _list().privatesuffix(name) is not None


def registered(name: str) -> str:
    """Return the name that somebody registered, or the name itself where nobody can."""
    return str(_list().privatesuffix(name) or name)
