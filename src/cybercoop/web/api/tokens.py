"""Tokens: a county gives out its own, the center everybody's."""

from typing import Annotated

import msgspec
from pydantic import Field

from cybercoop.collect import tokens as deeds
from cybercoop.errors import Misused, NotFound, Refused
from cybercoop.members.organisations import Organisation, Person, goes_by
from cybercoop.members.tokens import Scope, Token
from cybercoop.store import people, tokens
from cybercoop.store.database import Connection
from cybercoop.web.api._common import moment, whose
from cybercoop.web.cursors import Paging, page
from cybercoop.web.endpoints import Asked, Call, Endpoint, Nothing

Name = Annotated[str | None, Field(max_length=320)]


class TokensAsked(Paging):
    """Say whose tokens to list; only the center names another organisation."""

    organisation: Name = None


class NewToken(Asked):
    """Say whom a token is for and what it may do; without a name it is for your organisation."""

    organisation: Name = None
    person: Annotated[Name, Field(description="mail address or id")] = None
    scope: Scope = Scope.WRITE
    days: Annotated[int, Field(ge=1, le=3650)] = 365


class Rotation(Asked):
    """Say for how many hours the old token still works."""

    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24


class ShownToken(msgspec.Struct, frozen=True):
    """Show what may be shown of a token."""

    id: str
    prefix: str
    organisation: str
    person: str | None
    scope: str
    created: str | None
    expires: str | None
    last_used: str | None
    revoked: str | None


class ShownTokens(msgspec.Struct, frozen=True):
    """Show a page of tokens, newest first."""

    tokens: list[ShownToken]
    next: str | None


class MadeToken(msgspec.Struct, frozen=True):
    """Show a new token and its text, which is nowhere else.

    A request that comes again under its idempotency key finds no text any more.
    """

    id: str
    token: str | None
    shown: ShownToken


def _shown(one: Token) -> ShownToken:
    return ShownToken(
        one.id,
        one.prefix,
        one.org_id,
        one.person_id,
        one.scope.value,
        moment(one.created_at),
        moment(one.expires_at),
        moment(one.last_used_at),
        moment(one.revoked_at),
    )


async def list_tokens(call: Call[TokensAsked, None]) -> ShownTokens:
    """Show the tokens of an organisation, ended ones too; without a name the center sees all."""
    async with call.database.read() as connection:
        org = await whose(connection, call, call.query.organisation)
        everybody = call.is_center and call.query.organisation is None
        found = await tokens.all_tokens(connection, None if everybody else org.id)
    shown, following = page(call, found, lambda one: (-one.created_at, one.id))
    return ShownTokens([_shown(one) for one in shown], following)


async def create_token(call: Call[Nothing, NewToken]) -> MadeToken:
    """Make a token for an organisation, or for one of its people."""
    said = call.body
    async with call.database.write() as connection:
        org = await whose(connection, call, said.organisation)
        person = await _person(connection, call, org)
        org_id, person_id = (person.org_id, person.id) if person else (org.id, None)
        made, text = await deeds.create(
            connection, call.around, org_id, said.scope, person_id=person_id, days=said.days
        )
        answer = MadeToken(made.id, text, _shown(made))
        await call.keep(connection, answer)
    return answer


async def _person(
    connection: Connection, call: Call[Nothing, NewToken], org: Organisation
) -> Person | None:
    if call.body.person is None:
        return None
    everybody = call.is_center and call.body.organisation is None
    known = await people.all_of(connection, None if everybody else org.id)
    found = [one for one in known if goes_by(one, call.body.person)]
    if len(found) > 1:
        raise Refused("Several people have this mail address; name one by id.", "person")
    if not found:
        raise Refused("There is no person of that mail address or id for you.", "person")
    return found[0]


async def rotate_token(call: Call[Nothing, Rotation]) -> MadeToken:
    """Make a successor of a token; the old one ends after the overlap."""
    async with call.database.write() as connection:
        old = await _find(connection, call, call.path["token_id"])
        made, text = await deeds.rotate(connection, call.around, old.id, call.body.overlap_hours)
        answer = MadeToken(made.id, text, _shown(made))
        await call.keep(connection, answer)
    return answer


async def revoke_token(call: Call[Nothing, None]) -> ShownToken:
    """End a token at once; one that has ended stays so."""
    async with call.database.write() as connection:
        one = await _find(connection, call, call.path["token_id"])
        await tokens.revoke_one(connection, one.id, call.around.now())
        return _shown(await tokens.find(connection, one.id))


async def _find(connection: Connection, call: Call[Nothing, object], token_id: str) -> Token:
    """Return a token that the asker manages; a foreign one is not there."""
    unknown = NotFound("There is no such token.")
    try:
        found = await tokens.find(connection, token_id)
    except Misused as error:
        raise unknown from error
    if not call.is_center and found.org_id != call.org.id:
        raise unknown
    return found


ENDPOINTS = (
    Endpoint(
        "GET",
        "/tokens",
        Scope.ADMIN,
        list_tokens,
        "List tokens by what may be shown of them.",
        "Zugangsmarken auflisten, soweit sie gezeigt werden dürfen.",
        also=frozenset({422}),
    ),
    Endpoint(
        "POST",
        "/tokens",
        Scope.ADMIN,
        create_token,
        "Make a token; its text is shown this once.",
        "Eine Zugangsmarke ausstellen; ihr Text wird nur dieses eine Mal gezeigt.",
        status=201,
        secret="token",  # noqa: S106 - the name of a field
    ),
    Endpoint(
        "POST",
        "/tokens/{token_id}/rotation",
        Scope.ADMIN,
        rotate_token,
        "Make a successor of a token; the old one ends after an overlap.",
        "Eine Zugangsmarke ablösen; die alte endet nach einer Übergangszeit.",
        status=201,
        secret="token",  # noqa: S106 - the name of a field
    ),
    Endpoint(
        "DELETE",
        "/tokens/{token_id}",
        Scope.ADMIN,
        revoke_token,
        "End a token at once.",
        "Eine Zugangsmarke sofort beenden.",
    ),
)
