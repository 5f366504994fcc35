"""A folder of this machine: files that are new or changed since the last look."""

import asyncio
import contextlib
import fnmatch
import hashlib
import os
import stat
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion
from cybercoop.egress import Credentials, Rules
from cybercoop.errors import Unreachable

NAME = "directory"
SNAPSHOT = True

# Nothing is followed, and a pipe does not make the reader wait for a writer.
_HOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

_BATCH = 25  # files between two cursors: each names all files of the folder


class _Seen(msgspec.Struct, frozen=True):
    mtime_ns: int
    size: int
    sha256: str


class _Known(msgspec.Struct, frozen=True):
    path: str = ""
    files: dict[str, _Seen] = {}


@dataclass(frozen=True, slots=True)
class _Look:
    """One file as it was found: its bytes, or why there are none."""

    name: str
    seen: _Seen | None
    data: bytes = b""
    trouble: str = ""


async def fetch(
    source: Source,
    cursor: Cursor,
    rules: Rules,
    credentials: Credentials | None,  # noqa: ARG001 - a folder asks for none
) -> AsyncGenerator[Portion, None]:
    """Yield each new or changed file, then those that are gone.

    Files whose name begins with a dot are still being written and are left alone. Links, pipes
    and what cannot be read are portions with ``trouble``. Raise ``Unreachable`` without folder.
    """
    root = await asyncio.to_thread(_root, source)
    held = dict(_known(source, cursor).files)
    found: set[str] = set()
    remembered = cursor
    with contextlib.closing(_looks(root, source.files, held, rules.max_bytes)) as looks:
        while (look := await asyncio.to_thread(next, looks, None)) is not None:
            found.add(look.name)
            before = held.get(look.name)
            if look.seen is not None:
                held[look.name] = look.seen
            if len(found) % _BATCH == 0:
                remembered = _cursor(source, held)
            if look.trouble or look.seen != before:
                yield _portion(look, before, remembered)
    for name in sorted(held.keys() - found):
        del held[name]
        yield Portion(name, b"", remembered, gone=True)
    yield Portion(".", b"", _cursor(source, held), unchanged=True)


def _portion(look: _Look, before: _Seen | None, cursor: Cursor) -> Portion:
    same = look.seen is not None and before is not None and before.sha256 == look.seen.sha256
    data = b"" if same else look.data
    return Portion(look.name, data, cursor, unchanged=same, trouble=look.trouble)


def _root(source: Source) -> Path:
    try:
        root = Path(source.path).resolve(strict=True)
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
        root = None
    if root is None or not root.is_dir():
        msg = f"{source.name}: its folder is not there; what was had before stays."
        raise Unreachable(msg)
    return root


def _known(source: Source, cursor: Cursor) -> _Known:
    try:
        known = msgspec.convert(cursor, _Known)
    except msgspec.ValidationError:
        return _Known()
    return known if known.path == source.path else _Known()


def _cursor(source: Source, held: Mapping[str, _Seen]) -> Cursor:
    remembered: Cursor = msgspec.to_builtins(_Known(source.path, dict(held)))
    return remembered


def _looks(
    root: Path, files: str, held: Mapping[str, _Seen], most: int
) -> Generator[_Look, None, None]:
    """Look at all files below ``root``; folders are entered by handle, never by link."""
    for folder, inner, names, handle in os.fwalk(root, follow_symlinks=False, onerror=_fail):
        inner[:] = [name for name in inner if not name.startswith(".")]
        links = [name for name in inner if _is_link(name, handle)]
        wanted = [file for file in names if _is_wanted(file, files)]
        for file in sorted(wanted + links):
            name = _shown(Path(folder, file).relative_to(root))
            yield _look(name, file, handle, held.get(name), most)


def _fail(error: OSError) -> None:
    # Were a folder that cannot be read passed over, all its files would count as gone.
    msg = "A part of the folder cannot be read; what was had before stays."
    raise Unreachable(msg) from error


def _is_link(name: str, handle: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _is_wanted(file: str, files: str) -> bool:
    return not file.startswith(".") and fnmatch.fnmatchcase(file, files)


def _shown(path: Path) -> str:
    name = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name
    )


def _look(name: str, file: str, handle: int, before: _Seen | None, most: int) -> _Look:
    try:
        opened = os.open(file, _HOW, dir_fd=handle)
    except OSError:
        return _Look(name, None, trouble="It is a link, or it cannot be read.")
    with os.fdopen(opened, "rb") as stream:
        told = os.fstat(opened)
        if not stat.S_ISREG(told.st_mode):
            return _Look(name, None, trouble="It is no plain file.")
        if before is not None and (before.mtime_ns, before.size) == (
            told.st_mtime_ns,
            told.st_size,
        ):
            return _Look(name, before)
        data = stream.read(most + 1)
    if len(data) > most:
        return _Look(name, None, trouble=f"It is larger than {most} bytes.")
    digest = hashlib.sha256(data).hexdigest()
    return _Look(name, _Seen(told.st_mtime_ns, told.st_size, digest), data)
