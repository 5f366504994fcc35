"""Commands about telling people: ``notice list``; ``webhook add``, ``list``, ``end``."""

from typing import Annotated, Any

import typer

from cybercoop.cli.opened import on_database
from cybercoop.cli.shown import Json, date, many, one
from cybercoop.notices import webhooks as deeds
from cybercoop.notices.carrying import Most
from cybercoop.notices.webhooks import Wanted
from cybercoop.store import members, notices, webhooks
from cybercoop.store.database import Connection, Database
from cybercoop.store.notices import Delivery, State
from cybercoop.store.webhooks import Webhook
from cybercoop.surroundings import Surroundings

notice = typer.Typer(no_args_is_help=True, help="What people and programs were told.")
webhook = typer.Typer(no_args_is_help=True, help="Where programs of organisations are told.")

OrgName = Annotated[str | None, typer.Option("--org", help="Organisation, by name or id.")]


async def _org_id(connection: Connection, name: str | None) -> str | None:
    return None if name is None else (await members.find(connection, name)).id


def _delivery(found: Delivery) -> dict[str, Any]:
    return {
        "id": found.id,
        "organisation": found.org_id,
        "person": found.person_id,
        "webhook": found.webhook_id,
        "urgency": found.urgency,
        "state": found.state.value,
        "tries": found.tries,
        "told": date(found.at),
        "next": date(found.next_at),
        "ended": date(found.ended_at),
        "reason": found.reason,
    }


@notice.command("list")
def notice_list(
    org: OrgName = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 200,
    as_json: Json = False,
) -> None:
    """List what was told to whom and how far it has come; nothing of the words.

    gathered: waits for the mail of the day. kept: there was no mail server.

    For example:

    cybercoop notice list --state failed
    cybercoop notice list --org "Landkreis Cochem-Zell" --json
    """

    async def work(database: Database) -> list[dict[str, Any]]:
        async with database.read() as connection:
            states = () if state is None else (state.value,)
            org_id = await _org_id(connection, org)
            found = await notices.all_of(connection, org_id, states, most)
            names = {each.id: each.name for each in await members.all_organisations(connection)}
        rows = [_delivery(each) for each in found]
        if as_json:
            return rows
        kept = ("urgency", "state", "tries", "told", "next", "reason", "id")
        return [
            {"of": names.get(row["organisation"]), "way": "mail" if row["person"] else "webhook"}
            | {name: row[name] for name in kept}
            for row in rows
        ]

    many("notices", on_database(work), as_json=as_json)


def _webhook(found: Webhook) -> dict[str, Any]:
    return {
        "id": found.id,
        "organisation": found.org_id,
        "url": found.url,
        "most": found.most,
        "internal": found.internal,
        "created": date(found.created_at),
    }


@webhook.command("add")
def webhook_add(
    url: Annotated[str, typer.Argument(help="Where to call, https://…")],
    org: Annotated[str, typer.Option(help="Whose programs are told, by name or id.")],
    most: Annotated[Most, typer.Option(help="The most confidential to be told.")] = Most.AMBER,
    internal: Annotated[
        bool, typer.Option("--internal", help="It lies in the center's own network.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a webhook; the secret of its signatures is shown this once.

    For example:

    cybercoop webhook add https://hooks.example/coop --org "Landkreis A"
    cybercoop webhook add http://10.1.2.3:9000/ --org "Landkreis A" --internal
    """

    async def work(database: Database) -> tuple[Webhook, str]:
        async with database.write() as connection:
            owner = await members.find(connection, org)
            wanted = Wanted(owner.id, url, most, internal)
            return await deeds.create(connection, Surroundings(), wanted)

    made, secret = on_database(work)
    sentence = f"Webhook {made.id} is called. Its secret, shown only this once:\n{secret}"
    one(_webhook(made) | {"secret": secret}, sentence, as_json=as_json)


@webhook.command("list")
def webhook_list(org: OrgName = None, as_json: Json = False) -> None:
    """List webhooks.

    For example:

    cybercoop webhook list --org "Landkreis A"
    """

    async def work(database: Database) -> list[Webhook]:
        async with database.read() as connection:
            return await webhooks.all_of(connection, await _org_id(connection, org))

    many("webhooks", [_webhook(each) for each in on_database(work)], as_json=as_json)


@webhook.command("end")
def webhook_end(
    webhook_id: Annotated[str, typer.Argument(help="Id of the webhook.")], as_json: Json = False
) -> None:
    """End a webhook at once; what waits for it is not sent any more.

    For example:

    cybercoop webhook end 5c0ffee0-0000-4000-8000-000000000000
    """

    async def work(database: Database) -> Webhook:
        async with database.write() as connection:
            found = await webhooks.find(connection, webhook_id)
            await webhooks.end(connection, found.id, Surroundings().now())
        return found

    ended = on_database(work)
    one(_webhook(ended), f"Webhook {ended.id} has ended.", as_json=as_json)
