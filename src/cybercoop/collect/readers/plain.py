"""Plain lists: one value per line, as firewalls, DNS blockers and hash lists write them."""

import re
from collections.abc import Iterator

from cybercoop.collect.readers._words import each, expected, recognise
from cybercoop.collect.reading import (
    LINE_LIMIT,
    Bad,
    Found,
    Given,
    Options,
    Passed,
    Value,
    bad,
    lines,
)
from cybercoop.errors import Refused
from cybercoop.indicators.values import shown

NAME = "plain"
TITLE = {
    "de": "Einfache Liste: ein Wert je Zeile (Namen, Adressen, Netze, URLs, Hashes, hosts)",
    "en": "Plain list: one value per line (names, addresses, networks, URLs, hashes, hosts)",
}
PREVIEW = False

_SAMPLE = 200
_COMMENTS = ("#", ";", "//", "!", "--")
_SINKS = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255", "fe80::1%lo0"))  # noqa: S104 - a word of hosts files, bound by nobody
_OWN_NAMES = frozenset(
    (
        *("localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"),  # noqa: S104 - the same
        *("ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix"),
        *("ip6-allnodes", "ip6-allrouters", "ip6-allhosts"),
    )
)
_BLOCKED = re.compile(r"\|\|([^\^$/|]+)\^?(?:\$(.*))?").fullmatch
_DNSMASQ = re.compile(r"(?:address|server|local)=/([^/]+)/\S*").fullmatch
_is_bare = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:/@-]*[A-Za-z0-9_/]").fullmatch
_HASH = re.compile(r"[0-9A-Fa-f]{128}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32}").match
_TITLE = re.compile(r"\[[A-Za-z ]+[0-9.]*\]").fullmatch
_CIDR = re.compile(r"[0-9.]+/[0-9]+(?![^;#])").match
_COMMENT = re.compile(r"\s*(?:[#;!]|//|--)\s*(.*)|\t\s*(.*)|\s+([0-9.,%-]+)", re.DOTALL).fullmatch
_WORD = re.compile(r"[^\s#;]+|\S+").match
_LINK = re.compile(r"\S+").match


def sureness(name: str, head: str) -> int:
    """Return how many of the first lines are values, in percent, less a little."""
    del name
    sample = [line for line in head.splitlines()[: 5 * _SAMPLE] if not _is_comment(line)]
    if not sample:
        return 50
    taken = sample[:_SAMPLE]
    good = sum(not any(isinstance(one, Bad) for one in _line("", line, "")) for line in taken)
    return 90 * good // len(taken) if 2 * good > len(taken) else 0


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield what every line became; a line of a hosts file may hold several names."""
    kind = options.kind
    for number, line in enumerate(lines(given), 1):
        where = f"line {number}"
        # Most lines of most lists are one bare word: two thirds of the time are saved here.
        if not kind and _is_bare(line):
            try:
                known, spellings, remark = recognise(line)
            except Refused as refusal:
                yield bad(where, line, refusal.reason)
                continue
            for spelling in spellings:
                yield Value(where, known, spelling, remark)
            continue
        yield from _line(where, line, kind)


def _is_comment(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith(_COMMENTS)


def _line(where: str, line: str, kind: str) -> Iterator[Found]:
    text = line.strip().lstrip("\ufeff")
    if len(line) > LINE_LIMIT:
        yield bad(where, line, f"The line is longer than {LINE_LIMIT} characters.")
    elif not text:
        yield Passed(where, "blank")
    elif text.startswith(_COMMENTS):
        yield Passed(where, "comment")
    elif _TITLE(text):
        yield Passed(where, "heading")
    elif text.startswith("@@"):
        yield Passed(where, "exception of a filter list")
    elif blocked := _BLOCKED(text):
        yield from each(where, blocked[1], kind=kind)
    elif named := _DNSMASQ(text):
        yield from each(where, named[1], kind=kind)
    else:
        yield from _words(where, text, kind)


def _words(where: str, text: str, kind: str) -> Iterator[Found]:
    first, _, rest = text.partition(" ") if "\t" not in text else text.partition("\t")
    if first in _SINKS and rest.strip() and not rest.strip().startswith("#"):
        yield from _hosts(where, rest, kind)
        return
    word, comment = _cut(text)
    if comment is None:
        yield bad(where, text, f"{shown(text)} is more than one value and no known comment.")
        return
    yield from each(where, _unquoted(word), comment, kind)


def _hosts(where: str, rest: str, kind: str) -> Iterator[Found]:
    names, _, comment = rest.partition("#")
    for name in names.split():
        if name.lower() in _OWN_NAMES:
            yield Passed(where, "the machine's own name")
        else:
            yield from each(where, name, comment.strip(), kind)


def _cut(text: str) -> tuple[str, str | None]:
    """Return the value and the comment behind it; no comment where something else follows."""
    digest = _HASH(text)
    if digest and not text[digest.end() : digest.end() + 1].isalnum():
        # What follows a hash is a comment or, as sha256sum prints it, a file name.
        return digest[0], text[digest.end() :].lstrip(" \t;,#*")
    first = text.split(maxsplit=1)[0]
    # Links hold semicolons and number signs of their own; only a blank ends them.
    found = _LINK(text) if "/" in first and not _CIDR(first) else _WORD(text)
    word = found[0] if found else text
    rest = text[len(word) :]
    if not rest:
        return word, ""
    said = _COMMENT(rest)
    if said is None or (said[1] is None and _is_range(rest)):
        return word, None
    return word, next(part for part in said.groups() if part is not None)


def _is_range(rest: str) -> bool:
    """Say whether a second address follows, so that the first alone would say less."""
    second = rest.split(maxsplit=1)
    try:
        return bool(second) and expected(second[0], "ipv4")[0] == "ipv4"
    except Refused:
        return False


def _unquoted(word: str) -> str:
    """Return a name without quotes and without the wildcard that means "and all below"."""
    word = word.strip("\"'")
    if word.startswith("*."):
        return word[2:]
    return word.removeprefix(".")
