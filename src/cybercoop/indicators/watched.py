"""Which addresses, names, links and hashes a pattern looks for, wherever they stand in it.

A pattern that no firewall can use still blocks at a SIEM that takes it, so the guard has to see
every value in it. What a pattern says it does not look for (``!=``, NOT) is none.
"""

import re
from collections.abc import Callable, Iterator

from cybercoop.errors import Refused
from cybercoop.indicators import values
from cybercoop.indicators.literals import unquote
from cybercoop.indicators.paths import ObjectPath, simple_path

EVERY_NAME = "."
"""The name that stands for all names, where a comparison leaves the end of a name open."""

Watched = tuple[str, str]
"""A kind (ipv4, ipv6, domain, url, email, md5, sha1, sha256, sha512) and a value of it."""

_TEXT = r"'[^'\\]*(?:\\['\\][^'\\]*)*'"
_STEP = rf"(?:[A-Za-z0-9_-]++|{_TEXT})"
_PATH = rf"[A-Za-z_][A-Za-z0-9_-]*+:{_STEP}(?:\.{_STEP}|\[[0-9*]++\])*+"
_WORD = r"=|!=|<=|>=|<|>|LIKE|MATCHES|ISSUBSET|ISSUPERSET"
# A text that belongs to no comparison is stepped over, since what is quoted is no pattern, and so
# is a word, lest a long one is tried from each of its letters.
_COMPARISON = re.compile(rf"({_PATH}) (NOT )?({_WORD}) ({_TEXT})|{_TEXT}|[A-Za-z0-9_-]++").finditer

_LITERAL = re.compile(r"(?:[A-Za-z0-9_@:/-]|\\[./@:-])+").fullmatch
_ENDING = re.compile(
    r"(?P<below>\^?\(\.\*\\\.\)\?|\(\^\|\\\.\))?(?P<any>\^?(?:\.\*|\(\.\*\)))?(?P<all>\^)?(.*)\$"
).fullmatch
_WILD = re.compile(r"[%_]")
_OCTETS = re.compile(r"((?:[0-9]{1,3}\.){1,3})").match
_WHOLE_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+[/?#]").match
_PIECE = re.compile(r"[^/?#:@]*").match
_SCHEME = re.compile(r"(?:(?:https?|ftps?)(?=:|$))?(?::[/\\]*|[/\\]{2,})?").match
# As a browser reads it: any number of slashes after a scheme, or two of them, begin a host.
_NAMES_A_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:[/\\]*|[/\\]{2,})?[^/\\?#]*\.").match
_SHORTEST_PIECE = 4
_WIDEST = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}


def watched(pattern: str) -> tuple[Watched, ...]:
    """Return every value that a pattern in normal form looks for, each once, in rising order.

    ``LIKE`` counts by its fixed end, ``MATCHES`` only where it is a text written out; neither is
    ever tried on anything. An ``IN`` and an ``==`` are an ``=`` in normal form.
    """
    found: set[Watched] = set()
    for match in _COMPARISON(pattern):
        raw, negated, word, literal = match.groups()
        path = simple_path(raw) if raw and not negated and word != "!=" else None
        if path is not None:
            found.update(_values(path, word, unquote(literal)))
    return tuple(sorted(found))


def written_out(expression: str) -> tuple[str, bool] | None:
    r"""Return the text that a regular expression ends with, and whether it is all of it.

    Only a text written out with its end fixed is taken (``^a\.de$``, ``\.a\.de$``, and
    ``.a.de`` for ``(^|\.)a\.de$``): everything else could only be tried out, which may take
    for ever.
    """
    ending = _ENDING(expression)
    if ending is None or not _LITERAL(ending[4]):
        return None
    text = ending[4].replace("\\", "")
    if ending["below"]:
        return f".{text}", False
    return text, ending["all"] is not None


def _values(path: ObjectPath, word: str, text: str) -> Iterator[Watched]:
    kind = path.kind or _kind_of_reference(path, text)
    if kind is None:
        return
    if word in ("=", "ISSUBSET", "ISSUPERSET"):
        yield from _exactly(kind, text)
    elif word == "LIKE":
        yield from _alike(kind, text) if _WILD.search(text) else _exactly(kind, text)
    elif word == "MATCHES":
        end, is_all = written_out(text) or ("", True)
        yield from _exactly(kind, end) if is_all else _alike(kind, f"%{end}")
    elif kind in ("ipv4", "ipv6", "domain", "url", "email"):  # greater or less than a text
        yield kind, _WIDEST.get(kind, EVERY_NAME)


def _kind_of_reference(path: ObjectPath, text: str) -> str | None:
    """Return the kind of what stands at the end of a reference, by how it looks."""
    if path.form is values.email:
        return "email"
    if path.form is not values.name_or_address:
        return None
    if "://" in text:
        return "url"
    if "@" in text:
        return "email"
    if ":" in text:
        return None if _is(values.mac, text) else "ipv6"
    return "ipv4" if text[:1].isdigit() and not text.strip("0123456789./%_") else "domain"


def _is(form: Callable[[str], str], text: str) -> bool:
    try:
        form(text)
    except Refused:
        return False
    return True


def _exactly(kind: str, text: str) -> Iterator[Watched]:
    if kind == "url" and "://" not in text:
        # A bare path says nothing about where; a name before it does.
        if _NAMES_A_HOST(text):
            yield kind, text
    elif text:
        yield (values.kind_of(text, kind) or kind if kind == "domain" else kind), text


def _alike(kind: str, text: str) -> Iterator[Watched]:
    if kind == "ipv4":
        yield kind, _network_before(text)
    elif kind == "ipv6":
        yield kind, _WIDEST[kind]
    elif kind == "domain":
        yield from (("domain", name) for name in _ends(text))
    elif kind == "email":
        end = _WILD.split(text)[-1]
        names = [end.rpartition("@")[2]] if "@" in end else _ends(text)
        yield from (("email", name) for name in names)
    elif kind == "url":
        yield from (("url", url) for url in _links(text))


def _network_before(text: str) -> str:
    """Return the network that an address with an open end lies in."""
    octets = _OCTETS(_WILD.split(text)[0])
    if not octets:
        return _WIDEST["ipv4"]
    parts = octets[1].removesuffix(".").split(".")
    return f"{'.'.join([*parts, *['0'] * (4 - len(parts))])}/{8 * len(parts)}"


def _ends(text: str) -> Iterator[str]:
    """Yield the names that all names alike lie below.

    ``%.a.de`` lies below ``a.de``; ``%a.de`` may be ``a.de`` itself or any name below ``de``.
    """
    end = _WILD.split(text)[-1]
    if end.startswith("."):
        yield end[1:] or EVERY_NAME
        return
    name, _, above = end.partition(".")
    if name:
        yield end
    yield above or EVERY_NAME


def _links(text: str) -> Iterator[str]:
    """Yield what in a URL with open places may be its host."""
    pieces = _WILD.split(text)
    if _WHOLE_HOST(pieces[0]):
        yield pieces[0]
        return
    rests = [_without_scheme(piece) for piece in pieces]
    if max(map(len, rests)) < _SHORTEST_PIECE:
        yield EVERY_NAME
    for rest in rests:
        found = _PIECE(rest)
        host = found[0].strip(".") if found else ""
        if "." in host or (host and rest[len(host) :].startswith("/")):
            yield f"//{host}/"


def _without_scheme(piece: str) -> str:
    found = _SCHEME(piece)
    return piece[found.end() :] if found else piece
