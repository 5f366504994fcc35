"""Which addresses a request may go to: public ones, and inner ones of hosts declared internal.

The lists are spelled out and not asked of ``ipaddress.is_global``, whose answer changed between
minor versions of Python. Source: the IANA special-purpose registries (RFC 6890) and what the
large clouds document as the address of their metadata.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from cybercoop.errors import Forbidden

_Networks = tuple[IPv4Network | IPv6Network, ...]


def _networks(*texts: str) -> _Networks:
    return tuple(IPv6Network(text) if ":" in text else IPv4Network(text) for text in texts)


# Whoever reaches these reads the keys of the machine, so not even an internal source may.
_NEVER = _networks(
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
)
_INNER = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
_NOT_PUBLIC = _networks(
    "0.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo and other carriers of foreign addresses
    "2001:db8::/32",
    "2002::/16",  # 6to4 is out of use and carries any IPv4 address
    "3fff::/20",
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def check(host: str, address: str, *, internal: bool) -> None:
    """Pass an address that ``host`` may be reached at; raise ``Forbidden`` for every other."""
    try:
        place = _carried(ip_address(address))
    except ValueError:
        msg = f"{host} leads to something that is no plain address."
        raise Forbidden(msg) from None
    if _is_in(place, _NEVER):
        msg = f"{host} leads to {place}, which no source may reach."
        raise Forbidden(msg)
    if _is_in(place, _INNER):
        if not internal:
            msg = f"{host} leads to {place} inside the own network; declare the source internal."
            raise Forbidden(msg)
    elif _is_in(place, _NOT_PUBLIC) or (place.version == 6 and place not in _PUBLIC_IPV6):  # noqa: PLR2004 - the version of IP
        msg = f"{host} leads to {place}, which is no public address."
        raise Forbidden(msg)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a mapped or translated IPv6 address stands for, or itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        raise ValueError
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def _is_in(place: IPv4Address | IPv6Address, networks: _Networks) -> bool:
    return any(place in network for network in networks)
