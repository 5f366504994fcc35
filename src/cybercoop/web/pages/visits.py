"""Visits: who looks at a page, in which language, and whether a form may do what it says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import msgspec
from aiohttp import web

from cybercoop.door import (
    CENTER,
    DATABASE,
    SETTINGS,
    SURROUNDINGS,
    Handler,
    Reader,
)
from cybercoop.errors import Forbidden, Misused
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope
from cybercoop.store import members, tokens
from cybercoop.store import sessions as remembered
from cybercoop.store.database import Database
from cybercoop.store.members import Center
from cybercoop.web.pages import forms, rendering, sessions
from cybercoop.web.pages.forms import Form
from cybercoop.web.pages.rendering import LANGUAGES, Language
from cybercoop.web.pages.sessions import Session

TITLE: web.AppKey[str] = web.AppKey("title")
_LANGUAGE = "coop_language"
_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Visit:
    """Hold one request for a page; ``reader`` is None until somebody has signed in."""

    request: web.Request
    language: Language
    session: Session
    reader: Reader | None
    form: Form

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.request.app[DATABASE]

    @property
    def center(self) -> Center:
        """Return the center."""
        return self.request.app[CENTER]

    @property
    def now(self) -> int:
        """Return the time in microseconds since 1970."""
        return self.request.app[SURROUNDINGS].now()

    @property
    def org(self) -> Organisation:
        """Return the organisation of whoever has signed in; raise ``Forbidden`` for nobody."""
        if self.reader is None:
            raise Forbidden("Sign in first.")
        return self.reader.org

    @property
    def may_write(self) -> bool:
        """Say whether whoever has signed in may push."""
        return self.reader is not None and self.reader.scope.covers(Scope.WRITE)

    def text(self, name: str, **values: object) -> str:
        """Return a text of the pages in the visitor's language."""
        return rendering.text(self.language, name, **values)

    def why(self, reason: str) -> str:
        """Return a reason of the center in the visitor's language, as a part of a page."""
        return rendering.why(reason, self.language)

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """Return a page that knows who looks at it."""
        secret = self.center.secret
        around = {
            "title": self.request.app[TITLE],
            "path": self.request.path,
            "reader": self.reader,
            "may_write": self.may_write,
            "form_token": sessions.form_token(secret, self.session),
        }
        return rendering.page(template, self.language, status, **(around | values))


Room = Callable[[Visit], Awaitable[web.StreamResponse]]


