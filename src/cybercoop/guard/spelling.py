"""Which addresses and names a value reaches, however it is spelled.

The guard trusts no normal form: what a browser, a resolver or the C library would make of a value
counts. Where readers disagree (010.1.2.3 is octal to some) every reading counts. Sources: WHATWG
URL (host parsing), RFC 4291 (mapped and compatible addresses), RFC 6052 (NAT64), RFC 3056 (6to4).
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError, ip_network
from itertools import product
from typing import NamedTuple
from urllib.parse import unquote

import idna

from cybercoop.errors import Refused
from cybercoop.indicators import values

_V4, _V6 = 32, 128
_PARTS = 4
_DOTS = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)", re.IGNORECASE)
PLAIN = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62}").fullmatch
"""Finds what every reader takes for the same name; all other spellings go the long way."""

_IGNORED = re.compile(r"[\t\r\n]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?::|\[:\])[/\\]*|[/\\]{2,}", re.IGNORECASE).match
_BARE = re.compile(r"[a-z0-9.-]+(?::[0-9]*)?(?:[/\\?#]|$)", re.IGNORECASE).match
_AUTHORITY = re.compile(r"[^/\\?#]*").match
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*").fullmatch
_DECIMAL = re.compile(r"[0-9]{1,12}").fullmatch
_OCTAL = re.compile(r"0[0-7]*").fullmatch
_PREFIX = re.compile(r"[0-9]{1,3}").fullmatch
_NUMBER_LENGTH = 64


class Span(NamedTuple):
    """Hold a network of 32 or 128 bits: its first address may have host bits set."""

    bits: int
    number: int
    prefix: int


_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_FOUR = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}").fullmatch
_GROUPS = r"(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?"
_PLAIN_SIX = re.compile(rf"({_GROUPS})(?:::({_GROUPS}))?").fullmatch
_SIX_GROUPS = 8

Place = str | tuple[Span, ...] | None
"""A name, every network that the text may mean, or none if it cannot be read."""


def host_of(url: str) -> str:
    """Return the host of ``url`` as a browser would find it, still in the given spelling."""
    text = _IGNORED.sub("", url).strip()
    scheme = _SCHEME(text)
    if scheme and not (scheme[0].endswith(":") and _BARE(text)):
        text = text[scheme.end() :]
    authority = _AUTHORITY(text)
    return without_port((authority[0] if authority else "").rpartition("@")[2])


def without_port(where: str) -> str:
    """Return a host without its port; an IPv6 address without its brackets."""
    if where.startswith("["):
        return where[1:].partition("]")[0]
    where = where.replace("[:]", ":")
    host, colon, port = where.rpartition(":")
    return host if colon and ":" not in host and not port.strip("0123456789") else where


def place(host: str) -> Place:
    """Return what ``host`` (a name or an address, as anybody may spell it) leads to."""
    text = _DOTS.sub(".", unquote(host).strip().strip("[]"))
    if not text.isascii():
        try:
            text = idna.uts46_remap(text, std3_rules=False, transitional=False)
        except (idna.IDNAError, UnicodeError):
            return None
    if ":" in text or "/" in text:
        return spans(text)
    text = text.strip(".").lower()
    if _NUMBER(text.rpartition(".")[2]):
        return spans(text)
    try:
        return values.domain(text)
    except Refused:
        return None


def plain_four(text: str) -> int | None:
    """Return the number of an IPv4 address in normal form; none says that it needs a closer look.

    Takes about half the time of ``IPv4Address``.
    """
    found = _PLAIN_FOUR(text)
    return int.from_bytes(map(int, found.groups())) if found else None


def plain_six(text: str) -> int | None:
    """Return the number of an IPv6 address in normal form that has no IPv4 address inside.

    None says that it needs a closer look.
    """
    found = _PLAIN_SIX(text)
    if found is None:
        return None
    front, back = found.groups()
    groups = front.split(":") if front else []
    if back is not None:
        behind = back.split(":") if back else []
        gap = _SIX_GROUPS - len(groups) - len(behind)
        if gap < 1:
            return None
        groups += ["0"] * gap + behind
    if len(groups) != _SIX_GROUPS:
        return None
    number = int("".join([group.rjust(4, "0") for group in groups]), 16)
    return None if number >> 112 in _TOPS else number


def name(text: str) -> str:
    """Return a name in the spelling that the index keeps; refuse everything else."""
    found = text if PLAIN(text) else place(text)
    if not isinstance(found, str):
        raise Refused(f"{values.shown(text)} is not a domain name.")
    return found


def network(text: str) -> Span:
    """Return an address or network with its host bits cleared; refuse everything else."""
    given, slash, prefix = text.partition("/")
    for bits, plain in ((_V4, plain_four), (_V6, plain_six)):
        number = plain(given)
        length = _prefix(prefix, bits) if slash else bits
        if number is not None and length is not None:
            return Span(bits, number >> bits - length << bits - length, length)
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise Refused(f"{values.shown(text)} is not an IP address or network.") from None
    return Span(found.max_prefixlen, int(found.network_address), found.prefixlen)


def link(url: str) -> str:
    """Return host, port, path and query of ``url`` in one spelling, whatever its scheme."""
    try:
        text = values.url(url if "://" in url else f"http://{url}")
    except Refused:
        text = url
    return text.partition("://")[2].rpartition("#")[0 if "#" in text else 2].removesuffix("/")


def spans(text: str) -> tuple[Span, ...] | None:
    """Return every network that an address or a network may mean; none if it means nothing."""
    given, slash, prefix = _DOTS.sub(".", text.strip()).replace("[:]", ":").partition("/")
    given = given.strip("[]").partition("%")[0]
    bits, numbers = (_V6, _sixes(given)) if ":" in given else (_V4, _fours(given))
    length = _prefix(prefix, bits) if slash else bits
    if not numbers or length is None:
        return None
    return tuple(span for number in numbers for span in _with_embedded(Span(bits, number, length)))


def _prefix(text: str, bits: int) -> int | None:
    if _PREFIX(text):
        return int(text) if int(text) <= bits else None
    try:
        return ip_network(f"0.0.0.0/{text}").prefixlen if bits == _V4 else None
    except (NetmaskValueError, ValueError):
        return None


def _sixes(text: str) -> tuple[int, ...]:
    try:
        return (int(IPv6Address(text)),)
    except AddressValueError:
        return ()


def _fours(text: str) -> tuple[int, ...]:
    try:
        return (int(IPv4Address(text)),)
    except AddressValueError:
        return _loose_fours(text.strip(".").lower())


def _loose_fours(text: str) -> tuple[int, ...]:
    """Return every reading of one to four numbers, each decimal, octal or hexadecimal."""
    parts = text.split(".")
    if len(parts) > _PARTS or any(len(part) > _NUMBER_LENGTH for part in parts):
        return ()
    readings = [_numbers(part) for part in parts]
    found = (_joined(reading) for reading in product(*readings))
    return tuple(dict.fromkeys(number for number in found if number is not None))


def _numbers(part: str) -> tuple[int, ...]:
    if not _NUMBER(part):
        return ()
    if part.startswith("0x"):
        return (int(part[2:] or "0", 16),)
    found = (int(part),) if _DECIMAL(part) else ()
    return (int(part, 8), *found) if _OCTAL(part) else found


def _joined(numbers: tuple[int, ...]) -> int | None:
    *heads, tail = numbers
    room = 8 * (_PARTS - len(heads))
    if any(head > 0xFF for head in heads) or tail >= 1 << room:  # noqa: PLR2004 - one byte
        return None
    front = int.from_bytes(bytes(heads))
    return front << room | tail


_TOPS = frozenset((0, 0x64, 0x2002))
"""The first 16 bits of all that IPv4 addresses are put into."""

_EMBEDDING = (
    # prefix, its length, and where the IPv4 address begins
    (0xFFFF << 32, 96, 96),  # ::ffff:0:0/96, mapped
    (0, 96, 96),  # ::/96, compatible
    (0x64_FF9B << 96, 96, 96),  # 64:ff9b::/96, NAT64
    (0x2002 << 112, 16, 16),  # 2002::/16, 6to4
)


def _with_embedded(span: Span) -> tuple[Span, ...]:
    """Return ``span`` and, before it, the IPv4 network that an IPv6 one stands for.

    One around a whole place for IPv4 addresses stands for all of them.
    """
    bits, number, prefix = span
    if bits == _V4:
        return (span,)
    for start, length, offset in _EMBEDDING:
        apart = _V6 - min(prefix, length)
        if number >> apart == start >> apart:
            inner = number >> (_V6 - offset - _V4) & 0xFFFFFFFF
            return (Span(_V4, inner, min(max(prefix - offset, 0), _V4)), span)
    return (span,)
