"""Know which names can be registered, and which endings are those of files as well."""

from functools import cache

from publicsuffixlist import PublicSuffixList

FILE_ENDINGS = frozenset(
    (
        *("app", "bar", "cab", "cam", "cat", "cc", "cfd", "com", "cpa", "dev", "doc", "download"),
        *("exe", "gdn", "id", "ini", "java", "js", "kim", "log", "md", "mm", "mo", "mov", "mp"),
        *("pl", "ph", "pm", "ps", "pub", "py", "rs", "sc", "sh", "so", "st", "td", "vi", "zip"),
        *("ai", "as", "ms", "kt", "ml", "mk", "in", "inc", "bz", "dot", "prof", "save", "tf"),
    )
) - {"ai", "app", "cam", "cc", "cfd", "com", "dev", "id", "in", "kim", "st", "tf", "download"}
"""Top-level domains that a file name ends in more often than a domain name does in prose.

``com`` was a kind of program and ``in`` a kind of template; both are names far more often.
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
