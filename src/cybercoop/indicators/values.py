"""One spelling for each address, name, link and hash that counties compare.

Every form takes what a person or a feed wrote and gives back the one spelling that is
stored, compared and released. Sources: RFC 5952 (IPv6 text), RFC 3986 section 6.2 (URL),
UTS 46 (international names), STIX 2.1 sections 6 and 10.
"""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Network, IPv6Address, IPv6Network

import idna

from cybercoop.errors import Refused

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}

_SHOWN = 80
_NAME_LENGTH = 253
_GIVEN_LENGTH = 2000  # room for defanged dots and blanks that fall away
_LAST_PORT = 65535
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}").fullmatch
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}").fullmatch
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}").fullmatch
# A browser takes a host whose last label is a number, plain or hexadecimal, for an IPv4
# address, so such a "name" would pass every list of names and still reach an address.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.DOTALL).fullmatch
_NUMBERS_AND_DOTS = re.compile(r"[0-9./]+").fullmatch
_LABEL = re.compile(r"[a-z0-9_-]{1,63}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|\[://\]|\[:\]//)").match
_BARE_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!//)").match
_AUTHORITY = re.compile(r"[^/?#\\]*").match
_PORT = re.compile(r"[0-9]{0,9}").fullmatch
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}").fullmatch
_DOTS = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)", re.IGNORECASE)
_COLONS = re.compile(r"\[:\]|\(:\)")
_ATS = re.compile(r"\[@\]|\(@\)|\[at\]|\(at\)", re.IGNORECASE)


def shown(value: str) -> str:
    """Quote ``value`` for a reason: printable, one line, at most 80 characters."""
    quoted = ascii(value)
    return quoted if len(quoted) <= _SHOWN else f"{quoted[: _SHOWN - 4]}...'"


def refused(reason: str) -> Refused:
    """Say that the pattern is at fault and why."""
    return Refused(reason, "pattern")


def kind_of(value: str, kind: str) -> str | None:
    """Return the kind that a device should take the normal form of a name or URL for.

    Feeds list bare addresses among names: their pattern stays, but the guard and the
    firewalls must see an address. A URL without a scheme fits no list.
    """
    if kind == "url":
        return kind if "://" in value else None
    return "ipv4" if value[-1].isdigit() and _IPV4(value) else kind


def domain(value: str) -> str:
    """Return a domain name in lower-case ASCII labels, without its trailing dot.

    Raise ``Refused`` for paths, ports, blanks, addresses and names that DNS cannot hold.
    """
    name = value.lower()
    if not _NAME(name) or len(name) > _NAME_LENGTH:
        name = _spelled_out(value)
    if name[0] == "-" or (name[-1] in "0123456789abcdefx" and _ENDS_IN_NUMBER(name)):
        raise refused(f"{shown(value)} is not a domain name.")
    return name


def domain_or_ipv4(value: str) -> str:
    """Return what stands in a list of names: a name, or an address put there by mistake."""
    try:
        return domain(value)
    except Refused:
        address = _DOTS.sub(".", value.strip()).removesuffix(".")
        if _IPV4(address):
            return address
        raise


def _spelled_out(value: str) -> str:
    """Bring a trailing dot, defanged dots and international labels into ASCII form."""
    name = _DOTS.sub(".", _without_blanks(value))
    if len(name) > _GIVEN_LENGTH:
        raise refused(f"The domain name {shown(value)} is longer than 253 characters.")
    if not name.isascii():
        name = _mapped(name)
    name = name.lower().removesuffix(".")
    labels = [_label(label, value) for label in name.split(".")]
    name = ".".join(labels)
    if len(name) > _NAME_LENGTH:
        raise refused(f"The domain name {shown(value)} is longer than 253 characters.")
    return name


