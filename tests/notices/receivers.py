"""A mail server and a webhook receiver of other houses, on loopback, that take some and not all."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

OK = "250 OK"
Verdict = Callable[[int], str]
"""Says what is answered to the mail of that number, counted from 0."""


def every_second(number: int) -> str:
    return OK if number % 2 else "451 Try again later"


def all_of_them(_number: int) -> str:
    return OK


@dataclass
class Letterbox:
    """What a mail server was given: all that came in, and what of it was taken."""

    port: int = 0
    verdict: Verdict = all_of_them
    refused: tuple[str, ...] = ()
    came: list[bytes] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(  # noqa: N802 - the same
        self, _server: SMTP, _session: Any, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        assert isinstance(content, bytes)
        self.came.append(content)
        said = self.verdict(len(self.came) - 1)
        if said == OK:
            self.to += envelope.rcpt_tos
            self.taken.append(email.message_from_bytes(content, policy=email.policy.default))
        return said

    def authenticate(
        self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == b"right")

    def keys(self) -> list[str]:
        """Return the key of every notice in what was taken."""
        return [key for one in self.taken for key in one.get_all("Cybercoop-Notice", [])]

    def ids(self) -> list[str]:
        return [str(one["Message-ID"]) for one in self.taken]


@asynccontextmanager
async def mail_server(
    verdict: Verdict = all_of_them,
    refused: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> AsyncIterator[Letterbox]:
    """Run a mail server until left; with ``tls`` it wants STARTTLS and a password."""
    box = Letterbox(verdict=verdict, refused=refused)
    secured = {"tls_context": tls, "require_starttls": True} if tls else {}
    if tls:
        secured |= {"authenticator": box.authenticate, "auth_required": True}

    def connection() -> SMTP:
        return SMTP(box, hostname="mail.example", enable_SMTPUTF8=False, **secured)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", port)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


@dataclass
class Called:
    """One call of a webhook."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """What a webhook receiver was told: all calls, and those that it took."""

    url: str = ""
    status: Callable[[int], int] = lambda _number: 204
    location: str = ""
    came: list[Called] = field(default_factory=list)
    taken: list[Called] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        call = Called(dict(request.headers), await request.read())
        self.came.append(call)
        status = self.status(len(self.came) - 1)
        if status < 300:
            self.taken.append(call)
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=status, headers=headers)

    def keys(self) -> list[str]:
        return [one.headers["Idempotency-Key"] for one in self.taken]


def half(number: int) -> int:
    return 204 if number % 2 else 503


@asynccontextmanager
async def receiver(status: Callable[[int], int] = lambda _number: 204) -> AsyncIterator[Hook]:
    """Run a webhook receiver until left."""
    hook = Hook(status=status)
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.url = f"http://{host}:{port}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()
