"""A SQLite database as one file: copied while it is in use, looked at, and let go of.

The copy is made by SQLite's own backup in steps, under a read transaction that is held to the
end. Without that transaction each commit of another process starts the copy again, and under load
it never ends; ``VACUUM INTO`` takes over four times as long and tells nothing on the way. The
price: the write-ahead log is not emptied meanwhile.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from cybercoop.errors import Misused, Refused
from cybercoop.store import migrations

Advance = Callable[[int, int], None]
"""Is told how much is done, and of how much."""

_STEP = 1000
"""Pages; some 4 MiB, so that the bar moves and Ctrl+C is heard."""

_MAGIC = b"SQLite format 3\0"
_HEAD = 100
"""Bytes; page size, page count and the like stand there."""

_LAST_BREATH, _LOOK = 2.0, 0.02
"""Seconds for which a file that is in use is asked for again, and how often."""

_COUNTED = ("organisations", "tokens", "contributions", "releases")
_NO_DATABASE = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class Contents:
    """Hold what a whole and sound database file has in it."""

    center: str
    schema: str
    is_older: bool
    counts: Mapping[str, int]


def file_of(url: str) -> Path:
    """Return the file of a SQLite database; raise ``Misused`` for PostgreSQL."""
    if not url.startswith("sqlite:"):
        raise Misused(
            "This command is for SQLite. PostgreSQL brings its own: `pg_dump --format=custom "
            "--file=FILE DATABASE` while the center runs, and `pg_restore --clean --if-exists "
            "--dbname=DATABASE FILE` while it does not."
        )
    return Path(make_url(url).database or "")


def copy(source: Path, target: Path, advance: Advance) -> None:
    """Copy one committed state of ``source``, in use or not, over the empty file ``target``."""
    with _read(source), closing(_opened(source)) as old, closing(_opened(target)) as new:
        # Nobody but us knows the target yet; whoever makes it keep syncs it.
        new.execute("PRAGMA synchronous = OFF")
        new.execute("PRAGMA journal_mode = OFF")
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=_STEP, progress=lambda _, left, whole: advance(whole - left, whole))
        old.execute("COMMIT")
        # The header came along and says WAL; with it, reading the copy would make files beside it.
        new.execute("PRAGMA journal_mode = DELETE")


def contents(file: Path, called: Path) -> Contents:
    """Read all of a file that nobody writes, and return what is in it.

    Raises ``Refused`` for what is broken, cut off, foreign or of a newer version, and names the
    file as ``called``.
    """
    _require_whole(file, called)
    with _read(called), closing(_opened(file, "immutable=1")) as connection:
        found = _described(connection, called)
        ((verdict,), *_) = connection.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok":
        raise Refused(f"{called} is broken: {verdict}.")
    return found


def _require_whole(file: Path, called: Path) -> None:
    """Raise ``Refused`` unless a file is as long as it says, and all there is."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if not head.startswith(_MAGIC) or len(head) < _HEAD:
        raise Refused(f"{called} is no SQLite database.")
    page = int.from_bytes(head[16:18])
    said = int.from_bytes(head[28:32]) * (page if page > 1 else 65536)
    length = file.stat().st_size
    if length < said:
        raise Refused(f"{called} is cut off: it has {length} of {said} bytes.")
    log = beside(file, "-wal")
    if log.exists() and log.stat().st_size:
        raise Refused(f"{called} is half a database; the rest is in {log.name}. Back that up.")


def _described(connection: sqlite3.Connection, file: Path) -> Contents:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"alembic_version", "center", *_COUNTED} <= tables:
        raise Refused(f"{file} is a SQLite database, but none of a center.")
    asked = connection.execute(
        "SELECT name FROM organisations JOIN center ON org_id = organisations.id"
    )
    center = asked.fetchone()
    if center is None:
        raise Refused(f"{file} has no center in it.")
    (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    versions = ScriptDirectory(str(Path(migrations.__file__).parent))
    if schema not in {one.revision for one in versions.walk_revisions()}:
        raise Refused(
            f"{file} has the schema {schema}, which this version does not know; bring in the "
            "version that wrote it, or a newer one."
        )
    counts = {
        name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # noqa: S608 - our own names
        for name in _COUNTED
    }
    return Contents(center[0], schema, schema != versions.get_current_head(), counts)


def contributions(file: Path, called: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, hash and bytes of every contribution in a file that nobody writes."""
    with _read(called), closing(_opened(file, "immutable=1")) as connection:
        yield from connection.execute("SELECT seq, hash, bytes FROM contributions ORDER BY seq")


def has_center(file: Path) -> bool:
    """Say whether a database file has a center, or is too broken to tell."""
    with _read(file), closing(_opened(file)) as connection:
        try:
            asked = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'center'")
            if asked.fetchone() is None:
                return False
            return connection.execute("SELECT 1 FROM center").fetchone() is not None
        except sqlite3.DatabaseError as error:
            if _kind(error) in _NO_DATABASE:
                return True
            raise


def let_go(file: Path) -> None:
    """Bring a database and its write-ahead log into one file; raise ``Misused`` if it is in use.

    SQLite allows this to the last connection only, so it tells a running server, too. A server that
    was killed takes a moment to be gone with all its processes; that long this waits.
    """
    over = time.monotonic() + _LAST_BREATH
    with _read(file), closing(_opened(file)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
            except sqlite3.DatabaseError as error:
                if _kind(error) in _IN_USE and time.monotonic() < over:
                    time.sleep(_LOOK)
                    continue
                if _kind(error) in _IN_USE:
                    msg = f"{file} is in use; stop `cybercoop serve` and try again."
                    raise Misused(msg) from error
                if _kind(error) not in _NO_DATABASE:
                    raise
            return


def beside(file: Path, ending: str) -> Path:
    """Return the file that SQLite keeps beside a database under this ending."""
    return file.with_name(file.name + ending)


def _opened(file: Path, how: str = "mode=rw") -> sqlite3.Connection:
    """Open a file that is there; SQLite makes none."""
    place = f"{file.absolute().as_uri()}?{how}"
    return sqlite3.connect(place, uri=True, isolation_level=None, timeout=1)


@contextmanager
def _read(file: Path) -> Iterator[None]:
    """Raise ``Refused`` with what SQLite says where a file cannot be read or written."""
    try:
        yield
    except sqlite3.Error as error:
        raise Refused(f"{file} is broken or out of reach: {error}.") from error


def _kind(error: sqlite3.Error) -> int:
    """Return the error code without what SQLite adds in its upper bytes."""
    return error.sqlite_errorcode & 0xFF