def _mapped(name: str) -> str:
    try:
        return idna.uts46_remap(name, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        raise refused(f"{shown(name)} has characters that no domain name may have.") from None


def _label(label: str, value: str) -> str:
    if not label.isascii():
        label = _alabel(label, value)
    if not _LABEL(label):
        raise refused(f"{shown(value)} is not a domain name.")
    return label


def _alabel(label: str, value: str) -> str:
    try:
        return idna.alabel(label).decode("ascii")
    except idna.InvalidCodepoint:
        # Registries sold names with emoji and underscores that IDNA 2008 forbids and
        # browsers still look up; they go through punycode as browsers do it.
        return "xn--" + label.encode("punycode").decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise refused(f"{shown(value)} is not a valid international domain name.") from None


def ipv4(value: str) -> str:
    """Return an IPv4 address, or a network in CIDR form with its host bits cleared.

    ``/32`` is the bare address. Raise ``Refused`` for leading zeros: readers disagree
    whether 010.1.2.3 is 10.1.2.3 or 8.1.2.3.
    """
    if _IPV4(value):
        return value
    address, slash, prefix = _DOTS.sub(".", _without_blanks(value)).partition("/")
    if not _IPV4(address):
        raise refused(
            f"{shown(value)} is not an IPv4 address of four numbers without leading zeros."
        )
    if not slash or _length(prefix, 32, value) == 32:  # noqa: PLR2004 - the bits of IPv4
        return address
    return str(IPv4Network(f"{address}/{prefix}", strict=False))


def _length(prefix: str, bits: int, value: str) -> int:
    if not _PREFIX(prefix) or int(prefix) > bits:
        raise refused(f"The prefix length of {shown(value)} must be 0 to {bits}.")
    return int(prefix)


def ipv6(value: str) -> str:
    """Return an IPv6 address as RFC 5952 writes it, or a network with host bits cleared."""
    address, slash, prefix = _COLONS.sub(":", _without_blanks(value)).partition("/")
    if "%" in address:
        raise refused(f"{shown(value)} names a network interface, which differs everywhere.")
    try:
        parsed = IPv6Address(_DOTS.sub(".", address))
    except AddressValueError:
        raise refused(f"{shown(value)} is not an IPv6 address.") from None
    if not slash or _length(prefix, 128, value) == 128:  # noqa: PLR2004 - the bits of IPv6
        return _written(parsed)
    network = IPv6Network((int(parsed), int(prefix)), strict=False)
    return f"{_written(network.network_address)}/{prefix}"


def _written(address: IPv6Address) -> str:
    # Python 3.13 writes mapped addresses with dots, 3.11 without; stored keys must not
    # depend on that.
    mapped = address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped is not None else address.compressed


def mac(value: str) -> str:
    """Return a MAC address in lower case with colons."""
    address = _without_blanks(value).lower().replace("-", ":")
    if not _MAC(address):
        raise refused(f"{shown(value)} is not a MAC address of six pairs.")
    return address


def email(value: str) -> str:
    """Return an e-mail address with its domain normalised and its local part untouched."""
    local, at, host = _ATS.sub("@", _without_blanks(value)).rpartition("@")
    if not at or not local:
        raise refused(f"{shown(value)} is not an e-mail address.")
    if any(sign in local for sign in "<> "):
        raise refused(f"{shown(value)} is more than the bare e-mail address.")
    return f"{local}@{domain(host)}"


def url(value: str) -> str:
    """Return a URL with scheme, host, default port and empty path in one spelling.

    User information, path, query, fragment and percent-encoding stay as they are. A value
    without a scheme, such as a bare path, is only refanged: a scheme would be invented.
    """
    text = _without_blanks(value)
    found = _SCHEME(text)
    if not found:
        return _without_scheme(text)
    scheme = _fanged(found[1].lower())
    defanged = scheme != found[1].lower() or not found[0].endswith("://")
    authority = _AUTHORITY(text, found.end())
    given = authority[0] if authority else ""
    rest = text[found.end() + len(given) :]
    if defanged or _DOTS.search(given):
        given, rest = _ATS.sub("@", _DOTS.sub(".", given)), _DOTS.sub(".", rest)
    if rest[:1] == "\\":
        raise refused(f"{shown(value)} has a backslash where its path begins.")
    path = rest if rest[:1] == "/" else f"/{rest}"
    return f"{scheme}://{_authority(scheme, given, value)}{path}"


def _without_scheme(text: str) -> str:
    text = _DOTS.sub(".", text)
    found = _BARE_SCHEME(text)
    return found[0].lower() + text[found.end() :] if found and "." not in found[0] else text


def _fanged(scheme: str) -> str:
    return {"hxxp": "http", "hxxps": "https", "fxp": "ftp"}.get(scheme, scheme)


def _authority(scheme: str, given: str, value: str) -> str:
    user, at, where = given.rpartition("@")
    where = _COLONS.sub(":", where)
    host, port = _host_and_port(where)
    if not host and scheme == "file":
        return ""
    if not _PORT(port) or int(port or 0) > _LAST_PORT:
        raise refused(f"The port of {shown(value)} must be a number up to {_LAST_PORT}.")
    number = "" if not port or int(port) == _DEFAULT_PORTS.get(scheme) else f":{int(port)}"
    return f"{user}{at}{_host(host, value)}{number}"


def _host_and_port(where: str) -> tuple[str, str]:
    if where.startswith("["):
        host, bracket, tail = where.partition("]")
        return host + bracket, tail.removeprefix(":") if tail[:1] in ("", ":") else "?"
    host, _, port = where.partition(":")
    return host, port


def _host(host: str, value: str) -> str:
    if host.startswith("["):
        return f"[{ipv6(host[1:-1])}]"
    if not host:
        raise refused(f"{shown(value)} names no host.")
    return host if _IPV4(host) else domain(host)


def name_or_address(value: str) -> str:
    """Return whatever a reference may point to (address, MAC, name) in its own form.

    A value that is none of these stays as it is: the reference may lead elsewhere.
    """
    text = _DOTS.sub(".", _COLONS.sub(":", _without_blanks(value)))
    if _NUMBERS_AND_DOTS(text):
        return ipv4(text)
    if ":" in text:
        return _one_of(text, *((url,) if "://" in text else (mac, ipv6, email)))
    return _one_of(text, email if "@" in text else domain)


def _one_of(text: str, *forms: Callable[[str], str]) -> str:
    for form in forms:
        try:
            return form(text)
        except Refused:
            continue
    return text


def digest(algorithm: str, digits: int) -> Callable[[str], str]:
    """Return the form of a hash of ``digits`` hexadecimal digits: lower case."""
    is_digest = re.compile(f"[0-9a-f]{{{digits}}}").fullmatch

    def form(value: str) -> str:
        if is_digest(value):
            return value
        lowered = _without_blanks(value).lower()
        if not is_digest(lowered):
            raise refused(f"{shown(value)} is not a {algorithm} of {digits} hexadecimal digits.")
        return lowered

    return form


def tlsh(value: str) -> str:
    """Return a TLSH in upper case, as its tools print it."""
    return _without_blanks(value).upper()


def _without_blanks(value: str) -> str:
    stripped = value.strip()
    if not stripped:
        raise refused("The pattern compares with an empty value.")
    if _CONTROL(stripped):
        raise refused(f"{shown(stripped)} has control characters.")
    return stripped
