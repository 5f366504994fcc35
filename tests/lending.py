"""Databases of a PostgreSQL server, each lent to one test."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier


class Lender:
    """Lend databases of one server, over one connection that stays open.

    An empty one that nobody touched is lent again: to make and drop one takes fifteen milliseconds
    of a processor, and hundreds of tests fill theirs with a copy first.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._connection = psycopg.connect(server_url, autocommit=True)
        self._spare: list[str] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Lend the URL of an empty database, and drop it afterwards with whoever is in it."""
        name = _new_name()
        if self._spare:
            self._rename(self._spare.pop(), name)
        else:
            self._copy("template0", name)
        url = urlsplit(self._server_url)._replace(path=f"/{name}").geturl()
        _LENT[url] = self
        try:
            yield url
        finally:
            del _LENT[url]
            self._drop(name)

    def untouched(self, url: str) -> bool:
        """Say whether a database is as it was lent: whoever connects leaves a file in it."""
        same = "SELECT pg_database_size(%s) = pg_database_size('template0')"
        return self._connection.execute(same, [name_in(url)]).fetchone() == (True,)

    def refill(self, url: str, *, like: str) -> None:
        """Make an untouched database a copy of another one, in which nobody may be."""
        self._spare.append(_new_name())
        self._rename(name_in(url), self._spare[-1])
        self._copy(like, name_in(url))

    def close(self) -> None:
        """Drop what was not lent again, and end the connection."""
        for name in self._spare:
            self._drop(name)
        self._connection.close()

    def _copy(self, model: str, name: str) -> None:
        # Copying files takes a third of the time of PostgreSQL's default, which logs each page.
        copy = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._connection.execute(copy.format(Identifier(name), Identifier(model)))

    def _rename(self, name: str, new: str) -> None:
        rename = SQL("ALTER DATABASE {} RENAME TO {}")
        self._connection.execute(rename.format(Identifier(name), Identifier(new)))

    def _drop(self, name: str) -> None:
        self._connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


_LENT: dict[str, Lender] = {}


def lender_of_untouched(url: str) -> Lender | None:
    """Return who lent this database, or None where somebody was in it already."""
    lender = _LENT.get(url)
    return lender if lender and lender.untouched(url) else None


def name_in(url: str) -> str:
    """Return the name of a lent database."""
    return urlsplit(url).path.removeprefix("/")


def _new_name() -> str:
    return f"cybercoop_{uuid.uuid4().hex}"
