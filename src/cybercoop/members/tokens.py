"""Tokens: 256 random bits, shown once, remembered only as a hash."""

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum

PREFIX_LENGTH = 10
_MARK = "coop_"


class Scope(StrEnum):
    """Name what a token may do; each scope includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, wanted: "Scope") -> bool:
        """Say whether this scope is enough where ``wanted`` is needed."""
        order = list(Scope)
        return order.index(self) >= order.index(wanted)


@dataclass(frozen=True, slots=True)
class Token:
    """Hold what may be shown of a token; times are microseconds since 1970."""

    id: str
    org_id: str
    scope: Scope
    prefix: str
    created_at: int
    person_id: str | None = None
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None


def spell(secret: bytes) -> str:
    """Return the text of a token made of 32 random bytes."""
    return _MARK + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def digest(text: str) -> bytes:
    """Return what is stored of a token.

    One round of SHA-256 is enough: 256 random bits cannot be guessed, so a slow hash would
    only slow down every request.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prefix(text: str) -> str:
    """Return the part of a token that lists show, so that a person can tell tokens apart."""
    return text[:PREFIX_LENGTH]
