"""What benches of stores are asked for: which databases, and where prepared ones stay."""

import argparse
import fcntl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stores import Postgres, Sqlite, Store, postgres_server

KINDS = ("sqlite", "postgresql")
_CACHE = Path(tempfile.gettempdir()) / "cybercoop-bench"


def parser(about: str | None, usual: str = "sqlite") -> argparse.ArgumentParser:
    """Return a parser of ``--database`` and ``--cache``, to which a bench may add."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--database", choices=(*KINDS, "both"), default=usual)
    made.add_argument(
        "--cache",
        type=Path,
        default=_CACHE,
        help="folder of the prepared stores; as root PostgreSQL opens the folders above it",
    )
    return made


def kinds(database: str) -> Sequence[str]:
    """Return the kinds of database that ``--database`` names."""
    return KINDS if database == "both" else (database,)


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Make the folder, and wait until no other bench works in it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def store_of(kind: str, cache: Path) -> Iterator[Store]:
    """Lend the store of one kind."""
    if kind == "sqlite":
        yield Sqlite(cache / "sqlite")
        return
    with postgres_server(cache / "postgresql") as url:
        yield Postgres(url)
