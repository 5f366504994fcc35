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
LATER = "451 Try again later"
Taken = Callable[[int, str], bool]
"""Says whether a mail or call is taken, by its number, counted from 0, and by its key."""


def every_second(number: int, _key: str) -> bool:
    return number % 2 == 1


def all_of_them(_number: int, _key: str) -> bool:
    return True


def none_of_them(_number: int, _key: str) -> bool:
    return False


def the_second_time() -> Taken:
    """Fail for the first time that each key comes."""
    seen: set[str] = set()

    def is_taken(_number: int, key: str) -> bool:
        known = key in seen
        seen.add(key)
        return known

    return is_taken


@dataclass
class Letterbox:
    """What a mail server was given: all that came in, and what of it was taken."""

    port: int = 0
    is_taken: Taken = all_of_them
    refused: tuple[str, ...] = ()
    came: list[bytes] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    # At the mail of this number it waits before it answers, until it is told to go on.
    waits_at: int = -1
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

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
        number = len(self.came) - 1
        if number == self.waits_at:
            self.waiting.set()
            await self.goes_on.wait()
        message = email.message_from_bytes(content, policy=email.policy.default)
        if not self.is_taken(number, str(message["Message-ID"])):
            return LATER
        self.to += envelope.rcpt_tos
        self.taken.append(message)
        return OK

    def authenticate(
        self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == b"right", handled=False)

    def keys(self) -> list[str]:
        """Return the key of every notice in what was taken."""
        return [key for one in self.taken for key in one.get_all("Cybercoop-Notice", [])]

    def ids(self) -> list[str]:
        return [str(one["Message-ID"]) for one in self.taken]


@asynccontextmanager
async def mail_server(
    is_taken: Taken = all_of_them,
    refused: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> AsyncIterator[Letterbox]:
    """Run a mail server until left; with ``tls`` it wants STARTTLS and a password."""
    box = Letterbox(is_taken=is_taken, refused=refused)
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
    is_taken: Taken = all_of_them
    otherwise: int = 503
    location: str = ""
    came: list[Called] = field(default_factory=list)
    taken: list[Called] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        call = Called(dict(request.headers), await request.read())
        self.came.append(call)
        if self.is_taken(len(self.came) - 1, call.headers["Idempotency-Key"]):
            self.taken.append(call)
            return web.Response(status=204)
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=self.otherwise, headers=headers)

    def keys(self) -> list[str]:
        return [one.headers["Idempotency-Key"] for one in self.taken]


@asynccontextmanager
async def receiver(is_taken: Taken = all_of_them, otherwise: int = 503) -> AsyncIterator[Hook]:
    """Run a webhook receiver until left; ``otherwise`` is the status of what is not taken."""
    hook = Hook(is_taken=is_taken, otherwise=otherwise)
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
