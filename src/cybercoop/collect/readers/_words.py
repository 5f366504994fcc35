"""Recognise one word of a list: what kind of value it is, in its normal form."""

import re
from collections.abc import Iterator

from cybercoop.collect.reading import LINE_LIMIT, Bad, Found, Value, bad, said
from cybercoop.errors import Refused
from cybercoop.indicators import values
from cybercoop.indicators.values import shown

Word = tuple[str, tuple[str, ...], str]
"""The kind, the values (two for a URL without scheme), and a remark such as a port."""

_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_DIGITS_OF_A_HASH = 24
_HEX = re.compile(r"[0-9A-Fa-f]+").fullmatch
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|\[://\]|\[:\]//|:\[//\]|:\[/\]\[/\])").match
_SCHEMES = frozenset(
    ("http", "https", "ftp", "ftps", "sftp", "ws", "wss", "hxxp", "hxxps", "fxp"),
)
_NUMERIC = re.compile(r"[0-9.]+").fullmatch
_NETWORK = re.compile(r"[0-9.]+/[0-9]+").fullmatch
_MASKED = re.compile(r"[0-9.]+/(?:[0-9]+\.){3}[0-9]+").fullmatch
_RANGE = re.compile(r"[0-9.]+-[0-9.]+").fullmatch
_PORT = re.compile(r"(.+):([0-9]{1,5})").fullmatch
# Nobody sees these, so a person cannot judge the value that holds them.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc\ufffd]").search
_DEFANGS = (
    (re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\}|\\\.", re.IGNORECASE), "."),
    (re.compile(r"\[@\]|\(@\)|\[at\]|\(at\)|\{at\}", re.IGNORECASE), "@"),
    (re.compile(r"\[:\]|\(:\)"), ":"),
    (re.compile(r"\[/\]"), "/"),
)
# Most URLs of a feed are in normal form already; to see it costs a tenth of bringing them there.
_NORMAL_URL = re.compile(
    r"https?://(?:(?=[^/]{1,253}/)(?!-)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9_-]{0,62}"
    r"|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?=[0-9])|(?=/))){4})/[!-~]*"
).fullmatch
_FAMILIES = {
    "network": ("ipv4", "ipv6", "domain", "url"),
    "mail": ("email",),
    "hash": ("md5", "sha1", "sha256", "sha512"),
}
_FAMILY = {kind: family for family, kinds in _FAMILIES.items() for kind in kinds}


def recognise(word: str) -> Word:
    """Return what ``word`` is, in its normal form; raise ``Refused`` with the reason."""
    kind = _DIGESTS.get(len(word))
    if kind and _HEX(word):
        return kind, (word.lower(),), ""
    if not word.isascii() and _UNSEEN(word):
        raise values.refused(f"{shown(word)} has characters that cannot be seen or read.")
    if "//" in word and (scheme := _SCHEME(word)):
        ended = word if word.count("/") > 2 else f"{word}/"  # noqa: PLR2004 - two are the scheme's
        return "url", (ended if _NORMAL_URL(ended) else _url(word, scheme),), ""
    if "[" in word or "(" in word or "{" in word or "\\" in word:
        word = refanged(word)
    if ":" in word:
        return _with_colon(word)
    if "@" in word and "@" in word.partition("/")[0]:
        return "email", (values.email(word),), ""
    if "/" in word:
        return _with_slash(word)
    if word[-1:].isdigit() and _NUMERIC(word):
        return "ipv4", (values.ipv4(word),), ""
    return "domain", (_domain(word),), ""


def expected(word: str, kind: str) -> Word:
    """Return what ``word`` is, or refuse it because ``kind`` is what a list says it is.

    A name, an address and a URL may stand for each other: lists say "url" of ``host:port``. A
    family (network, mail, hash) stands for all of its kinds.
    """
    known = recognise(word)
    family = kind if kind in _FAMILIES else _FAMILY[kind]
    is_it = known[0] == kind if kind in _FAMILIES["hash"] else _FAMILY[known[0]] == family
    if not is_it:
        raise values.refused(f"{shown(word)} is of the kind {known[0]}, not {kind}.")
    return known


def refanged(text: str) -> str:
    """Return ``text`` with defanged dots, at signs, colons and slashes put back."""
    for marks, sign in _DEFANGS:
        text = marks.sub(sign, text)
    return text


def each(where: str, word: str, comment: str = "", kind: str = "") -> Iterator[Value | Bad]:
    """Yield the values that ``word`` stands for, or why it stands for none."""
    if len(word) > LINE_LIMIT:
        yield bad(where, word, "The line is longer than 16384 characters.")
        return
    try:
        known, spellings, remark = expected(word, kind) if kind else recognise(word)
    except Refused as refusal:
        yield bad(where, word, refusal.reason)
        return
    comment = said(f"{remark}; {comment}" if remark and comment else remark or comment)
    for spelling in spellings:
        yield Value(where, known, spelling, comment)


def are_values(found: list[Found]) -> bool:
    """Say whether a line became values only."""
    return bool(found) and all(isinstance(one, Value) for one in found)


def _url(word: str, scheme: re.Match[str]) -> str:
    if scheme[1].lower() not in _SCHEMES:
        raise values.refused(f"{shown(word)} has a scheme that is not one of the web.")
    rest = word[scheme.end() :].replace("[/]", "/").replace("[:]", ":")
    start = word[: scheme.end()] if scheme[0].endswith(("://", "[://]", "[:]//")) else ""
    return values.url((start or f"{scheme[1]}://") + rest)


def _domain(word: str) -> str:
    if "-" in word and _RANGE(word):
        raise values.refused(f"{shown(word)} is a range; write it as networks in CIDR form.")
    name = values.domain(word)
    if "." in name:
        return name
    if len(word) >= _DIGITS_OF_A_HASH and _HEX(word):
        digits = f"{len(word)} hexadecimal digits"
        raise values.refused(f"{shown(word)} has {digits}; a hash has 32, 40, 64 or 128.")
    raise values.refused(f"{shown(word)} is a single word, no domain name.")


def _with_colon(word: str) -> Word:
    if word[0] == "[" and "]" in word:
        address, _, port = word[1:].partition("]")
        return "ipv6", (values.ipv6(address),), f"port {port[1:]}" if port[1:] else ""
    with_port = _PORT(word)
    if with_port and ":" not in with_port[1]:
        kind, spellings, _ = recognise(with_port[1])
        if kind in ("ipv4", "domain"):
            return kind, spellings, f"port {int(with_port[2])}"
    if "/" in word and word.count(":") == 1:
        return _with_slash(word)
    if word.lower().startswith("mailto:"):
        return "email", (values.email(word[7:]),), ""
    return "ipv6", (values.ipv6(word),), ""


def _with_slash(word: str) -> Word:
    if _NETWORK(word):
        return "ipv4", (values.ipv4(word),), ""
    if _MASKED(word):
        raise values.refused(f"{shown(word)} is a network with a mask; write it in CIDR form.")
    host = word.partition("/")[0].partition(":")[0]
    if not host:
        raise values.refused(f"{shown(word)} is a path without a host.")
    if not _NUMERIC(host):
        _domain(host)
    # Whoever leaves the scheme out means the page under either; one of them would be a guess.
    spellings = (f"http://{word}", f"https://{word}")
    if not _NORMAL_URL(spellings[0]):
        spellings = (values.url(spellings[0]), values.url(spellings[1]))
    return "url", spellings, "without scheme"
