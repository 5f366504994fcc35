"""Building a list: read, cut and written once, plain and packed, then served many times.

A build is a folder of files below ``CYBERCOOP_DATA``, whole or not there at all. It is named after
its plan and the time of its change, so the newest of a plan is found again after a start.
"""

import asyncio
import hashlib
import mmap
import os
import shutil
import threading
import zlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from cybercoop.errors import Misused
from cybercoop.exports import cut as cuts
from cybercoop.exports import formats
from cybercoop.exports.entries import About, Entry
from cybercoop.members.device_feeds import Cut
from cybercoop.store import releases
from cybercoop.store.database import Database

_SECOND = 1_000_000
_SMALL = 1 << 20
"""Bytes; larger files are mapped, so that the system decides what of them stays in memory."""

_GZIP = 16 + zlib.MAX_WBITS
_RECORD = "build.json"
# Else it is read from a file and parsed for each list and each look at one.
_version = cache(version)

Content = bytes | memoryview
Pair = tuple[str, str]


class Plan(msgspec.Struct, frozen=True):
    """Say what a list is made of; feeds with equal plans share their builds.

    ``locks`` are those whose releases are listed, ``own`` the exceptions (kind, value) of the
    organisation alone. ``blocks_of`` is the organisation for whose devices it lists what responses
    block, instead of any release.
    """

    format: str
    cut: Cut
    locks: tuple[str, ...]
    own: tuple[Pair, ...] = ()
    blocks_of: str = ""

    @property
    def zone(self) -> str:
        """Return what devices call the list."""
        return cuts.zone_of(self.format, self.cut, responses=bool(self.blocks_of))


class State(msgspec.Struct, frozen=True):
    """Hold what a build was made from: it is asked every second whether that has changed.

    ``newest`` has the newest release of each lock, ``cycle`` the last slot of the projector, in
    which entries may have been prolonged without a new release. For what responses block,
    ``cycle`` is the version of the guard.
    """

    newest: dict[str, int]
    excepted: tuple[Pair, ...]
    cycle: int


class Written(msgspec.Struct, frozen=True):
    """Hold one file of a build as it was written: its name and the digests of both variants."""

    name: str
    digest: str
    packed: str


class Record(msgspec.Struct, frozen=True):
    """Hold what is known of a build beside its files.

    ``made`` is the time of its change, ``ends`` when its first entry leaves it, ``left_out``
    counts by reason what it does not carry, and ``last`` is what ``cut.why`` asks for. ``as_of`` is
    the stamp up to which it follows what responses block.
    """

    made: int
    digest: str
    count: int
    left_out: dict[str, int]
    ends: int | None
    state: State
    files: tuple[Written, ...]
    last: tuple[int, int] | None = None
    as_of: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """Hold the entries of a list that is not made of releases, and up to when they are right."""

    entries: list[Entry]
    as_of: int


@dataclass(frozen=True, slots=True)
class Served:
    """Hold one file in both variants, ready to be sent."""

    digest: str
    plain: Content
    packed: Content


@dataclass(frozen=True, slots=True)
class Build:
    """Hold one build, ready to be served."""

    record: Record
    files: Mapping[str, Served]


@dataclass(frozen=True, slots=True)
class Site:
    """Hold where lists are built: the database, the folder, the center's name.

    ``closing`` breaks a build off, since a thread cannot be stopped from outside.
    """

    url: str
    folder: Path
    center: str
    closing: threading.Event

    def name(self, plan: Plan) -> str:
        """Return what the folders of a plan begin with; another version may write otherwise."""
        said = [_version("cybercoop"), self.center, plan.format, plan.cut, plan.locks, plan.own]
        said += [plan.blocks_of] if plan.blocks_of else []
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]


