"""The one tree of errors; ``web/middleware.py`` alone maps it to HTTP."""


class CoopError(Exception):
    """Promise that the message is a whole sentence that a person can act on."""


class Refused(CoopError):
    """Say why one object is not taken, and which of its fields is at fault."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Malformed(CoopError):
    """Say why a whole request cannot be read."""


class TooLarge(CoopError):
    """Say which size limit a request went over."""


class TooSlow(CoopError):
    """Say that a request did not arrive in time."""


class Unsupported(CoopError):
    """Say which content type or encoding is not understood."""


class NotAcceptable(CoopError):
    """Say which content type was asked for and is not served."""


class Unauthenticated(CoopError):
    """Ask for credentials."""


class Forbidden(CoopError):
    """Say which known thing the asker may not do."""


class NotFound(CoopError):
    """Say that a thing is not there, or not there for this reader."""


class Misused(CoopError):
    """Say which setting, name or argument is wrong and what to do about it."""


class Unreadable(CoopError):
    """Say that the bytes of one stored contribution can no longer be read."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"Contribution {seq} cannot be read any more; restore it from a backup.")
        self.seq = seq


class Unreachable(CoopError):
    """Say why another server gave nothing, and after how many seconds it wants to be asked again.

    ``status`` is its HTTP status, 0 where no answer came. What was had before stays as it is.
    """

    def __init__(self, reason: str, status: int = 0, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after
