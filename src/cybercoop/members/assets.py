"""What an organisation has, and what it must never find blocked."""

from dataclasses import dataclass
from enum import StrEnum


class AssetKind(StrEnum):
    """Name what can be had."""

    NETWORK = "network"
    DOMAIN = "domain"
    SOFTWARE = "software"


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold one thing that an organisation has; ``value`` is a network, a name or a product."""

    id: str
    org_id: str
    kind: AssetKind
    value: str
    created_at: int
    vendor: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """Hold a value that must not be blocked: the center's for all, a county's for its devices.

    ``until`` and ``created_at`` are microseconds since 1970; without ``until`` it stands until
    somebody ends it.
    """

    id: str
    org_id: str
    kind: str
    value: str
    reason: str
    created_at: int
    until: int | None = None
