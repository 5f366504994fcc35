"""Free text: a mail or a report that somebody pastes, with values between the words.

A person looks at the result before it is pushed. What is defanged was meant; what is not may be
a reference, a file name, a version or the sender's own address, and is told with the reason.
"""

import re
from collections.abc import Iterator, Sequence

from cybercoop.collect.readers import _mails
from cybercoop.collect.readers._suffixes import FILE_ENDINGS, is_registrable, registered
from cybercoop.collect.readers._words import each, recognise
from cybercoop.collect.reading import LINE_LIMIT, Found, Given, Options, Passed, Value, bad, lines
from cybercoop.errors import Malformed, Refused

NAME = "text"
TITLE = {
    "de": "Freier Text: Mail oder Bericht; vor dem Senden ansehen",
    "en": "Free text: a mail or a report; look at it before it is pushed",
}
PREVIEW = True

TEXT_LIMIT = 8 * 1024 * 1024

_OTHERS = (".yaml", ".yml", ".json", ".xml", ".html", ".py", ".js")
_DOT = r"(?:\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\}|\.)"
_AT = r"(?:\[@\]|\(@\)|\[at\]|\(at\)|\{at\}|@)"
_HOST = rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,20}}"
_FOUR = rf"(?:[0-9]{{1,3}}{_DOT}){{3}}[0-9]{{1,3}}"
_REST = r"(?:\[?:\]?[0-9]{1,5}(?![0-9]))?(?:/[^\s<>\"'`|]*)?"
_CANDIDATE = re.compile(
    r"(?P<url>(?<![\w])(?:h(?:tt|xx)ps?|f[tx]ps?)(?:://|\[://\]|\[:\]//|:\[//\])[^\s<>\"'`|]+)"
    rf"|(?P<email>(?<![\w.%+-])[\w.%+-]{{1,64}}{_AT}{_HOST})"
    r"|(?P<hash>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{128}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}"
    r"|[0-9A-Fa-f]{32})(?![0-9A-Za-z]))"
    rf"|(?P<range>(?<![\w.-]){_FOUR}[-\u2013]{_FOUR}(?![\w-]|\.[\w]))"
    rf"|(?P<ipv4>(?<![\w.-]){_FOUR}(?![\w-]|\.[\w])"
    r"(?:/[0-9]{1,2}(?![0-9]))?(?::[0-9]{1,5}(?![0-9]))?)"
    r"|(?P<ipv6>(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:/[0-9]{1,3})?(?![\w:]))"
    rf"|(?P<name>(?<![\w.@/\\-]){_HOST}{_REST})",
    re.IGNORECASE,
).finditer
_DEFANGED = re.compile(
    r"\[\.\]|\(\.\)|\{\.\}|[\[({]dot[\])}]|\[@\]|\(@\)|[\[({]at[\])}]|\[:|:\[//|\Ahxxp|\Afxp",
    re.IGNORECASE,
).search
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_TAIL = ".,;:!?*_»«\u201c\u201d\u2018\u2019"
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|versionen|build|release|firmware|update|patch|rev|revision|fassung"
    r"|stand)|\b[a-z][\w.+-]*/|\bv[0-9][0-9.]*\s*(?:,|and|und|or|oder|to|bis|-))[\s.:#=(]*\Z",
    re.IGNORECASE,
).search
_GOES_ON = re.compile(
    r"\s*(?:,|;|and|und|or|oder|to|bis|through|-|\u2013)\s*", re.IGNORECASE
).fullmatch
_NAMED = re.compile(
    r"\b(?:domains?|domänen?|hosts?|hostnames?|sites?|websites?|c2|server|fqdn|dns)\W{0,3}\Z",
    re.IGNORECASE,
).search
_PACKAGES = frozenset(("com", "org", "net", "de", "io", "java", "javax", "android", "eu"))
_PRODUCTS = frozenset(("asp.net", "ado.net", "vb.net", "ml.net", "paint.net", "socket.io"))
_SENTENCE = re.compile(r"[a-zäöüß]\.[A-ZÄÖÜ][a-z]+\Z").search
_DECORATION = " \t>*•·-\u2013+`\"'()[]<>#"
_GROUPS = 3
_WORDS_BEFORE = 40


def sureness(name: str, head: str) -> int:
    """Return 10 for text with a value in it: every other format is surer of itself."""
    if name.endswith(_OTHERS) or head.lstrip()[:1] in ("{", "["):
        return 0
    found = _all(head.splitlines())
    return 10 if any(isinstance(one, Value) for one in found) else 0


def read(given: Given, options: Options) -> Iterator[Found]:
    """Yield every value between the words, and every refusal of what only looks like one.

    Raises ``Malformed`` for more than 8 MiB: whether a text defangs is known at its end.
    """
    text, size = [], 0
    for line in lines(given):
        text.append(line)
        size += len(line)
        if size > TEXT_LIMIT:
            msg = f"{given.name} is larger than {TEXT_LIMIT >> 20} MiB, too much for free text."
            raise Malformed(msg)
    return _all(text, options.kind)


