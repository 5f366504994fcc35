"""Know which names can be registered, and which endings are those of files as well."""

from functools import cache

from publicsuffixlist import PublicSuffixList

FILE_ENDINGS = frozenset(
    (
        *("app", "as", "bar", "cab", "cat", "dot", "inc", "java", "map", "md", "mm", "mo"),
        *("mov", "mp", "pl", "pm", "ps", "pub", "py", "rs", "save", "sc", "sh", "so", "vi", "zip"),
    )
)
"""Top-level domains that end the names of files as well.

``com`` was a kind of program, ``in`` a kind of template and ``ml`` is one of source; all three
are far more often of a name that somebody reports.
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