def build(
    site: Site,
    plan: Plan,
    state: State,
    now: int,
    before: Build | None,
    given: Given | None = None,
    after: int = 0,
) -> Build:
    """Build a list, or return ``before`` with its new ``state`` where nothing in it changed.

    Its time lies behind ``after``: a device that had another list until then sees it rise.

    Its entries are ``given``, or read from the releases that its locks open. Runs in a thread of
    its own, with a connection of its own, and keeps no list in memory that its format does not
    need there.
    """
    made = max(now, after + _SECOND, before.record.made + _SECOND if before else 0)
    format_, tally = formats.found()[plan.format], cuts.Tally(plan.cut)
    about = About(_title(plan, site.center), plan.zone, made // _SECOND, made, site.center)
    index = cuts.exceptions([*state.excepted, *plan.own])
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = site.folder / f".{site.name(plan)}.{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    try:
        with _parted(site, plan, now, given) as parts:
            entries = cuts.listed(parts, format_, plan.cut, index, tally)
            files = tuple(_write(new, format_.files(entries, about, tally.left_out)))
        left_out = dict(tally.left_out)
        said = (made, tally.digest, tally.count, left_out, tally.ends, state, files, tally.last)
        record = Record(*said, as_of=given.as_of if given else 0)
        if before and before.record.made > after and _is_same(record, before.record):
            kept = msgspec.structs.replace(
                record, made=before.record.made, files=before.record.files
            )
            return Build(kept, before.files)
        (new / _RECORD).write_bytes(msgspec.json.encode(record))
        return _put(site, plan, new, record)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _is_same(one: Record, other: Record) -> bool:
    """Say whether nobody who fetches could tell two builds apart, but for the time in them."""
    return one.digest == other.digest or one.files == other.files


def _title(plan: Plan, center: str) -> str:
    return f"{center}: {', '.join(plan.cut.kinds)}"


@contextmanager
def _parted(
    site: Site, plan: Plan, now: int, given: Given | None
) -> Iterator[Iterable[list[Entry]]]:
    """Lend the entries of a list in parts."""
    if given is not None:
        yield [given.entries]
        return
    with _reading(site, plan, now) as rows:
        levels = {lock: cuts.level_of(lock) for lock in ("", *plan.locks)}
        yield (cuts.entries_of(part, levels) for part in rows)


@contextmanager
def _reading(site: Site, plan: Plan, now: int) -> Iterator[Iterator[Sequence[Any]]]:
    """Lend the rows of a list in parts, read by an event loop of this thread."""
    format_ = formats.found()[plan.format]
    wanted = cuts.columns(format_) | ({"date_added"} if plan.cut.age_days else set())
    wanted |= {"confidence", "date_added"} if plan.cut.most else set()
    rows = _rows(site.url, plan, wanted, now)
    with asyncio.Runner() as runner:
        try:
            yield _parts(runner, rows, site.closing)
        finally:
            runner.run(_end(rows))


def _parts(
    runner: asyncio.Runner, rows: AsyncGenerator[Sequence[Any], None], closing: threading.Event
) -> Iterator[Sequence[Any]]:
    while (part := runner.run(_next(rows))) is not None:
        if closing.is_set():
            raise Misused("The server ends; the list is built when it is there again.")
        yield part


async def _rows(
    url: str, plan: Plan, wanted: frozenset[str], now: int
) -> AsyncGenerator[Sequence[Any], None]:
    database = Database(url, 1)
    try:
        async with database.read() as connection:
            keys = frozenset(plan.locks)
            async for part in releases.entries(connection, keys, plan.cut, now, wanted):
                yield part
    finally:
        await database.close()


async def _next(rows: AsyncGenerator[Sequence[Any], None]) -> Sequence[Any] | None:
    return await anext(rows, None)


async def _end(rows: AsyncGenerator[Sequence[Any], None]) -> None:
    await rows.aclose()


def _write(folder: Path, files: Mapping[str, Iterable[bytes]]) -> Iterator[Written]:
    for number, (name, pieces) in enumerate(files.items()):
        digest, packed = hashlib.sha256(), hashlib.sha256()
        packer = zlib.compressobj(wbits=_GZIP, level=5)
        plain, small = (folder / f"{number}{end}" for end in ("", ".gz"))
        with plain.open("wb") as one, small.open("wb") as other:
            for piece in pieces:
                one.write(piece)
                digest.update(piece)
                packed.update(some := packer.compress(piece))
                other.write(some)
            packed.update(some := packer.flush())
            other.write(some)
        yield Written(name, digest.hexdigest(), packed.hexdigest())


def _put(site: Site, plan: Plan, new: Path, record: Record) -> Build:
    """Give a build its lasting name; older ones of its plan go, but stay readable while mapped."""
    # Another process that serves from the same folder may have put the same one there.
    with suppress(OSError):
        new.rename(site.folder / f"{site.name(plan)}.{record.made:020d}")
    found = stored(site, plan)
    if found is None:
        raise Misused(f"The folder {site.folder} does not keep what is written there.")
    for older in _folders(site, plan)[:-1]:
        shutil.rmtree(older, ignore_errors=True)
    return found


def _folders(site: Site, plan: Plan) -> list[Path]:
    return sorted(site.folder.glob(f"{site.name(plan)}.*"))


def stored(site: Site, plan: Plan) -> Build | None:
    """Return the newest build of a plan that is on the disk, whole and unchanged, or None."""
    for folder in reversed(_folders(site, plan)):
        with suppress(OSError, msgspec.MsgspecError):
            record = msgspec.json.decode((folder / _RECORD).read_bytes(), type=Record)
            files = {
                one.name: Served(
                    one.digest,
                    _content(folder / f"{number}", one.digest),
                    _content(folder / f"{number}.gz", one.packed),
                )
                for number, one in enumerate(record.files)
            }
            return Build(record, files)
    return None


def turned(site: Site, plan: Plan, feed_id: str) -> int:
    """Note the list that a feed has from now on; return when the other was made that it had, or 0.

    On the disk, since a start does not know what came before it.
    """
    note, name = site.folder / f"of-{feed_id}", site.name(plan)
    before = ""
    with suppress(OSError):  # unread or unwritten, a serial may fall, but the list is served
        before = note.read_text() if note.exists() else ""
        if before != name:
            site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            note.write_text(name)
    if before in {"", name}:
        return 0
    return max((int(one.suffix[1:]) for one in site.folder.glob(f"{before}.*")), default=0)


def _content(file: Path, digest: str) -> Content:
    with file.open("rb") as opened:
        small = os.fstat(opened.fileno()).st_size < _SMALL
        content: Content
        if small:
            content = opened.read()
        else:
            content = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    if hashlib.sha256(content).hexdigest() != digest:
        raise OSError(f"The file {file.name} is not what was written.")
    return content


def forget(site: Site, keep: Iterable[Plan], before: float) -> None:
    """Delete builds older than ``before`` (seconds since 1970) of all plans but those to keep."""
    kept = {site.name(plan) for plan in keep}
    for folder in site.folder.glob("*"):
        with suppress(OSError):
            old = folder.stat().st_mtime < before
            if old and folder.name.partition(".")[0] not in kept:
                shutil.rmtree(folder, ignore_errors=True)
