"""A response policy zone for resolvers (Unbound, BIND, PowerDNS).

A name and all below it do not exist; an answer with a listed address is withheld. Source:
draft-vixie-dnsop-dns-rpz, sections 4 and 5.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from itertools import chain

from cybercoop.exports.entries import ZONE_LENGTH, About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined

NAME = "rpz"
TITLE_DE = "RPZ (DNS-Sperrzone)"
TITLE_EN = "RPZ (DNS response policy zone)"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".zone"
KINDS = ("domain", *ADDRESSES)

# DNS allows 253 characters. Room is kept for "*.", a dot and the longest name that a list may
# have, so that whether a name fits does not depend on which list it is for.
_NAME_LENGTH = 253 - 3 - ZONE_LENGTH
_TRIGGERS = {"rpz-client-ip", "rpz-ip", "rpz-nsdname", "rpz-nsip"}
_TTL = 300


def unfit(entry: Entry) -> str | None:
    """Return why the zone has no name for the value."""
    if entry.kind == "domain":
        if len(entry.value) > _NAME_LENGTH:
            return "The name is too long to stand inside a zone."
        if entry.value.rpartition(".")[2] in _TRIGGERS:
            return "The name has a meaning of its own inside a policy zone."
    elif entry.value.endswith("/0"):
        return "The network is the whole Internet."
    elif entry.kind == "ipv6" and _address(entry.value).ipv4_mapped is not None:
        return "A policy zone reads an IPv4 address inside IPv6 as something else."
    return None


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield the zone with its apex; names are relative to it."""
    apex = [
        f"$ORIGIN {about.zone}.",
        f"$TTL {_TTL}",
        f"@ IN SOA localhost. hostmaster.localhost. {about.serial % 2**32} 3600 600 604800 {_TTL}",
        "@ IN NS localhost.",
    ]
    return joined(chain(apex, map(_records, entries)))


def _records(entry: Entry) -> str:
    if entry.kind == "domain":
        return f"{entry.value} CNAME .\n*.{entry.value} CNAME ."
    address, _, prefix = entry.value.partition("/")
    if entry.kind == "ipv4":
        backwards = ".".join(reversed(address.split(".")))
        return f"{prefix or 32}.{backwards}.rpz-ip CNAME ."
    return f"{prefix or 128}.{_backwards(address)}.rpz-ip CNAME ."


def _address(value: str) -> IPv6Address:
    return IPv6Address(value.partition("/")[0])


def _backwards(address: str) -> str:
    """Return the words of an IPv6 address, last first, ``zz`` for the one run of zeros."""
    head, gap, tail = IPv6Address(address).compressed.partition("::")
    words = head.split(":") if head else []
    if gap:
        words.append("zz")
    if tail:
        words += tail.split(":")
    return ".".join(reversed(words))
