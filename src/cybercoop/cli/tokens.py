"""Commands about tokens: ``token create``, ``rotate``, ``revoke``, ``list``."""

from typing import Annotated, Any

import typer

from cybercoop.cli.opened import on_database
from cybercoop.cli.shown import Json, date, many, one
from cybercoop.collect import tokens
from cybercoop.errors import Misused
from cybercoop.members.tokens import Scope, Token
from cybercoop.store import members
from cybercoop.store import tokens as remembered
from cybercoop.store.database import Database
from cybercoop.surroundings import Surroundings

app = typer.Typer(no_args_is_help=True, help="Tokens of organisations and of people.")

TokenId = Annotated[str, typer.Argument(help="Id of the token, or its shown prefix.")]


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "prefix": token.prefix,
        "organisation": token.org_id,
        "person": token.person_id,
        "scope": token.scope.value,
        "created": date(token.created_at),
        "expires": date(token.expires_at),
        "last_used": date(token.last_used_at),
        "revoked": date(token.revoked_at),
    }


def _print_new(token: Token, text: str, *, as_json: bool) -> None:
    until = f"good until {date(token.expires_at)}"
    sentence = f"Token {token.id} ({token.scope.value}, {until}), shown only this once:\n{text}"
    one(_shown(token) | {"token": text}, sentence, as_json=as_json)


@app.command("create")
def create(
    name: Annotated[str | None, typer.Argument(help="Organisation, by name or id.")] = None,
    person: Annotated[str | None, typer.Option(help="Instead: a person, by mail or id.")] = None,
    scope: Annotated[Scope, typer.Option(help="What it may do.")] = Scope.WRITE,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
    as_json: Json = False,
) -> None:
    """Make a token; it is shown this once and stored only as a hash.

    For example:

    cybercoop token create "Landkreis Cochem-Zell" --scope write --days 90
    cybercoop token create --person it@cochem-zell.example --scope read
    """
    if (name is None) == (person is None):
        raise Misused("Name an organisation, or a person with --person.")

    async def work(database: Database) -> tuple[Token, str]:
        async with database.write() as connection:
            if person is not None:
                who = await members.find_person(connection, person)
                org_id, person_id = who.org_id, who.id
            else:
                org_id, person_id = (await members.find(connection, name or "")).id, None
            return await tokens.create(
                connection, Surroundings(), org_id, scope, person_id=person_id, days=days
            )

    _print_new(*on_database(work), as_json=as_json)


@app.command("rotate")
def rotate(
    token_id: TokenId,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="Hours for which the old one still works.")
    ] = 24,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Days until the new one expires; else as for the old."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a successor with the same scope; the old token ends after the overlap.

    A token that is rotated again while it overlaps has a short life: say --days then.

    For example:

    cybercoop token rotate coop_Zk3v1 --overlap-hours 48
    cybercoop token rotate coop_Zk3v1 --days 365
    """

    async def work(database: Database) -> tuple[Token, str]:
        async with database.write() as connection:
            return await tokens.rotate(
                connection, Surroundings(), token_id, overlap_hours, days=days
            )

    _print_new(*on_database(work), as_json=as_json)


@app.command("revoke")
def revoke(token_id: TokenId, as_json: Json = False) -> None:
    """End a token at once.

    For example:

    cybercoop token revoke coop_Zk3v1
    """

    async def work(database: Database) -> Token:
        async with database.write() as connection:
            token = await remembered.find(connection, token_id)
            if not await remembered.revoke_one(connection, token.id, Surroundings().now()):
                raise Misused("This token was revoked before.")
            return await remembered.find(connection, token.id)

    ended = on_database(work)
    one(_shown(ended), f"Token {ended.id} has ended.", as_json=as_json)


@app.command("list")
def list_all(
    name: Annotated[str | None, typer.Argument(help="Only of this organisation.")] = None,
    as_json: Json = False,
) -> None:
    """List tokens by what may be shown of them.

    For example:

    cybercoop token list
    cybercoop token list "Landkreis Cochem-Zell" --json
    """

    async def work(database: Database) -> list[dict[str, Any]]:
        async with database.read() as connection:
            names = {each.id: each.name for each in await members.all_organisations(connection)}
            org_id = (await members.find(connection, name)).id if name else None
            found = await remembered.all_tokens(connection, org_id)
        rows = [_shown(token) for token in found]
        if as_json:
            return rows
        return [
            {"prefix": row["prefix"], "of": names.get(row["organisation"])}
            | {key: row[key] for key in ("scope", "expires", "last_used", "revoked", "id")}
            for row in rows
        ]

    many("tokens", on_database(work), as_json=as_json)