def see_other(path: str) -> web.Response:
    """Send a browser to another page of this center."""
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def page(room: Room, scope: Scope | None = Scope.READ) -> Handler:
    """Return what serves a page: it asks who comes, and of a form whether it was made for him.

    With ``scope`` None everybody may look; else whoever has not signed in is sent to do so.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        said = _session(request)
        reader = None if said is None else await _reader(request, said)
        if scope is not None and reader is None:
            return see_other("/signin")
        if reader is not None and scope is not None and not reader.scope.covers(scope):
            raise Forbidden(f"This token may only {reader.scope.value}.")
        session = said or new_session(request)
        form = await _form(request, session, reader)
        visit = Visit(request, language_of(request), session, reader, form)
        response = await room(visit)
        if said is None and cookie_name(request) not in response.cookies:
            keep(request, response, session)
        return response

    return handle


async def _form(request: web.Request, session: Session, reader: Reader | None) -> Form:
    if request.method != "POST":
        return Form()
    form = await forms.read(request, forms.MOST_BYTES if reader else forms.MOST_OF_STRANGERS)
    secret = request.app[CENTER].secret
    if not sessions.is_form_token(secret, session, form.text("form_token")):
        raise Forbidden("This form was not made for you, or is too old; open its page again.")
    return form


def _session(request: web.Request) -> Session | None:
    value = request.cookies.get(cookie_name(request), "")
    now = request.app[SURROUNDINGS].now()
    return sessions.read(request.app[CENTER].secret, value, now) if value else None


def new_session(request: web.Request, token_id: str = "") -> Session:
    """Return a session that nobody has had before."""
    around = request.app[SURROUNDINGS]
    return sessions.begin(request.app[CENTER].secret, token_id, around.now(), around.secret())


async def _reader(request: web.Request, session: Session) -> Reader | None:
    """Return who has signed in and not out, if token and organisation are still there."""
    if not session.token_id:
        return None
    now = request.app[SURROUNDINGS].now()
    async with request.app[DATABASE].read() as connection:
        if await remembered.is_ended(connection, session.digest):
            return None
        try:
            token = await tokens.find(connection, session.token_id)
            org = await members.find(connection, token.org_id)
        except Misused:  # either is gone
            return None
    ended = token.expires_at is not None and token.expires_at <= now
    if token.revoked_at is not None or ended:
        return None
    return Reader(org, token.scope, token.id, person_id=token.person_id)


def is_https(request: web.Request) -> bool:
    """Say whether the browser came by TLS: to this process, or to a proxy that is trusted."""
    if request.secure:
        return True
    said = request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"
    trusted = request.app[SETTINGS].trusted_proxies
    if not (said and trusted and request.remote):
        return False
    try:
        peer = ip_address(request.remote)
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in trusted)


def cookie_name(request: web.Request) -> str:
    """Return the name of the cookie; with TLS one that no other host or path can set."""
    return "__Host-coop_session" if is_https(request) else "coop_session"


def keep(request: web.Request, response: web.StreamResponse, session: Session) -> None:
    """Let the browser remember a session for as long as it lasts."""
    response.set_cookie(
        cookie_name(request),
        session.value,
        max_age=sessions.HOURS * 3600,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_https(request),
    )


def language_of(request: web.Request) -> Language:
    """Return the language that was chosen, else the first known one that the browser asks for."""
    for said in (request.query.get("lang"), request.cookies.get(_LANGUAGE)):
        for language in LANGUAGES:
            if said == language:
                return language
    asked = [part.partition(";") for part in request.headers.get("Accept-Language", "").split(",")]
    ranked = sorted(asked, key=_weight, reverse=True)
    for name, _, _ in ranked:
        for language in LANGUAGES:
            if name.strip().lower().partition("-")[0] == language:
                return language
    return "de"


def _weight(part: tuple[str, str, str]) -> float:
    try:
        return float(part[2].strip().removeprefix("q="))
    except ValueError:
        return 1.0


class _Problem(msgspec.Struct):
    title: str = ""
    title_de: str = ""
    detail: str = ""
    code: str = ""


def dressed(paths: tuple[str, ...], closed: tuple[str, ...]) -> Any:
    """Return the middleware that makes errors into pages and remembers a chosen language.

    It looks at ``paths``, and at whatever else a browser asks for that is not below ``closed``.
    """

    @web.middleware
    async def dress(request: web.Request, handler: Handler) -> web.StreamResponse:
        foreign = request.path.startswith(closed)
        browser = "text/html" in request.headers.get("Accept", "")
        if request.path not in paths and (foreign or not browser):
            return await handler(request)
        response = await handler(request)
        if isinstance(response, web.Response) and response.content_type.endswith("json"):
            response = _error_page(request, response)
        if request.query.get("lang") in LANGUAGES:
            response.set_cookie(
                _LANGUAGE,
                request.query["lang"],
                max_age=_YEAR,
                path="/",
                samesite="Lax",
                httponly=True,
                secure=is_https(request),
            )
        return response

    return dress


def _error_page(request: web.Request, response: web.Response) -> web.Response:
    """Return the page of an error; who has signed in is left out, for asking may fail again."""
    body = response.body if isinstance(response.body, bytes) else b""
    said = msgspec.json.decode(body, type=_Problem)
    language = language_of(request)
    made = rendering.page(
        "error.html",
        language,
        response.status,
        title=request.app[TITLE],
        path=request.path if request.method in {"GET", "HEAD"} else "/",
        reader=None,
        heading=said.title_de if language == "de" else said.title,
        code=said.code,
        detail=said.detail,
    )
    for name in ("Allow", "Connection", "Retry-After"):
        if name in response.headers:
            made.headers[name] = response.headers[name]
    return made
