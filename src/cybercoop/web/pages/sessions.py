"""Sessions of the pages: a signed value in a cookie that names a token.

The token itself never comes back from a browser: its id does, and the token is looked up on every
request, so that a revoked one ends the session at once. The server remembers only which sessions
somebody signed out of.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

HOURS = 8
"""How long somebody stays signed in: a day of work."""

_MOST = 400
_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Session:
    """Hold the value of a cookie and what it says; ``token_id`` is empty before sign-in."""

    value: str
    token_id: str
    expires: int

    @property
    def digest(self) -> bytes:
        """Return by what the server remembers that somebody signed out."""
        return hashlib.sha256(self.value.encode()).digest()


def begin(secret: bytes, token_id: str, now: int, chance: bytes) -> Session:
    """Return a new session; ``now`` is in microseconds since 1970, ``chance`` are random bytes."""
    expires = now + HOURS * _HOUR
    nonce = base64.urlsafe_b64encode(chance).decode().rstrip("=")
    said = f"{token_id}.{expires}.{nonce}"
    return Session(f"{said}.{_mac(secret, 'session', said)}", token_id, expires)


def read(secret: bytes, value: str, now: int) -> Session | None:
    """Return the session of a cookie; None where it was not made here, or has ended."""
    said, _, mac = value.rpartition(".")
    if len(value) > _MOST or not hmac.compare_digest(
        mac.encode(errors="replace"), _mac(secret, "session", said).encode()
    ):
        return None
    token_id, expires, _ = said.split(".")
    return Session(value, token_id, int(expires)) if int(expires) > now else None


def form_token(secret: bytes, session: Session) -> str:
    """Return what every form of this session carries, and no other site can know."""
    return _mac(secret, "form", session.value)


def is_form_token(secret: bytes, session: Session, said: str) -> bool:
    """Say whether a form was made for this session."""
    wanted = form_token(secret, session).encode()
    return hmac.compare_digest(said.encode(errors="replace"), wanted)


def _mac(secret: bytes, purpose: str, text: str) -> str:
    key = hmac.digest(secret, b"cybercoop pages " + purpose.encode(), hashlib.sha256)
    return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()