def _all(text: Sequence[str], kind: str = "") -> Iterator[Found]:
    text = [line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT + 1] for line in text]
    matches = [list(_CANDIDATE(line)) if len(line) <= LINE_LIMIT else [] for line in text]
    defangs = any(_DEFANGED(match[0]) for line in matches for match in line)
    zones, own = _mails.zones(text)
    for number, (line, found, zone) in enumerate(zip(text, matches, zones, strict=True), 1):
        where = f"line {number}"
        if len(line) > LINE_LIMIT:
            yield bad(where, line, f"The line is longer than {LINE_LIMIT} characters.")
            continue
        given = list(_of_line(where, line, found, zone, own, kind, defangs=defangs))
        yield from given or [Passed(where, "no value in it" if line.strip() else "blank")]


def _of_line(
    where: str,
    line: str,
    matches: Sequence[re.Match[str]],
    zone: str,
    own: frozenset[str],
    kind: str,
    *,
    defangs: bool,
) -> Iterator[Found]:
    version_end = -1
    for match in matches:
        text = _trimmed(match[0])
        if match.lastgroup == "range":
            yield bad(where, text, "It is a range; write it as networks in CIDR form.")
            continue
        if not _is_candidate(match, text):
            continue
        before = _before(line, match)
        goes_on = version_end >= 0 and _GOES_ON(line[version_end : match.start()])
        if match.lastgroup == "ipv4" and not _DEFANGED(text) and (_VERSION(before) or goes_on):
            version_end = match.end()
            yield bad(where, text, "It reads like a version number; defang it if it is an address.")
        elif reason := _doubt(match, text, line, zone, own, defangs=defangs):
            yield bad(where, text, reason)
        else:
            yield from each(where, text, "", kind)


def _before(line: str, match: re.Match[str]) -> str:
    """Return the last words before a match: more would be searched once for every match."""
    return line[max(0, match.start() - _WORDS_BEFORE) : match.start()]


def _is_candidate(match: re.Match[str], text: str) -> bool:
    """Say whether a person could have meant a value here at all."""
    if match.lastgroup == "ipv6":
        groups = [group for group in text.partition("/")[0].split(":") if group]
        return ("::" in text and len(groups) >= _GROUPS) or len(groups) == 8  # noqa: PLR2004 - of a whole address
    if match.lastgroup != "name" or _DEFANGED(text):
        return True
    host = _host(text)
    return host is not None and is_registrable(host)


def _doubt(
    match: re.Match[str], text: str, line: str, zone: str, own: frozenset[str], *, defangs: bool
) -> str:
    """Return why what is not defanged may not be meant; nothing where it is."""
    if _DEFANGED(text) or match.lastgroup == "hash":
        return ""
    if zone:
        return f"It stands in {zone} of a mail; defang it if it is meant."
    host = _host(text.rpartition("@")[2])
    if host and registered(host) in own:
        return "It belongs to the sender or a recipient of the mail; defang it if it is meant."
    if match.lastgroup == "name":
        if reason := _other_meaning(text, host or "", _before(line, match)):
            return reason
    elif match.lastgroup in ("ipv4", "ipv6"):
        return ""
    if defangs and not _NAMED(_before(line, match)) and not _is_alone(line, match):
        return "It is a living link in a text that defangs what is bad; defang it if it is meant."
    return ""


def _other_meaning(text: str, host: str, before: str) -> str:
    """Return what a name in prose is more likely to be: a file, a package, a product, a slip."""
    ending = host.rpartition(".")[2]
    if ending in FILE_ENDINGS and "/" not in text and not _NAMED(before):
        return "It reads like the name of a file; defang it if it is a domain."
    if host.partition(".")[0] in _PACKAGES:
        return "It reads like the name of a program package; defang it if it is a domain."
    if host in _PRODUCTS:
        return "It reads like the name of a product; defang it if it is a domain."
    if _SENTENCE(text):
        return "It reads like the end of a sentence without a blank; defang it if it is a domain."
    return ""


def _host(text: str) -> str | None:
    """Return the host of a name, link or address in normal form; none for what has none."""
    bare = re.sub(r"\A[A-Za-z]+://", "", text).partition("/")[0]
    try:
        kind, spellings, _ = recognise(bare.partition(":")[0])
    except Refused:
        return None
    return spellings[0] if kind == "domain" else None


def _trimmed(text: str) -> str:
    """Return a match without the marks of the sentence around it."""
    unopened = {mark: text.count(mark) - text.count(opener) for mark, opener in _CLOSERS.items()}
    end = len(text)
    while end:
        last = text[end - 1]
        if last not in _TAIL and unopened.get(last, 0) <= 0:
            break
        if last in unopened:
            unopened[last] -= 1
        end -= 1
    return text[:end]


def _is_alone(line: str, match: re.Match[str]) -> bool:
    """Say whether a value fills its line, or its cell in a table: so lists are written."""
    start = max(line.rfind(mark, 0, match.start()) for mark in "|\t") + 1
    ends = [at for mark in "|\t" if (at := line.find(mark, match.end())) >= 0]
    around = line[start : match.start()] + line[match.end() : min(ends, default=len(line))]
    return not around.strip(_DECORATION)
