"""Feeds that devices fetch, and the tokens that open them: plain data, frozen."""

import base64
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cybercoop.members import tokens

MARK = "feed_"
"""How every device token begins."""

_HOUR = 3_600_000_000

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Cut:
    """Hold which entries a feed lists; ``lock`` None stands for all keys of its organisation.

    ``least`` is the lowest confidence, ``age_days`` counts from the last change of an entry, and
    ``most`` is how many are listed, most important first.
    """

    kinds: tuple[str, ...]
    least: int = 0
    lock: str | None = None
    age_days: int | None = None
    most: int | None = None

    def locks(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return the locks that are listed for a holder of ``keys``, in order."""
        return tuple(sorted(keys if self.lock is None else keys & {self.lock}))


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold what somebody asks for: a product or a format, and how its list is cut."""

    product: str | None
    format: str | None
    cut: Cut
    title: str = ""
    responses: bool = False
    addresses: tuple[Network, ...] = ()
    alarm_hours: int = 24


@dataclass(frozen=True, slots=True)
class DeviceFeed:
    """Hold one feed; times are microseconds since 1970.

    ``addresses`` are the networks that devices may fetch from, none for everywhere. ``responses``
    says that it lists what responses block at its owner, and nothing else; ``fetched_as_of`` is up
    to when what a device fetched last had followed that.
    """

    id: str
    org_id: str
    title: str
    format: str
    cut: Cut
    product: str | None = None
    addresses: tuple[Network, ...] = ()
    alarm_hours: int = 24
    created_at: int = 0
    ended_at: int | None = None
    fetched_at: int | None = None
    fetched_by: str | None = None
    fetched_version: str | None = None
    responses: bool = False
    fetched_as_of: int | None = None

    def lets_in(self, address: IPv4Address | IPv6Address) -> bool:
        """Say whether a device at ``address`` may fetch it."""
        return not self.addresses or any(address in network for network in self.addresses)

    def is_silent(self, now: int) -> bool:
        """Say whether no device has fetched it for longer than its owner allows."""
        heard = self.created_at if self.fetched_at is None else self.fetched_at
        return self.ended_at is None and now - heard > self.alarm_hours * _HOUR


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """Hold what may be shown of a token that opens one feed."""

    id: str
    feed_id: str
    prefix: str
    created_at: int
    expires_at: int | None = None


def spell(secret: bytes) -> str:
    """Return the text of a device token made of 32 random bytes.

    Some devices have no place for credentials, so it has to stand in the path of a URL; it has
    no other characters than the strictest of them takes.
    """
    return MARK + base64.urlsafe_b64encode(secret).decode().rstrip("=")


digest = tokens.digest
prefix = tokens.prefix
