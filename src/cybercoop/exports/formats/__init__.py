"""Every form that a feed can have: one file each, found by this folder.

A format module has ``NAME``, ``TITLE_DE``, ``TITLE_EN``, ``MEDIA_TYPE``, ``ENDING``, ``KINDS``
and ``write(entries, about)``, or ``files(entries, about)`` where a product wants several.
``ONE_KIND = True`` asks for lists cut to one kind, ``RAW = True`` for ``Entry.raw``, and
``unfit(entry)`` says why this format cannot carry a value safely. A value is carried as it is
or left out; none is ever changed to make it fit.
"""

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType

from cybercoop.errors import Misused
from cybercoop.exports.entries import About, Entry, malformed


@dataclass(frozen=True, slots=True)
class Format:
    """Promise one way to write a list; ``several`` says that it takes more than one file."""

    name: str
    title_de: str
    title_en: str
    media_type: str
    ending: str
    kinds: frozenset[str]
    one_kind: bool
    raw: bool
    several: bool
    own_unfit: Callable[[Entry], str | None] | None
    module: ModuleType

    def unfit(self, entry: Entry) -> str | None:
        """Return why this format leaves ``entry`` out, or None where it carries it."""
        if entry.kind not in self.kinds:
            return "This format has no place for values of this kind."
        reason = malformed(entry)
        if reason is not None or self.own_unfit is None:
            return reason
        return self.own_unfit(entry)

    def write(
        self, entries: Iterable[Entry], about: About, left_out: Counter[str] | None = None
    ) -> Iterator[bytes]:
        """Yield the list in pieces, in the order of ``entries`` where the format has one.

        Each value comes once in ``entries``. ``left_out`` counts by reason what the list does
        not carry; it is complete when the last piece is out.
        """
        if self.several:
            raise Misused(f"The format {self.name} is made of several files.")
        written: Iterator[bytes] = self.module.write(self._fitting(entries, left_out), about)
        return written

    def files(
        self, entries: Iterable[Entry], about: About, left_out: Counter[str] | None = None
    ) -> dict[str, Iterable[bytes]]:
        """Return every file of the list by its name; a plain format has one."""
        if not self.several:
            return {about.zone + self.ending: self.write(entries, about, left_out)}
        made: dict[str, Iterable[bytes]] = self.module.files(
            self._fitting(entries, left_out), about
        )
        return made

    def _fitting(self, entries: Iterable[Entry], left_out: Counter[str] | None) -> Iterator[Entry]:
        counted = Counter[str]() if left_out is None else left_out

        def fits(entry: Entry) -> bool:
            reason = self.unfit(entry)
            if reason is None:
                return True
            counted[reason] += 1
            return False

        return filter(fits, entries)


@cache
def found() -> Mapping[str, Format]:
    """Return every format by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_"]
    formats = [_format(import_module(f"{__name__}.{name}")) for name in sorted(names)]
    return MappingProxyType({found.name: found for found in formats})


def _format(module: ModuleType) -> Format:
    return Format(
        name=module.NAME,
        title_de=module.TITLE_DE,
        title_en=module.TITLE_EN,
        media_type=module.MEDIA_TYPE,
        ending=module.ENDING,
        kinds=frozenset(module.KINDS),
        one_kind=getattr(module, "ONE_KIND", False),
        raw=getattr(module, "RAW", False),
        several=hasattr(module, "files"),
        own_unfit=getattr(module, "unfit", None),
        module=module,
    )
