"""All rules in one place, built once and asked a hundred thousand times a second."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cybercoop.guard import spelling
from cybercoop.guard.names import Names, names
from cybercoop.guard.networks import Networks, networks, too_wide
from cybercoop.guard.spelling import PLAIN, Span
from cybercoop.guard.verdicts import (
    ALLOWED,
    UNREADABLE,
    Entry,
    Level,
    Reach,
    Verdict,
    by_rule,
    strictest,
)

ROOT = "."
"""The name that stands for every name, where a pattern leaves its end open."""

_V4, _V6 = 32, 128
_HASHES = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))
_EVERY_NAME = by_rule("too-wide", Level.HOLD)
_PLAIN_URL = re.compile(
    r"[a-z]+://((?:[a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62})(?:[/?#][^\t\r\n]*)?"
).fullmatch

Value = tuple[str, str]
"""A kind and a value of it."""


@dataclass(frozen=True, slots=True)
class Index:
    """Hold all rules for looking values up; nothing about it ever changes.

    ``linked`` has the addresses that protected links lead to: they count for addresses and
    networks, and not for other links there.
    """

    v4: Networks
    v6: Networks
    hosts: Names
    mails: Names
    urls: dict[str, Verdict]
    exact: dict[str, Verdict]
    linked: "Index | None" = None

    def verdict(self, kind: str, value: str) -> Verdict:
        """Return the strictest verdict on ``value`` of a kind that devices block by.

        A kind that nobody knows and a value that nobody can read are held.
        """
        if kind in ("ipv4", "ipv6"):
            said = self._address(value)
            linked = self.linked
            return said if linked is None else strictest((said, linked.verdict(kind, value)))
        if kind == "domain":
            return self._with_links(self._host(value, self.hosts), value)
        if kind == "url":
            return self._url(value)
        if kind == "email":
            return self._mail(value)
        if kind in _HASHES:
            return self.exact.get(value.strip().lower(), ALLOWED)
        return UNREADABLE

    def _address(self, value: str) -> Verdict:
        number = spelling.plain_four(value)
        if number is not None:
            return self.v4.at(number)
        number = spelling.plain_six(value)
        if number is not None:
            return self.v6.at(number)
        return self._spans(spelling.spans(value))

    def _spans(self, spans: Iterable[Span] | None) -> Verdict:
        if spans is None:
            return UNREADABLE
        return strictest(verdict for span in spans for verdict in self._span(span))

    def _span(self, span: Span) -> tuple[Verdict, Verdict]:
        return (self.v4 if span.bits == _V4 else self.v6).verdict(span), too_wide(span)

    def _host(self, host: str, table: Names) -> Verdict:
        if PLAIN(host):
            return table.verdict(host)
        if host == ROOT:
            return _EVERY_NAME
        place = spelling.place(host)
        if isinstance(place, str):
            return table.verdict(place)
        return self._spans(place)

    def _url(self, url: str) -> Verdict:
        if url == ROOT:
            return _EVERY_NAME
        plain = _PLAIN_URL(url)
        host = plain[1] if plain else spelling.host_of(url)
        said = self.hosts.verdict(host) if plain else self._host(host, self.hosts)
        return self._with_links(said, url)

    def _with_links(self, said: Verdict, value: str) -> Verdict:
        if not self.urls:
            return said
        return strictest((said, self.urls.get(spelling.link(value), ALLOWED)))

    def _mail(self, mail: str) -> Verdict:
        text = mail.strip().lower()
        host = text.rpartition("@")[2].removeprefix("[").removesuffix("]")
        said = self._host(host.removeprefix("ipv6:"), self.mails)
        return strictest((said, self.exact.get(text, ALLOWED)))


def index_of(entries: Iterable[Entry]) -> Index:
    """Index ``entries``; of two that are equally strict about a value the first one speaks.

    Raise ``Refused`` for an entry whose value is not of its kind.
    """
    fours: list[tuple[int, int, Verdict]] = []
    sixes: list[tuple[int, int, Verdict]] = []
    hosts: list[tuple[str, Verdict, Reach]] = []
    mails: list[tuple[str, Verdict, Reach]] = []
    urls: dict[str, Verdict] = {}
    exact: dict[str, Verdict] = {}
    linked: list[tuple[Span, Verdict]] = []
    for kind, value, verdict, reach in entries:
        if kind == "network":
            bits, number, prefix = spelling.network(value)
            (fours if bits == _V4 else sixes).append((number, prefix, verdict))
        elif kind == "hash" or "@" in value:
            _keep(exact, value.lower(), verdict)
        elif kind == "url":
            for link in _link_and_above(value):
                _keep(urls, link, verdict)
            linked.extend((span, verdict) for span in _addresses(value))
        else:
            rule = (spelling.name(value), verdict, reach)
            hosts.extend([rule] if kind != "mail" else ())
            mails.extend([rule] if kind != "host" else ())
    tables = (networks(_V4, fours), networks(_V6, sixes), names(hosts), names(mails), urls, exact)
    return Index(*tables, _of_addresses(linked) if linked else None)


def _of_addresses(rules: Iterable[tuple[Span, Verdict]]) -> Index:
    found: dict[int, list[tuple[int, int, Verdict]]] = {_V4: [], _V6: []}
    for (bits, number, prefix), verdict in rules:
        found[bits].append((number, prefix, verdict))
    return Index(networks(_V4, found[_V4]), networks(_V6, found[_V6]), names(()), names(()), {}, {})


def _keep(table: dict[str, Verdict], key: str, verdict: Verdict) -> None:
    table[key] = strictest((table.get(key, verdict), verdict))


def _link_and_above(url: str) -> Iterable[str]:
    """Yield a protected link and all that would block it along with what else is below."""
    link = spelling.link(url)
    yield link
    folder = link.partition("?")[0]
    while "/" in folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield folder
    host = spelling.place(spelling.host_of(url))
    while isinstance(host, str) and "." in host:
        yield host
        host = host.partition(".")[2]


def _addresses(url: str) -> tuple[Span, ...]:
    host = spelling.place(spelling.host_of(url))
    return host if isinstance(host, tuple) else ()


def verdict_of(index: Index, values: Iterable[Value]) -> Verdict:
    """Return the strictest verdict over several values, each with its kind."""
    return strictest(index.verdict(kind, value) for kind, value in values)
