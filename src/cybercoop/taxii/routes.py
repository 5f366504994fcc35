"""Routes: TAXII 2.1 on the wire, over whatever collections a root has."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from cybercoop.body import read_body, room_for
from cybercoop.collect import intake
from cybercoop.collect.checking import Verdict
from cybercoop.door import (
    CENTER,
    DATABASE,
    SETTINGS,
    SURROUNDINGS,
    TAXII,
    WAKE,
    Handler,
    Reader,
    reader_of,
)
from cybercoop.errors import Forbidden, NotFound, Unauthenticated
from cybercoop.store import contributions, statuses
from cybercoop.store.database import Connection
from cybercoop.store.paging import ALL, FIRST, GLUED, LAST, Filters, Page, Position
from cybercoop.taxii import documents, query
from cybercoop.taxii.collections import Collection, Collections, Own, named
from cybercoop.taxii.media import require_acceptable, require_taxii_body

_HOUR = 3_600_000_000
_MOST_DELETED = 100_000
_EVERY_SPEC = ("2.0", "2.1")


@dataclass(frozen=True, slots=True)
class Root:
    """Hold one API root: its path with slashes at both ends, title, and what stands in it."""

    path: str
    title: str
    collections: Collections
    description: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Discovery:
    """Hold what the server says of itself (section 4.1.1).

    ``addresses`` are told instead of the paths of ``roots``, ``default`` instead of the first.
    """

    title: str
    roots: Sequence[Root]
    description: str | None = None
    contact: str | None = None
    open: bool = True
    addresses: Sequence[str] = ()
    default: str | None = None


def add_routes(app: web.Application, discovery: Discovery) -> None:
    """Put discovery and every API root into ``app``."""
    app.router.add_get("/taxii2/", _taxii(partial(_discovery, discovery)))
    for root in discovery.roots:
        path = root.path
        one = f"{path}collections/{{collection}}/"
        get = (
            (path, _root),
            (f"{path}collections/", _collections),
            (f"{path}status/{{status}}/", _status),
            (one, _collection),
            (f"{one}objects/", _objects),
            (f"{one}objects/{{object}}/", _objects),
            (f"{one}objects/{{object}}/versions/", _versions),
            (f"{one}manifest/", _manifest),
        )
        for where, handler in get:
            app.router.add_get(where, _taxii(partial(handler, root)))
        app.router.add_post(f"{one}objects/", _taxii(partial(_add, root)))
        app.router.add_delete(f"{one}objects/{{object}}/", _taxii(partial(_delete, root)))


def _taxii(handler: Handler) -> Handler:
    async def negotiated(request: web.Request) -> web.StreamResponse:
        require_acceptable(",".join(request.headers.getall("Accept", [])))
        return await handler(request)

    return negotiated


def _answer(
    content: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=content, status=status, headers={"Content-Type": TAXII} | (headers or {})
    )


async def _discovery(discovery: Discovery, request: web.Request) -> web.Response:
    if not discovery.open:
        _somebody(request)
    addresses = discovery.addresses or [root.path for root in discovery.roots]
    said = {
        "title": discovery.title,
        "description": discovery.description,
        "contact": discovery.contact,
        "default": discovery.default or addresses[0],
        "api_roots": list(addresses),
    }
    return _answer(documents.encode({name: one for name, one in said.items() if one is not None}))


def _somebody(request: web.Request) -> Reader:
    reader = reader_of(request)
    if reader is None:
        raise Unauthenticated("Send a token as the password of HTTP Basic, or as Bearer.")
    return reader


async def _root(root: Root, request: web.Request) -> web.Response:
    if not root.open:
        _somebody(request)
    said = {
        "title": root.title,
        "description": root.description,
        "versions": [TAXII],
        "max_content_length": request.app[SETTINGS].max_content_length,
    }
    return _answer(documents.encode({name: one for name, one in said.items() if one is not None}))


def _found(root: Root, request: web.Request) -> list[Collection]:
    return root.collections(reader_of(request) if root.open else _somebody(request))


async def _collections(root: Root, request: web.Request) -> web.Response:
    listed = [one.resource() for one in _found(root, request) if one.listed]
    return _answer(documents.encode({"collections": listed} if listed else {}))


def _one(root: Root, request: web.Request) -> Collection:
    return named(_found(root, request), request.match_info["collection"])


def _readable(root: Root, request: web.Request) -> Collection:
    one = _one(root, request)
    if not one.can_read and not one.can_write:
        raise NotFound("There is no such collection.")
    if not one.can_read:
        raise Forbidden("This collection can only be written to.")
    return one


async def _collection(root: Root, request: web.Request) -> web.Response:
    return _answer(documents.encode(_one(root, request).resource()))


async def _page(
    collection: Collection, request: web.Request, asked: Filters, columns: Sequence[str]
) -> Page:
    """Return a page; raise ``NotFound`` when a single object that was asked for is not there."""
    single = request.match_info.get("object")
    if single is not None:
        asked = replace(asked, ids=(_checked_id(single),))
    async with request.app[DATABASE].read() as connection:
        page = await collection.read(connection, asked, columns)
        if single is not None and not page.count:
            anything = Filters(limit=1, ids=asked.ids, versions=(ALL,))
            if not (await collection.read(connection, anything, ())).count:
                raise NotFound("There is no such object.")
    return page


def _checked_id(text: str) -> str:
    if not text.isprintable():
        raise NotFound("There is no such object.")
    return text


def _paged(request: web.Request, page: Page, asked: Filters, content: bytes) -> web.Response:
    headers = documents.stamps(page, asked.after.date_added)
    # Rows never change, so a page is known by its question, its length and when each of its rows
    # came: its ends do not tell that one between them has taken the place of another.
    known = f"{request.path_qs}|{sorted(headers.items())}|{page.count}|{len(content)}|".encode()
    known += documents.encode(page.stamps)
    tag = hashlib.sha256(known).hexdigest()[:32]
    headers["ETag"] = f'"{tag}"'
    # A proxy that packs answers makes the tag a weak one (RFC 9110, section 13.1.2).
    if any(one.value in {"*", tag} for one in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return _answer(content, headers=headers)


def _secret(request: web.Request, collection: Collection) -> bytes:
    """Return what ``next`` is signed with: it is good for this collection alone.

    The alias of a reader's feed leads to another one when a key is gained, and whoever kept his
    place there would page past what is older.
    """
    return request.app[CENTER].secret + collection.id.encode()


def _asked(
    collection: Collection, request: web.Request, default: tuple[str, ...] = (LAST,)
) -> Filters:
    secret, most = _secret(request, collection), request.app[SETTINGS].page_limit
    return query.filters(request.query, most, secret, default)


async def _objects(root: Root, request: web.Request) -> web.Response:
    collection = _readable(root, request)
    asked = _asked(collection, request)
    page = await _page(collection, request, asked, GLUED)
    at = page.following
    following = query.token(asked, at, _secret(request, collection)) if at else None
    return _paged(request, page, asked, documents.envelope(page, following))


async def _manifest(root: Root, request: web.Request) -> web.Response:
    collection = _readable(root, request)
    asked = _asked(collection, request)
    columns = ("stix_id", "version", "spec_version")
    page = (await _page(collection, request, asked, columns)).up_to_a_stamp()
    return _paged(request, page, asked, documents.manifest(page))


async def _versions(root: Root, request: web.Request) -> web.Response:
    collection = _readable(root, request)
    asked = _asked(collection, request, (ALL,))
    page = (await _page(collection, request, asked, ("version",))).up_to_a_stamp()
    return _paged(request, page, asked, documents.versions(page))


def _writable(root: Root, request: web.Request) -> tuple[Collection, Own]:
    one = _one(root, request)
    if not one.can_read and not one.can_write:
        raise NotFound("There is no such collection.")
    if not one.can_write or not isinstance(one.shelf, Own):
        raise Forbidden("This collection cannot be written to with this token.")
    return one, one.shelf


async def _add(root: Root, request: web.Request) -> web.Response:
    _, shelf = _writable(root, request)
    require_taxii_body(request.headers.get("Content-Type"))
    app, poster = request.app, _somebody(request)
    settings = app[SETTINGS]
    most, seconds = settings.max_content_length, settings.read_timeout
    async with room_for(request, poster.org.id, most):
        answer = await _taken_in(app, poster, shelf, await read_body(request, most, seconds))
    app[WAKE]()
    return _answer(answer, 202)


async def _taken_in(app: web.Application, poster: Reader, shelf: Own, body: bytes) -> bytes:
    """Take an envelope in and return its status."""
    now, status_id = app[SURROUNDINGS].now(), app[SURROUNDINGS].uuid()
    answer = b""

    async def record(connection: Connection, verdicts: Sequence[Verdict]) -> None:
        nonlocal answer
        answer = documents.status(status_id, verdicts, now)
        await statuses.add(connection, status_id, poster.org.id, answer, now)

    database, center = app[DATABASE], app[CENTER]
    await intake.accept(database, center, shelf.org, body, intake.Push(), now, record)
    return answer


async def _status(_root: Root, request: web.Request) -> web.Response:
    reader = _somebody(request)
    app = request.app
    since = app[SURROUNDINGS].now() - app[SETTINGS].status_hours * _HOUR
    async with app[DATABASE].read() as connection:
        content = await statuses.read(
            connection, _checked_id(request.match_info["status"]), reader.org.id, since
        )
    return _answer(content)


async def _delete(root: Root, request: web.Request) -> web.Response:
    one, shelf = _writable(root, request)
    if not one.can_read:
        raise Forbidden("Only collections that can be read and written can be deleted from.")
    app, stix_id = request.app, _checked_id(request.match_info["object"])
    asked = _asked(one, request, (ALL,))
    asked = replace(asked, ids=(stix_id,), after=Position(), limit=_MOST_DELETED)
    if not {FIRST, LAST} & set(asked.versions):  # those are the ones that a GET would show
        asked = replace(asked, spec_versions=asked.spec_versions or _EVERY_SPEC)
    async with app[DATABASE].write() as connection:
        await contributions.stamps(connection, shelf.org.id, 0, 0)
        page = await contributions.read(connection, shelf.org.id, asked, ())
        if not page.rows:
            raise NotFound("There is no such object.")
        await contributions.delete(connection, shelf.org.id, stix_id, [row[1] for row in page.rows])
    app[WAKE]()
    return web.Response(status=200, headers={"Content-Type": TAXII}, body=b"")
