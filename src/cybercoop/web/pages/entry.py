"""Coming in: sign-in by token, sign-out, and the page that says what can be done."""

from aiohttp import web

from cybercoop.door import AUTHENTICATE, DATABASE, SURROUNDINGS
from cybercoop.store import sessions
from cybercoop.web.pages.visits import Visit, cookie_name, keep, new_session, see_other

_LONGEST_TOKEN = 200


async def form(visit: Visit) -> web.StreamResponse:
    """Show the form that takes a token."""
    return visit.page("signin.html", refused=False)


async def sign_in(visit: Visit) -> web.StreamResponse:
    """Let in whoever has a good token; the session is a new one, whatever came before."""
    text = visit.form.text("token").strip()
    app, request = visit.request.app, visit.request
    reader = None
    if 0 < len(text) <= _LONGEST_TOKEN and text.isprintable():
        reader = await app[AUTHENTICATE](f"Bearer {text}", request)
    if reader is None:
        return visit.page("signin.html", 403, refused=True)
    response = see_other("/")
    keep(request, response, new_session(request, reader.token_id))
    return response


async def sign_out(visit: Visit) -> web.StreamResponse:
    """Forget who signed in, and let no copy of the cookie in."""
    session, now = visit.session, visit.request.app[SURROUNDINGS].now()
    if visit.reader is not None:  # of nobody else anything has to be remembered
        async with visit.request.app[DATABASE].write() as connection:
            await sessions.end(connection, session.digest, session.expires, now)
    response = see_other("/signin")
    response.del_cookie(cookie_name(visit.request), path="/", httponly=True, samesite="Strict")
    return response


async def start(visit: Visit) -> web.StreamResponse:
    """Say what can be done here."""
    return visit.page("start.html", org=visit.org)
