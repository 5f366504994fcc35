"""Mail: one letter to one person, over SMTP with TLS unless somebody has turned that off.

RFC 5321, 5322; RFC 3834 section 5 for ``Auto-Submitted``.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aiosmtplib
import idna

from cybercoop.config import Settings
from cybercoop.errors import CoopError
from cybercoop.notices.writing import Written

Tls = Literal["starttls", "tls", "none"]

KEY = "Cybercoop-Notice"
"""The header that names the notices of a mail, once for each."""

_SECONDS, _WHOLE_SECONDS = 30, 90
_PERMANENT = 500


class NotDelivered(CoopError):
    """Say why a letter did not arrive, and whether it never will."""

    def __init__(self, reason: str, *, final: bool = False, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.final = final
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Hold the mail server that takes our mail, and as whom it is sent."""

    host: str
    port: int
    sender: str
    tls: Tls = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: Path | None = None


def mailbox_of(settings: Settings) -> Mailbox | None:
    """Return the mail server that is set, or None."""
    if not settings.smtp_host:
        return None
    host = urlsplit(settings.public_address).hostname or ""
    return Mailbox(
        settings.smtp_host,
        settings.smtp_port,
        settings.mail_from or f"cybercoop@{'localhost' if ':' in host else host}",
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
        settings.smtp_password_file,
    )


def composed(
    box: Mailbox, to: str, letter_id: str, keys: Sequence[str], written: Written, now: int
) -> EmailMessage:
    """Return a mail whose id is that of its letter; raise ``NotDelivered`` for no address."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(addr_spec=_ascii(box.sender))
        message["To"] = Address(addr_spec=_ascii(to))
    except (ValueError, IndexError, MessageError) as error:
        raise NotDelivered("This mail address cannot be written to.", final=True) from error
    message["Subject"] = written.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now // 1_000_000, UTC))
    message["Message-ID"] = f"<{letter_id}@{_ascii(box.sender).rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = "de, en"
    for key in keys:
        message[KEY] = key
    message.set_content(written.text, cte="quoted-printable")
    message.add_alternative(written.html, subtype="html", cte="quoted-printable")
    return message


def _ascii(address: str) -> str:
    """Return an address with its domain as the DNS knows it; raise ``ValueError``."""
    local, at, domain = address.rpartition("@")
    if not (local and at) or not local.isascii() or not local.isprintable():
        raise ValueError
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"


async def send(box: Mailbox, message: EmailMessage) -> None:
    """Hand a mail to the mail server; raise ``NotDelivered`` where it is not taken."""
    try:
        async with asyncio.timeout(_WHOLE_SECONDS):
            await _handed_over(box, message)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _told(error) from error


async def _handed_over(box: Mailbox, message: EmailMessage) -> None:
    await aiosmtplib.send(
        message,
        hostname=box.host,
        port=box.port,
        username=box.user or None,
        password=_password(box) or None,
        # The library would ask the DNS for our name.
        local_hostname=_ascii(box.sender).rpartition("@")[2],
        timeout=_SECONDS,
        use_tls=box.tls == "tls",
        start_tls=box.tls == "starttls",
        tls_context=None if box.tls == "none" else ssl.create_default_context(),
    )


def _password(box: Mailbox) -> str:
    """Return the password as it is now: it may be changed while we run."""
    if box.password_file is None:
        return box.password
    try:
        return box.password_file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise NotDelivered("The password of the mail server cannot be read.") from error


def _told(error: Exception) -> NotDelivered:
    """Say in our own words what went wrong: a server's words get into no log and no page."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        code = max((one.code for one in error.recipients), default=0)
        said = f"The mail server does not take this address ({code})."
        return NotDelivered(said, final=code >= _PERMANENT)
    if isinstance(error, aiosmtplib.SMTPDataError):
        said = f"The mail server does not take this mail ({error.code})."
        return NotDelivered(said, final=error.code >= _PERMANENT)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return NotDelivered(f"The mail server does not let us in ({error.code}).")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return NotDelivered(f"The mail server refuses ({error.code}).")
    if isinstance(error, ssl.SSLError):
        return NotDelivered("The mail server shows a certificate that is not trusted.")
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return NotDelivered("The mail server does not answer in time.")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return NotDelivered("The mail server cannot do what is asked of it; look at SMTP_TLS.")
    return NotDelivered("The mail server cannot be reached.")
