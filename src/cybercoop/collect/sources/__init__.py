"""Where things are collected from: one file per kind, found by this folder."""

import functools
import importlib
import pkgutil
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from cybercoop.egress import Credentials, Rules

if TYPE_CHECKING:  # a definition asks which kinds there are
    from cybercoop.collect.definitions import Source

Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Portion:
    """Hold one file, page or event of a source, and what to remember once it is taken in.

    ``cursor`` is plain JSON; it may be kept after every portion, and a collection that is cut
    off goes on from the last one kept. ``unchanged`` and ``gone`` portions have no data: the
    source has nothing new under that name, or no longer lists it. ``trouble`` says why one
    portion could not be had while the others go on; what was had of it before stays.
    """

    name: str
    data: bytes
    cursor: Cursor
    unchanged: bool = False
    gone: bool = False
    trouble: str = ""
    content_type: str = ""


class Kind(Protocol):
    """Name what every file of this folder has.

    ``SNAPSHOT`` says whether a portion lists all current values under its name, so that those
    it no longer lists are withdrawn.
    """

    NAME: str
    SNAPSHOT: bool

    def fetch(
        self, source: "Source", cursor: Cursor, rules: Rules, credentials: Credentials | None
    ) -> AsyncGenerator[Portion, None]:
        """Yield what is new since ``cursor``; raise a ``CoopError`` when the source fails.

        Connections stay open until the generator is exhausted or closed (``aclosing``).
        """
        ...


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """Return the kinds by name."""
    files = (name for _, name, _ in pkgutil.iter_modules(__path__) if not name.startswith("_"))
    modules = [cast("Kind", importlib.import_module(f"{__name__}.{name}")) for name in files]
    return {module.NAME: module for module in modules}
