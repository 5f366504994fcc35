"""Which addresses, names, links and hashes a pattern looks for, wherever they stand in it.

A pattern that no firewall can use still blocks at a SIEM that takes it, so the guard has to see
every value in it. What a pattern says it does not look for (``!=``, NOT) is none; where it says
nothing else, it looks for all the others.
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
_COMPARISON = re.compile(
    rf"({_PATH}) (NOT )?({_WORD}) ({_TEXT})|EXISTS ({_PATH})|{_TEXT}|[A-Za-z0-9_-]++"
).finditer

_LITERAL = re.compile(r"(?:[A-Za-z0-9_@:/-]|\\[./@:-])+").fullmatch
_ENDING = re.compile(
    r"(?P<below>\^?\(\.\*\\\.\)\?|\(\^\|\\\.\))?(?P<any>\^?(?:\.\*|\(\.\*\)))?(?P<all>\^)?(.*)\$"
).fullmatch
# What of an expression stands for itself, each time once; all else may match anything.
_PART = re.compile(
    r"(?P<text>\\[^A-Za-z0-9]|[^\\\[\](){}|.^$*+?])(?![*?{])|(?P<open>\()|(?P<shut>\))|(?P<or>\|)"
    r"|\\[A-Za-z0-9]+|\\.|\[\^?\]?(?:\\.?|[^\]\\])*+\]?|\{[0-9,]*+\}?|.",
    re.DOTALL,
).finditer
_WILD = re.compile(r"[%_]")
_WILDS = re.compile(r"[%_]+")
_OCTETS = re.compile(r"((?:[0-9]{1,3}\.){1,3})").match
_WHOLE_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+[/?#]").match
_PIECE = re.compile(r"[^/?#:@]*").match
_SCHEME = re.compile(r"(?:(?:https?|ftps?)(?=:|$))?(?::[/\\]*|[/\\]{2,})?").match
# As a browser reads it: any number of slashes after a scheme, or two of them, begin a host.
_NAMES_A_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:[/\\]*|[/\\]{2,})?[^/\\?#]*\.").match
_HOST_HEADER = re.compile(
    r"network-traffic:extensions\.'http-request-ext'\.request_header\.host(?:\[.*\])?",
    re.IGNORECASE,
).fullmatch
_SHORTEST_PIECE = 4
_WIDEST = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}


def watched(pattern: str) -> tuple[Watched, ...]:
    """Return every value that a pattern in normal form looks for, each once, in rising order.

    ``LIKE`` counts by its fixed end, ``MATCHES`` as the ``LIKE`` that takes in all it may match;
    neither is ever tried on anything. An ``IN`` and an ``==`` are an ``=`` in normal form.
    """
    found: set[Watched] = set()
    others: set[Watched] = set()
    says_what = says_or = False
    for match in _COMPARISON(pattern):
        raw, negated, word, literal, existing = match.groups()
        says_or |= match[0] == "OR"
        path = simple_path(raw or existing or "")
        if path is not None and (negated or word == "!=" or existing):
            others.update(_all_of(path.kind or _kind_of_reference(path, "")))
        elif raw:
            says_what = True
            found.update(_values(path, word, unquote(literal)) if path else ())
    return tuple(sorted(found if says_what and not says_or else found | others))


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
    written = written_out(text) if word == "MATCHES" else None
    if word == "MATCHES":
        text = like(text) if written is None else written[0] if written[1] else f"%{written[0]}"
        word = "LIKE"
    kind = path.kind or _kind_of_reference(path, text)
    if _HOST_HEADER(path.text):
        kind, text = "url", f"//{text}/"
    if kind is None:
        return
    if word in ("=", "ISSUBSET", "ISSUPERSET"):
        yield from _exactly(kind, text)
    elif word == "LIKE":
        yield from _alike(kind, text) if _WILD.search(text) else _exactly(kind, text)
    else:  # greater or less than a text
        yield from _all_of(kind)


def _all_of(kind: str | None) -> Iterator[Watched]:
    """Yield what stands for all values of a kind."""
    if kind in ("ipv4", "ipv6", "domain", "url", "email"):
        yield kind, _WIDEST.get(kind, EVERY_NAME)


def like(expression: str) -> str:
    r"""Return a text with ``%`` that is like whatever a regular expression matches.

    >>> like(r"^https?://([a-z]+\.)?a\.de/")
    'http%://%a.de/%'
    """
    depth, texts, parts = 0, [], [*_PART(expression)]
    for part in parts:
        depth += bool(part["open"]) - bool(part["shut"])
        if part["or"] and depth <= 0:
            return "%"
        texts.append(part["text"][-1] if part["text"] and depth <= 0 else "%")
    for at, anchor in ((0, "^"), (-1, "$")):
        if parts and parts[at][0] == anchor:
            texts[at] = ""
        else:
            texts.insert(at % (len(texts) + 1), "%")
    return _WILDS.sub("%", "".join(texts))


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
