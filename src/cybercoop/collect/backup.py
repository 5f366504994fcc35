"""Backups of a SQLite center: one file with everything in it, checked before it counts as one."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cybercoop.collect.checking import content_hash
from cybercoop.errors import Misused, Refused
from cybercoop.store import backup as store
from cybercoop.store.backup import Contents

Tell = Callable[[str, int, int | None], None]
"""Is told what is going on, how much of it is done, and of how much where that is known."""

_PIECE = 1 << 22
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Backup:
    """Hold one file that was read to its end and found whole."""

    file: Path
    id: str
    size: int
    contents: Contents


def back_up(url: str, file: Path, now: datetime, tell: Tell) -> Backup:
    """Write the center at ``url``, running or not, into ``file``, for its owner alone.

    A folder gets a file named after the time. Raises ``Misused`` for PostgreSQL, for a database
    without a center, for a folder that is not there and for a file that is there already; a broken
    database is ``Refused``.
    """
    source = store.file_of(url)
    target = file / f"cybercoop-{_stamp(now)}.sqlite" if file.is_dir() else file
    if not source.exists() or not store.has_center(source):
        raise Misused(f"{source} has no center to back up; look at CYBERCOOP_DATABASE.")
    if not target.parent.is_dir():
        raise Misused(f"There is no folder {target.parent}; make it first.")
    _require_free(target)
    with _kept_when_whole(target) as draft:
        store.copy(source, draft, lambda done, whole: tell("copy", done, whole))
        made = check(draft, tell, called=source)
        _require_free(target)
    return Backup(target, made.id, made.size, made.contents)


def check(file: Path, tell: Tell, called: Path | None = None) -> Backup:
    """Read a backup to its end and return what it is.

    Raises ``Refused``, about ``called`` where the file is only a copy of that, for what is none.
    """
    if not file.is_file():
        raise Misused(f"There is no file {file}.")
    tell("verify pages", 0, None)
    found = store.contents(file, called or file)
    _require_unchanged(file, called or file, found.counts["contributions"], tell)
    digest = hashlib.sha256()
    for piece in _pieces(file, lambda done, whole: tell("hash", done, whole)):
        digest.update(piece)
    return Backup(file, digest.hexdigest(), file.stat().st_size, found)


def _require_unchanged(file: Path, called: Path, count: int, tell: Tell) -> None:
    """Raise ``Refused`` unless every contribution is what was accepted.

    SQLite's own check sees that a page is in its place, not that its text is the one once written.
    """
    for done, (seq, accepted, raw) in enumerate(store.contributions(file, called), 1):
        if not _is_same(raw, accepted):
            raise Refused(f"{called} is broken: contribution {seq} is not what was accepted.")
        if done == count or not done % _ROWS:
            tell("verify contributions", done, count)


def _is_same(raw: bytes, accepted: bytes) -> bool:
    try:
        return content_hash(json.loads(raw)) == accepted
    except (ValueError, TypeError):  # it is no JSON any more
        return False


def restore(
    url: str, file: Path, now: datetime, tell: Tell, *, replace: bool
) -> tuple[Backup, Path | None]:
    """Put a checked backup where the database at ``url`` stands.

    Returns it, and where the old database is kept if that had a center, which wants ``replace``.
    Raises ``Misused`` for PostgreSQL and while a server runs, ``Refused`` for what is no backup.
    """
    target, verified = store.file_of(url), check(file, tell)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts = target.exists() and store.has_center(target)
    if counts and not replace:
        msg = f"{target} has a center; --replace keeps it beside and puts the backup in its place."
        raise Misused(msg)
    kept = store.beside(target, f".before-{_stamp(now)}") if counts else None
    with _kept_when_whole(target) as draft:
        _copy(verified, draft, tell)
        if target.exists():
            store.let_go(target)
            _put_aside(target, kept)
    return verified, kept


def _copy(backup: Backup, draft: Path, tell: Tell) -> None:
    digest = hashlib.sha256()
    with draft.open("wb") as opened:
        for piece in _pieces(backup.file, lambda done, whole: tell("restore", done, whole)):
            digest.update(piece)
            opened.write(piece)
        # Now, so that nothing slow comes between letting go of the old one and taking its place.
        opened.flush()
        os.fsync(opened.fileno())
    if digest.hexdigest() != backup.id:
        raise Refused(f"{backup.file} changed while it was read.")


def _put_aside(target: Path, kept: Path | None) -> None:
    """Give the old database a second name; its place is taken in one go, and never empty.

    Only a broken one still has a log: SQLite would play it into whatever stands there next.
    """
    for ending in ("-wal", "-shm"):
        log = store.beside(target, ending)
        if log.exists() and kept is not None:
            log.rename(store.beside(kept, ending))
    if kept is not None:
        os.link(target, kept)


@contextmanager
def _kept_when_whole(target: Path) -> Iterator[Path]:
    """Lend an empty file of 0600 that takes the name ``target`` once it is on the disk."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pieces(file: Path, advance: store.Advance) -> Iterator[bytes]:
    whole, done = file.stat().st_size, 0
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
            done += len(piece)
            advance(done, whole)


def _require_free(target: Path) -> None:
    if target.exists():
        raise Misused(f"{target} is there already; a backup takes no other's place.")


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
